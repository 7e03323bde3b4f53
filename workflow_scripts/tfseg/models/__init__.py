"""Networks: trunks (g1, log-mel to masks), poolings (g2, masks to tags), and named systems."""
