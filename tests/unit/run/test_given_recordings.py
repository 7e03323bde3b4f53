from types import SimpleNamespace

import pytest

from tfseg.errors import ConfigError, DataError
from tfseg.run.given_recordings import GivenRecordings


def _given(*paths, model="a model", reference=None):
    config = {"recordings": [str(path) for path in paths], "model": model, "reference": reference}
    return GivenRecordings(config, "applied")


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


def test_what_no_job_can_write_down_is_no_input(tmp_path):
    paths = [tmp_path / "caf\udc82.wav", tmp_path / "two\nlines.wav"]
    for path in paths:
        path.write_bytes(b"a")
    given = _given(*paths)
    for name, path in given.by_name.items():
        job = SimpleNamespace(recording=name)
        assert given.as_input(job) == [] and given.state(job) and given.path(job) == str(path)


def test_a_reference_is_handed_out_by_recording(tmp_path):
    for name in ("A/x.wav", "B/x.wav", "B/.hidden.wav"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    table = tmp_path / "truth.tsv"
    header = "filename\tonset\toffset\tevent_label\n"
    table.write_text(f"{header}A/x.wav\t0\t1\tdog\nz.wav\t0\t1\tdog\n")
    given = _given(tmp_path / "A", tmp_path / "B", reference=str(table))
    names = {path.parent.name: name for name, path in given.by_name.items()}
    assert given.reference_names(SimpleNamespace(recording=names["A"])) == ["A/x.wav"]
    assert given.reference_names(SimpleNamespace(recording=names["B"])) == []
    assert given.notes(None) == [
        f"{tmp_path}/B: left out 1 hidden",
        f"{table}: 1 file name means none of the recordings: z.wav",
    ]
    table.write_text(f"{header}x.wav\t0\t1\tdog\n")
    with pytest.raises(DataError, match=r"'x\.wav' may mean"):
        _given(tmp_path / "A", tmp_path / "B", reference=str(table)).notes(None)


def test_what_the_run_makes_may_be_given_before_it_is_there(tmp_path):
    made = [str(tmp_path / "soundscapes" / name) for name in ("a.wav", "b.flac")]
    config = {"recordings": str(tmp_path / "soundscapes"), "model": "a model", "reference": None}
    config["reference"] = str(tmp_path / "soundscapes/events.tsv")
    given = GivenRecordings(config, "applied", made)
    names = given.files("{recording}")
    assert [name[:2] for name in names] == ["a-", "b-"]
    jobs = [SimpleNamespace(recording=name) for name in names]
    assert [given.as_input(job) for job in jobs] == [[p] for p in made]
    # The table of what sounds in them comes with them, and names them by their file names.
    assert [given.reference_names(job) for job in jobs] == [["a.wav"], ["b.flac"]]
    one = GivenRecordings(config | {"recordings": made[1:]}, "applied", made)
    assert one.files("{recording}") == names[1:]
    with pytest.raises(DataError, match="found nothing there"):
        _ = GivenRecordings(config, "applied").by_name
