"""How a job runs: recipes, digests of code, seeds, hardware, logs, progress."""
