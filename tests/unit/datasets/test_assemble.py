"""From the list and the inspection of recordings to the corpus tables."""

import numpy as np
import pandas as pd
import pytest
import soundfile

from tfseg.datasets import assemble, clips, corpus_tables, inspection
from tfseg.datasets.recordings import recordings
from tfseg.errors import DataError, TableError
from tfseg.mixing import remixing


def _tone(n_samples):
    return 0.25 * np.sin(np.arange(n_samples))


# Bad audio


def _problem(path, problem="missing", severity="error", role="event"):
    row = {
        "path": path,
        "role": role,
        "start_s": 0.0,
        "label": "Bark",
        "problem": problem,
        "severity": severity,
    }
    return row | {"expected": "a sound", "found": "none"}


def _report(*problems):
    return pd.DataFrame(
        list(problems), columns=corpus_tables.table_schema("corpus_report")["required"]
    )


def _usable(report, on_bad_audio, names="abc", **changes):
    frame = recordings("event", [f"{name}.wav" for name in names], "Bark", list(names))
    return assemble.usable(frame, report, on_bad_audio, "corpus_report.csv", **changes)


@pytest.mark.parametrize("on_bad_audio", ["error", "skip"])
def test_without_problems_all_recordings_are_used(on_bad_audio):
    said = []
    kept = _usable(_report(), on_bad_audio, log=said.append)
    assert kept["path"].tolist() == ["a.wav", "b.wav", "c.wav"]
    assert said == []


@pytest.mark.parametrize("on_bad_audio", ["error", "skip"])
def test_a_recording_with_a_warning_is_used(on_bad_audio):
    report = _report(_problem("a.wav", "clipped", "warning"))
    assert len(_usable(report, on_bad_audio)) == 3


def test_bad_recordings_stop_the_run_and_are_named():
    report = _report(_problem("b.wav", "silent"), _problem("a.wav", "clipped", "warning"))
    with pytest.raises(DataError) as caught:
        _usable(report, "error")
    first, second, last = str(caught.value).splitlines()
    assert first == "1 recording cannot be used (corpus_report.csv lists all):"
    assert second == "  b.wav: silent: expected a sound, found none"
    assert last.endswith("leave them out with the config key corpus.on_bad_audio: skip")


@pytest.mark.parametrize(("n_bad", "last"), [(10, "  9.wav: "), (11, "  ... and 1 more")])
def test_at_most_ten_are_named(n_bad, last):
    report = _report(*(_problem(f"{i}.wav") for i in range(n_bad)))
    with pytest.raises(DataError) as caught:
        _usable(report, "error")
    lines = str(caught.value).splitlines()
    assert lines[0].startswith(f"{n_bad} recordings cannot be used")
    assert lines[10].startswith("  9.wav: missing")
    assert lines[-2].startswith(last)


def test_a_recording_with_two_problems_is_counted_once():
    report = _report(_problem("a.wav", "truncated"), _problem("a.wav", "shorter_than_label"))
    with pytest.raises(DataError, match=r"^1 recording cannot be used"):
        _usable(report, "error")


def test_bad_recordings_are_skipped_and_said():
    report = _report(_problem("b.wav", "silent"), _problem("c.wav", "clipped", "warning"))
    said = []
    kept = _usable(report, "skip", log=said.append)
    assert kept["path"].tolist() == ["a.wav", "c.wav"]
    assert len(said) == 1
    assert "b.wav: silent" in said[0]
    assert "They are left out" in said[0]


def test_a_file_that_is_bad_in_one_role_is_used_in_the_other():
    frame = pd.concat([recordings(role, ["a.wav"], "x", ["a"]) for role in ("event", "scene")])
    report = _report(_problem("a.wav", "empty", role="scene"))
    kept = assemble.usable(frame, report, "skip", "report", log=lambda text: None)
    assert kept["role"].tolist() == ["event"]


