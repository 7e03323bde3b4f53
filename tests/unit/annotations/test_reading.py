"""Annotations as people have them: told by content, read to the same events, or refused by line."""

import json

import numpy as np
import pytest
import soundfile

from tfseg.annotations import read
from tfseg.annotations.collect import collect
from tfseg.annotations.merging import EXCESS_S
from tfseg.errors import DataError, TableError

RAVEN = "Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tHigh Freq (Hz)\t"
DESED = "filename\tonset\toffset\tevent_label\n"


@pytest.fixture
def given(tmp_path):
    """Return a function that writes a file, and gives its path."""

    def write(text, name="x.txt"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


@pytest.fixture
def sounds(tmp_path):
    """Make sounds of two seconds; gives their folder."""

    def make(*names):
        for name in names:
            path = tmp_path / "sounds" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(path, np.zeros(2000), 1000)
        return tmp_path / "sounds"

    return make


def events(recordings):
    return {
        recording.name: [(e.onset_s, e.offset_s, e.label) for e in recording.events]
        for recording in recordings
    }


ONE_DOG = {
    "audacity": "0.5\t1.25\tdog\n",
    "audacity with frequencies": "\n0.5\t1.25\tdog\n\\\t100\t200.5\n",
    "audacity, CRLF, mark": b"\xef\xbb\xbf0.5\t1.25\t dog \r\n\r\n",
    "audacity, old Mac": "0.5\t1.25\tdog\r",
    "event list": "x\t0.5\t1.25\tdog\n",
    "event list with commas": "x,0.5,1.25,dog\n",
    "event list with quotes": 'x,0.5,1.25,"dog"\n',
    "event list of one recording": "0.5, 1.25, dog\n",
    "desed": DESED + "x\t0.5\t1.25\tdog\n",
    "desed with commas and blanks": "filename, onset,offset ,event_label,,\nx,0.5 ,1.25,dog,,\n",
    "raven": f"{RAVEN}Annotation\n1\tSpectrogram 1\t1\t0.5\t1.25\t100\t200\tdog\n",
    "raven, other order and column":
        "Species\tEnd Time (s)\tBegin Time (s)\tSelection\ndog\t1.25\t0.5\t1\n",
    "label studio": '[{"data": {"audio": "x", "recording": "x"}, "annotations": [{"result": [{"type": '
        '"labels", "value": {"start": 0.5, "end": 1.25, "labels": ["dog"]}}]}]}]',
}  # fmt: skip


@pytest.mark.parametrize("what", ONE_DOG)
def test_one_event_is_read_from_any_format_whatever_the_file_is_called(given, what):
    for name in ("x.txt", "x.dat"):
        assert events(read(given(ONE_DOG[what], name))) == {"x": [(0.5, 1.25, "dog")]}


def test_frequencies_and_confidence_are_kept(given):
    (event,) = read(given("0.5\t1\tdog\n\\\t100\t200.5\n1\t2\tdog\n"))[0].events[:1]
    assert (event.low_hz, event.high_hz, event.confidence) == (100, 200.5, None)
    (event,) = read(given(f"{RAVEN}Annotation\tConfidence\n1\tS\t1\t0\t1\t\t\tdog\t0.5\n"))[
        0
    ].events
    assert (event.low_hz, event.high_hz, event.confidence) == (None, None, 0.5)
    text = "filename\tonset\toffset\tevent_label\tconfidence\na.wav\t0\t1\tdog\t0.75\n"
    assert read(given(text))[0].events[0].confidence == 0.75


def test_recordings_without_events_are_known(given, tmp_path):
    given("0.5\t1\tdog\n", "t/a.txt")
    given("", "t/b.txt")
    given("\r\n \r\n", "t/c.wav.txt")
    found = read(tmp_path / "t")
    assert events(found) == {"a": [(0.5, 1, "dog")], "b": [], "c.wav": []}
    assert all(recording.times_known for recording in found)
    text = DESED + "/d/a.wav\t\t\t\nd/b.wav\tnan\tNA\t\n"
    assert events(read(given(text))) == {"/d/a.wav": [], "d/b.wav": []}
    assert events(read(given("a.wav\t1\t2\tdog\nb.wav\n"))) == {
        "a.wav": [(1, 2, "dog")],
        "b.wav": [],
    }
    assert events(read(given(f"{RAVEN}Annotation\n", "d.Table.1.selections.txt"))) == {"d": []}


def test_tags_are_no_times(given):
    for text, name, tags, fold, group in (
        ("path,tags,fold,group\na.wav,dog; siren,2,g\n", "a.wav", ["dog", "siren"], 2, "g"),
        ("filename\tevent_labels\na.wav\tdog,siren\n", "a.wav", ["dog", "siren"], None, None),
        ("filename,fold,target,category,esc10,src_file,take\n1-2-A-3.wav,4,3,cow,False,2,A\n",
         "1-2-A-3.wav", ["cow"], 4, "2"),
        ("slice_file_name,fsID,start,end,salience,fold,classID,class\n9-3-0-0.wav,9,0.0,0.3,1,5,3,dog\n",
         "fold5/9-3-0-0.wav", ["dog"], 5, "9"),
    ):  # fmt: skip
        (recording,) = read(given(text))
        assert (recording.name, recording.tags, recording.times_known) == (name, tags, False)
        assert (recording.fold, recording.group, recording.events) == (fold, group, [])


def test_times_of_a_raven_table_of_several_files_count_from_each(given):
    columns = f"{RAVEN}Begin Path\tBegin File\tFile Offset (s)\tAnnotation\n"
    rows = [
        "1\tWaveform 1\t1\t10.5\t11\t0\t9\t/s/a.wav\ta.wav\t0.5\tdog",
        "1\tSpectrogram 1\t1\t10.5\t11\t0\t9\t/s/a.wav\ta.wav\t0.5\tdog",
        "2\tSpectrogram 1\t1\t20.25\t21\t0\t9\t/s/b.wav\tb.wav\t3.25\tdog",
    ]
    path = given(columns + "\n".join(rows) + "\n")
    recordings, report = collect([path])
    assert events(recordings) == {"/s/a.wav": [(0.5, 1, "dog")], "/s/b.wav": [(3.25, 4, "dog")]}
    assert "merged, shown in two views: 1 (/s/a.wav, 1)" in report.lines(recordings)
    without = given(f"{RAVEN}Begin File\tAnnotation\n1\tS\t1\t0\t1\t0\t9\ta.wav\tdog\n"
                    "2\tS\t1\t9\t10\t0\t9\tb.wav\tdog\n")  # fmt: skip
    with pytest.raises(TableError, match=r"column 'File Offset \(s\)'"):
        read(without)


def test_the_column_of_labels_is_asked_for_where_it_is_not_clear(given):
    path = given(
        f"{RAVEN}Common Name\tSpecies\tNote\n1\tS\t1\t0\t1\t0\t9\tRaven\tCorvus corax\tn\n"
    )
    with pytest.raises(TableError, match=r"found Species and Common Name among.*--label-column"):
        read(path)
    assert read(path, label_column="Note")[0].labels == ["n"]
    with pytest.raises(TableError, match="one column of labels, Tag, found none"):
        read(path, label_column="Tag")


def _region(start, end, *labels, **more):
    return {"type": "labels", "value": {"start": start, "end": end, "labels": labels}, **more}


def test_exports_of_label_studio(given):
    tasks = [
        {"id": 1, "data": {"audio": "/data/upload/3/0a1b2c3d-monday%201.wav"}, "annotations": [
            {"updated_at": "2026-01-02", "result": [_region(0.5, 1, "dog", score=0.9)]},
            {"updated_at": "2026-01-01", "result": [_region(3, 4, "cow")]}]},
        {"id": 2, "data": {"sound": "s3://b/c/tuesday.flac"}, "annotations": [
            {"result": [_region(1, 2, "dog", "cow"), {"type": "choices", "value": {"choices": ["x"]}}]}]},
        {"id": 3, "data": {"audio": "/data/local-files/?d=f/w%20d.wav"}, "annotations": [{"result": []}]},
        {"id": 4, "data": {"audio": "new.wav"}, "annotations": [],
         "predictions": [{"result": [_region(0, 1, "dog", score=0.5)]}]},
        {"id": 5, "data": {"audio": "skipped.wav"}, "annotations": [{"was_cancelled": True, "result": []}]},
    ]  # fmt: skip
    recordings, report = collect([given(json.dumps(tasks))])
    assert events(recordings) == {
        "monday 1.wav": [(0.5, 1, "dog")],
        "/c/tuesday.flac": [(1, 2, "cow"), (1, 2, "dog")],
        "f/w d.wav": [],
    }
    lines = report.lines(recordings)
    assert "left out, not annotated yet: 1 (new.wav)" in lines
    assert "left out, skipped by the annotator: 1 (skipped.wav)" in lines
    assert any(line.startswith("left out, annotated more than once") for line in lines)
    assert "left out, a region of type 'choices': 1 (/c/tuesday.flac)" in lines
    assert recordings[0].events[0].confidence is None and not recordings[0].predicted
    (only,) = read(given(json.dumps(tasks[3:4])))
    assert only.predicted and only.events[0].confidence == 0.5


def test_minimal_exports_of_label_studio(given):
    region = {"start": 0.5, "end": 1.5, "channel": 0, "labels": ["dog", "cow"]}
    tasks = [
        {"audio": "a.wav", "id": 1, "tag": [region], "annotation_id": 7, "annotator": 1},
        {"audio": "b.wav", "id": 2, "annotation_id": 8},
        {"audio": "c.wav", "id": 3, "annotation_id": None},
    ]
    recordings, report = collect([given(json.dumps(tasks))])
    assert events(recordings) == {"a.wav": [(0.5, 1.5, "cow"), (0.5, 1.5, "dog")], "b.wav": []}
    assert "left out, not annotated yet: 1 (c.wav)" in report.lines(recordings)


WRONG = {
    "0.5\t1\tdog\n0,5\t1\tdog\n": r"line 2: expected a time in seconds, found '0,5': write a decimal point",
    "0:01\t0:02\tdog\n": r"line 1: .*write seconds, not minutes",
    "0.5\t1 s\tdog\n": r"line 1: .*without its unit",
    "0.5\t1\tdog\n1\t1\tdog\n": r"line 2: x, dog: expected an offset after the onset \(1 s\), found 1 s",
    "1\t0.5\tdog\n": r"line 1: x, dog: expected an offset after",
    "-0.2\t0.5\tdog\n": r"line 1: .*expected an onset in the recording",
    "\x07\t0\t1\tdog\n": r"line 1: expected a recording's name",
    "0.5\t1\n": r"line 1: expected onset, offset and label",
    "\\\t1\t2\n": r"line 1: expected \\, low and high frequency below a label",
    "0\t1\tdog\n\\\t200\t100\n": r"line 1: .*expected the lower frequency first",
    "0\t1\tdog\n2\t3\tDog\n": r"'dog' \(.*line 1\), 'Dog' \(.*line 2\).*--rename",
    "0\t1\tcar horn\n2\t3\tcarhorn\n": r"differ in case or blanks alone",
    "a.wav\t1\t2\tdog\na.wav\t1\tdog\n": r"line 2",
    "a.wav,0,5,1,dog\na.wav,1,2,dog\n": r"line 1: expected file, onset, .* found 5 fields",
    DESED + "a.wav\t0,5\t1\tdog\n": r"line 2, column onset: .*found '0,5': write a decimal point",
    DESED + "a.wav\t1\t\tdog\n": r"line 2",
    DESED + "a.wav\t1\t2\t\n": r"line 2: expected a label for its times",
    DESED + 'a.wav\t1\t2\t"dog\n': r"line 2: expected a table, found",
    DESED.replace("\t", ";") + "a.wav;1;2;dog\n": r"separated by semicolons",
    DESED.title() + "a.wav\t1\t2\tdog\n": r"Write names in lower case",
    f"{RAVEN}Annotation\n1\tS\t1\t0,5\t1\t0\t9\tdog\n": r"line 2, column Begin Time \(s\): .*'0,5'",
    "filename,fold,category,src_file\na.wav,one,dog,1\n": r"line 2, column fold",
    '[{"data": {"audio": "a.wav"}, "annotations": [{}]}]': r"task 1: \$\.annotations\[0\]: expected result",
    '[{"data": {"audio": "a.wav"}, "predictions": 3}]': r"\$\.predictions: expected array or null, found 3",
    "1e999\t2\tdog\n": r"line 1: .*expected finite numbers",
    '[{"data": {"audio": "a.wav"}, "annotations": [{"result": [{"type": "labels", "value": '
    '{"start": "0:01", "end": 2, "labels": ["dog"]}}]}]}]': r"task 1: expected start and end",
}  # fmt: skip


@pytest.mark.parametrize("text", WRONG)
def test_what_is_wrong_is_refused_with_its_line(given, text):
    with pytest.raises(TableError, match=rf"(?s){WRONG[text]}") as error:
        read(given(text))
    assert "x.txt" in str(error.value)


def test_other_encodings_are_refused_with_the_remedy(given):
    with pytest.raises(TableError, match="found UTF-16: save it as UTF-8"):
        read(given("0\t1\tdog\n".encode("utf-16")))
    with pytest.raises(TableError, match="found other bytes on line 2"):
        read(given("0\t1\té\n".encode() + "1\t2\té\n".encode("latin-1")))


UNKNOWN = {
    "words and words": "separated by blanks, not by tabs or commas; line 1 is 'words and words'",
    "a\tb\tc\n1\t2\t3\n": r"a table with the columns a \| b \| c",
    '{"tasks": 1}': "JSON with the keys 'tasks'",
    "[1, 2]": "a JSON list of 2 with no keys",
    '[{"image": "a.png"}]': "a JSON list of 1 with 'image'",
    '[{"data": {"audio": "a.wav"}': "begins as JSON and is none: .*line 1",
}


@pytest.mark.parametrize("text", UNKNOWN)
def test_an_unknown_file_is_said_to_be_what_it_looks_like(given, text):
    with pytest.raises(TableError, match=rf"(?s){UNKNOWN[text]}.*Expected one of.*audacity: "):
        read(given(text))


def test_a_file_that_may_be_of_two_formats_is_asked_about(given):
    path = given("path,tags,filename,onset,offset,event_label\na.wav,cow,b.wav,0,1,dog\n")
    with pytest.raises(TableError, match="may be clips or desed: say which with --from"):
        read(path)
    assert events(read(path, "desed")) == {"b.wav": [(0, 1, "dog")]}


def test_other_files_of_a_folder_are_left_out_and_named(given, tmp_path):
    given("0\t1\tdog\n", "t/a.txt")
    given("about these labels", "t/README.txt")
    given("0\t1\tdog\n", "t/.hidden.txt")
    recordings, report = collect([tmp_path / "t"])
    assert list(events(recordings)) == ["a"]
    (line,) = (line for line in report.lines(recordings) if "of no known format" in line)
    assert "README.txt: text separated by blanks" in line
    (tmp_path / "t/a.txt").unlink()
    with pytest.raises(TableError, match=r"README\.txt.*no known format"):
        read(tmp_path / "t")
    with pytest.raises(DataError, match="expected annotations in this folder"):
        read(given("x", "u/a.md").parent)
    with pytest.raises(DataError, match="found nothing there"):
        read(tmp_path / "none")
    with pytest.raises(TableError, match="found an empty file"):
        read(given("", "a.csv"))


def test_the_same_said_twice_counts_once(given, tmp_path):
    given("a.wav\t0\t1\tdog\na.wav\t0.0\t1.0\tdog \na.wav\t2\t3\tdog\n", "t/one.txt")
    given("0\t1\tdog\n", "t/a.wav.txt")
    given("path,tags\na.wav,dog;cow\n", "t/clips.csv")
    recordings, report = collect([tmp_path / "t"])
    assert events(recordings) == {"a.wav": [(0, 1, "dog"), (2, 3, "dog")]}
    assert recordings[0].labels == ["dog", "cow"] and recordings[0].times_known
    lines = "\n".join(report.lines(recordings))
    assert "merged, the same event twice: 2" in lines
    assert "merged, named in several places: 2 (a.wav)" in lines


def test_two_folds_of_a_recording_are_refused(given, tmp_path):
    given("path,tags,fold\na.wav,dog,1\n", "t/clips.csv")
    given("path,tags,fold\na.wav,dog,2\n", "t/more.csv")
    with pytest.raises(
        TableError, match=r"more\.csv, line 2: a\.wav: expected one fold, found 2 and 1"
    ):
        read(tmp_path / "t")


def test_labels_are_renamed_and_brought_together(given):
    path = given("0\t1\tdog\n2\t3\tDog\n")
    recordings, report = collect([path], rename={"Dog": "dog"})
    assert recordings[0].labels == ["dog"]
    assert "labels renamed to dog: 1 (Dog)" in report.lines(recordings)
    with pytest.raises(TableError, match="--rename: expected a label that occurs, found cat"):
        collect([path], rename={"Dog": "dog", "cat": "x"})


def test_a_label_file_is_about_the_sound_beside_it(given, sounds, tmp_path):
    folder = sounds("a.wav", "b/a.wav")
    given("0\t1\tdog\n", "sounds/a.txt")
    given("", "sounds/b/a.txt")
    assert events(read(folder)) == {"a.wav": [(0, 1, "dog")], "b/a.wav": []}
    sounds("a.flac")
    with pytest.raises(TableError, match=r"one recording beside it, found a\.flac, a\.wav"):
        read(folder)


def test_names_are_matched_with_sounds_by_their_last_parts(given, sounds):
    folder = sounds("s1/a.wav", "s2/a.wav", "c.wav")
    rows = "/old/disk/s1/a.wav\t0\t1\tdog\nC:\\data\\s2\\a.wav\t1\t2\tdog\nx/c\nd.wav\n"
    recordings, report = collect([given(rows)], audio=folder)
    assert events(recordings) == {
        "s1/a.wav": [(0, 1, "dog")], "s2/a.wav": [(1, 2, "dog")], "c.wav": []
    }  # fmt: skip
    assert f"left out, {folder} has no such sound: 1 (d.wav)" in report.lines(recordings)
    with pytest.raises(TableError, match=r"a\.wav: expected a name of one sound"):
        read(given("a.wav\t0\t1\tdog\n"), audio=folder)
    with pytest.raises(TableError, match=r"q/c\.wav: expected a recording of its own .*p/c\.wav"):
        read(given("p/c.wav\t0\t1\tdog\nq/c.wav\t0\t1\tdog\n"), audio=folder)
    with pytest.raises(DataError, match="found none"):
        read(given("a.wav\t0\t1\tdog\n"), audio=folder / "nowhere")
    with pytest.raises(DataError, match=r"(?s)found none.*no such sound: 1 \(z\.wav\)"):
        read(given("z.wav\t0\t1\tdog\n"), audio=folder)


def test_an_excess_is_cut_as_trainings_do(full_config):
    assert full_config["corpus"]["label_excess_s"] == EXCESS_S


def test_times_are_checked_against_the_sounds(given, sounds):
    folder = sounds("a.wav")  # two seconds
    recordings, report = collect(
        [given("a.wav\t-0.01\t1\tcow\na.wav\t1\t2.04\tdog\n")], audio=folder
    )
    assert events(recordings) == {"a.wav": [(0, 1, "cow"), (1, 2, "dog")]}
    assert any(line.startswith("cut at the ends of the recording: 2") for line in report.lines([]))
    for times in ("1\t2.06", "2\t2.01", "5\t6"):
        with pytest.raises(
            TableError, match=r"line 1: a\.wav, dog: .*in the recording \(2\.000 s\)"
        ):
            read(given(f"a.wav\t{times}\tdog\n"), audio=folder)
    (folder / "b.wav").write_text("no sound")
    recordings, report = collect([given("a.wav\nb.wav\n")], "event_list", audio=folder)
    assert len(recordings) == 1
    assert any("its sound cannot be read: 1 (b.wav" in line for line in report.lines(recordings))
