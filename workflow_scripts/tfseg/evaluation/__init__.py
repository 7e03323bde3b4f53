"""Metrics of tags, frames, events, masks and separated sounds."""