def test_of_one_file_only_the_segments_that_are_bad_are_skipped(tmp_path):
    samples = np.zeros(8000)
    samples[:4000] = _tone(4000)
    soundfile.write(tmp_path / "a.wav", samples, 8000)
    frame = recordings(
        "event", [tmp_path / "a.wav"] * 2, "Bark", ["a"] * 2, start_s=[0, 0.5], stop_s=[0.5, 1]
    )
    _, report = inspection.inspect(frame)
    assert report["problem"].tolist() == ["silent"]
    kept = assemble.usable(frame, report, "skip", "report", log=lambda text: None)
    assert kept["start_s"].tolist() == [0.0]


# Where recordings begin and end


def _prepared(rows, role="event"):
    """Recordings and inspection of (start_s, stop_s, file_s, sound_start_s, sound_stop_s)."""
    names = [f"{i}.wav" for i in range(len(rows))]
    starts, stops, lengths, first, last = map(list, zip(*rows, strict=True))
    frame = recordings(role, names, "x", names, start_s=starts, stop_s=stops)
    facts = frame[["role", "path", "start_s"]].assign(
        file_s=lengths, sound_start_s=first, sound_stop_s=last
    )
    return frame, facts


def _parts(frame):
    return list(zip(frame["start_s"], frame["stop_s"], strict=True))


PARTS = [
    (0.0, np.nan, 2.0, 0.25, 1.5),
    (0.5, 1.0, 2.0, 0.5, 0.75),
    (0.5, 9.0, 2.0, 0.75, 2.0),  # beyond the file
]


@pytest.mark.parametrize("role", ["event", "scene", "clip"])
def test_without_trimming_a_recording_is_used_as_far_as_the_file_goes(role):
    frame = assemble.sounding_parts(*_prepared(PARTS, role), False)
    assert _parts(frame) == [(0.0, 2.0), (0.5, 1.0), (0.5, 2.0)]


def test_digital_silence_at_both_ends_of_events_is_left_out():
    frame = assemble.sounding_parts(*_prepared(PARTS), True)
    assert _parts(frame) == [(0.25, 1.5), (0.5, 0.75), (0.75, 2.0)]


@pytest.mark.parametrize("role", ["scene", "clip"])
def test_only_events_are_trimmed(role):
    frame = assemble.sounding_parts(*_prepared(PARTS, role), True)
    assert _parts(frame) == [(0.0, 2.0), (0.5, 1.0), (0.5, 2.0)]


def test_facts_are_matched_by_name_in_any_order_and_may_be_more():
    frame, facts = _prepared(PARTS)
    parts = assemble.sounding_parts(frame[1:], facts[::-1], False)
    assert parts["path"].tolist() == ["1.wav", "2.wav"]
    assert _parts(parts) == [(0.5, 1.0), (0.5, 2.0)]
    assert parts["label"].tolist() == ["x", "x"]


def test_segments_of_one_file_are_trimmed_each_on_its_own():
    frame, facts = _prepared([(0.0, 1.0, 3.0, 0.25, 0.5), (1.0, 3.0, 3.0, 1.5, 2.0)])
    parts = assemble.sounding_parts(
        frame.assign(path="a.wav"), facts.assign(path="a.wav"), trim_silence=True
    )
    assert _parts(parts) == [(0.25, 0.5), (1.5, 2.0)]


@pytest.mark.parametrize("trim_silence", [False, True])
def test_a_real_recording_is_cut_where_it_sounds(tmp_path, trim_silence):
    samples = np.zeros(8000)
    samples[2000:6000] = 0.25
    soundfile.write(tmp_path / "a.wav", samples, 8000)
    frame = recordings("event", [tmp_path / "a.wav"], "Bark", ["a"])
    facts, _ = inspection.inspect(frame)
    parts = assemble.sounding_parts(frame, facts, trim_silence)
    assert _parts(parts) == [(0.25, 0.75) if trim_silence else (0.0, 1.0)]


# Folds


