"""What runs inside every job: logs and locks, seeds, hardware, progress."""
