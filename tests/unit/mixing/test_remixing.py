import hashlib
import itertools
from collections import Counter
from types import SimpleNamespace

import h5py
import numpy as np
import pandas as pd
import pytest
import soundfile

from tfseg.datasets.corpus_tables import check_rows
from tfseg.errors import DamagedFileError, DataError
from tfseg.io import audio
from tfseg.mixing.remixing import StemReader, plan_mixtures, random_onsets

PLAN = {
    "folds": [1, 2],
    "mixtures_per_fold": [7, 7],
    "duration_s": 1.5,
    "onsets_s": [0.1, 0.8],
    "events_per_mixture": 1,  # with random onsets only
    "overlap": False,
    "max_event_s": 0.5,
    "kinds": ["mixture"],
    "scene_start": "beginning",
    "seed": 5,
}


def _plan(corpus, **changes):
    return plan_mixtures(corpus.events, corpus.scenes, **(PLAN | changes))


def _level_db(samples):
    return 10 * np.log10(np.mean(np.square(samples, dtype=np.float64)))


def _one(scene_path, events, duration_s=1.0):
    """A plan of one mixture; `events` are (path, label, onset_s, length_s)."""
    mixtures = pd.DataFrame(
        [("m", "mixture", 1, "train", str(scene_path), 0.0, duration_s)],
        columns=["mixture", "kind", "fold", "part", "scene", "scene_start_s", "duration_s"],
    )
    columns = ["mixture", "event", "label", "onset_s", "offset_s", "event_start_s"]
    rows = [("m", str(p), k, t, min(t + n, duration_s), 0.0) for p, k, t, n in events]
    return mixtures, pd.DataFrame(rows, columns=columns)


def _corpus_events(*rows):
    """Corpus rows of (path, label, start_s, stop_s)."""
    return pd.DataFrame(
        [
            (str(path), label, 1, start_s, stop_s, "g", "CC0")
            for path, label, start_s, stop_s in rows
        ],
        columns=["path", "label", "fold", "start_s", "stop_s", "group", "licence"],
    )


@pytest.fixture
def wav(tmp_path):
    """Return a function that writes a float wav at the tiny corpus's rate."""

    def write(name, samples):
        soundfile.write(tmp_path / name, samples, 8000, subtype="FLOAT")
        return tmp_path / name

    return write


@pytest.fixture
def noise():
    return np.random.default_rng(3).standard_normal(16000) * 0.1


# The plan


def test_the_plan_follows_its_schemas(tiny_corpus):
    mixtures, mixture_events = _plan(tiny_corpus)
    check_rows(mixtures, "mixtures", "mixtures")
    check_rows(mixture_events, "mixture_events", "events")
    assert set(mixture_events["mixture"]) == set(mixtures["mixture"])


def test_every_mixture_has_one_event_per_onset_of_at_most_the_given_length(tiny_corpus):
    mixtures, mixture_events = _plan(tiny_corpus)
    assert mixtures["fold"].value_counts().to_dict() == {1: 7, 2: 7}
    length = tiny_corpus.events.set_index("path").eval("stop_s - start_s")
    for _, rows in mixture_events.groupby("mixture"):
        assert rows["onset_s"].tolist() == [0.1, 0.8]
        expected = rows["onset_s"] + np.minimum(length[rows["event"]].to_numpy(), 0.5)
        np.testing.assert_allclose(rows["offset_s"], expected, atol=1e-6)


def test_offsets_do_not_exceed_the_mixture(tiny_corpus):
    _, mixture_events = _plan(tiny_corpus, onsets_s=[1.4])
    assert mixture_events["offset_s"].max() == 1.5


def test_the_plan_never_mixes_folds(tiny_corpus):
    mixtures, mixture_events = _plan(tiny_corpus)
    fold_of = mixtures.set_index("mixture")["fold"]
    event_fold = tiny_corpus.events.set_index("path")["fold"]
    scene_fold = tiny_corpus.scenes.set_index("path")["fold"]
    assert (scene_fold[mixtures["scene"]].to_numpy() == mixtures["fold"]).all()
    assert (
        event_fold[mixture_events["event"]].to_numpy()
        == fold_of[mixture_events["mixture"]].to_numpy()
    ).all()