def _random_corpus(seed, n_recordings=120):
    """Events of 4 labels and scenes; 30 sources of each, some with two labels."""
    rng = np.random.default_rng(seed)
    frames = []
    for role in ("event", "scene"):
        origins = rng.integers(0, 30, n_recordings)
        labels = [f"l{(origin + rng.integers(0, 5) // 4) % 4}" for origin in origins]
        names = [f"{role}/{i}.wav" for i in range(n_recordings)]
        groups = [f"{role} {origin}" for origin in origins]
        frames.append(recordings(role, names, labels, groups, part=rng.integers(1, 4, len(names))))
    frame = pd.concat(frames, ignore_index=True)
    assert (frame.groupby("group")["label"].nunique() == 2).any()
    return frame


def _split(by, kind="folds", folds=3):
    return {"kind": kind, "folds": folds, "by": by}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("folds", [2, 3, 5])
def test_no_origin_is_in_two_folds(seed, folds):
    frame = _random_corpus(seed)
    fold = assemble.deal_folds(frame, _split("source", folds=folds), seed)
    assert fold.dtype == np.int64
    assert fold.groupby([frame["role"], frame["group"]]).nunique().max() == 1
    for role in ("event", "scene"):
        assert set(fold[frame["role"] == role]) == set(range(1, folds + 1))


def test_an_origin_of_events_and_of_scenes_is_in_one_fold():
    # As in ESC-50, where one Freesound recording may have both.
    names = [f"{i}.wav" for i in range(12)]
    frame = pd.concat(
        [recordings("event", names, "dog", names), recordings("scene", names, "rain", names)],
        ignore_index=True,
    )
    fold = assemble.deal_folds(frame, _split("source"), 1)
    assert fold.groupby(frame["group"]).nunique().max() == 1
    backwards = assemble.deal_folds(frame[::-1].reset_index(drop=True), _split("source"), 1)
    np.testing.assert_array_equal(backwards[::-1], fold)


@pytest.mark.parametrize("seed", range(5))
def test_every_fold_has_every_label_where_there_are_enough_origins(seed):
    labels = [label for label in ("Bark", "Chime", "Gong") for _ in range(8)]
    groups = [f"{label} {i // 2}" for i, label in enumerate(labels)]  # four of each
    frame = recordings("event", [f"{i}.wav" for i in range(24)], labels, groups)
    fold = assemble.deal_folds(frame, _split("source", folds=4), seed)
    assert pd.crosstab(frame["label"], fold).values.tolist() == [[2] * 4] * 3


@pytest.mark.parametrize("seed", range(10))
def test_an_origin_of_two_labels_is_dealt_as_the_first_of_them(seed):
    labels = ["Bark", "Wolf", "Bark", "Wolf", "Wolf", "Wolf"]
    groups = ["both 1", "both 1", "both 2", "both 2", "wolf 1", "wolf 2"]
    frame = recordings("event", [f"{i}.wav" for i in range(6)], labels, groups)
    fold = assemble.deal_folds(frame, _split("source", folds=2), seed)
    assert sorted(fold[frame["label"] == "Bark"]) == [1, 2]


@pytest.mark.parametrize("seed", range(3))
def test_by_file_the_folds_are_of_one_size(seed):
    frame = _random_corpus(seed, n_recordings=100)
    fold = assemble.deal_folds(frame, _split("file", folds=4), seed)
    for role in ("event", "scene"):
        assert fold[frame["role"] == role].value_counts().tolist() == [25] * 4
    assert fold.groupby(frame["group"]).nunique().max() > 1  # each file on its own


def test_segments_of_one_file_are_in_one_fold():
    frame = recordings("event", ["a.wav", "b.wav"] * 10, "Bark", [f"{i}" for i in range(20)])
    fold = assemble.deal_folds(frame, _split("file", folds=2), 1)
    assert fold.groupby(frame["path"]).nunique().tolist() == [1, 1]


