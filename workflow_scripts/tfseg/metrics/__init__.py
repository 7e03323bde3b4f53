"""The scores of the four tasks: clip tagging, frames, events, T-F masks."""
