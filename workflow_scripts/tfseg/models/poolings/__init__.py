"""Classification mappings g2: one T-F mask to one presence probability (TASLP IV-B).

A pooling is one file: its `DECLARATION` (`tfseg.models.registry`) and ``build(n_masks, **settings)``,
which returns a module that takes the masks, and the logits that they are the sigmoid of where the
caller has them. The name of the file is the name of the pooling, and of the system that it makes
with the experiment's trunk. A module without a declaration holds what several share.
"""