@pytest.mark.parametrize("by", ["file", "source", "corpus"])
@pytest.mark.parametrize("kind", ["folds", "fixed"])
def test_the_order_of_the_rows_does_not_count(by, kind):
    frame = _random_corpus(4)
    fold = assemble.deal_folds(frame, _split(by, kind), 7)
    shuffled = frame.sample(frac=1, random_state=1)
    again = assemble.deal_folds(shuffled.reset_index(drop=True), _split(by, kind), 7)
    np.testing.assert_array_equal(again, fold[shuffled.index])


@pytest.mark.parametrize("by", ["file", "source"])
def test_the_deal_repeats_and_depends_on_the_seed(by):
    frame = _random_corpus(0)
    fold, again, other = (assemble.deal_folds(frame, _split(by), seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(fold, again)
    assert not np.array_equal(fold, other)


@pytest.mark.parametrize("by", ["file", "source"])
def test_the_folds_of_one_role_do_not_depend_on_the_other(by):
    frame = _random_corpus(0)
    events = frame[frame["role"] == "event"]
    fold = assemble.deal_folds(frame, _split(by), 1)
    np.testing.assert_array_equal(assemble.deal_folds(events, _split(by), 1), fold[events.index])


# Parts for validation


def _dealt(frame, share, folds=(1, 2, 3), seed=1):
    fold = assemble.deal_folds(frame, _split("source"), 1)
    frame = frame.assign(fold=fold)
    return frame.assign(part=assemble.deal_validation(frame, share, folds, seed))


def _many_groups(n_groups=12):
    """Events of two classes, of `n_groups` origins of two files each, and scenes of two kinds."""
    frames = []
    for role, labels in (("event", ("Bark", "Gong")), ("scene", ("park", "tram"))):
        for label in labels:
            names = [f"{label}{i}-{take}.wav" for i in range(n_groups) for take in "ab"]
            groups = [name.split("-")[0] for name in names]
            frames.append(recordings(role, names, label, groups))
    return pd.concat(frames, ignore_index=True)


def test_without_validation_all_is_for_training():
    assert set(_dealt(_many_groups(), 0.0)["part"]) == {"train"}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("share", "expected"), [(0.1, 1), (0.25, 1), (0.5, 2), (0.9, 3)])
def test_each_class_and_kind_of_scene_has_its_share_for_validation(seed, share, expected):
    frame = _dealt(_many_groups(), share, seed=seed)  # four origins in each fold
    groups = frame.drop_duplicates("group")
    counts = groups.groupby(["label", "fold"])["part"].value_counts().unstack()
    assert (counts["validation"] == expected).all()
    assert (counts["train"] == 4 - expected).all()


@pytest.mark.parametrize("by", ["file", "source"])
@pytest.mark.parametrize("seed", range(5))
def test_no_origin_is_in_both_parts_whatever_its_folds(by, seed):
    frame = _random_corpus(seed, n_recordings=200)
    frame["fold"] = assemble.deal_folds(frame, _split(by), seed)
    part = assemble.deal_validation(frame, 0.3, [1, 2, 3], seed)
    assert part.groupby(frame["group"]).nunique().max() == 1
    assert set(part) == {"train", "validation"}
    for _, rows in frame[frame["role"] == "event"].groupby(["fold", "label"]):
        assert set(part[rows.index]) == {"train", "validation"}


def test_the_parts_repeat_and_depend_on_the_seed_alone():
    frame = _many_groups()
    one, two, other = (_dealt(frame, 0.5, seed=seed)["part"] for seed in (1, 1, 2))
    assert one.equals(two)
    assert not one.equals(other)
    shuffled = _dealt(frame.sample(frac=1, random_state=1).reset_index(drop=True), 0.5)
    by_path = shuffled.set_index("path")["part"]
    assert (by_path[frame["path"]].to_numpy() == one.to_numpy()).all()


def test_what_is_only_held_out_is_not_split():
    frame = _dealt(_many_groups(), 0.5, folds=[2, 3])
    assert set(frame.loc[frame["fold"] == 1, "part"]) == {"train"}
    assert set(frame.loc[frame["fold"] == 2, "part"]) == {"train", "validation"}


def test_kinds_of_scene_with_one_place_share_what_is_for_validation():
    frame = recordings(
        "scene", [f"{k}{f}.wav" for k in "abcd" for f in "123"], "x", list("abcd" * 3)
    )
    frame = frame.assign(label=list("aaabbbcccddd"), group=frame["path"], fold=[1, 2, 3] * 4)
    part = assemble.deal_validation(frame, 0.5, [1, 2, 3], 1)
    assert part.groupby(frame["fold"]).value_counts().tolist() == [2] * 6


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        (
            recordings("event", ["a.wav", "b.wav"], "Bark", ["one", "one"]),
            r"fold 1: expected recordings of Bark from at least 2 sources, .*found 1; .*split\.folds",
        ),
        (
            recordings("scene", ["a.wav", "b.wav"], "park", ["one", "one"]),
            r"fold 1: expected scenes from at least 2 sources, .*found 1; .*split\.validation: 0",
        ),
        (
            recordings("clip", ["a.wav", "b.wav"], ["Bark", ""], ["one", "one"]),
            r"fold 1: expected clips from at least 2 sources, .*found 1;",
        ),
    ],
)
def test_what_cannot_be_split_is_named(frame, says):
    with pytest.raises(DataError, match=says):
        assemble.deal_validation(frame.assign(fold=1), 0.2, [1, 2], 1)


