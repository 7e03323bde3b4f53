import dataclasses

import h5py
import numpy as np
import pytest

from tfseg.errors import DamagedFileError, DataError
from tfseg.features.feature_set import load_features
from tfseg.features.logmel import FeatureWriter
from tfseg.io.files import writing_hdf5

CLASSES = ("Bark", "Chime", "Gong")
N_FRAMES, N_MELS = 9, 5  # 45 units: a mask does not fill its last byte


def _features(rng, n_clips):
    """Random features of some clips, and their ideal masks."""
    target = rng.integers(0, 2, (n_clips, len(CLASSES)), dtype=np.uint8)
    rows = np.argwhere(target)
    masks = rng.random((len(rows), N_FRAMES, N_MELS)) < 0.4
    features = {
        "logmel": rng.normal(size=(n_clips, N_FRAMES, N_MELS)).astype(np.float16),
        "target": target,
        "mixture": np.array([f"m{rng.integers(10**9)}" for _ in range(n_clips)], dtype="S"),
        "fold": np.ones(n_clips, dtype=np.int32),
        "mask_mixture": rows[:, 0],
        "mask_class": rows[:, 1],
        "mask_bits": np.packbits(masks.reshape(len(rows), N_FRAMES * N_MELS), axis=1),
    }
    return features, masks


def write_features(path, features, *, classes, settings, snr_db):
    """Write such features clip by clip, as the workflow does."""
    n_frames, n_mels = features["logmel"].shape[1:]
    with writing_hdf5(path) as file:
        writer = FeatureWriter(
            file,
            n_clips=len(features["logmel"]),
            max_frames=n_frames,
            classes=classes,
            settings=settings,
            snr_db=snr_db,
        )
        for index, name in enumerate(features["mixture"]):
            rows = np.flatnonzero(features["mask_mixture"] == index)
            masks = [
                np.unpackbits(bits, count=n_frames * n_mels).reshape(n_frames, n_mels).astype(bool)
                for bits in features["mask_bits"][rows]
            ]
            sounding = features["mask_class"][rows]
            writer.add(name.decode(), "mixture", 1, features["logmel"][index], sounding, masks)
        writer.finish()


@pytest.fixture
def settings(tiny_settings):
    return dataclasses.replace(tiny_settings, n_mels=N_MELS)


@pytest.fixture
def shards(tmp_path, settings):
    """Paths, features and masks of three shards of different size, one of them without masks."""
    rng = np.random.default_rng(0)
    paths, parts, masks = [], [], []
    for index, n_clips in enumerate((4, 1, 6)):
        part, part_masks = _features(rng, n_clips)
        if index == 1:
            part["target"][:] = 0
            part = part | {k: part[k][:0] for k in ("mask_mixture", "mask_class", "mask_bits")}
            part_masks = part_masks[:0]
        path = tmp_path / f"part{index}.h5"
        write_features(path, part, classes=CLASSES, settings=settings, snr_db=0)
        paths.append(path)
        parts.append(part)
        masks.append(part_masks)
    return paths, parts, masks


def test_one_file_comes_back_as_it_was(shards, settings):
    paths, parts, _ = shards
    for path, part in zip(paths, parts, strict=True):
        loaded = load_features([path])
        for name in ("logmel", "target", "mask_mixture", "mask_class", "mask_bits"):
            np.testing.assert_array_equal(getattr(loaded, name), part[name])
            assert getattr(loaded, name).dtype == part[name].dtype
        assert loaded.mixture == [name.decode() for name in part["mixture"]]
        assert loaded.classes == CLASSES
        assert loaded.settings == settings.as_dict()
        assert {k: type(v) for k, v in loaded.settings.items()} == {
            k: type(v) for k, v in settings.as_dict().items()
        }


def test_joined_shards_keep_every_mask_with_its_clip(shards):
    paths, parts, masks = shards
    for order in ([0, 1, 2], [2, 0, 1], [1, 2]):
        loaded = load_features([paths[i] for i in order])
        names = [name.decode() for i in order for name in parts[i]["mixture"]]
        assert loaded.mixture == names
        np.testing.assert_array_equal(
            loaded.logmel, np.concatenate([parts[i]["logmel"] for i in order])
        )
        np.testing.assert_array_equal(
            loaded.target, np.concatenate([parts[i]["target"] for i in order])
        )
        found = [
            (loaded.mixture[clip], int(k), mask.tobytes())
            for clip, k, mask in zip(
                loaded.mask_mixture,
                loaded.mask_class,
                loaded.ideal_masks(np.arange(len(loaded.mask_class))),
                strict=True,
            )
        ]
        expected = [
            (parts[i]["mixture"][clip].decode(), int(k), mask.tobytes())
            for i in order
            for clip, k, mask in zip(
                parts[i]["mask_mixture"], parts[i]["mask_class"], masks[i], strict=True
            )
        ]
        assert found == expected


