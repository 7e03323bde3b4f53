"""Damaged tables of every kind: refused with file and line, or read correctly."""

import csv
import io

import hypothesis
import numpy as np
import pandas as pd
import pytest
from hypothesis import strategies as st

from tfseg.datasets.clips import clip_events
from tfseg.datasets.clips import list_recordings as list_clips
from tfseg.datasets.corpus_tables import read_table, table_schema
from tfseg.datasets.table_text import MISSING
from tfseg.errors import TableError
from tfseg.evaluation.records import COLUMNS, read_metrics
from tfseg.evaluation.separation_rows import MEASURES, read_scores

pytestmark = pytest.mark.full
CLASSES = ["Bark", "Chime"]

# Two good rows of each kind.
GOOD = {
    "attribution": ["a.wav,Ann,CC0,here", "b.wav,Bob,CC-BY,there"],
    "clips": ["/d/a.wav,Bark;Chime,1,a,a.wav,1.5,CC0,train", "/d/b.wav,,2,b,b.wav,2.25,CC0,validation"],
    "corpus_report": ["a.wav,event,0.0,Bark,missing,error,a file,nothing",
                      "b.wav,clip,1.5,,clipped,warning,less,more"],
    "desed_tags": ['a.wav,"Bark,Chime"', "b.wav,"],
    "detected_events": ["a.wav,0.5,1.25,Bark", "b.wav,,,"],
    "own_events": ["a.wav,-0.01,1.25,Bark", "b.wav,,,"],
    "events": ["a.wav,Bark,1,0.0,1.5,a,CC0,train", "b.wav,Chime,2,0.25,1.0,b,CC0,validation"],
    "esc50_clips": ["a.wav,1,Bark,17", "b.wav,2,Chime,18"],
    "inspection": ["event,a.wav,0.0,8000,1,1.5,0.5,0.0,1.5,ab12", "clip,b.wav,0.0,0,0,,,,,"],
    "mixture_events": ["m1,a.wav,Bark,0.5,1.0,0.0", "m1,b.wav,Chime,1.5,2.0,0.25"],
    "mixtures": ["m1,mixture,1,train,s.wav,0.0,10.0,1", "m2,events,2,validation,,0.0,10.0,0"],
    "own_clips": ["a.wav,Bark", 'b.wav,"Bark, Chime"'],
    "raven_selections": ["1,0.5,1.25", "2,1.0,1.5"],
    "recordings": ["event,a.wav,Bark,0.0,,0,a,Ann,CC0,here",
                   "scene,b.wav,park,1.0,2.5,1,b,Bob,CC0,there"],
    "urbansound8k_clips": ["a.wav,17,1,Bark", "b.wav,18,10,Chime"],
    "scenes": ["a.wav,park,1,a,CC0,10.0,train", "b.wav,street,2,b,CC0,9.5,validation"],
}  # fmt: skip
KINDS = sorted(GOOD)
FIELDS = [
    "", " ", "-1", "-0.001", "nan", "inf", "-inf", "1e400", "1_0", "1,5", "0x10", "١", "１", "true",
    "None", "text", "1.0", "99999999999999999999", "a\nb", "a\0b", "\ufeff", "\u2028", "../../x",
    "$(touch x)", "'; DROP TABLE", "=1+1", "x" * 5000, "\t", '"', "NA", "null", "é",
]  # fmt: skip


def _good(kind):
    return [
        list(row) for row in csv.reader([",".join(table_schema(kind)["required"]), *GOOD[kind]])
    ]


def _written(rows, separator=",", end="\n"):
    text = io.StringIO()
    csv.writer(text, delimiter=separator, lineterminator=end).writerows(rows)
    return text.getvalue()


def _meant(rows, kind):
    """Parse rows of text by the kind's types; None if they cannot be parsed."""
    types = [table_schema(kind)["properties"][name]["type"] for name in rows[0]]
    meant = []
    for row in rows[1:]:
        values = []
        for text, kinds in zip(row, types, strict=True):
            if "string" in kinds:
                values.append(text)
            elif text == "" and "null" in kinds:
                values.append(None)
            elif "integer" in kinds:
                values.append(int(text))
            else:
                values.append(float(text))
        meant.append(values)
    return meant


def _as_saved(rows, kind):
    """Rows without those that are empty, and with nothing where all of an event is "nan"."""
    together = [rows[0].index(name) for name in table_schema(kind).get("x-empty-together", [])]
    stripped = [rows[0].index(name) for name in table_schema(kind).get("x-stripped", [])]
    kept = [list(row) for row in rows if any(row)]
    for row in kept[1:]:
        for i in stripped:
            row[i] = row[i].strip()
        if together and {row[i].strip().casefold() for i in together} <= MISSING:
            for i in together:
                row[i] = ""
    return kept


