"""The config of an experiment: its keys, their limits, and the checks before anything runs."""
