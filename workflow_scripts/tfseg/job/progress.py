"""Progress bars with rate and remaining time: updated in place on a terminal, else as log lines."""

import contextlib
import functools
import sys

from tqdm import tqdm

_LOG_INTERVAL_S = 15
_LOG_DELAY_S = 5


class _Lines(tqdm):
    """A bar for log files and pipes: a whole line each time instead of one that is overwritten."""

    @staticmethod
    def status_printer(file):
        """Return tqdm's function that prints a status."""

        def print_status(text):
            if text.strip():
                file.write(f"{text}\n")
                file.flush()

        return print_status


def bar(description, iterable=None, **options):
    """Make a tqdm bar on stderr.

    Parameters
    ----------
    description : str
    iterable : iterable or None
    **options
        For tqdm: ``total``, ``initial``.
    """
    terminal = sys.stderr.isatty()
    return (tqdm if terminal else _Lines)(
        iterable,
        desc=description,
        file=sys.stderr,
        # In a log: nothing for short work, else occasional lines and one at the end.
        leave=not terminal,
        delay=0 if terminal else _LOG_DELAY_S,
        mininterval=0.5 if terminal else _LOG_INTERVAL_S,
        maxinterval=10 if terminal else 2 * _LOG_INTERVAL_S,
        dynamic_ncols=terminal,
        **options,
    )


def beside_bars():
    """Context in which lines may be printed while bars are shown; a terminal draws those again."""
    return tqdm.external_write_mode() if sys.stderr.isatty() else contextlib.nullcontext()


def bars(description):
    """Return a function that wraps an iterable in a bar of this description."""
    return functools.partial(bar, description)
