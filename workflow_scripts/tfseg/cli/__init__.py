"""The console command ``tfseg``: a module for each of its commands."""
