"""Networks without masks: the baselines of TASLP, and those that users add.

A network is one file with a `DECLARATION` (`tfseg.models.registry`) and a function
``build(n_classes, n_mels, **settings)``. The function returns a module. Its input is standardised
log-mel [shape=(batch, time, mel)]; its outputs are tags [shape=(batch, class)] and frame scores
[shape=(batch, class, time)]. The file's name is the system's name.
"""
