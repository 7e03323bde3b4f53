import re
from pathlib import Path

import pandas as pd
import pytest

from tfseg.datasets import corpus_tables
from tfseg.errors import TableError

SCHEMAS = Path(corpus_tables.__file__).parent / "schemas"
OPTIONAL = {
    "own_clips": ["fold", "group"],
    "raven_selections": ["Low Freq (Hz)", "High Freq (Hz)", "File Offset (s)", "Confidence"],
}
KINDS = sorted(path.name.split(".")[0] for path in SCHEMAS.iterdir())
EVENTS = "path,label,fold,start_s,stop_s,group,licence,part\n"
GOOD = "a.wav,Bark,1,0,1.5,g1,CC0,train\n"
MIXTURES = "mixture,kind,fold,part,scene,scene_start_s,duration_s,strong\n"


@pytest.fixture
def read(tmp_path):
    """Return a function that reads a table of the given bytes."""

    def read_bytes(content, kind="events", name="events.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return corpus_tables.read_table(path, kind)

    return read_bytes


def _frame():
    return pd.DataFrame(
        {
            "path": ["a, b.wav", 'c"d.wav', "ü.wav"],
            "label": ["Bark", "Hi-hat", "Gunshot_or_gunfire"],
            "fold": [1, 2, 3],
            "start_s": [0.0, 0.1 + 0.2, 1 / 3],
            "stop_s": [1.5, 1e-7, 123456.789],
            "group": ["007", "NA", "nan"],  # text that pandas likes to read as something else
            "licence": ["CC0", "null", "1.0"],
            "part": ["train", "validation", "train"],
        }
    )


def test_a_table_comes_back_exactly_as_it_was_written(tmp_path):
    for name in ("events.csv", "events.tsv"):
        corpus_tables.write_table(tmp_path / name, _frame(), "events")
        again = corpus_tables.read_table(tmp_path / name, "events")
        pd.testing.assert_frame_equal(again, _frame(), check_exact=True)
    assert "\t" in (tmp_path / "events.tsv").read_text()
    assert "\t" not in (tmp_path / "events.csv").read_text()


def test_writing_leaves_other_columns_and_the_index_out_and_fixes_the_order(tmp_path):
    frame = _frame().assign(extra=1)[["extra", "part", "licence", "group", *_frame().columns[:5]]]
    corpus_tables.write_table(tmp_path / "events.csv", frame.set_index(frame.index + 5), "events")
    again = corpus_tables.read_table(tmp_path / "events.csv", "events")
    pd.testing.assert_frame_equal(again, _frame(), check_exact=True)


def test_a_byte_order_mark_and_crlf_are_accepted(read):
    text = EVENTS + GOOD + "b.wav,Gong,2,0.5,2,g2,CC0,train\n"
    plain = read(text)
    pd.testing.assert_frame_equal(read(b"\xef\xbb\xbf" + text.encode()), plain)
    pd.testing.assert_frame_equal(read(text.replace("\n", "\r\n")), plain)
    pd.testing.assert_frame_equal(
        read(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode()), plain
    )
    pd.testing.assert_frame_equal(read(text.replace(",", "\t"), name="events.tsv"), plain)
    assert plain.dtypes.astype(str).to_dict() == {
        "path": "object",
        "label": "object",
        "fold": "int64",
        "start_s": "float64",
        "stop_s": "float64",
        "group": "object",
        "licence": "object",
        "part": "object",
    }


def test_further_columns_are_kept_as_text(read):
    frame = read("note,path,label,fold,start_s,stop_s,group,licence,part\n01," + GOOD)
    assert frame["note"].tolist() == ["01"]


def test_a_table_without_rows_has_its_types(read):
    frame = read(EVENTS)
    assert len(frame) == 0
    assert frame["fold"].dtype == "int64"


@pytest.mark.parametrize("kind", KINDS)
def test_every_missing_column_is_named(read, kind):
    required = corpus_tables.table_schema(kind)["required"]
    for column in required:
        header = ",".join(name for name in required if name != column)
        expected = rf"events\.csv: expected the columns .*; missing {re.escape(column)}, found "
        with pytest.raises(TableError, match=expected):
            read(header + "\n", kind)


@pytest.mark.parametrize("kind", KINDS)
def test_every_schema_names_the_type_of_every_column(kind):
    schema = corpus_tables.table_schema(kind)
    assert list(schema["properties"]) == schema["required"] + OPTIONAL.get(kind, [])
    for rule in schema["properties"].values():
        assert rule["type"] in ("string", "integer", "number", ["number", "null"])
    assert set(schema.get("x-unique", [])) <= set(schema["required"])


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("b.wav,Bark,one,0,1,g,l,train", "column fold: expected an integer, found 'one'"),
        ("b.wav,Bark,1.5,0,1,g,l,train", r"column fold: expected an integer, found '1\.5'"),
        ("b.wav,Bark,,0,1,g,l,train", "column fold: expected an integer, found ''"),
        ("b.wav,Bark,0,0,1,g,l,train", "column fold: expected at least 1, found 0"),
        ("b.wav,Bark,1,zero,1,g,l,train", "column start_s: expected a number, found 'zero'"),
        ("b.wav,Bark,1,-0.1,1,g,l,train", r"column start_s: expected at least 0, found -0\.1"),
        (
            "b.wav,Bark,1,0,0,g,l,train",
            r"column stop_s: expected more than 0, found 0\.0",
        ),
        ("b.wav,Bark,1,0,1 s,g,l,train", "column stop_s: expected a number, found '1 s'"),
        (
            "b.wav,A;dog,1,0,1,g,l,train",
            "column label: expected a name without .*, found 'A;dog'",
        ),
        (",Bark,1,0,1,g,l,train", "column path: expected a text that is not empty, found ''"),
    ],
)
def test_a_wrong_value_is_named_with_file_line_and_column(read, row, problem):
    with pytest.raises(TableError, match=rf"events\.csv, line 3, {problem}"):
        read(EVENTS + GOOD + row + "\n")


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "Infinity"])
def test_a_number_that_is_not_finite_is_refused(read, text):
    with pytest.raises(TableError, match=r"events\.csv, line 2, column duration_s"):
        read(MIXTURES + f"m,mixture,1,train,s.wav,0,{text},1\n", "mixtures")


