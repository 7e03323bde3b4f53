import dataclasses

import numpy as np
import pytest
import torch
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score
from synchronising import HostWaits, never_waiting
from torch import nn

from tfseg.errors import DamagedFileError, DataError
from tfseg.features.feature_set import FeatureSet, read_ragged
from tfseg.inference import forward
from tfseg.inference.forward import (
    MaskCounter,
    batches,
    count_on_device,
    count_on_host,
    infer,
    load_model,
    prepare_for_inference,
    save_model,
    write_scores,
)
from tfseg.inference.histogram import ClipMaskCounts
from tfseg.io.files import read_json, reading_hdf5, write_json
from tfseg.io.tensors import load_tensors, save_tensors

DESCRIPTION = {
    "system": "gwrp",
    "network": "gwrp",
    "classes": ["Bark", "Chime", "Gong"],
    "features": {"n_mels": 13},
    "trunk": {
        "kind": "vgg",
        "vgg": {"widths": [4, 4], "dropout": 0.0},
        "background": False,
        "share_energy": False,
    },
    "baselines": {},
    "pooling": {"gwrp": {"r": 0.99, "reference_units": 100}},
}
FIXED = {"published": 0.1}


class _Louder(nn.Module):
    """Masks as a function of single units, independent of the batch."""

    has_masks = True

    def forward(self, logmel):
        masks = torch.stack([torch.sigmoid(a * logmel - 1) for a in (0.5, -1.0, 3.0)], dim=1)
        return masks.amax(dim=(2, 3)), masks


@pytest.fixture
def features(tiny_settings):
    """Eleven clips of 7 x 13 units; the last two have no ideal mask."""
    rng = np.random.default_rng(0)
    target = rng.integers(0, 2, (11, 3), dtype=np.uint8)
    target[9:] = 0
    rows = np.argwhere(target)
    masks = rng.random((len(rows), 7 * 13)) < rng.random((len(rows), 1)) / 2
    return FeatureSet(
        logmel=rng.normal(size=(11, 7, 13)).astype(np.float16),
        target=target,
        mixture=[f"m{i}" for i in range(11)],
        kind=["mixture"] * 11,
        part=["train"] * 11,
        mask_mixture=rows[:, 0],
        mask_class=rows[:, 1],
        mask_bits=np.packbits(masks, axis=1),
        classes=("Bark", "Chime", "Gong"),
        settings=tiny_settings.as_dict(),
    )


def _dense(features):
    """Ideal masks of every clip and class [shape=(n, class, time, mel)]."""
    ideal = np.zeros((11, 3, 7, 13), dtype=bool)
    every = features.ideal_masks(np.arange(len(features.mask_class)))
    ideal[features.mask_mixture, features.mask_class] = every
    return ideal


@pytest.mark.parametrize("threshold", [0.1, 0.35, 0.0])
def test_counts_give_scikit_learns_scores(features, threshold):
    with torch.inference_mode():
        _, masks = _Louder()(torch.from_numpy(features.logmel).float())
    masks, ideal = masks.numpy(), _dense(features)
    masks[0, 0, 0, :3] = np.float32(threshold)  # not above it
    counter = MaskCounter(3, {"published": threshold})
    for start in range(0, 11, 4):
        rows = np.flatnonzero(
            (features.mask_mixture >= start) & (features.mask_mixture < start + 4)
        )
        counter.add(
            torch.from_numpy(masks[start : start + 4]),
            torch.from_numpy(features.ideal_masks(rows)),
            torch.from_numpy(features.mask_mixture[rows] - start),
            torch.from_numpy(features.mask_class[rows]),
        )
    histogram, predicted, hit = counter.result()
    for k in range(3):
        truth, raw = ideal[:, k].ravel(), masks[:, k].ravel()
        half = raw.astype(np.float16).astype(np.float64)
        assert histogram.auc()[k] == pytest.approx(roc_auc_score(truth, half), abs=1e-12)
        assert histogram.average_precision()[k] == pytest.approx(
            average_precision_score(truth, half), abs=1e-12
        )
        above = raw > np.float32(threshold)
        assert predicted[k] == above.sum()
        assert hit[k] == (above & truth).sum()
        assert 2 * hit[k] / (predicted[k] + truth.sum()) == pytest.approx(f1_score(truth, above))
        assert histogram.total[k].sum() == 11 * 7 * 13
        assert histogram.n_positive[k] == truth.sum()


