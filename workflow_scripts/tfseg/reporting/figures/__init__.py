"""The figures of a run: one module for each, with its declaration and its drawing code."""