def test_clips_are_split_by_origin_and_by_tag():
    tags = ["Bark", "Gong", "Bark;Gong", "", "Chime"] * 8
    groups = [f"g{i // 2}" for i in range(40)]
    frame = recordings("clip", [f"{i}.wav" for i in range(40)], tags, groups).assign(fold=1)
    part = assemble.deal_validation(frame, 0.25, [1], 1)
    assert part.groupby(frame["group"]).nunique().max() == 1
    for tag in ("Bark", "Gong", "Chime"):
        assert set(part[frame["label"].str.contains(tag)]) == {"train", "validation"}


def test_the_only_clips_of_a_tag_stay_for_training():
    frame = recordings("clip", list("abcdef"), ["Gong", *["Bark"] * 5], list("abcdef"))
    for seed in range(5):
        part = assemble.deal_validation(frame.assign(fold=1), 0.5, [1], seed)
        assert part[0] == "train"


@pytest.mark.parametrize(
    "split", [_split("corpus"), _split("file", "fixed"), _split("source", "fixed")]
)
def test_the_folds_of_the_corpus_are_used(split):
    frame = _random_corpus(0)
    fold = assemble.deal_folds(frame, split, 1)
    assert fold.tolist() == frame["part"].tolist()


@pytest.mark.parametrize("split", [_split("corpus"), _split("file", "fixed")])
def test_a_recording_without_fold_is_named(split):
    frame = _random_corpus(0)
    frame.loc[7, "part"] = 0
    expected = (
        r"event/7\.wav: the corpus gives it no fold \(for your own clips: the column fold of "
        r"clips\.csv\); expected one, since the config says split\.kind: fixed or split\.by: corpus"
    )
    with pytest.raises(DataError, match=expected):
        assemble.deal_folds(frame, split, 1)


@pytest.mark.parametrize("by", ["file", "source"])
def test_dealt_folds_need_no_fold_of_the_corpus(by):
    frame = _random_corpus(0).assign(part=0)
    assert set(assemble.deal_folds(frame, _split(by), 1)) == {1, 2, 3}


# Tables