def test_counting_without_a_wait_counts_the_same():
    generator = torch.Generator().manual_seed(0)
    bins = torch.randint(0, 50, (7, 3, 40), generator=generator, dtype=torch.int32)
    kept = torch.rand(bins.shape, generator=generator) < 0.3
    for some in (None, kept):
        expected = count_on_host(bins, 60, some)
        assert torch.equal(count_on_device(bins, 60, some).long(), expected)
        assert expected.sum() == (bins.numel() if some is None else some.sum())


def test_on_a_gpu_no_batch_waits_to_be_counted(monkeypatch, features):
    monkeypatch.setattr(forward, "count_on_host", count_on_device)  # as on CUDA
    masks = torch.rand(11, 3, 7, 13, generator=torch.Generator().manual_seed(0))
    rows = np.arange(len(features.mask_class))
    given = (features.ideal_masks(rows), features.mask_mixture, features.mask_class)
    given = [torch.from_numpy(values) for values in given]
    counter = MaskCounter(3, FIXED)
    with never_waiting():
        counter.add(masks, *given)
    histogram, predicted, _ = counter.result()
    assert histogram.total.sum() == masks.numel()
    assert predicted.sum() == (masks > 0.1).sum()
    monkeypatch.setattr(forward, "count_on_host", count_on_host)
    waiting = MaskCounter(3, FIXED)
    with pytest.raises(HostWaits), never_waiting():
        waiting.add(masks, *given)


def test_f1_counts_the_raw_values_and_not_the_rounded_ones():
    # Both lie next to 0.1, and float16 rounds them to the same value.
    values = torch.tensor([np.nextafter(np.float32(0.1), np.float32(1)), np.float32(0.1)])
    assert values[0].half() == values[1].half()
    counter = MaskCounter(1, FIXED)
    everything = torch.ones(1, 1, 2, dtype=torch.bool)
    zero = torch.zeros(1, dtype=torch.int64)
    counter.add(values.view(1, 1, 1, 2), everything, zero, zero)
    _, predicted, hit = counter.result()
    assert (predicted.tolist(), hit.tolist()) == ([1], [1])


def test_masks_of_exactly_zero_and_one_are_counted():
    counter = MaskCounter(2, FIXED)
    masks = torch.tensor([0.0, 1.0]).expand(1, 2, 3, 2)
    counter.add(
        masks,
        torch.tensor([[[False, True]] * 3]),
        torch.tensor([0]),
        torch.tensor([1]),
    )
    histogram, predicted, hit = counter.result()
    assert histogram.total[:, [0, -1]].tolist() == [[3, 3], [3, 3]]
    assert histogram.positive[:, [0, -1]].tolist() == [[0, 0], [0, 3]]
    assert histogram.auc()[1] == 1
    assert np.isnan(histogram.auc()[0])
    assert predicted.tolist() == [3, 3]
    assert hit.tolist() == [0, 3]


def test_a_class_may_sound_in_several_clips_of_a_batch():
    # index_add, not indexing: the second clip of a class must not overwrite the first.
    counter = MaskCounter(2, {"published": 0.5})
    masks = torch.ones(3, 2, 1, 4)
    ideal = torch.ones(3, 1, 4, dtype=torch.bool)
    counter.add(masks, ideal, torch.tensor([0, 1, 2]), torch.tensor([1, 1, 1]))
    histogram, _, hit = counter.result()
    assert hit.tolist() == [0, 12]
    assert histogram.n_positive.tolist() == [0, 12]


def test_frame_scores_are_the_mean_over_mel_bands(features):
    tags, frames, _ = infer(_Louder(), features, batch_size=4, mask_thresholds=FIXED)
    logmel = features.logmel.astype(np.float64)
    masks = np.stack([1 / (1 + np.exp(1 - a * logmel)) for a in (0.5, -1.0, 3.0)], axis=1)
    assert [(clip.shape, clip.dtype) for clip in frames] == 11 * [((7, 3), np.float16)]
    np.testing.assert_allclose(frames, masks.mean(axis=3).transpose(0, 2, 1), atol=5e-4)
    assert tags.shape == (11, 3)
    assert tags.dtype == np.float32
    np.testing.assert_allclose(tags, masks.max(axis=(2, 3)), rtol=1e-5)


