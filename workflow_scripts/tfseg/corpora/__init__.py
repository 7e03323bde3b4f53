"""Sources of sound, each turned into the same small tables: events, scenes, attribution."""