def test_events_scenes_and_attribution_are_tables(tmp_path):
    events = recordings(
        "event", ["a.wav", "a.wav", "b.wav"], ["Bark", "Bark", "Gong"], ["a", "a", "b"],
        start_s=[0.0, 2.0, 0.0], stop_s=[1.0, 3.0, 0.5], author=["Ada", "Ada", "Bob"],
    )  # fmt: skip
    names = ["s.wav", "b.wav", "t.wav"]
    scenes = recordings("scene", names, "park", ["s", "b", "t"], stop_s=9.0, licence="CC0")
    frame = pd.concat([events, scenes], ignore_index=True).assign(
        fold=[1, 1, 2, 1, 2, 1], part="train"
    )
    corpus = assemble.corpus_tables(frame)
    for name, table in corpus.items():
        corpus_tables.write_table(tmp_path / f"{name}.csv", table, name)
    found = {name: corpus_tables.read_table(tmp_path / f"{name}.csv", name) for name in corpus}
    assert found["events"][["path", "label", "fold", "start_s"]].values.tolist() == [
        ["a.wav", "Bark", 1, 0.0],
        ["a.wav", "Bark", 1, 2.0],
        ["b.wav", "Gong", 2, 0.0],
    ]
    assert found["scenes"][["path", "scene", "fold", "group", "licence"]].values.tolist() == [
        ["s.wav", "park", 1, "s", "CC0"],
        ["b.wav", "park", 2, "b", "CC0"],
        ["t.wav", "park", 1, "t", "CC0"],
    ]
    assert found["attribution"][["path", "author"]].values.tolist() == [
        ["a.wav", "Ada"],
        ["b.wav", "Bob"],
        ["s.wav", "not stated"],
        ["t.wav", "not stated"],
    ]


@pytest.fixture
def made(tmp_path):
    """Return a function that makes the clips' tables and their plan as the workflow does."""

    def prepare(names, strong=None, kept=slice(None)):
        for name in ("a.wav", "b.wav", "sub/c.wav"):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            soundfile.write(tmp_path / name, _tone(4000), 8000)
        rows = [f"{name},{tags}" for name, tags in names.items()]
        (tmp_path / "clips.csv").write_text("path,tags\n" + "\n".join(rows) + "\n")
        if strong is not None:
            header = "filename\tonset\toffset\tevent_label\n"
            (tmp_path / "strong.tsv").write_text(header + strong)
        choice = {"classes": ["Bark"], "other_labels": "ignore"}
        frame = clips.list_recordings(tmp_path, **choice)[kept]
        facts, report = inspection.inspect(frame)
        assert len(report) == 0
        frame = assemble.sounding_parts(frame, facts, True)
        frame["fold"] = assemble.deal_folds(frame, _split("file", folds=2), 1)
        frame["part"] = assemble.deal_validation(frame, 0.0, [1, 2], 1)
        found = assemble.clip_tables(frame, tmp_path)
        for name, table in found.items():
            corpus_tables.write_table(tmp_path / f"table_{name}.csv", table, name)
        found = {
            name: corpus_tables.read_table(tmp_path / f"table_{name}.csv", name) for name in found
        }
        durations_s = dict(zip(found["clips"]["clip"], found["clips"]["duration_s"], strict=True))
        events, _ = clips.clip_events(tmp_path, durations_s, label_excess_s=0.05, **choice)
        mixtures, mixture_events = remixing.plan_clips(found["clips"], events)
        return found | {"mixtures": mixtures, "mixture_events": mixture_events}

    return prepare


def test_clips_have_their_tags_and_lengths(made, tmp_path):
    found = made({"b.wav": "Bark;Wolf", "sub/c.wav": "", "./a.wav": "Bark"})
    table = found["clips"]
    assert list(table.columns) == corpus_tables.table_schema("clips")["required"]
    assert table["clip"].tolist() == ["b.wav", "sub/c.wav", "a.wav"]
    assert table["path"].tolist() == [str(tmp_path / name) for name in table["clip"]]
    assert table["tags"].tolist() == ["Bark", "", "Bark"]
    assert table["duration_s"].tolist() == [0.5] * 3
    assert found["mixtures"]["strong"].tolist() == [0, 0, 0]
    assert sorted(set(table["fold"])) == [1, 2]
    assert found["attribution"]["path"].tolist() == table["path"].tolist()