@pytest.mark.parametrize("mixtures_per_fold", [1, 2, 3, 7, 20])
def test_all_recordings_of_a_fold_are_used_equally_often(tiny_corpus, mixtures_per_fold):
    mixtures, mixture_events = _plan(tiny_corpus, mixtures_per_fold=[mixtures_per_fold] * 2)
    for fold in (1, 2):
        for corpus, used in (
            (tiny_corpus.events, mixture_events["event"]),
            (tiny_corpus.scenes, mixtures["scene"]),
        ):
            paths = corpus.loc[corpus["fold"] == fold, "path"]
            counts = Counter(used)
            counts = [counts[path] for path in paths]
            assert max(counts) - min(counts) <= 1


def test_labels_and_starts_are_those_of_the_recordings(tiny_corpus):
    corpus = tiny_corpus.events.assign(start_s=np.linspace(0, 0.1, len(tiny_corpus.events)))
    _, mixture_events = plan_mixtures(corpus, tiny_corpus.scenes, **PLAN)
    by_path = corpus.set_index("path")
    assert (by_path["label"][mixture_events["event"]].array == mixture_events["label"]).all()
    assert (
        by_path["start_s"][mixture_events["event"]].array == mixture_events["event_start_s"]
    ).all()


def test_the_plan_repeats_and_depends_on_the_seed(tiny_corpus):
    for one, two in zip(_plan(tiny_corpus), _plan(tiny_corpus), strict=True):
        pd.testing.assert_frame_equal(one, two)
    assert not _plan(tiny_corpus, seed=6)[1].equals(_plan(tiny_corpus)[1])


def test_a_folds_plan_does_not_depend_on_the_other_folds(tiny_corpus):
    mixtures, mixture_events = _plan(tiny_corpus)
    alone, events_alone = _plan(tiny_corpus, folds=[2], mixtures_per_fold=[7])
    of_fold = mixtures[mixtures["fold"] == 2].reset_index(drop=True)
    pd.testing.assert_frame_equal(of_fold, alone)
    of_fold = mixture_events[mixture_events["mixture"].isin(alone["mixture"])]
    pd.testing.assert_frame_equal(of_fold.reset_index(drop=True), events_alone)


# A part for validation


@pytest.fixture
def parted_corpus(tiny_corpus):
    """The tiny corpus, a recording of each class and one scene of each fold for validation."""
    events, scenes = tiny_corpus.events, tiny_corpus.scenes
    return SimpleNamespace(
        events=events.assign(part=np.where(events.index % 3 == 1, "validation", "train")),
        scenes=scenes.assign(part=np.where(scenes.index % 2 == 0, "validation", "train")),
    )


def test_without_validation_the_plan_is_what_it_was(tiny_corpus, parted_corpus):
    for one, two in zip(_plan(tiny_corpus), _plan(parted_corpus, validation=0.0), strict=True):
        pd.testing.assert_frame_equal(one, two)
    mixtures, events = _plan(tiny_corpus)
    assert set(mixtures.pop("part")) == {"train"}
    # From the version before parts existed.
    text = mixtures[["mixture", "kind", "fold"]].to_csv() + events[["mixture", "label"]].to_csv()
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == "d8de249dddd82805"


@pytest.mark.parametrize("kinds", [["mixture"], ["mixture", "events", "scene"]])
@pytest.mark.parametrize(
    ("share", "expected"), [(0.01, 1), (0.25, 2), (0.3, 2), (0.5, 4), (0.99, 6)]
)
def test_mixtures_for_validation_are_made_of_its_recordings_alone(
    parted_corpus, kinds, share, expected
):
    mixtures, events = _plan(parted_corpus, validation=share, kinds=kinds)
    drawn = mixtures[mixtures["kind"] == "mixture"]
    counts = drawn.groupby("fold")["part"].value_counts()
    for fold in (1, 2):
        assert counts[fold, "validation"] == expected
        assert counts[fold, "train"] == 7 - expected
    names = [f"fold{fold}-{index:05d}" for fold in (1, 2) for index in range(7)]
    assert drawn["mixture"].tolist() == names
    part_of = mixtures.set_index("mixture")["part"]
    event_part = parted_corpus.events.set_index("path")["part"]
    scene_part = parted_corpus.scenes.set_index("path")["part"]
    assert (event_part[events["event"]].array == part_of[events["mixture"]].array).all()
    over_scenes = mixtures[mixtures["scene"] != ""]
    assert (scene_part[over_scenes["scene"]].array == over_scenes["part"].array).all()


