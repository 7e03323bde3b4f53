"""What an experiment says: its keys, what they may be, and the checks before anything runs."""
