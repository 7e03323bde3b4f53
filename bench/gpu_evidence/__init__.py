"""All that docs say of a GPU, checked and measured by one command (``make gpu-evidence``)."""
