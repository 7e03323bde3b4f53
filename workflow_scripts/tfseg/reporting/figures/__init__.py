"""The figures of a run: one module for each, which declares what it is and draws it."""
