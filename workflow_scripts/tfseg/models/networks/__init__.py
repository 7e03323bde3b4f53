"""Networks without masks: the systems that TASLP compares with, and those of users.

A network is one file: its `DECLARATION` (`tfseg.models.registry`) and
``build(n_classes, n_mels, **settings)``, which returns a module that takes standardised log-mel
[shape=(batch, time, mel)] and gives tags [shape=(batch, class)] and frame scores
[shape=(batch, class, time)]. The name of the file is the name of the system.
"""
