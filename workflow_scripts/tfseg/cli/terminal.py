"""What commands print."""

import sys

from tfseg.io.validation import one_line


def say(text):
    """Print a line on any terminal: one of an older encoding must not end a run over a name."""
    encoding = sys.stdout.encoding or "utf-8"
    print(one_line(text).encode(encoding, "backslashreplace").decode(encoding), flush=True)
