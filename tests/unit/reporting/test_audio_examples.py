import numpy as np
import pandas as pd
import pytest
import soundfile

from tfseg.datasets.corpus_tables import mixture_labels
from tfseg.evaluation.records import MetricSettings
from tfseg.evaluation.scoring import FoldScores
from tfseg.mixing.remixing import StemReader
from tfseg.reporting import audio_examples

SETTINGS = {
    "tag_threshold": 0.5,
    "frame_threshold": 0.5,
    "mask_threshold": 0.5,
    "tag_gate": True,
    "collar_s": 0.2,
    "offset_fraction": 0.5,
    "error_rate": "class_wise",
}


def _fold(*, with_times):
    """Clips of four frames and two classes: all right, half right, wrong, silent, without times."""
    strong = np.zeros((5, 4, 2), dtype=bool)
    strong[:4, :2, 0] = True
    strong[3] = False
    frames = strong.astype(float)
    frames[1, 1, 0] = 0  # one of two frames found: F1 = 2 x 1 / (1 + 2)
    frames[2] = 1 - frames[2]
    frames[0, :, 1] = 1  # four frames of a class whose tag is not positive
    tags = np.array([[1, 0], [1, 1], [1, 0], [0, 0], [1, 0]], dtype=float)
    target = np.array([[1, 0], [1, 0], [1, 0], [0, 0], [1, 1]], dtype=bool)
    names = ["right", "half", "wrong", "silent", "untimed"]
    known = {n: [("a", 0, 1)] * (n != "silent") for n in names[:4]} if with_times else {}
    return FoldScores(names, tags, target, list(frames), list(strong), known, {})


def test_clips_are_scored_by_frames_where_times_are_known():
    scores = audio_examples.clip_scores(_fold(with_times=True), MetricSettings(**SETTINGS))
    assert scores == {"right": 1, "half": pytest.approx(2 / 3), "wrong": 0}
    ungated = audio_examples.clip_scores(
        _fold(with_times=True), MetricSettings(**SETTINGS | {"tag_gate": False})
    )
    assert ungated["right"] == pytest.approx(2 * 2 / (6 + 2))


def test_clips_are_scored_by_tags_where_no_times_are_known():
    scores = audio_examples.clip_scores(_fold(with_times=False), MetricSettings(**SETTINGS))
    assert scores == {
        "right": 1,
        "half": pytest.approx(2 / 3),
        "wrong": 1,
        "untimed": pytest.approx(2 / 3),
    }


def test_best_median_and_worst_are_by_mean_and_ties_by_name():
    one = {"a": 0.5, "b": 0.5, "c": 1.0, "d": 0.2, "e": 0.0}
    other = {"a": 0.5, "b": 0.5, "c": 0.8, "d": 0.2, "e": 0.4}
    chosen = audio_examples.choose_clips([one, other])
    assert {reason: clip for reason, (clip, _) in chosen.items()} == {
        "best": "c", "median": "b", "worst": "e",  # ranked c, a, b, d, e
    }  # fmt: skip
    assert chosen["best"][1] == pytest.approx(0.9)
    assert list(audio_examples.choose_clips([{"b": 1.0, "a": 1.0}]).items()) == [
        ("best", ("a", 1.0)),
        ("worst", ("b", 1.0)),
    ]
    assert list(audio_examples.choose_clips([{"a": 0.3}])) == ["best"]
    assert audio_examples.choose_clips([{}]) == {}


@pytest.fixture
def made(tiny_corpus, tiny_plan, tiny_stems, tiny_settings, build_tiny):
    """The audio examples of two untrained systems, one of them with the lowest tags."""
    names = list(tiny_plan.mixtures.loc[tiny_plan.mixtures["fold"] == 1, "mixture"])
    networks = {"gwrp": build_tiny("gwrp").eval(), "gmp": build_tiny("gmp").eval()}
    return audio_examples.make_audio_examples(
        {"best": (names[2], 0.7), "worst": (names[0], 0.1)},
        networks,
        tiny_settings,
        mixture_labels(tiny_plan.events),
        {"gwrp": {names[2]: [("Chime", 0.1, 0.4)]}, "gmp": {}},
        classes=list(tiny_corpus.classes),
        tag_threshold=0.99,
        by_times=True,
        source=audio_examples.Mixtures([StemReader(tiny_stems)], 10),
    )


def test_true_tracks_are_those_in_the_mixture_and_masks_only_take_away(made, tiny_stems):
    for one in made:
        (stems,) = StemReader(tiny_stems).read({one.example.mixture})
        scene = np.float32(stems.mix_gain[10]) * stems.scene
        total = scene + sum(one.references.values())
        np.testing.assert_allclose(total, one.example.waveform, atol=1e-6)
        sounding = [k for k, t in zip(one.example.classes, one.example.target, strict=True) if t]
        assert set(one.references) == set(sounding) == {label for label, _, _ in one.true_events}
        assert set(sounding) <= set(one.shown)
        for by_label in one.separated.values():
            assert list(by_label) == one.shown
            for track in by_label.values():  # untrained masks lie strictly between 0 and 1
                assert 0 < np.sum(track**2) < np.sum(one.example.waveform**2)


def test_what_was_written_is_read_again_in_the_same_order(made, tmp_path):
    path = tmp_path / "listening.h5"
    audio_examples.write_audio_examples(path, made)
    for one, again in zip(made, audio_examples.read_audio_examples(path), strict=True):
        assert (again.reason, again.score, again.by_times) == (one.reason, one.score, one.by_times)
        assert again.shown == one.shown
        assert list(again.detected) == list(one.detected) == ["gwrp", "gmp"]
        assert list(again.separated) == ["gwrp", "gmp"]
        assert [tuple(event) for event in again.true_events] == one.true_events
        for label, track in one.references.items():
            np.testing.assert_array_equal(again.references[label], track)
        np.testing.assert_array_equal(
            again.separated["gmp"][one.shown[0]], one.separated["gmp"][one.shown[0]]
        )
        np.testing.assert_array_equal(again.example.masks["gwrp"], one.example.masks["gwrp"])


def test_ready_clips_have_neither_true_tracks_nor_ideal_masks(
    tmp_path, tiny_settings, tiny_corpus, build_tiny
):
    path = tmp_path / "mine.wav"
    samples = 0.1 * np.random.default_rng(6).standard_normal(12000)
    soundfile.write(path, samples, tiny_corpus.rate)
    table = pd.DataFrame({"clip": ["mine/a.wav"], "path": [str(path)], "tags": ["Bark"]})
    (one,) = audio_examples.make_audio_examples(
        {"best": ("mine/a.wav", 1.0)},
        {"gwrp": build_tiny().eval()},
        tiny_settings,
        {},
        {"gwrp": {}},
        classes=list(tiny_corpus.classes),
        tag_threshold=0.99,
        by_times=False,
        source=audio_examples.Clips(table, "soxr_hq"),
    )
    assert one.references == {} and one.true_events is None and one.example.ratio_masks is None
    assert one.separated["gwrp"]["Bark"].shape == one.example.waveform.shape
