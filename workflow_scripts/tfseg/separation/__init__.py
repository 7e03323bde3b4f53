"""Masks to waveforms."""
