"""Many recordings: each is analysed once, and costs only itself if it fails."""

import traceback

from tfseg.errors import NotWrittenError, TfsegError


def attempt(work):
    """Do something with a recording that costs only that recording if it fails.

    Parameters
    ----------
    work : callable

    Returns
    -------
    result
        Of `work`; None where it failed.
    reason : str or None
        Why it failed.

    Raises
    ------
    NotWrittenError, OSError
        No fault of the recording (a full disk): the next would fare no better.
    """
    try:
        return work(), None
    except (NotWrittenError, OSError):
        raise
    except TfsegError as error:
        return None, str(error)
    except Exception as error:  # nobody expected it: where it happened is shown, the others go on
        traceback.print_exc()
        return None, f"an unexpected error, {type(error).__name__}: {error}"
