"""Services of every job: logs, locks, seeds, hardware, progress."""
