"""``python -m tfseg.cli``: the command ``tfseg``, without an installation."""

import sys

from tfseg.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