def test_an_integer_that_is_too_large_is_refused(read):
    with pytest.raises(TableError, match=r"events\.csv, line 2, column fold"):
        read(MIXTURES + f"m,mixture,{'9' * 30},train,s.wav,0,10,1\n", "mixtures")


@pytest.mark.parametrize("before", ["", GOOD, GOOD + "\n", '"a\nb.wav",Bark,1,0,1,g,l,train\n'])
def test_lines_are_counted_as_an_editor_counts_them(read, before):
    line = 2 + before.count("\n")
    with pytest.raises(TableError, match=rf"events\.csv, line {line}, column fold"):
        read(EVENTS + before + "b.wav,Bark,x,0,1,g,l,train\n")


@pytest.mark.parametrize("row", ["b.wav,Bark,1,0,1,g", "b.wav,Bark,1"])
def test_a_row_with_too_few_fields_is_refused_with_its_line(read, row):
    found = row.count(",") + 1
    with pytest.raises(TableError, match=rf"events\.csv, line 3: expected 8 fields, found {found}"):
        read(EVENTS + GOOD + row + "\n")


def test_a_row_with_too_many_fields_is_refused_with_its_line(read):
    with pytest.raises(TableError, match=r"events\.csv.* line 3.* 9\b"):
        read(EVENTS + GOOD + "b.wav,Bark,1,0,1,g,l,train,more\n")


def test_rows_that_all_have_one_field_too_many_are_refused(read):
    # pandas takes the first column for an index, and every value moves under the next name.
    rows = "a.wav,me,CC0,the web,more\nb.wav,you,CC0,the web,more\n"
    with pytest.raises(TableError, match=r"events\.csv"):
        read("path,author,licence,source\n" + rows, "attribution")