def test_ideal_masks_of_chosen_rows(shards):
    paths, _, masks = shards
    loaded = load_features(paths)
    every = np.concatenate(masks)
    for rows in ([3], [5, 0, 5], np.flatnonzero(loaded.mask_class == 1)):
        found = loaded.ideal_masks(np.asarray(rows))
        assert found.dtype == bool
        np.testing.assert_array_equal(found, every[rows])
    assert loaded.ideal_masks(np.zeros(0, dtype=np.int64)).shape == (0, N_FRAMES, N_MELS)


def test_shards_of_other_classes_or_settings_do_not_join(shards, settings, tmp_path):
    paths, parts, _ = shards
    other = tmp_path / "other.h5"
    write_features(other, parts[0], classes=("Bark", "Gong", "Chime"), settings=settings, snr_db=0)
    with pytest.raises(
        DamagedFileError, match=r"other\.h5: its classes or feature settings differ"
    ):
        load_features([paths[0], other])
    changed = dataclasses.replace(settings, fmin_hz=51.0)
    write_features(other, parts[0], classes=CLASSES, settings=changed, snr_db=0)
    with pytest.raises(
        DamagedFileError, match=r"other\.h5: its classes or feature settings differ"
    ):
        load_features([paths[0], other])
    assert load_features([other]).settings["fmin_hz"] == 51.0


@pytest.mark.parametrize("name", ["logmel", "target", "mixture", "mask_mixture", "mask_bits"])
def test_a_flipped_bit_in_any_dataset_is_noticed_and_the_file_named(shards, flip, name):
    path = shards[0][2]
    with h5py.File(path) as file:
        chunk = file[name].id.get_chunk_info(0)
    flip(path, chunk.byte_offset + 2)
    with pytest.raises(DamagedFileError, match=r"part2\.h5: .*damaged"):
        load_features(shards[0])


@pytest.mark.parametrize("value", ["log_offset", "fmin_hz"])
def test_a_flipped_bit_in_the_settings_is_noticed(shards, settings, flip, value):
    path = shards[0][0]
    stored = f'"{value}": {settings.as_dict()[value]}'.encode()
    content = path.read_bytes()
    assert content.count(stored) == 1
    flip(path, content.index(stored) + len(stored) - 1, 0x01)
    with pytest.raises(DamagedFileError, match=r"part0\.h5"):
        load_features([path])


def test_a_bit_that_turns_a_dataset_into_something_else_is_noticed(shards, tmp_path):
    # A possible damage of HDF5's own records: the name exists, the array does not.
    path = tmp_path / "strange.h5"
    path.write_bytes(shards[0][0].read_bytes())
    with h5py.File(path, "a") as file:
        del file["logmel"]
        file["logmel"] = np.dtype(np.float16)  # a named type
    with pytest.raises(DamagedFileError, match=r"strange\.h5"):
        load_features([path])


def test_missing_parts_are_noticed(shards, tmp_path):
    path = shards[0][0]
    with h5py.File(path, "a") as file:
        del file["mask_class"]
    with pytest.raises(DamagedFileError, match=r"part0\.h5: .*mask_class"):
        load_features([path])
    path = shards[0][1]
    with h5py.File(path, "a") as file:
        del file["description"]
    with pytest.raises(DamagedFileError, match=r"part1\.h5: .*damaged"):
        load_features([path])
    with pytest.raises(DataError, match=r"absent\.h5: expected an HDF5 file, found nothing"):
        load_features([tmp_path / "absent.h5"])


def test_truncated_files_are_noticed(shards):
    path = shards[0][2]
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DamagedFileError, match=r"part2\.h5"):
        load_features(shards[0])


def test_the_clips_of_some_kinds_keep_their_masks(shards):
    paths, _, _ = shards
    loaded = load_features(paths)
    kinds = ["scene" if i % 3 == 0 else "mixture" for i in range(len(loaded.mixture))]
    loaded = dataclasses.replace(loaded, kind=kinds)
    some = loaded.of_kinds(["mixture", "clip"])
    rows = [i for i, kind in enumerate(kinds) if kind == "mixture"]
    assert some.mixture == [loaded.mixture[i] for i in rows]
    np.testing.assert_array_equal(some.logmel, loaded.logmel[rows])

    def masks(features):
        every = features.ideal_masks(np.arange(len(features.mask_class)))
        keys = zip(features.mask_mixture, features.mask_class, strict=True)
        return {
            (features.mixture[i], k): mask.tobytes()
            for (i, k), mask in zip(keys, every, strict=True)
        }

    expected = {k: v for k, v in masks(loaded).items() if k[0] in some.mixture}
    assert masks(some) == expected
    assert loaded.of_kinds(["mixture", "scene"]) is loaded
    parts = ["validation" if kind == "scene" else "train" for kind in kinds]
    of_part = dataclasses.replace(loaded, part=parts).of_parts(["train"])
    assert of_part.mixture == some.mixture
    assert set(of_part.part) == {"train"}
    assert masks(of_part) == expected
    assert loaded.of_parts(["train"]) is loaded