def _same(frame, meant):
    found = [
        [None if isinstance(v, float) and np.isnan(v) else v for v in row]
        for row in frame.itertuples(index=False)
    ]
    return found == meant


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ending", [".csv", ".tsv"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_good_rows_are_read_however_they_are_saved(tmp_path, tally, kind, ending, mark, end):
    path = tmp_path / f"table{ending}"
    rows = _good(kind)
    text = mark + _written(rows, {".csv": ",", ".tsv": "\t"}[ending], end)
    path.write_bytes(text.encode())
    frame, refused = tally.attempt("tables: good", lambda: read_table(path, kind), names="table")
    assert not refused
    assert _same(frame, _meant(rows, kind))


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_of_every_table(tmp_path, tally, kind):
    path = tmp_path / "table.csv"
    rows = _good(kind)
    for column, name in enumerate(rows[0]):  # messages name the line, and a column of it
        for field in FIELDS:
            spoiled = [list(row) for row in rows]
            spoiled[2][column] = field
            path.write_bytes(_written(spoiled).encode())
            frame, refused = tally.attempt(
                "tables: a field", lambda: read_table(path, kind), names=["table.csv", " line"]
            )
            if not refused:
                assert _same(frame, _meant(_as_saved(spoiled, kind), kind)), f"{name}: {field!r}"


@pytest.mark.parametrize("kind", KINDS)
def test_every_column_missing_twice_or_misspelt(tmp_path, tally, kind):
    path = tmp_path / "table.csv"
    for column in range(len(_good(kind)[0])):
        for change in ("missing", "twice", "misspelt", "case"):
            rows = _good(kind)
            name = rows[0][column]
            if change == "missing":
                rows = [row[:column] + row[column + 1 :] for row in rows]
            elif change == "twice":
                rows = [[*row, row[column]] for row in rows]
            else:
                rows[0][column] = name.upper() if change == "case" else f"{name}x"
            path.write_text(_written(rows))
            _, refused = tally.attempt(
                "tables: a column", lambda: read_table(path, kind), names=["table.csv", name]
            )
            assert refused


@pytest.mark.parametrize("kind", KINDS)
def test_rows_twice_too_short_and_too_long(tmp_path, tally, kind):
    path = tmp_path / "table.csv"
    rows = _good(kind)
    for spoiled, line in (
        ([*rows[:2], rows[1]], "lines 2, 3"),
        ([*rows[:2], rows[2][:-1]], "line 3"),
        ([*rows[:2], [*rows[2], "x"]], "line 3"),
    ):
        if spoiled[2] == rows[1] and "x-unique" not in table_schema(kind):
            continue
        path.write_text(_written(spoiled))
        _, refused = tally.attempt(
            "tables: a row", lambda: read_table(path, kind), names=["table.csv", line]
        )
        assert refused


@pytest.mark.parametrize("kind", KINDS)
@hypothesis.given(data=st.data())
def test_a_changed_byte_is_refused_by_name_or_read_as_it_stands(
    tmp_path_factory, tally, kind, data
):
    path = tmp_path_factory.mktemp("byte") / "table.csv"
    content = bytearray(_written(_good(kind)).encode())
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    frame, refused = tally.attempt(
        "tables: bytes", lambda: read_table(path, kind), names="table.csv"
    )
    if not refused:
        # Python's csv module with its defaults reads the same.
        rows = [
            row for row in csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")) if row
        ]
        names = table_schema(kind)["required"]
        columns = [rows[0].index(name) for name in names]
        stands = [names, *([row[i] for i in columns] for row in rows[1:])]
        assert _same(frame[names], _meant(stands, kind))


