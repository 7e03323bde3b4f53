"""What the command for recordings does with those that fail, and with a disk that does."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from tfseg.apply import bulk
from tfseg.apply.results import Analysis
from tfseg.errors import DataError, NotWrittenError


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Return a function that "analyses" two recordings, each with its own outcome."""

    def run_apply(outcomes):
        recordings = [SimpleNamespace(name=name, path=Path(f"{name}.wav")) for name in outcomes]

        def analyse(recording, *_):
            if outcomes[recording.name] is not None:
                raise outcomes[recording.name]
            return Analysis(recording.name, str(recording.path), 1.0, [])

        monkeypatch.setattr(bulk, "analyse", analyse)
        monkeypatch.setattr(bulk, "already_there", lambda *_, **__: False)
        return bulk.apply_to(recordings, bulk.Batch(tmp_path, None), None)

    return run_apply


def test_a_recording_that_cannot_be_used_is_listed_and_the_next_is_done(run):
    done, failures = run({"one": DataError("one.wav: no sound"), "two": None})
    assert done == {"two": "two.wav"}
    assert failures == {("one", "one.wav"): "one.wav: no sound"}


def test_a_full_disk_is_no_fault_of_a_recording(run):
    with pytest.raises(NotWrittenError):
        run({"one": NotWrittenError("events.tsv: could not be written"), "two": None})