def test_clips_with_known_times_are_marked(made):
    strong = "sub/c.wav\t\t\t\n./a.wav\t0.1\t0.4\tBark\n"
    found = made({"a.wav": "Bark", "b.wav": "Bark", "./sub/c.wav": ""}, strong)
    assert found["mixtures"]["strong"].tolist() == [1, 0, 1]
    columns = ["mixture", "label", "onset_s", "offset_s"]
    assert found["mixture_events"][columns].values.tolist() == [["a.wav", "Bark", 0.1, 0.4]]


def test_times_of_clips_that_were_left_out_do_not_matter(made):
    strong = "b.wav\t0.1\t0.4\tBark\na.wav\t0.1\t0.4\tBark\n"
    found = made({"b.wav": "Bark", "a.wav": "Bark"}, strong, kept=slice(1, None))
    assert found["mixtures"][["mixture", "strong"]].values.tolist() == [["a.wav", 1]]
    assert found["mixture_events"]["mixture"].tolist() == ["a.wav"]


def test_clips_elsewhere_have_their_path_for_a_name(made, tmp_path_factory):
    path = tmp_path_factory.mktemp("elsewhere") / "d.wav"
    soundfile.write(path, _tone(8000), 8000)
    table = made({"a.wav": "Bark", path: "Bark"}, f"{path}\t0\t1\tBark\n")["mixtures"]
    assert table[["mixture", "strong"]].values.tolist() == [["a.wav", 0], [str(path), 1]]


def test_an_absolute_path_into_the_folder_keeps_its_times(made, tmp_path):
    path = tmp_path / "a.wav"
    table = made({path: "Bark", "b.wav": "Bark"}, f"{path}\t0.1\t0.4\tBark\n")["mixtures"]
    assert table[["mixture", "strong"]].values.tolist() == [["a.wav", 1], ["b.wav", 0]]


def test_what_is_dealt_has_its_fold_and_its_part():
    split = _split("source") | {"validation": 0.5}
    frame = assemble.deal(_many_groups(), split, folds=[1, 2, 3], held_out=[1, 2, 3], seed=1)
    assert frame["fold"].equals(assemble.deal_folds(_many_groups(), split, 1))
    assert set(frame["part"]) == {"train", "validation"}
    # Of two folds, the held-out one is never a training fold.
    fixed = split | {"kind": "fixed"}
    of_corpus = _many_groups().assign(part=[1, 2] * (len(frame) // 2))
    frame = assemble.deal(of_corpus, fixed, folds=[1, 2], held_out=[1], seed=1)
    assert set(frame.loc[frame["fold"] == 1, "part"]) == {"train"}


SPLIT = {"kind": "folds", "by": "file"}


def _clips_of(parts):
    paths = [f"/data/{i}.wav" for i in range(len(parts))]
    frame = recordings("clip", paths, "Bark;Gong", paths)
    return frame.assign(fold=[1, 2] * (len(parts) // 2), part=parts, start_s=0.0, stop_s=1.0)


def test_clips_that_only_validation_holds_cannot_be_learned_from():
    folds = {"folds": [1, 2], "held_out": [1, 2], "classes": ["Bark", "Gong"]}
    tables = assemble.checked_tables(_clips_of(["train"] * 4), "/data", SPLIT, **folds)
    assert set(tables) == {"clips", "attribution"}
    with pytest.raises(TableError, match="corpus clips: fold 2 has no clip"):
        assemble.checked_tables(_clips_of(["train", "validation"] * 2), "/data", SPLIT, **folds)


def test_a_fold_without_a_scene_is_refused_before_anything_is_mixed():
    frame = _dealt(_many_groups(), 0.0).assign(start_s=0.0, stop_s=1.0)
    labels = sorted(frame.loc[frame["role"] == "event", "label"].unique())
    folds = {"folds": [1, 2, 3], "held_out": [1, 2, 3], "classes": labels}
    assert set(assemble.checked_tables(frame, None, SPLIT, **folds)) == {
        "events",
        "scenes",
        "attribution",
    }
    short = frame[(frame["role"] != "scene") | (frame["fold"] != 2)]
    with pytest.raises(TableError, match="fold 2"):
        assemble.checked_tables(short, None, SPLIT, **folds)
