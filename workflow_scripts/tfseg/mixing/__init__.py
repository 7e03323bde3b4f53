"""Who sounds when: plans of mixtures, their stems, long soundscapes."""
