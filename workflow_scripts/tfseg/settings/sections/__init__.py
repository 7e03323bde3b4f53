"""The sections of the config, one file each; `tfseg.settings.sections.experiment` has all of them.

Every key declares its type, default, limits, unit and a one-line description. ``make settings``
generates all other files that contain these (`tfseg.settings.generate`).
"""