@pytest.mark.parametrize(
    "content",
    [b"", b"\n", b"\xff\xfe" + "path,tags\na,Bark\n".encode("utf-16-le"), bytes(300), b"\x89PNG\r\n",
     b"PK\x03\x04" + bytes(50), b"<html></html>", b'"', b"path,tags\n" + b'"' * 3,
     b"path,tags\na," + b"x" * 200_000 + b"\n", b"path;tags\na;Bark\n", b"path|tags\na|Bark\n",
     "path,tags\nMüller.wav,Bark\n".encode("latin-1")],
)  # fmt: skip
def test_what_is_no_table_is_refused(tmp_path, tally, content):
    (tmp_path / "clips.csv").write_bytes(content)
    _, refused = tally.attempt(
        "own clips: no table",
        lambda: list_clips(tmp_path, classes=CLASSES, other_labels="error"),
        names="clips.csv",
    )
    assert refused


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (["a.wav,Bark", "a.wav,Chime"], "lines 2, 3"),
        (["a.wav,Bark", "b.wav,Chime", "c.wav,Chme"], "Chme (1 times, did you mean Chime?)"),
        (["a.wav,bark", "b.wav,Chime"], "no recording of Bark"),
        (["a.wav,Bark", "b.wav,"], "no recording of Chime"),
        ([], "no recording of Bark"),
        ([",Bark", "b.wav,Chime"], "line 2, column path"),
        (['"a\n.wav",Bark', "b.wav,Chime"], "expected one line without control characters"),
        (["a\0.wav,Bark", "b.wav,Chime"], "expected one line without control characters"),
        (["a.wav,Bark|Chime", "b.wav,Chime"], "Bark|Chime"),
        (["a.wav,$(touch x)", "b.wav,Bark", "c.wav,Chime"], "$(touch x)"),
    ],
)
def test_bad_lists_of_clips_are_refused(tmp_path, tally, rows, says):
    (tmp_path / "clips.csv").write_text("\n".join(["path,tags", *rows, ""]))
    _, refused = tally.attempt(
        "own clips: rows",
        lambda: list_clips(tmp_path, classes=CLASSES, other_labels="error"),
        names=["clips.csv", says],
    )
    assert refused


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (["a.wav\t-1\t1\tBark"], "expected it to begin within the clip"),
        (["a.wav\t0\t-1\tBark"], "line 2, column offset: expected seconds from 0 on"),
        (["a.wav\t1\t1\tBark"], "expected an offset after the onset"),
        (["a.wav\t2\t1\tBark"], "expected an offset after the onset"),
        (["a.wav\t0\t99\tBark"], "expected it to end within the clip"),
        (["a.wav\t0\t1e400\tBark"], "expected it to end within the clip"),
        (["a.wav\t1e400\t1\tBark"], "expected an offset after the onset"),
        (["a.wav\tnan\t1\tBark"], "line 2, column onset"),
        (["a.wav\t0,5\t1\tBark"], "line 2, column onset"),
        (["a.wav\t\t1\tBark"], "line 2, column onset"),
        (["a.wav\t0\t1\tBrak"], "did you mean Bark?"),
        (["a.wav\t0\t1\t"], "expected a label for its times"),
        (["a.wav\t0\t1\tBark", "a.wav\t0\t1\tBark"], "expected every row once"),
        (["c.wav\t0\t1\tBark"], "'c.wav', expected a path of the clips.csv"),
        (["a.wav 0 1 Bark"], "line 2: expected 4 fields"),
    ],
)
def test_bad_times_of_events_are_refused(tmp_path, tally, rows, says):
    (tmp_path / "clips.csv").write_text("path,tags\na.wav,Bark\nb.wav,Chime\n")
    text = "\n".join(["filename\tonset\toffset\tevent_label", *rows, ""])
    (tmp_path / "strong.tsv").write_text(text)
    _, refused = tally.attempt(
        "own clips: times of events",
        lambda: clip_events(
            tmp_path,
            {"a.wav": 2.0, "b.wav": 3.0},
            classes=CLASSES,
            other_labels="error",
            label_excess_s=0.05,
        ),
        names=["strong.tsv", says],
    )
    assert refused


@pytest.mark.parametrize("label", ["NA", "nan", "null", "None", "1", "01", "1e3", "-inf", "True"])
def test_a_class_of_any_name_keeps_it_in_the_tables_of_results(tmp_path, tally, label):
    row = ["tagging", "f1", label, 10, label, "1", 0, "published", 0.25, 7]
    path = tmp_path / "metrics.csv"
    pd.DataFrame([row, [*row[:8], np.nan, 0]], columns=COLUMNS).to_csv(path, index=False)
    found = read_metrics(path)
    assert found["class"].tolist() == found["system"].tolist() == [label, label]
    assert found["value"][0] == 0.25
    assert np.isnan(found["value"][1])

    path = tmp_path / "separation.csv"
    names = ["mixture", "class", "system", "span", *MEASURES, "sounding", "predicted"]
    row = ["007", label, "gwrp", "whole", *([1.5] * len(MEASURES)), 1, 0]
    gone = [*row[:4], *([np.nan] * len(MEASURES)), 0, 1]
    pd.DataFrame([row, gone], columns=names).to_csv(path, index=False)
    found = read_scores(path)
    assert found["class"].tolist() == [label, label]
    assert found["mixture"].tolist() == ["007", "007"]
    assert found[MEASURES[0]][0] == 1.5
    assert np.isnan(found[MEASURES[0]][1])
    tally.add("tables: names that look like numbers", "handled")


def test_a_name_that_cannot_be_saved_as_text_is_refused(tmp_path):
    from tfseg.datasets.corpus_tables import write_table
    from tfseg.datasets.recordings import recordings

    for name in ("a\udcff.wav", "a\n.wav", "a\0.wav"):
        frame = recordings("event", [name], "Bark", ["a"])
        with pytest.raises(TableError, match="expected one line without control characters"):
            write_table(tmp_path / "recordings.csv", frame, "recordings")
    assert list(tmp_path.iterdir()) == []