def test_the_parts_of_a_plan_repeat_and_differ(parted_corpus):
    for one, two in zip(*(_plan(parted_corpus, validation=0.5) for _ in "ab"), strict=True):
        pd.testing.assert_frame_equal(one, two)
    check_rows(_plan(parted_corpus, validation=0.5)[0], "mixtures", "mixtures")


def test_a_fold_without_recordings_for_validation_has_no_such_mixtures(parted_corpus):
    events = parted_corpus.events
    events = events.assign(part=events["part"].where(events["fold"] == 2, "train"))
    mixtures, _ = plan_mixtures(events, parted_corpus.scenes, **PLAN, validation=0.5)
    parts = mixtures.groupby("fold")["part"].unique()
    assert sorted(parts[1]) == ["train"]
    assert sorted(parts[2]) == ["train", "validation"]


# Isolated events and scenes, events in the middle, and parts of longer scenes (JSC)


def test_each_draw_becomes_one_clip_of_each_kind(tiny_corpus):
    plain, plain_events = _plan(tiny_corpus)
    mixtures, events = _plan(tiny_corpus, kinds=["scene", "events", "mixture"])
    of_kind = dict(list(mixtures.groupby("kind")))
    pd.testing.assert_frame_equal(of_kind["mixture"].reset_index(drop=True), plain)
    for kind, part in of_kind.items():
        assert len(part) == len(plain)
        sounding = events[events["mixture"].isin(part["mixture"])].reset_index(drop=True)
        if kind == "scene":
            assert sounding.empty
        else:
            pd.testing.assert_frame_equal(
                sounding.drop(columns="mixture"), plain_events.drop(columns="mixture")
            )
        expected = [""] * len(plain) if kind == "events" else list(plain["scene"])
        assert list(part["scene"]) == expected


def test_a_centred_event_has_the_same_rest_on_both_sides(tiny_corpus):
    mixtures, events = _plan(tiny_corpus, onsets_s="centre", max_event_s=0.4)
    assert len(events) == len(mixtures)
    np.testing.assert_allclose(events["onset_s"] + events["offset_s"], 1.5, atol=1e-5)
    lengths = set((events["offset_s"] - events["onset_s"]).round(3))
    assert lengths == {0.3, 0.4}


def test_a_longer_scene_may_begin_anywhere(tiny_corpus):
    mixtures, _ = _plan(tiny_corpus, scene_start="random", mixtures_per_fold=[200, 200])
    starts = mixtures.groupby(mixtures["scene"].str.contains("street"))["scene_start_s"]
    assert starts.max()[False] == 0  # 0.7 s of a park, for 1.5 s
    assert 0 <= starts.min()[True] < 0.05
    assert 1.45 < starts.max()[True] <= 1.5  # 3 s of a street


def test_isolated_events_and_scenes_are_rendered_alone(tiny_corpus, render, tmp_path):
    mixtures, events = _plan(tiny_corpus, kinds=["scene", "events", "mixture"])
    path = render(tmp_path / "stems.h5", mixtures[:6], events)
    by_kind = {}
    for stems in StemReader(path):
        by_kind.setdefault(stems.kind, []).append(stems)
    for scene, alone, mixture in zip(
        *(by_kind[k] for k in ("scene", "events", "mixture")), strict=True
    ):
        assert scene.events == []
        assert not alone.scene.any()
        np.testing.assert_array_equal(scene.scene, mixture.scene)
        np.testing.assert_array_equal(alone.event_track(), mixture.event_track())
        for stems in (scene, alone, mixture):
            peak = np.abs(stems.mixture_at(0)).max()
            assert 0 < peak <= 1
            if stems is not mixture:
                assert peak == pytest.approx(0.5, abs=1e-3)


# Random onsets

RANDOM = {"onsets_s": "random", "events_per_mixture": 3, "mixtures_per_fold": [200, 200]}


def _overlaps(plan):
    """Neighbouring events of each mixture that overlap, and all pairs of neighbours."""
    rows = plan.sort_values(["mixture", "onset_s"])
    same = rows["mixture"].to_numpy()[1:] == rows["mixture"].to_numpy()[:-1]
    overlap = rows["onset_s"].to_numpy()[1:] < rows["offset_s"].to_numpy()[:-1]
    return int((same & overlap).sum()), int(same.sum())


