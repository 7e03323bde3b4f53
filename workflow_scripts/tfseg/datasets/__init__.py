"""Sources of recordings: downloads, corpora, the user's own data, folds."""