def test_duplicate_keys_are_named_with_their_lines(read):
    text = EVENTS + GOOD + "b.wav,Bark,1,0,1,g,l,train\n" + GOOD
    with pytest.raises(
        TableError, match=r"events\.csv: expected every path, start_s once.*lines 2, 4"
    ):
        read(text)
    twice = MIXTURES + "m,mixture,1,train,s,0,10,1\nm,mixture,1,train,s,0,10,1\n"
    with pytest.raises(TableError, match=r"expected every mixture once, found .*m.* on lines 2, 3"):
        read(twice, "mixtures")


def test_one_recording_may_hold_several_events(read):
    assert len(read(EVENTS + GOOD + "a.wav,Bark,1,2,3,g1,CC0,train\n")) == 2


def test_all_problems_are_counted_and_ten_are_shown(read):
    rows = "".join(f"{i}.wav,Bark,1,-1,1,g,l,train\n" for i in range(15))
    with pytest.raises(TableError) as caught:
        read(EVENTS + rows)
    lines = str(caught.value).splitlines()
    assert len(lines) == 11
    assert lines[-1] == "... and 5 more"
    assert "line 11," in lines[9]


@pytest.mark.parametrize("content", [b"", b"\x00\x01\x02\xff\xfe", b"\xff\xfea\x00,\x00"])
def test_something_else_than_a_table_is_refused_by_name(read, content):
    with pytest.raises(TableError, match=r"events\.csv: expected"):
        read(content)


def test_a_missing_table_is_named(tmp_path):
    with pytest.raises(
        TableError, match=r"a\.csv: expected a table of events, found nothing there"
    ):
        corpus_tables.read_table(tmp_path / "a.csv", "events")


def test_a_table_that_breaks_its_schema_is_not_written(tmp_path):
    frame = _frame()
    frame.loc[1, "start_s"] = -2.0
    with pytest.raises(
        TableError, match=r"events\.csv, line 3, column start_s: expected at least 0, found -2"
    ):
        corpus_tables.write_table(tmp_path / "events.csv", frame, "events")
    with pytest.raises(TableError, match=r"missing group"):
        corpus_tables.write_table(tmp_path / "events.csv", _frame().drop(columns="group"), "events")
    assert list(tmp_path.iterdir()) == []


def test_a_table_with_a_missing_number_is_not_written(tmp_path):
    frame = _frame()
    frame.loc[1, "stop_s"] = float("nan")
    with pytest.raises(TableError, match=r"events\.csv, line 3, column stop_s"):
        corpus_tables.write_table(tmp_path / "events.csv", frame, "events")


# Folds

SPLIT = {"kind": "folds", "by": "file"}


def test_folds_that_hold_every_class_and_a_scene_pass(tiny_corpus):
    corpus_tables.check_folds(
        tiny_corpus.events, tiny_corpus.scenes, [1, 2], ["Bark", "Chime"], SPLIT
    )


def test_a_fold_without_a_class_is_named(tiny_corpus):
    with pytest.raises(TableError, match="fold 1 has no recording of Gong"):
        corpus_tables.check_folds(
            tiny_corpus.events, tiny_corpus.scenes, [1, 2], tiny_corpus.classes, SPLIT
        )
    some = tiny_corpus.events.query("not (fold == 2 and label == 'Bark')")
    with pytest.raises(TableError, match="fold 2 has no recording of Bark"):
        corpus_tables.check_folds(some, tiny_corpus.scenes, [1, 2], ["Bark", "Chime"], SPLIT)


def test_a_fold_without_a_scene_is_named(tiny_corpus):
    scenes = tiny_corpus.scenes.query("fold == 1")
    with pytest.raises(TableError, match="corpus scenes: fold 2 has no scene"):
        corpus_tables.check_folds(tiny_corpus.events, scenes, [1, 2], ["Bark", "Chime"], SPLIT)


