"""The basis of the rules: paths, the experiment's sets, inputs of jobs, digests of code."""