def test_inference_counts_every_mask_once(features):
    _, _, counter = infer(_Louder(), features, batch_size=4, mask_thresholds=FIXED)
    with torch.inference_mode():
        _, masks = _Louder()(torch.from_numpy(features.logmel).float())
    masks, ideal = masks.numpy(), _dense(features)
    histogram, predicted, hit = counter.result()
    for k in range(3):
        truth, half = ideal[:, k].ravel(), masks[:, k].astype(np.float16).ravel()
        assert histogram.auc()[k] == pytest.approx(roc_auc_score(truth, half), abs=1e-12)
        assert predicted[k] == (masks[:, k] > np.float32(0.1)).sum()
        assert hit[k] == ((masks[:, k] > np.float32(0.1)) & ideal[:, k]).sum()


@pytest.mark.parametrize("batch_size", [1, 2, 5, 10, 24])
def test_the_batch_size_changes_nothing(features, batch_size):
    one = infer(_Louder(), features, batch_size=11, mask_thresholds=FIXED)
    two = infer(_Louder(), features, batch_size=batch_size, mask_thresholds=FIXED)
    np.testing.assert_array_equal(one[0], two[0])
    np.testing.assert_array_equal(one[1], two[1])
    for a, b in zip(one[2].result()[1:], two[2].result()[1:], strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(one[2].result()[0].total, two[2].result()[0].total)
    np.testing.assert_array_equal(one[2].result()[0].positive, two[2].result()[0].positive)


def test_the_batch_size_changes_a_real_network_by_rounding_only(features, build_tiny):
    network = build_tiny("gwrp").eval()
    one = infer(network, features, batch_size=11, mask_thresholds=FIXED)
    two = infer(network, features, batch_size=2, mask_thresholds=FIXED)
    np.testing.assert_allclose(one[0], two[0], atol=1e-5)
    np.testing.assert_allclose(one[1], two[1], atol=1e-3)


def test_features_without_any_ideal_mask(features):
    none = dataclasses.replace(
        features,
        mask_mixture=features.mask_mixture[:0],
        mask_class=features.mask_class[:0],
        mask_bits=features.mask_bits[:0],
    )
    _, _, counter = infer(_Louder(), none, batch_size=4, mask_thresholds=FIXED)
    histogram, _, hit = counter.result()
    assert histogram.n_positive.tolist() == hit.tolist() == [0, 0, 0]
    assert histogram.total.sum() == 3 * 11 * 7 * 13


@pytest.mark.parametrize("batch_size", [1, 4, 11])
def test_every_clip_is_counted_on_its_own_with_every_set_of_thresholds(features, batch_size):
    sets = {"published": 0.1, "tuned": [0.2, 0.05, 0.6]}
    _, _, counter = infer(_Louder(), features, batch_size=batch_size, mask_thresholds=sets)
    with torch.inference_mode():
        _, masks = _Louder()(torch.from_numpy(features.logmel).float())
    masks, ideal = masks.numpy(), _dense(features)
    clips = counter.clips()
    np.testing.assert_array_equal(clips.positive, ideal.sum(axis=(2, 3)))
    for name, values in sets.items():
        thresholds = np.broadcast_to(np.float32(values), 3)[:, None, None]
        above = masks > thresholds
        np.testing.assert_array_equal(clips.predicted[name], above.sum(axis=(2, 3)))
        np.testing.assert_array_equal(clips.hit[name], (above & ideal).sum(axis=(2, 3)))
        _, predicted, hit = counter.result(name)
        np.testing.assert_array_equal(predicted, above.sum(axis=(0, 2, 3)))
        np.testing.assert_array_equal(hit, (above & ideal).sum(axis=(0, 2, 3)))
    assert {part.dtype for part in (clips.positive, *clips.hit.values())} == {np.dtype(np.int32)}


def test_progress_wraps_the_batches(features):
    seen = []

    def progress(starts):
        for start in starts:
            seen.append(start)
            yield start

    infer(_Louder(), features, batch_size=4, mask_thresholds=FIXED, progress=progress)
    assert seen == [(0, 4), (4, 8), (8, 11)]


def _ragged(features, lengths):
    """The same kind of features, of clips of different length, without ideal masks."""
    rng = np.random.default_rng(1)
    return dataclasses.replace(
        features,
        logmel=[rng.normal(size=(n, 13)).astype(np.float16) for n in lengths],
        target=features.target[: len(lengths)],
        mixture=features.mixture[: len(lengths)],
    )


def test_clips_of_one_length_share_a_batch_and_long_ones_do_not(features):
    clips = _ragged(features, [7, 7, 7, 9, 9, 7, 600, 600, 5000])
    assert batches(clips, 2) == [(0, 2), (2, 3), (3, 5), (5, 6), (6, 7), (7, 8), (8, 9)]


def test_clips_of_any_length_are_scored_one_by_one(features, build_tiny):
    clips = _ragged(features, [7, 30, 30, 9])
    network = build_tiny().eval()
    tags, frames, counter = infer(network, clips, batch_size=4, mask_thresholds=None)
    assert counter is None
    assert [len(clip) for clip in frames] == [7, 30, 30, 9]
    for row, clip in enumerate(clips.logmel):
        with torch.inference_mode():
            tag, mask = network(torch.from_numpy(clip)[None].float())
        np.testing.assert_allclose(tags[row], tag[0], atol=1e-6)
        np.testing.assert_allclose(frames[row], mask[0].mean(dim=2).T, atol=1e-3)


def test_scores_of_clips_of_any_length_are_written_and_no_counts(features, tmp_path):
    clips = _ragged(features, [7, 2000, 9])
    scores = infer(_Louder(), clips, batch_size=4, mask_thresholds=None)
    write_scores(tmp_path / "scores.h5", tmp_path / "counts.h5", clips, *scores)
    with reading_hdf5(tmp_path / "scores.h5") as file:
        read = read_ragged(file, "frames")
        for one, two in zip(read, scores[1], strict=True):
            np.testing.assert_array_equal(one, two)
    with reading_hdf5(tmp_path / "counts.h5") as file:
        assert not file.attrs["has_counts"]
    # Padding takes no space: three clips of 2000 frames would need 36 kB.
    assert (tmp_path / "scores.h5").stat().st_size < 30000


# Files


@pytest.fixture
def saved(tmp_path, build_tiny):
    """A network with moved weights and standardisation, and the files that it was saved to."""
    torch.manual_seed(0)
    network = build_tiny("gwrp")
    network.band_mean.uniform_(-9, 0)
    network.band_std.uniform_(1, 3)
    network.train()(torch.randn(4, 9, 13))  # moves the statistics of the normalisation
    paths = tmp_path / "model.safetensors", tmp_path / "model.json"
    save_model(*paths, network, DESCRIPTION)
    return network.eval(), paths


def test_a_model_comes_back_as_it_was(saved):
    network, paths = saved
    loaded, description = load_model(*paths)
    assert not loaded.training
    assert {k: description[k] for k in DESCRIPTION} == DESCRIPTION
    state = network.state_dict()
    assert list(loaded.state_dict()) == list(state)
    for name, value in loaded.state_dict().items():
        assert torch.equal(value, state[name]), name
    inputs = torch.randn(2, 9, 13)
    with torch.inference_mode():
        for one, two in zip(network(inputs), loaded(inputs), strict=True):
            assert torch.equal(one, two)


def test_a_network_in_channels_last_order_is_saved_the_same(saved, tmp_path):
    network, paths = saved
    other = tmp_path / "other.safetensors"
    save_model(other, tmp_path / "other.json", network.to(memory_format=torch.channels_last), {})
    assert other.read_bytes() == paths[0].read_bytes()


def test_saving_twice_gives_the_same_bytes_and_leaves_no_litter(saved, tmp_path):
    network, paths = saved
    before = [path.read_bytes() for path in paths]
    save_model(*paths, network, dict(reversed(DESCRIPTION.items())))
    assert [path.read_bytes() for path in paths] == before
    assert sorted(tmp_path.iterdir()) == sorted(paths)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.999])