@pytest.mark.parametrize(
    ("split", "advised", "not_advised"),
    [
        (SPLIT, "add recordings, or take fewer folds (config key split.folds)", "split.by"),
        (SPLIT | {"by": "source"}, "(config key split.folds), or split.by: file", "split.kind"),
        (SPLIT | {"by": "corpus"}, "or deal the folds otherwise (config key split.by)", "fewer"),
        ({"kind": "fixed", "by": "file"}, "(config key split.kind: folds)", "split.by"),
    ],
)
def test_what_is_advised_helps_with_this_split(tiny_corpus, split, advised, not_advised):
    folds, classes = [1, 2], tiny_corpus.classes
    with pytest.raises(TableError) as error:
        corpus_tables.check_folds(tiny_corpus.events, tiny_corpus.scenes, folds, classes, split)
    assert str(error.value).endswith(advised) and not_advised not in str(error.value)


def test_a_label_that_is_no_class_is_named(tiny_corpus):
    with pytest.raises(TableError, match=r"labels \['Chime'\] are not in corpus\.classes"):
        corpus_tables.check_folds(tiny_corpus.events, tiny_corpus.scenes, [1, 2], ["Bark"], SPLIT)


def test_mixture_labels_groups_the_plan(tiny_plan):
    labels = corpus_tables.mixture_labels(tiny_plan.events)
    assert list(labels) == list(dict.fromkeys(tiny_plan.events["mixture"]))
    flat = [(name, *event) for name, events in labels.items() for event in events]
    columns = ["mixture", "label", "onset_s", "offset_s"]
    assert flat == list(tiny_plan.events[columns].itertuples(index=False, name=None))


def test_overlapping_events_of_one_class_become_one():
    rows = [
        ("m", "Gong", 0.5, 0.9),  # reaches into neither of its class
        ("m", "Bark", 2.0, 3.0),
        ("m", "Bark", 0.0, 1.0),
        ("m", "Bark", 0.5, 2.5),  # joins both Barks
        ("n", "Bark", 1.0, 2.0),
        ("n", "Bark", 0.0, 1.0),  # ends where the other begins: two events, in the plan's order
        ("n", "Gong", 0.2, 1.8),
    ]
    plan = pd.DataFrame(rows, columns=["mixture", "label", "onset_s", "offset_s"])
    assert corpus_tables.mixture_labels(plan) == {
        "m": [("Bark", 0.0, 3.0), ("Gong", 0.5, 0.9)],
        "n": [("Bark", 1.0, 2.0), ("Bark", 0.0, 1.0), ("Gong", 0.2, 1.8)],
    }


# Tables as spreadsheets and other programs save them

HEADER = ["filename", "onset", "offset", "event_label"]
ROWS = [["a.wav", "0.5", "1.25", "Bark"], ["b.wav", "", "", ""]]


def _events_table(tmp_path, content, name="strong.tsv"):
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return corpus_tables.read_table(path, "detected_events").to_numpy().tolist()


def _lines(separator, rows=ROWS, end="\n"):
    return end.join(separator.join(row) for row in [HEADER, *rows]) + end


@pytest.mark.parametrize("name", ["strong.tsv", "strong.csv", "STRONG.TSV", "truth.txt"])
@pytest.mark.parametrize("separator", ["\t", ","])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_the_header_says_whether_commas_or_tabs_separate(tmp_path, name, separator, end, mark):
    assert _events_table(tmp_path, mark + _lines(separator, end=end), name) == ROWS


@pytest.mark.parametrize("number", ["+1", ".5", "2.", "1.0E+01", " 3 ", "1e-2", "7"])
def test_numbers_are_accepted_as_programs_write_them(tmp_path, number):
    rows = [["a.wav", number, number, " Bark "]]
    kept = number.strip()
    assert _events_table(tmp_path, _lines("\t", rows)) == [["a.wav", kept, kept, "Bark"]]


@pytest.mark.parametrize("number", ["-1", "1e", ".", "e5", "++1", "1 2", "0x1", "1_0", "inf"])
def test_what_is_no_time_is_refused_in_words(tmp_path, number):
    with pytest.raises(TableError, match=r"column onset: expected seconds from 0 on, such as 2\.5"):
        _events_table(tmp_path, _lines("\t", [["a.wav", number, "9", "Bark"]]))


