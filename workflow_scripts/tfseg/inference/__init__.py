"""Scores of a network, and the events that are read from them."""