def test_truncated_weights_are_refused_by_name(saved, share):
    path = saved[1][0]
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(DamagedFileError, match=r"model\.safetensors: .*damaged"):
        load_model(*saved[1])


def test_a_flipped_bit_in_the_weights_is_noticed(saved, flip):
    network, paths = saved
    weights = network.trunk.head.weight.detach().numpy().tobytes()
    content = paths[0].read_bytes()
    assert content.count(weights) == 1
    flip(paths[0], content.index(weights) + 3)
    with pytest.raises(DamagedFileError, match=r"model\.safetensors"):
        load_model(*paths)


def test_weights_that_do_not_fit_the_description_are_refused_by_name(saved):
    weights, description = saved[1]
    tensors, _ = load_tensors(weights)
    del tensors["trunk.head.bias"]
    save_tensors(weights, tensors)
    with pytest.raises(
        DamagedFileError, match=r"(?s)model\.safetensors: does not fit .*json.*bias"
    ):
        load_model(weights, description)


def test_a_description_of_other_sizes_is_refused_by_name(saved):
    weights, description = saved[1]
    write_json(description, read_json(description) | {"classes": ["Bark", "Gong"]})
    with pytest.raises(DamagedFileError, match=r"model\.safetensors: does not fit .*model\.json"):
        load_model(weights, description)


