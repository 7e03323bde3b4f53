"""Segmentation mappings g1: log-mel spectrogram to one T-F mask per class (TASLP IV-A).

A trunk is one file: its `DECLARATION` (`tfseg.models.registry`) and ``build(n_outputs, **settings)``,
which returns a module that gives the logits of the masks; `tfseg.models.systems.MaskNetwork` takes
their sigmoid. The name of the file is its name in the config's ``trunk.kind``. A module without a
declaration holds what several share.
"""
