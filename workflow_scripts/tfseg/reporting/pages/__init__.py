"""HTML pages with images and sounds: one file each, which opens from disk without a network."""
