"""The sections of the config, one file each; `tfseg.settings.sections.experiment` has all of them.

Every key states its type, default, limits, unit and one line of description. ``make settings``
writes from them what repeats any of these (`tfseg.settings.generate`).
"""
