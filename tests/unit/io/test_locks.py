"""One process at a time where a drive keeps locks; where it does not, that is said and no more."""

import errno
import fcntl
import os

import pytest

from tfseg.io.locks import try_lock


@pytest.fixture
def two(tmp_path):
    """The same file opened twice."""
    with (tmp_path / "a.lock").open("a") as one, (tmp_path / "a.lock").open("a") as other:
        yield one, other


def test_a_lock_is_one_holders_until_its_file_is_closed(two, capsys):
    one, other = two
    assert try_lock(one)
    assert not try_lock(other)
    one.close()
    assert try_lock(other)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_a_drive_without_locks_is_said_and_stops_nothing(two, monkeypatch, capsys, number):
    """h5py #1082, #1101: NFS without its lock service."""

    def refuse(file, operation):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refuse)
    assert try_lock(two[0])
    assert f"a.lock: this drive keeps no locks ({os.strerror(number)})" in capsys.readouterr().err


def test_any_other_fault_of_a_lock_is_raised(two, monkeypatch):
    def refuse(file, operation):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(OSError, match="Input/output error"):
        try_lock(two[0])