@pytest.mark.parametrize("found", [None, 0, 1, "2"])
def test_a_description_of_another_format_is_refused_by_name(saved, found):
    weights, description = saved[1]
    write_json(description, read_json(description) | {"format": found})
    with pytest.raises(
        DamagedFileError, match=rf"model\.json: expected model format 2, found {found!r}"
    ):
        load_model(weights, description)


def test_missing_files_are_named(saved, tmp_path):
    weights, description = saved[1]
    with pytest.raises(DataError, match=r"absent\.safetensors: expected a safetensors file"):
        load_model(tmp_path / "absent.safetensors", description)
    with pytest.raises(DataError, match=r"absent\.json: expected a JSON file"):
        load_model(weights, tmp_path / "absent.json")


def test_written_scores_and_counts_are_those_of_the_inference(features, tmp_path):
    tags, frames, counter = infer(_Louder(), features, batch_size=4, mask_thresholds=FIXED)
    write_scores(tmp_path / "s.h5", tmp_path / "c.h5", features, tags, frames, counter)
    with reading_hdf5(tmp_path / "s.h5") as file:
        np.testing.assert_array_equal(file["tags"], tags)
        np.testing.assert_array_equal(file["frames"], frames)
        np.testing.assert_array_equal(file["target"], features.target)
        assert [name.decode() for name in file["mixture"]] == features.mixture
        assert tuple(file.attrs["classes"]) == features.classes
        assert all(file[name].fletcher32 for name in file)
    histogram, predicted, hit = counter.result()
    with reading_hdf5(tmp_path / "c.h5") as file:
        np.testing.assert_array_equal(file["total"], histogram.total)
        np.testing.assert_array_equal(file["positive"], histogram.positive)
        np.testing.assert_array_equal(file["predicted"], predicted)
        np.testing.assert_array_equal(file["hit"], hit)
        clips = ClipMaskCounts.read(file)
        np.testing.assert_array_equal(clips.positive, counter.clips().positive)
        np.testing.assert_array_equal(clips.predicted["published"].sum(axis=0), predicted)
        np.testing.assert_array_equal(clips.hit["published"].sum(axis=0), hit)
        assert all(file[name].fletcher32 for name in file)


def test_scores_of_a_failed_write_do_not_appear(features, tmp_path):
    tags, frames, counter = infer(_Louder(), features, batch_size=4, mask_thresholds=FIXED)
    broken = dataclasses.replace(features, mixture=["näme"])  # tags and frames are written by then
    with pytest.raises(UnicodeEncodeError):
        write_scores(tmp_path / "s.h5", tmp_path / "c.h5", broken, tags, frames, counter)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("system", ["gwrp", "wldcnn"])
def test_a_network_prepared_for_inference_computes_the_same(build_narrow, system):
    torch.manual_seed(5)
    network = build_narrow(system)
    logmel = torch.randn(4, 60, 16) * 2 - 5
    for _ in range(3):
        network.train()(logmel)  # statistics of batch normalisation
    with torch.inference_mode():
        expected = network.eval()(logmel)
        prepare_for_inference(network, "float32")
        found = network(logmel)
        network.precision = "bfloat16"
        low = network(logmel)
    kinds = [type(module) for module in network.modules()]
    assert torch.nn.BatchNorm2d not in kinds
    for exact, folded, rounded in zip(expected, found, low, strict=True):
        torch.testing.assert_close(folded, exact, atol=5e-6, rtol=0)
        torch.testing.assert_close(rounded, exact, atol=0.08, rtol=0)
        assert not torch.equal(rounded, exact)
