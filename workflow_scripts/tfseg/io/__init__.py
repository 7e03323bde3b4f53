"""Files: whole or not at all, checked when read; sound, tables of tensors."""
