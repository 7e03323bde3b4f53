"""Training a network from clip-level tags."""