@pytest.mark.parametrize("overlap", [True, False])
def test_random_events_lie_inside_the_mixture_with_their_own_length(tiny_corpus, overlap):
    mixtures, events = _plan(tiny_corpus, **RANDOM, overlap=overlap)
    check_rows(events, "mixture_events", "events")
    assert events["mixture"].value_counts().to_dict() == dict.fromkeys(mixtures["mixture"], 3)
    length_s = tiny_corpus.events.set_index("path").eval("stop_s - start_s").clip(upper=0.5)
    sounding_s = (events["offset_s"] - events["onset_s"]).to_numpy()
    np.testing.assert_allclose(sounding_s, length_s[events["event"]], atol=1e-6)
    assert events["onset_s"].min() >= 0
    assert events["offset_s"].max() <= 1.5
    n_overlaps, n_pairs = _overlaps(events)
    assert (n_overlaps > n_pairs / 2) if overlap else (n_overlaps == 0)
    # Only the times of the plan depend on them.
    apart = _plan(tiny_corpus, **RANDOM, overlap=not overlap)
    pd.testing.assert_frame_equal(mixtures, apart[0])
    pd.testing.assert_series_equal(events["event"], apart[1]["event"])


def test_random_onsets_repeat_and_depend_on_seed_and_fold(tiny_corpus):
    _, events = _plan(tiny_corpus, **RANDOM, overlap=True)
    pd.testing.assert_frame_equal(events, _plan(tiny_corpus, **RANDOM, overlap=True)[1])
    other = _plan(tiny_corpus, **RANDOM, overlap=True, seed=6)[1]
    assert (events["onset_s"] != other["onset_s"]).mean() > 0.99
    first, second = (events[events["mixture"].str.startswith(f"fold{k}")] for k in (1, 2))
    assert (first["onset_s"].to_numpy() != second["onset_s"].to_numpy()).mean() > 0.99
    alone = _plan(tiny_corpus, **RANDOM | {"folds": [2], "mixtures_per_fold": [200]}, overlap=True)
    pd.testing.assert_frame_equal(second.reset_index(drop=True), alone[1])


def test_the_number_of_events_is_drawn_evenly_from_its_range(tiny_corpus):
    changes = RANDOM | {"events_per_mixture": [1, 3], "mixtures_per_fold": [3000, 1]}
    mixtures, events = _plan(tiny_corpus, **changes, overlap=True)
    counts = events["mixture"].value_counts()
    assert set(counts.index) == set(mixtures["mixture"])
    shares = counts.value_counts(normalize=True)
    assert sorted(shares.index) == [1, 2, 3]
    np.testing.assert_allclose(shares, 1 / 3, atol=0.03)
    # Their recordings are still assigned in passes.
    used = events.loc[events["mixture"].str.startswith("fold1"), "event"].value_counts()
    assert len(used) == 6
    assert used.max() - used.min() <= 1


def test_every_kind_of_a_draw_has_the_same_random_onsets(tiny_corpus):
    kinds = ["scene", "events", "mixture"]
    mixtures, events = _plan(tiny_corpus, **RANDOM, overlap=True, kinds=kinds)
    kind = events["mixture"].map(mixtures.set_index("mixture")["kind"])
    alone, mixed = (events[kind == k].drop(columns="mixture") for k in ("events", "mixture"))
    pd.testing.assert_frame_equal(alone.reset_index(drop=True), mixed.reset_index(drop=True))


def test_with_overlaps_each_onset_is_uniform_by_itself():
    rng = np.random.default_rng(0)
    onsets = np.array([random_onsets([2.0, 0.5], 10.0, True, rng) for _ in range(20000)])
    for of_event, latest in zip(onsets.T, (8.0, 9.5), strict=True):
        shares = np.histogram(of_event, bins=10, range=(0, latest))[0] / len(onsets)
        np.testing.assert_allclose(shares, 0.1, atol=0.01)
    assert abs(np.corrcoef(onsets.T)[0, 1]) < 0.03


