import os

import pytest

from tfseg.io import digests


@pytest.fixture
def recordings(tmp_path):
    for name in ("a.wav", "b/c.wav"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    return [tmp_path / "a.wav", tmp_path / "b/c.wav"]


def test_files_that_stay_keep_their_digest_in_any_order(recordings):
    assert digests.files_digest(recordings) == digests.files_digest(reversed(recordings))
    assert digests.files_digest(recordings) == digests.files_digest(
        [*recordings, recordings[1].parent]
    )


def test_a_changed_touched_missing_or_further_file_changes_the_digest(recordings, tmp_path):
    found = [
        digests.files_digest(recordings),
        digests.files_digest([*recordings, tmp_path / "new.wav"]),
    ]
    recordings[0].write_bytes(b"longer than before")
    found.append(digests.files_digest(recordings))
    os.utime(recordings[0], ns=(1, 1))
    found.append(digests.files_digest(recordings))
    recordings[0].unlink()
    found.append(digests.files_digest(recordings))
    assert len(set(found)) == 5


def test_contents_count_by_name_and_bytes_not_by_time(tmp_path):
    first, second = tmp_path / "a.html", tmp_path / "b.css"
    first.write_text("one")
    second.write_text("two")
    before = digests.contents_digest([first, second])
    os.utime(first, (1, 1))
    assert digests.contents_digest([second, first]) == before
    second.write_text("two!")
    assert digests.contents_digest([first, second]) != before
