"""Batches: their clips, excerpts and changes, against a straightforward definition."""

import dataclasses

import numpy as np
import pytest
import torch
from toy_training import AUGMENTED, UNCHANGED, changed

from tfseg.errors import DataError
from tfseg.job.seeding import generator
from tfseg.training import batches as module
from tfseg.training.batches import Batches

NEPER_PER_DB = np.log(10) / 20


def _numbered(lengths):
    """Clips whose values say which clip and frame they are."""
    return [np.arange(n, dtype=np.float16)[:, None] + 100 * i for i, n in enumerate(lengths)]


def _batches(clips, batch_size=4, seed=3, n_frames=None, augmentation=UNCHANGED):
    settings = changed(batch_size=batch_size, augmentation=augmentation)
    target = np.eye(len(clips), dtype=np.uint8)  # a batch's labels say which clips it has
    return Batches(clips, target, settings, seed=seed, n_frames=n_frames)


def _clips(batches, first, stop):
    return [one["wanted"].argmax(dim=1).tolist() for one in batches.inputs(first, stop)]


@pytest.mark.parametrize(("n_clips", "batch_size"), [(10, 4), (12, 4), (3, 8), (1, 1), (7, 1)])
def test_every_pass_covers_every_clip_once(n_clips, batch_size):
    batches = _batches(_numbered([5] * n_clips), batch_size)
    per_pass = -(-n_clips // batch_size)
    orders = []
    for first in range(0, 5 * per_pass, per_pass):
        clips = _clips(batches, first, first + per_pass)
        assert [len(batch) for batch in clips[:-1]] == [batch_size] * (per_pass - 1)
        orders.append([clip for batch in clips for clip in batch])
        assert sorted(orders[-1]) == list(range(n_clips))
    if n_clips > 6:
        assert len({tuple(order) for order in orders}) == 5  # freshly shuffled


def test_batches_are_a_function_of_iteration_and_seed():
    clips = _numbered([5] * 10)
    one = _clips(_batches(clips), 0, 9)
    assert one == _clips(_batches(clips), 0, 9)
    assert one[4:] == _clips(_batches(clips), 4, 9)
    assert one != _clips(_batches(clips, seed=2), 0, 9)


def _straightforward(clips, target, settings, seed, n_frames, iteration):
    """One batch, drawn by itself: clips, excerpts, and all changes one after the other."""
    per_pass = -(-len(clips) // settings.batch_size)
    number, place = divmod(iteration, per_pass)
    order = generator(seed, "batches", number).permutation(len(clips))
    order = order[place * settings.batch_size : (place + 1) * settings.batch_size]
    if n_frames is None:
        taken = [clips[i] for i in order]
    else:
        drawn = generator(seed, "excerpts", iteration).random((len(order), 1))[:, 0]
        taken = []
        for i, number in zip(order, drawn, strict=True):
            length = len(clips[i])
            n_places = length - n_frames + 1 if length > n_frames else length
            taken.append(clips[i][(int(number * n_places) + np.arange(n_frames)) % length])
    logmel, wanted = np.stack(taken).astype(np.float32), target[order].astype(np.float32)
    n, n_frames, n_mels = logmel.shape
    ask = settings.augmentation
    rng = generator(seed, "augmentation", iteration)
    turns = rng.integers(n_frames, size=(n, 1))[:, 0]
    shifts = rng.integers(-ask.mel_shift, ask.mel_shift + 1, size=(n, 1))[:, 0]
    gains_db = rng.uniform(-1, 1, (n, 1)) * ask.gain_db
    inner = np.sort(rng.uniform(0, n_mels - 1, (n, 2)), axis=1)
    nodes_db = rng.uniform(-ask.band_gain_db, ask.band_gain_db, (n, 4))
    bands = np.arange(n_mels)
    gains_db = gains_db + [
        np.interp(bands, [0, *at, n_mels - 1], db) for at, db in zip(inner, nodes_db, strict=True)
    ]
    partners, is_mixed = rng.permutation(n), rng.random(n) < ask.mixup
    if ask.time_shift:
        logmel = np.stack(
            [np.roll(clip, -k, axis=0) for clip, k in zip(logmel, turns, strict=True)]
        )
    logmel = np.stack(
        [clip[:, np.clip(bands + k, 0, n_mels - 1)] for clip, k in zip(logmel, shifts, strict=True)]
    )
    if ask.gain_db or ask.band_gain_db:
        logmel = logmel + (gains_db * NEPER_PER_DB).astype(np.float32)[:, None]
    logmel = torch.from_numpy(logmel)
    total = torch.logaddexp(logmel, logmel[partners]).numpy()
    logmel = np.where(is_mixed[:, None, None], total, logmel.numpy())
    union = np.maximum(wanted, wanted[partners])
    return logmel, np.where(is_mixed[:, None], union, wanted)


@pytest.mark.parametrize("at_once", [1, 3, 64])
@pytest.mark.parametrize("n_frames", [None, 9], ids=["whole", "excerpts"])
@pytest.mark.parametrize(
    "augmentation",
    [
        UNCHANGED,
        AUGMENTED,
        *(dataclasses.replace(UNCHANGED, **{name: getattr(AUGMENTED, name)})
          for name in ("mixup", "time_shift", "gain_db", "band_gain_db", "mel_shift")),
    ],
    ids=lambda one: ",".join(k for k, v in dataclasses.asdict(one).items() if v) or "unchanged",
)  # fmt: skip
def test_what_is_drawn_for_many_iterations_is_what_is_drawn_for_each(
    monkeypatch, at_once, n_frames, augmentation
):
    monkeypatch.setattr(module, "_MAX_ITERATIONS", at_once)
    rng = np.random.default_rng(0)
    lengths = [12] * 10 if n_frames is None else [5, 9, 10, 14, 31, 8, 9, 40, 12, 3]
    clips = [rng.normal(-8, 2, (length, 7)).astype(np.float16) for length in lengths]
    target = (rng.random((10, 3)) < 0.5).astype(np.uint8)
    settings = changed(augmentation=augmentation)
    batches = Batches(clips, target, settings, seed=3, n_frames=n_frames)
    for iteration, inputs in enumerate(batches.inputs(2, 10), start=2):
        logmel, wanted, _ = batches.gather(inputs)
        expected = _straightforward(clips, target, settings, 3, n_frames, iteration)
        np.testing.assert_array_equal(logmel, expected[0])
        np.testing.assert_array_equal(wanted, expected[1])


def test_the_order_of_a_pass_is_drawn_once(monkeypatch):
    drawn = []

    def counted(*names):
        drawn.append(names)
        return generator(*names)

    monkeypatch.setattr(module, "generator", counted)
    list(_batches(_numbered([5] * 10)).inputs(0, 9))
    assert drawn == [(3, "batches", number) for number in range(3)]


def test_no_more_is_drawn_at_once_than_fits(monkeypatch):
    batches = _batches(_numbered([5] * 10))
    monkeypatch.setattr(module, "_MAX_FRAMES", 2 * 4 * 5)  # of two batches
    pieces, drawn = [], batches._drawn
    monkeypatch.setattr(batches, "_drawn", lambda *ends: pieces.append(ends) or drawn(*ends))
    assert len(list(batches.inputs(1, 6))) == 5
    assert pieces == [(1, 3), (3, 5), (5, 6)]


def test_an_excerpt_is_a_stretch_of_its_clip_and_a_short_clip_goes_round():
    batches = _batches(_numbered((40, 3, 10)), n_frames=10)
    firsts = set()
    for inputs in batches.inputs(0, 200):
        batch, wanted, _ = batches.gather(inputs)
        long, short, equal = batch[wanted.argmax(dim=1).argsort(), :, 0].numpy()
        assert (np.diff(long) == 1).all()
        assert long[0] >= 0
        assert long[-1] <= 39
        np.testing.assert_array_equal(short, 100 + (short[0] - 100 + np.arange(10)) % 3)
        np.testing.assert_array_equal(equal, 200 + (equal[0] - 200 + np.arange(10)) % 10)
        firsts.add(float(long[0]))
    assert firsts == set(map(float, range(31)))  # every place is reached


def test_clips_of_different_length_need_an_excerpts_length():
    with pytest.raises(DataError, match=r"clips of 30 to 40 frames: .*training\.excerpt_s"):
        _batches(_numbered((40, 30)))