def test_without_overlaps_every_layout_that_fits_is_equally_likely():
    # Against what is uniform by construction: draws with overlaps, of which those without are kept.
    rng, lengths_s = np.random.default_rng(0), [2.0, 0.5, 1.0]
    drawn = np.array([random_onsets(lengths_s, 5.0, False, rng) for _ in range(20000)])
    free = np.array([random_onsets(lengths_s, 5.0, True, rng) for _ in range(80000)])
    ends = free + lengths_s
    fits = np.all(
        [(ends[:, i] <= free[:, j]) | (ends[:, j] <= free[:, i]) for i, j in ((0, 1), (0, 2), (1, 2))],
        axis=0,
    )  # fmt: skip
    kept = free[fits]
    assert len(kept) > 5000
    for i, length_s in enumerate(lengths_s):
        bins = {"bins": 8, "range": (0, 5.0 - length_s)}
        found, expected = (np.histogram(x[:, i], **bins)[0] / len(x) for x in (drawn, kept))
        np.testing.assert_allclose(found, expected, atol=0.02)
    orders = Counter(tuple(np.argsort(row)) for row in drawn)
    assert len(orders) == 6
    np.testing.assert_allclose(np.array(list(orders.values())) / len(drawn), 1 / 6, atol=0.01)


def test_events_that_fill_the_mixture_have_no_choice_but_their_order():
    rng = np.random.default_rng(0)
    layouts = {tuple(random_onsets([0.1, 0.1, 0.1], 0.3, False, rng)) for _ in range(200)}
    assert layouts == set(itertools.permutations((0.0, 0.1, 0.2)))
    assert random_onsets([0.3], 0.3, True, rng) == [0.0]


# Stems


def test_the_stems_hold_the_planned_mixtures(tiny_stems, tiny_plan, tiny_corpus):
    reader = StemReader(tiny_stems)
    assert reader.mixtures == list(tiny_plan.mixtures["mixture"])
    assert reader.sample_rate == tiny_corpus.rate
    planned = dict(list(tiny_plan.events.groupby("mixture")))
    for stems, row in zip(reader, tiny_plan.mixtures.itertuples(), strict=True):
        assert (stems.mixture, stems.fold) == (row.mixture, row.fold)
        assert stems.scene.shape == (12000,)
        assert [(k, onset) for k, onset, _ in stems.events] == [
            (tiny_corpus.classes.index(event.label), round(event.onset_s * 8000))
            for event in planned[row.mixture].itertuples()
        ]
        for (_, _, samples), event in zip(
            stems.events, planned[row.mixture].itertuples(), strict=True
        ):
            assert abs(len(samples) - (event.offset_s - event.onset_s) * 8000) <= 1


def test_a_long_scene_is_cut_and_a_short_one_repeated(tiny_stems, tiny_plan):
    lengths = set()
    for stems, path in zip(StemReader(tiny_stems), tiny_plan.mixtures["scene"], strict=True):
        recording, _ = soundfile.read(path)
        lengths.add(len(recording))
        expected = audio.fit_length(recording, 12000, 8000)  # 0.7 s or 3 s, for 1.5 s
        expected /= np.sqrt(np.mean(expected**2))
        np.testing.assert_allclose(stems.scene, expected, atol=1e-3)
        assert _level_db(stems.scene) == pytest.approx(0, abs=0.001)
    assert lengths == {5600, 24000}


def test_a_scene_is_read_from_its_start(render, wav, tmp_path, noise):
    mixtures, events = _one(wav("scene.wav", noise), [])
    mixtures["scene_start_s"] = 0.25
    (stems,) = StemReader(render(tmp_path / "stems.h5", mixtures, events))
    part = noise[2000:10000]
    np.testing.assert_allclose(stems.scene, part / np.sqrt(np.mean(part**2)), atol=1e-3)


def _event_part(stems, snr_db):
    """The events' part of a mixture, and its scene, from waveforms alone."""
    scene = stems.mix_gain[snr_db] * stems.scene
    return stems.mixture_at(snr_db) - scene, scene


@pytest.mark.parametrize("snr_db", [20, 10, 0, -5])
def test_a_remix_measures_its_snr_over_the_whole_recording(tiny_stems, tiny_plan, snr_db):
    planned = dict(list(tiny_plan.events.groupby("mixture")))
    measured = 0
    for stems in StemReader(tiny_stems):
        event_part, scene = _event_part(stems, snr_db)
        for (_, onset, _), path in zip(stems.events, planned[stems.mixture]["event"], strict=True):
            recording, rate = soundfile.read(path)
            if rate != 8000:  # comparing resampled waveforms is another test's business
                continue
            heard = event_part[onset : onset + len(recording)]
            assert _level_db(heard) - _level_db(scene) == pytest.approx(snr_db, abs=0.01)
            measured += 1
    assert measured > 5


