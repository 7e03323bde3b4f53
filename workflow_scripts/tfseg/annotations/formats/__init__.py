"""The formats: a module for each, which declares itself (`tfseg.annotations.registry`)."""
