"""tfseg: sound event detection and time-frequency segmentation learned from clip-level tags.

The library behind the workflow's rules. It follows Q. Kong et al., TASLP 2019 ("TASLP" in
docstrings) and ICASSP 2018 ("JSC"); ``docs/paper_map.md`` lists which equation lives where.
"""

__version__ = "0.1.0"
