"""Segmentation mappings g1: log-mel spectrogram to one T-F mask per class (TASLP IV-A).

A trunk is one file with a `DECLARATION` (`tfseg.models.registry`) and a function
``build(n_outputs, **settings)``. The function returns a module that computes the logits of the
masks; `tfseg.models.systems.MaskNetwork` takes their sigmoid. The file's name is the value of
``trunk.kind`` in the config. Modules without a declaration hold shared code.
"""
