"""Where sound comes from: downloads, corpora, the user's own data, folds."""
