"""What the rules are made from: paths, closed sets, inputs of jobs, digests of code."""
