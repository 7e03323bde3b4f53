"""Locks between processes, where the drive keeps any."""

import errno
import fcntl
import os
import sys

# Of file systems without locks: NFS without its lock service, some cluster and FUSE drives.
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)


def try_lock(file):
    """Lock an open file for this process, without waiting; the lock ends with the file or process.

    Parameters
    ----------
    file : file object

    Returns
    -------
    taken : bool
        False where another process has it. True also on a drive that keeps no locks (some network
        drives): nothing can be told there, and a line on the error output says so.
    """
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        print(
            f"{file.name}: this drive keeps no locks ({os.strerror(error.errno)}); nothing guards "
            "against a second process that makes the same files",
            file=sys.stderr,
        )
    return True