@pytest.mark.parametrize("snr_on", ["file", "segment"])
@pytest.mark.parametrize("offsets", [(0.2, 0.0), (0.0, -0.3), (0.2, 0.3)])
def test_an_offset_is_no_level(render, wav, tmp_path, noise, offsets, snr_on):
    quiet, event = 0.05 * noise[::-1], 0.05 * noise[:4000]
    path = wav("event.wav", event + offsets[1])
    mixtures, events = _one(wav("scene.wav", quiet + offsets[0]), [(path, "Bark", 0.2, 0.5)])
    corpus = _corpus_events((path, "Bark", 0.0, 0.5))
    (stems,) = StemReader(
        render(tmp_path / "s.h5", mixtures, events, corpus_events=corpus, snr_on=snr_on)
    )
    event_part, scene = _event_part(stems, 0)
    heard = event_part[1600:5600]
    assert abs(scene.mean()) < 0.02 * scene.std()
    assert abs(heard.mean()) < 0.02 * heard.std()
    assert 20 * np.log10(heard.std() / scene.std()) == pytest.approx(0, abs=0.05)


@pytest.mark.parametrize("snr_on", ["file", "segment"])
def test_a_cut_recording_has_the_snr_on_what_the_settings_say(render, wav, tmp_path, noise, snr_on):
    event = noise[:8000] * np.linspace(1, 0.01, 8000) ** 2  # loud first: the two levels differ
    path = wav("event.wav", event)
    mixtures, events = _one(wav("scene.wav", noise[::-1]), [(path, "Bark", 0.2, 0.5)])
    corpus = _corpus_events((path, "Bark", 0.0, 1.0))
    (stems,) = StemReader(
        render(tmp_path / "s.h5", mixtures, events, corpus_events=corpus, snr_on=snr_on)
    )
    event_part, scene = _event_part(stems, 10)
    assert np.abs(event_part[5600:]).max() < 1e-6
    heard = event_part[1600:5600].astype(np.float64)
    gain = heard @ event[:4000] / (event[:4000] @ event[:4000])
    np.testing.assert_allclose(heard, gain * event[:4000], atol=1e-3 * np.abs(heard).max())
    measured = {
        "file": _level_db(gain * event) - _level_db(scene),
        "segment": _level_db(heard) - _level_db(scene),
    }
    assert measured[snr_on] == pytest.approx(10, abs=0.01)
    assert abs(measured["file"] - measured["segment"]) > 1


def test_the_level_of_an_event_that_the_mixtures_end_cuts_is_that_of_what_sounds(
    render, wav, tmp_path, noise
):
    path = wav("event.wav", noise[:4000] * np.linspace(1, 0.01, 4000) ** 2)
    mixtures, events = _one(wav("scene.wav", noise[::-1]), [(path, "Bark", 0.9, 0.5)])
    corpus = _corpus_events((path, "Bark", 0.0, 0.5))
    (stems,) = StemReader(
        render(tmp_path / "s.h5", mixtures, events, corpus_events=corpus, snr_on="segment")
    )
    event_part, scene = _event_part(stems, 10)
    assert _level_db(event_part[7200:]) - _level_db(scene) == pytest.approx(10, abs=0.01)


def test_the_part_of_a_recording_that_is_an_event_is_what_sounds(render, wav, tmp_path, noise):
    path = wav("event.wav", noise)
    mixtures, events = _one(wav("scene.wav", noise[::-1]), [(path, "Bark", 0.1, 0.2)])
    events["event_start_s"] = 0.5
    corpus = _corpus_events((path, "Bark", 0.0, 0.4), (path, "Bark", 0.5, 0.7))
    (stems,) = StemReader(
        render(tmp_path / "s.h5", mixtures, events, corpus_events=corpus, snr_on="file")
    )
    ((_, onset, samples),) = stems.events
    part = noise[4000:5600]
    assert onset == 800
    np.testing.assert_allclose(samples, part / np.sqrt(np.mean(part**2)), atol=1e-3)


def test_a_recording_is_cut_anew_where_another_mixtures_end_cuts_it(render, wav, tmp_path, noise):
    path, scene = wav("event.wav", noise[:4000]), wav("scene.wav", noise[::-1])
    corpus = _corpus_events((path, "Bark", 0.0, 0.5))
    expected = noise[:4000] / np.sqrt(np.mean(noise[:4000] ** 2))
    for onsets_s in ([0.1, 0.9, 0.3], [0.9, 0.1, 0.9]):
        plan = _one(scene, [(path, "Bark", onset_s, 0.5) for onset_s in onsets_s])
        (stems,) = StemReader(render(tmp_path / "s.h5", *plan, corpus_events=corpus))
        for (_, onset, samples), onset_s in zip(stems.events, onsets_s, strict=True):
            assert onset == round(8000 * onset_s)
            np.testing.assert_allclose(samples, expected[: 8000 - onset], atol=1e-3)


