from types import SimpleNamespace

import pytest

from tfseg.errors import ConfigError, DataError
from tfseg.run.given_recordings import GivenRecordings


def _given(*paths, model="a model"):
    return GivenRecordings({"recordings": [str(path) for path in paths], "model": model})


def test_what_is_not_named_is_said():
    with pytest.raises(ConfigError, match="config key recordings: expected a path, found none"):
        _ = _given().by_name
    with pytest.raises(ConfigError, match="config key model: expected a path, found none"):
        _ = _given("a.wav", model=None).by_name


def test_a_recording_is_an_input_where_snakemake_can_take_it(tmp_path):
    plain, odd = tmp_path / "plain.wav", tmp_path / "odd{x}.wav"
    plain.write_bytes(b"a")
    odd.write_bytes(b"b")
    given = _given(plain, odd)
    names = {path.name: name for name, path in given.by_name.items()}
    job = SimpleNamespace(recording=names["plain.wav"])
    assert given.as_input(job) == [given.path(job)] == [str(plain)]
    assert given.state(job) == ""
    job = SimpleNamespace(recording=names["odd{x}.wav"])
    assert given.as_input(job) == []
    before = given.state(job)
    odd.write_bytes(b"another")
    assert before != given.state(job) != ""


def test_results_are_named_for_every_recording(tmp_path):
    (tmp_path / "a.wav").write_bytes(b"a")
    given = _given(tmp_path / "a.wav")
    (name,) = given.by_name
    assert given.files("applied/{recording}/x") == [f"applied/{name}/x"]


def test_what_the_run_makes_may_be_given_before_it_is_there(tmp_path):
    made = [str(tmp_path / "soundscapes" / name) for name in ("a.wav", "b.flac")]
    config = {"recordings": str(tmp_path / "soundscapes"), "model": "a model"}
    given = GivenRecordings(config, made)
    assert given.files("{recording}") == ["a", "b"]
    assert [given.as_input(SimpleNamespace(recording=name)) for name in "ab"] == [[p] for p in made]
    one = GivenRecordings(config | {"recordings": made[1:]}, made)
    assert one.files("{recording}") == ["b"]
    with pytest.raises(DataError, match="found nothing there"):
        _ = GivenRecordings(config).by_name
