"""Scores of a network, and the detection of events from them."""
