"""The errors that tfseg raises on purpose: their message is all that a user needs to read."""


class TfsegError(Exception):
    """Root of all errors whose message is meant for the user."""


class ConfigError(TfsegError):
    """A configuration key has a value that cannot be used."""


class TableError(TfsegError):
    """A table (CSV or TSV) does not hold what its schema says."""


class DataError(TfsegError):
    """An audio file, an array or a recording cannot be used."""


class DamagedFileError(DataError):
    """An intermediate file is truncated, altered or of another layout than expected."""


class NotWrittenError(DataError):
    """A file cannot be written: the disk is full, or the folder is not the user's to write to."""


class ExportError(TfsegError):
    """A model cannot be written in another format."""
