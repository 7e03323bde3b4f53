"""Asking a person about the stretches of recordings whose labels help most."""
