"""Classification mappings g2: one T-F mask to one presence probability (TASLP IV-B).

A pooling is one file with a `DECLARATION` (`tfseg.models.registry`) and a function
``build(n_masks, **settings)``. The function returns a module that takes the masks, and optionally
the logits whose sigmoid they are. The file's name is the name of the pooling, and of the system
that combines it with the experiment's trunk. Modules without a declaration hold shared code.
"""
