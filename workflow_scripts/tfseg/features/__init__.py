"""Log-mel features, ideal masks and their time grid."""
