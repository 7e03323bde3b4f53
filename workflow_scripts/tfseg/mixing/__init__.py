"""Plans of mixtures, their stems, and long soundscapes."""
