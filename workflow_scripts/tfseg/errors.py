"""The errors that tfseg raises on purpose; their message tells a user all that is needed."""


class TfsegError(Exception):
    """Root of all errors whose message is meant for the user."""


class ConfigError(TfsegError):
    """A configuration key has a value that cannot be used."""


class TableError(TfsegError):
    """A table (CSV or TSV) does not follow its schema."""


class DataError(TfsegError):
    """An audio file, an array or a recording cannot be used."""


class UnreadableSoundError(DataError):
    """A recording that cannot be opened or decoded.

    Parameters
    ----------
    path : path-like
    why : str
        Said of it, without its path.
    """

    def __init__(self, path, why):
        super().__init__(f"{path}: expected a sound file, found one that cannot be read: {why}")
        self.path, self.why = path, why

    def __reduce__(self):  # from process to process
        return type(self), (self.path, self.why)


class DamagedFileError(DataError):
    """An intermediate file is truncated or altered, or its layout is not the expected one."""


class NotWrittenError(DataError):
    """A file cannot be written: the disk is full, or the user may not write to the folder."""


class ExportError(TfsegError):
    """A model cannot be written in another format."""
