import numpy as np
import pytest
import torch
from torch import nn

from tfseg.datasets.corpus_tables import mixture_labels
from tfseg.evaluation import separation_scores
from tfseg.features.logmel import Spectrograms
from tfseg.mixing.remixing import StemReader, Stems
from tfseg.separation.masking import Separator

LABELS = {
    f"m{i}": {("dog", "siren", "bell")[i % 3]} | ({"dog"} if i < 4 else set()) for i in range(40)
}


def test_classes_sound_about_equally_often_in_what_is_drawn():
    drawn = separation_scores.draw_mixtures(LABELS, 9, 1, 2)
    assert len(set(drawn)) == 9
    counts = [sum(label in LABELS[name] for name in drawn) for label in ("dog", "siren", "bell")]
    assert max(counts) - min(counts) <= 1
    assert drawn == [name for name in LABELS if name in drawn]  # in their order


def test_a_rare_class_is_drawn_while_there_is_one():
    labels = {f"m{i}": {"dog"} for i in range(30)} | {"rare": {"gong"}}
    assert "rare" in separation_scores.draw_mixtures(labels, 3, 5)


def test_the_draw_depends_on_the_seed_alone():
    assert separation_scores.draw_mixtures(LABELS, 9, 1) == separation_scores.draw_mixtures(
        LABELS, 9, 1
    )
    draws = {tuple(separation_scores.draw_mixtures(LABELS, 9, seed)) for seed in range(8)}
    assert len(draws) > 4


@pytest.mark.parametrize("n", [None, 40, 100])
def test_all_that_sound_are_taken_when_asked(n):
    assert separation_scores.draw_mixtures(LABELS | {"silent": set()}, n, 1) == list(LABELS)


class _Everything(nn.Module):
    """A mask of one everywhere, and tags of the first class alone."""

    has_masks = True

    def forward(self, logmel):
        masks = torch.ones(len(logmel), 3, *logmel.shape[1:])
        return torch.tensor([[0.9, 0.0, 0.05]]), masks


@pytest.fixture
def separations(tiny_stems, tiny_plan, tiny_settings, tiny_corpus):
    reader = StemReader(tiny_stems)
    return list(
        separation_scores.separate_sample(
            [reader],
            reader.mixtures[:3],
            {"all": _Everything()},
            tiny_settings,
            mixture_labels(tiny_plan.events),
            tiny_corpus.classes,
            snr_db=0,
            tag_threshold=0.1,
        )
    )


def test_references_add_up_with_the_scene_to_the_mixture(separations, tiny_stems):
    for separation, stems in zip(separations, StemReader(tiny_stems), strict=False):
        total = sum(separation.references.values()) + stems.mix_gain[0] * stems.scene
        np.testing.assert_allclose(total, separation.waveform, atol=1e-6)
        for label, (first, stop) in separation.spans.items():
            reference = separation.references[label]
            assert np.abs(reference[first:stop]).max() > 0
            assert not reference[:first].any()
            assert not reference[stop:].any()


def test_a_mask_of_one_is_no_separation(separations):
    for separation in separations:
        for estimates in separation.estimates.values():
            np.testing.assert_allclose(estimates["all"], estimates["no_separation"], atol=1e-9)


def test_a_class_that_is_not_found_shares_its_units_with_those_found(
    tiny_stems, tiny_plan, tiny_corpus, tiny_settings
):
    separations = separation_scores.separate_sample(
        [StemReader(tiny_stems)],
        list(tiny_plan.mixtures["mixture"]),
        {"all": _Everything()},  # whose masks are one, and which finds Bark
        tiny_settings,
        mixture_labels(tiny_plan.events),
        tiny_corpus.classes,
        snr_db=0,
        tag_threshold=0.1,
        competition=2.0,
    )
    for separation in separations:
        for label, estimates in separation.estimates.items():
            kept = 1 if label == "Bark" else 0.5
            np.testing.assert_allclose(estimates["all"], kept * separation.waveform, atol=1e-6)


def test_rows_hold_every_class_system_and_span_and_what_was_invented(separations):
    scores = separation_scores.score_sample(separations, ["all"], filter_length=32)
    assert list(scores.columns) == separation_scores.COLUMNS
    for separation in separations:
        part = scores[(scores["mixture"] == separation.mixture) & (scores["sounding"] == 1)]
        assert len(part) == len(separation.references) * 4 * 2
        assert set(part["system"]) == {"no_separation", "ibm", "irm", "all"}
        found = part[part["system"] == "all"].set_index("class")["predicted"]
        for label in separation.references:
            assert (found[label] == int(label == "Bark")).all()
        invented = scores[(scores["mixture"] == separation.mixture) & (scores["sounding"] == 0)]
        expected = [] if "Bark" in separation.references else ["Bark", "Bark"]
        assert list(invented["class"]) == expected
    whole = scores[(scores["span"] == "whole") & (scores["sounding"] == 1)]
    mean = whole.groupby("system")["sdr"].mean()
    assert mean["ibm"] > mean["no_separation"]
    assert mean["all"] == pytest.approx(mean["no_separation"], abs=1e-6)


def test_classes_that_overlap_are_each_others_rest(tiny_settings):
    # Two noises of Bark overlap, a Chime lies over both: known tracks, with a scene beside them.
    rng = np.random.default_rng(0)
    parts = [(0, 2000, 3000), (0, 4000, 3000), (1, 3000, 5000)]
    events = [(k, onset, rng.standard_normal(n).astype(np.float32)) for k, onset, n in parts]
    scene = rng.standard_normal(12000).astype(np.float32)
    stems = Stems("m", 1, scene, events, {0.0: 0.1})
    labels = [("Bark", 0.25, 0.875), ("Chime", 0.375, 1.0)]
    separation = separation_scores.Separation(
        stems,
        {"all": _Everything()},
        Spectrograms(tiny_settings),
        Separator(tiny_settings),
        labels,
        ("Bark", "Chime", "Gong"),
        snr_db=0.0,
        tag_threshold=0.1,
    )
    tracks = {"Bark": np.zeros(12000), "Chime": np.zeros(12000)}
    for k, onset, samples in events:
        tracks[("Bark", "Chime")[k]][onset : onset + len(samples)] += samples
    assert separation.spans == {"Bark": (2000, 7000), "Chime": (3000, 8000)}
    for label, track in tracks.items():
        np.testing.assert_allclose(separation.references[label], 0.1 * track, atol=1e-6)
        rest = 0.1 * (scene + tracks["Chime" if label == "Bark" else "Bark"])
        np.testing.assert_allclose(
            separation.waveform - separation.references[label], rest, atol=1e-6
        )
        scores = separation_scores.score_class(
            separation.references[label],
            separation.waveform,
            separation.estimates[label],
            separation.spans[label],
            filter_length=32,
        )
        # The mixture as it is: the class against all the rest, over where the class sounds.
        first, stop = separation.spans[label]
        power = [np.mean(np.square(x[first:stop])) for x in (0.1 * track, rest)]
        expected_db = 10 * np.log10(power[0] / power[1])
        active = scores["active"]
        assert active["no_separation"]["si_sdr"] == pytest.approx(expected_db, abs=0.3)
        assert min(active["irm"]["si_sdr"], active["ibm"]["si_sdr"]) > expected_db
