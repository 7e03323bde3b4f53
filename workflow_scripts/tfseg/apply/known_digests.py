"""Digests of recordings that were read before, so that going on with a folder reads none again."""

import json
import os

from tfseg.io.files import append_line

_FILE = "digests.jsonl"


def state_of(path):
    """What changes when a file does: its inode, size and time of modification; None: no file."""
    if not os.path.isfile(path):
        return None
    facts = os.stat(path)
    return [facts.st_ino, facts.st_size, facts.st_mtime_ns]


class KnownDigests:
    """The digests of the recordings whose results are in a folder.

    They lie in a file of that folder. One that does not fit its recording is not used.

    Parameters
    ----------
    out : Path
    """

    def __init__(self, out):
        self._path = out / _FILE
        self._known = {}
        if self._path.is_file():
            for line in self._path.read_bytes().splitlines():
                self._add(line)

    def _add(self, line):
        try:
            name, state, digest = json.loads(line)
        except ValueError:
            return  # a line that a killed process left half written: that recording is read again
        self._known[name] = state, digest

    def get(self, name, state):
        """Digest of a recording in this state; None where none is known."""
        known_state, digest = self._known.get(name, (None, None))
        return digest if state is not None and state == known_state else None

    def add(self, name, state, digest):
        """Remember the digest that a recording had in this state."""
        if state is not None and self._known.get(name) != (state, digest):
            self._known[name] = state, digest
            append_line(self._path, json.dumps([name, state, digest]))