def test_long_scenes_and_events_have_unit_rms(render, wav, tmp_path):
    samples = np.random.default_rng(4).standard_normal(40001) * np.linspace(0.01, 0.2, 40001)
    path = wav("long.wav", samples)
    plan = _one(path, [(path, "Bark", 0.0, 5.0)], duration_s=40001 / 8000)
    corpus = _corpus_events((path, "Bark", 0.0, 40001 / 8000))
    (stems,) = StemReader(render(tmp_path / "s.h5", *plan, corpus_events=corpus, max_event_s=6.0))
    ((_, _, event),) = stems.events
    for track in (stems.scene, event):
        assert track.shape == (40001,)
        assert _level_db(track) == pytest.approx(0, abs=1e-4)


def test_stems_add_up_to_the_mixture(tiny_stems, tiny_corpus):
    for stems in StemReader(tiny_stems):
        tracks = [stems.event_track(k) for k in range(len(tiny_corpus.classes))]
        np.testing.assert_allclose(stems.event_track(), sum(tracks), atol=1e-5)
        for snr_db, gain in stems.mix_gain.items():
            by_hand = gain * (stems.scene + 10 ** (snr_db / 20) * sum(tracks))
            np.testing.assert_allclose(stems.mixture_at(snr_db), by_hand, atol=1e-5)
        assert not tracks[tiny_corpus.classes.index("Gong")].any()


def test_overlapping_events_of_one_class_add_up(render, wav, tmp_path, noise):
    one, two = wav("one.wav", noise[:4000]), wav("two.wav", noise[5000:9000])
    mixtures, events = _one(
        wav("scene.wav", noise), [(one, "Bark", 0.1, 0.5), (two, "Bark", 0.3, 0.5)]
    )
    corpus = _corpus_events((one, "Bark", 0.0, 0.5), (two, "Bark", 0.0, 0.5))
    (stems,) = StemReader(render(tmp_path / "s.h5", mixtures, events, corpus_events=corpus))
    expected = np.zeros(8000)
    for onset, part in ((800, noise[:4000]), (2400, noise[5000:9000])):
        expected[onset : onset + 4000] += part / np.sqrt(np.mean(part**2))
    np.testing.assert_allclose(stems.event_track(0), expected, atol=2e-3)


def test_nothing_clips_at_any_snr(render, tiny_plan, tmp_path):
    snrs = [100, 20, 3, 0, -20, -60]
    path = render(tmp_path / "s.h5", tiny_plan.mixtures, tiny_plan.events, snr_db=snrs)
    for stems, snr_db in itertools.product(StemReader(path), snrs):
        assert np.abs(stems.mixture_at(snr_db)).max() <= 1 + 1e-6
        # As released: both tracks divided by the larger peak; the mixture is their mean.
        gain = 2 * stems.mix_gain[snr_db]
        peaks = [
            gain * np.abs(stems.scene).max(),
            gain * 10 ** (snr_db / 20) * np.abs(stems.event_track()).max(),
        ]
        assert max(peaks) == pytest.approx(1, abs=1e-5)


def test_nothing_clips_where_events_overlap(render, wav, tmp_path, noise):
    path = wav("event.wav", noise[:4000])
    plan = _one(wav("scene.wav", noise), [(path, k, 0.1, 0.5) for k in ("Bark", "Chime", "Bark")])
    corpus = _corpus_events((path, "Bark", 0.0, 0.5))
    (stems,) = StemReader(render(tmp_path / "s.h5", *plan, corpus_events=corpus, snr_db=[20]))
    assert np.abs(stems.mixture_at(20)).max() <= 1 + 1e-6
    event_peak = 10 * np.abs(stems.event_track()).max()
    assert 2 * stems.mix_gain[20] * event_peak == pytest.approx(1, abs=1e-5)


def _contents(path):
    return [
        (
            stems.mixture,
            stems.fold,
            stems.scene.tobytes(),
            [(k, onset, samples.tobytes()) for k, onset, samples in stems.events],
            stems.mix_gain,
        )
        for stems in StemReader(path)
    ]


