"""Pages to look at and listen to: one HTML file each, which opens from disk without a network."""
