import dataclasses

import numpy as np
import pytest
import torch

from tfseg.training.augmentation import AugmentationSettings, augment, draw_changes

NONE = AugmentationSettings(0.0, False, 0.0, 0.0, 0)
ALL = AugmentationSettings(0.7, True, 6.0, 6.0, 2)
LN_PER_DB = np.log(10) / 20


@pytest.fixture
def batch():
    rng = np.random.default_rng(0)
    logmel = torch.from_numpy(rng.normal(-6, 2, (8, 20, 13))).float()
    target = torch.from_numpy((rng.random((8, 4)) < 0.4).astype(np.float32))
    return logmel, target


def _changed(batch, settings, seed, iteration):
    """Draw for one batch and change it."""
    logmel, target = batch
    changes = draw_changes(settings, *logmel.shape, seed, iteration)
    changes = {name: torch.from_numpy(values) for name, values in changes.items()}
    return augment(logmel, target, changes)


def _only(**changes):
    return dataclasses.replace(NONE, **changes)


def test_nothing_asked_for_changes_nothing(batch):
    logmel, target = _changed(batch, NONE, 1, 2)
    assert logmel is batch[0]
    assert target is batch[1]


def test_what_is_drawn_follows_from_the_iteration_alone(batch):
    one, two, other = (_changed(batch, ALL, 1, iteration) for iteration in (5, 5, 6))
    assert torch.equal(one[0], two[0])
    assert torch.equal(one[1], two[1])
    assert not torch.equal(one[0], other[0])


def test_the_batch_that_came_in_is_left_alone(batch):
    before = [part.clone() for part in batch]
    _changed(batch, ALL, 1, 2)
    assert all(torch.equal(a, b) for a, b in zip(before, batch, strict=True))


def test_turns_are_within_the_clip_and_differ(batch):
    turns = draw_changes(_only(time_shift=True), *batch[0].shape, 1, 2)["turns"]
    assert turns.shape == (8, 1)
    assert turns.min() >= 0
    assert turns.max() < 20
    assert len(set(turns[:, 0])) > 3


def test_gain_changes_a_clips_level_within_its_limit(batch):
    logmel, _ = _changed(batch, _only(gain_db=6.0), 1, 2)
    gains_db = (logmel - batch[0]) / LN_PER_DB
    assert gains_db.std(dim=(1, 2)).max() < 1e-3
    means = gains_db.mean(dim=(1, 2))
    assert means.abs().max() <= 6 + 1e-3
    assert means.std() > 1


def test_band_gain_is_a_filter_within_its_limit_alike_in_all_frames(batch):
    logmel, _ = _changed(batch, _only(band_gain_db=6.0), 1, 2)
    gains_db = (logmel - batch[0]) / LN_PER_DB
    assert gains_db.std(dim=1).max() < 1e-3
    bands = gains_db.mean(dim=1)
    assert bands.abs().max() <= 6 + 1e-3
    assert (bands.std(dim=1) > 0.1).all()
    # Straight lines between four nodes: the slope changes at the two bands around each inner one.
    bends = bands.diff(dim=1).diff(dim=1).abs() > 1e-3
    assert (bends.sum(dim=1) <= 4).all()


def test_mel_shift_moves_bands_and_repeats_the_outermost(batch):
    logmel, _ = _changed(batch, _only(mel_shift=2), 1, 2)
    shifts = []
    for new, old in zip(logmel, batch[0], strict=True):
        moved = {s: old[:, np.clip(np.arange(13) + s, 0, 12)] for s in range(-2, 3)}
        (shift,) = [s for s, expected in moved.items() if torch.equal(new, expected)]
        shifts.append(shift)
    assert len(set(shifts)) > 2


def test_mixup_adds_magnitudes_and_unites_tags(batch):
    logmel, target = _changed(batch, _only(mixup=1.0), 1, 2)
    for new, new_target, old, old_target in zip(logmel, target, *batch, strict=True):
        rest = new.exp() - old.exp()
        partners = [k for k in range(8) if torch.allclose(batch[0][k].exp(), rest, atol=1e-5)]
        assert len(partners) == 1
        assert torch.equal(new_target, torch.maximum(old_target, batch[1][partners[0]]))


def test_mixup_takes_its_share_of_clips(batch):
    changed = np.mean(
        [
            (_changed(batch, _only(mixup=0.25), 1, i)[0] != batch[0]).any(dim=(1, 2)).float().mean()
            for i in range(300)
        ]
    )
    assert changed == pytest.approx(0.25, abs=0.03)


def test_leaving_one_change_out_leaves_the_others_alike(batch):
    with_gain, _ = _changed(batch, _only(mel_shift=2, gain_db=3.0), 1, 2)
    without, _ = _changed(batch, _only(mel_shift=2), 1, 2)
    assert ((with_gain - without).std(dim=(1, 2)) < 1e-5).all()
