"""Files, audio and tensors: written whole or not at all, and checked when read."""