@pytest.mark.parametrize("size", [1, 3])
def test_shards_do_not_change_a_bit(tiny_stems, tiny_plan, render, tmp_path, size):
    shards = []
    for start in range(0, len(tiny_plan.mixtures), size):
        mixtures = tiny_plan.mixtures[start : start + size]
        events = tiny_plan.events[tiny_plan.events["mixture"].isin(mixtures["mixture"])]
        shards += _contents(render(tmp_path / f"{start}.h5", mixtures, events))
    assert shards == _contents(tiny_stems)


def test_quantisation_noise_is_80_db_below_the_scene(tiny_stems, tiny_plan):
    for stems, path in zip(StemReader(tiny_stems), tiny_plan.mixtures["scene"], strict=True):
        recording, _ = soundfile.read(path)
        expected = audio.fit_length(recording, 12000, 8000)
        expected /= np.sqrt(np.mean(expected**2))
        assert _level_db(stems.scene - expected) < -80


def test_a_mixture_without_events_is_its_scene(render, wav, tmp_path, noise):
    mixtures, events = _one(wav("scene.wav", noise), [])
    (stems,) = StemReader(render(tmp_path / "s.h5", mixtures, events))
    assert stems.events == []
    for snr_db in (20, -5):
        mixture = stems.mixture_at(snr_db)
        assert np.abs(mixture).max() == pytest.approx(0.5, abs=1e-5)
        np.testing.assert_allclose(mixture, stems.mix_gain[snr_db] * stems.scene, atol=1e-6)


def test_a_silent_recording_is_refused_by_name(render, wav, tmp_path, noise):
    silent, scene = wav("silent.wav", np.zeros(4000)), wav("scene.wav", noise)
    corpus = _corpus_events((silent, "Bark", 0.0, 0.5))
    with pytest.raises(
        DataError, match=r"silent\.wav: expected sound from 0\.0 s on, found digital"
    ):
        render(tmp_path / "s.h5", *_one(scene, [(silent, "Bark", 0.1, 0.5)]), corpus_events=corpus)
    with pytest.raises(DataError, match=r"silent\.wav: expected sound, found digital silence"):
        render(tmp_path / "s.h5", *_one(silent, []))


def test_a_recording_whose_used_part_is_silent_is_refused_where_that_part_has_to_sound(
    render, wav, tmp_path, noise
):
    path = wav("late.wav", np.concatenate([np.zeros(4000), noise[:4000]]))
    plan = _one(wav("scene.wav", noise), [(path, "Bark", 0.1, 0.5)])
    with pytest.raises(DataError, match=r"late\.wav: .*digital silence"):
        render(
            tmp_path / "s.h5",
            *plan,
            corpus_events=_corpus_events((path, "Bark", 0.0, 1.0)),
            snr_on="segment",
        )


def test_a_missing_recording_is_refused_by_name(render, wav, tmp_path, noise):
    absent = tmp_path / "absent.wav"
    plan = _one(wav("scene.wav", noise), [(absent, "Bark", 0.1, 0.5)])
    with pytest.raises(DataError, match=r"absent\.wav: expected a sound file"):
        render(tmp_path / "s.h5", *plan, corpus_events=_corpus_events((absent, "Bark", 0.0, 0.5)))


def test_a_damaged_stems_file_is_refused_by_name(tiny_stems, tmp_path, flip):
    path = tmp_path / "stems.h5"
    path.write_bytes(tiny_stems.read_bytes())
    with h5py.File(path) as file:
        chunk = file["scene"].id.get_chunk_info(2)
    flip(path, chunk.byte_offset + 100)
    with pytest.raises(DamagedFileError, match=r"stems\.h5: .*damaged"):
        list(StemReader(path))
    path.write_bytes(tiny_stems.read_bytes()[:-50])
    with pytest.raises(DamagedFileError, match=r"stems\.h5"):
        StemReader(path)


def test_stems_whose_datasets_disagree_are_refused(tiny_stems, tmp_path):
    path = tmp_path / "stems.h5"
    path.write_bytes(tiny_stems.read_bytes())
    with h5py.File(path, "a") as file:
        folds = file["fold"][:-1]
        del file["fold"]
        file["fold"] = folds
    with pytest.raises(DamagedFileError, match="disagree on the number of mixtures"):
        StemReader(path)