def test_blanks_around_column_names_do_not_count(tmp_path):
    (tmp_path / "clips.csv").write_text("path, tags ,fold\na.wav,Bark,1\n")
    frame = corpus_tables.read_table(tmp_path / "clips.csv", "own_clips")
    assert list(frame.columns) == ["path", "tags", "fold"]


@pytest.mark.parametrize("missing", ["nan", "NaN", "NA", "N/A", "null", "None", "<NA>", " "])
def test_a_row_without_event_may_say_so(tmp_path, missing):
    rows = [ROWS[0], ["b.wav", missing, missing, missing], ["c.wav", missing, missing, ""]]
    assert _events_table(tmp_path, _lines("\t", rows)) == [*ROWS, ["c.wav", "", "", ""]]


def test_a_label_may_be_called_nan_where_it_has_times(tmp_path):
    rows = [["a.wav", "0.5", "1.25", "nan"]]
    assert _events_table(tmp_path, _lines("\t", rows)) == rows


def test_empty_columns_and_rows_at_the_end_are_left_out(tmp_path):
    rows = [[*row, "", ""] for row in [*ROWS, [""] * 4, [""] * 4]]
    text = "\n".join(",".join(row) for row in [[*HEADER, "", ""], *rows])
    assert _events_table(tmp_path, text, "strong.csv") == ROWS


def test_a_field_that_has_no_column_is_not_dropped(tmp_path):
    text = _lines(",").replace("Bark", "Bark,")
    with pytest.raises(TableError, match="line 2: expected 4 fields, found 5"):
        _events_table(tmp_path, text, "strong.csv")
    text = "\n".join([",".join([*HEADER, ""]), "a.wav,0.5,1.25,Bark,loud"])
    with pytest.raises(TableError, match="line 2: expected 4 fields, found 5"):
        _events_table(tmp_path, text, "strong.csv")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (_lines("\t").replace("0.5", "0,5"), "found '0,5': write a decimal point, not a comma"),
        (_lines("\t").replace("0.5", "nan"), "found 'nan': write nothing where there is no value"),
        (_lines("\t").replace("0.5", "0:30"), "found '0:30': write seconds, not minutes"),
        (_lines("\t").replace("0.5", "0.5 s"), "found '0.5 s': write the number without its unit"),
        (_lines("\t").replace("0.5", "-1"), "expected seconds from 0 on, such as 2.5, found '-1'"),
        (_lines(";"), "separated by semicolons: expected commas"),
        (_lines(" "), "separated by spaces: expected commas"),
        (_lines("|"), r"separated by \|: expected commas"),
        (_lines("\t").replace("onset", "Onset "), "names in lower case: found 'Onset' for 'onset'"),
        (_lines("\t").encode("utf-16"), "found UTF-16: save it as UTF-8"),
        (_lines("\t").replace("Bark", "Köter").encode("latin-1"), "on line 2.*of Excel: 'CSV UTF-8'"),
        (_lines(",").replace("0.5", "0,5"), "line 2: expected 4 fields, found 5: write decimal points"),
        (_lines("\t").replace("a.wav", '"a" b.wav'), "line 2: expected a table.*Write a field with quotes"),
    ],
)  # fmt: skip
def test_what_is_recognised_is_said(tmp_path, content, says):
    name = "strong.csv" if isinstance(content, str) and "0,5,1.25" in content else "strong.tsv"
    with pytest.raises(TableError, match=says):
        _events_table(tmp_path, content, name)


@pytest.mark.parametrize("kind", KINDS)
def test_every_rule_of_a_table_is_said_in_words(kind):
    """None falls back on what jsonschema says."""
    known = {"type", "enum", "minimum", "exclusiveMinimum", "maximum", "minLength"}
    for rule in corpus_tables.table_schema(kind)["properties"].values():
        assert set(rule) - {"pattern", "in_words"} <= known
        assert ("pattern" in rule) == ("in_words" in rule)
