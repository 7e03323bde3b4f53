import dataclasses

import numpy as np
import pytest
import torch

from tfseg.training.splicing import Known, SpliceSettings, draw_cuts, splice

NONE = SpliceSettings(
    share=0.0, added=0.0, cuts=1, negatives=1.0, agreement=1.0, ramp=0, tags="absent"
)
HALF = dataclasses.replace(NONE, share=0.5)
ALL = dataclasses.replace(NONE, share=1.0)


@pytest.fixture
def clips():
    """Twelve clips, each of one value in all units and with tags of its own."""
    logmel = torch.arange(12.0)[:, None, None].repeat(1, 20, 3)
    rng = np.random.default_rng(0)
    return logmel, torch.from_numpy((rng.random((12, 5)) < 0.4).astype(np.float32))


def _spliced(clips, settings, iteration=2):
    drawn = draw_cuts(settings, *clips[0].shape[:2], 1, iteration)
    cuts = {name: torch.from_numpy(values) for name, values in drawn.items()}
    return splice(*clips, cuts, settings)


def _sources(logmel):
    """Clip that each frame is from [shape=(batch, time)]."""
    return logmel[:, :, 0].long()


def test_a_share_of_zero_changes_nothing(clips):
    logmel, target, known = _spliced(clips, NONE)
    assert logmel is clips[0]
    assert target is clips[1]
    assert known == Known()


def test_what_is_drawn_follows_from_the_iteration_alone(clips):
    one, two, other = (_spliced(clips, HALF, iteration) for iteration in (5, 5, 6))
    for a, b in zip((*one[:2], *one[2][:2]), (*two[:2], *two[2][:2]), strict=True):
        assert torch.equal(a, b)
    assert not torch.equal(one[0], other[0])


def test_a_spliced_clip_begins_as_itself_and_ends_as_one_other(clips):
    sources = _sources(_spliced(clips, ALL)[0])
    for clip, frames in enumerate(sources):
        assert frames[0] == clip
        cut = int((frames == clip).sum())
        assert (frames[:cut] == clip).all()
        assert len(set(frames[cut:].tolist())) <= 1
    assert len({int((frames == clip).sum()) for clip, frames in enumerate(sources)}) > 4


def test_the_share_is_that_of_spliced_clips(clips):
    whole = [
        int((_sources(_spliced(clips, HALF, i)[0]) == torch.arange(12)[:, None]).all(dim=1).sum())
        for i in range(40)
    ]
    # Half of the clips, and those few that were drawn to continue as themselves.
    assert 0.5 <= np.mean(whole) / 12 < 0.65


def test_tags_are_the_union_of_both_clips_and_those_of_the_rest_stay(clips):
    logmel, target, _ = _spliced(clips, HALF)
    for clip, frames in enumerate(_sources(logmel)):
        first, last = clips[1][clip], clips[1][frames[-1]]
        assert torch.equal(target[clip], torch.maximum(first, last))


def test_a_class_is_silent_where_the_clip_of_that_frame_is_without_it(clips):
    logmel, _, known = _spliced(clips, HALF)
    sources = _sources(logmel)
    absent = 1 - clips[1][sources].transpose(1, 2)
    is_spliced = (sources != torch.arange(12)[:, None]).any(dim=1)
    assert torch.equal(known.silent[is_spliced], absent[is_spliced])
    # Nothing is known of the others, unless they were drawn to continue as themselves.
    for silent, own in zip(known.silent[~is_spliced], absent[~is_spliced], strict=True):
        assert (silent == 0).all() or torch.equal(silent, own)


def test_with_several_cuts_the_clips_take_turns(clips):
    logmel, _, known = _spliced(clips, dataclasses.replace(ALL, cuts=3))
    own = known.pairs.own[..., 0]
    changes = own.diff(dim=1).abs().sum(dim=1)
    assert int(changes.max()) == 3
    assert ((changes == 3) | (changes == 1)).all()  # two cuts may fall on one frame
    assert own[:, 0].all()
    sources = torch.where(own > 0, torch.arange(12)[:, None], known.pairs.others[:, None])
    assert torch.equal(_sources(logmel), sources)


def test_for_agreement_the_clips_and_the_cut_are_kept(clips):
    logmel, _, known = _spliced(clips, HALF)
    pairs = known.pairs
    assert pairs.logmel is clips[0]
    assert pairs.target is clips[1]
    own = pairs.own * pairs.logmel
    assert torch.equal(own + (1 - pairs.own) * pairs.logmel[pairs.others], logmel)
    assert torch.equal(pairs.joined, (pairs.own == 0).any(dim=1)[:, 0].float())
    assert _spliced(clips, dataclasses.replace(HALF, agreement=0.0))[2].pairs is None


def test_added_clips_sum_their_magnitudes_and_all_their_tags_count(clips):
    logmel, target, known = _spliced(clips, dataclasses.replace(HALF, added=1.0))
    pairs, whole = known.pairs, known.pairs.joined == 0
    magnitude = clips[0].exp()
    own, other = magnitude, magnitude[pairs.others]
    joined = ~whole
    assert torch.allclose(logmel[joined].exp(), (own + other)[joined])
    assert torch.equal(logmel[whole], clips[0][whole])
    assert torch.allclose(pairs.own[joined], (own / (own + other))[joined])
    assert (pairs.own[whole] == 1).all()
    both = torch.maximum(clips[1], clips[1][pairs.others])
    assert torch.equal(target[joined], both[joined])
    assert (known.counted == 1).all()
    assert torch.equal(known.silent[joined], (1 - both)[joined][:, :, None].expand(-1, -1, 20))


def test_a_share_of_the_joined_clips_is_added(clips):
    settings = dataclasses.replace(ALL, added=0.5)
    own = [_spliced(clips, settings, i)[2].pairs.own for i in range(30)]
    added = [((part > 0) & (part < 1)).any(dim=2).any(dim=1).float().mean() for part in own]
    assert np.mean(added) == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize("tags", ["absent", "union"])
def test_tags_that_count(clips, tags):
    _, target, known = _spliced(clips, dataclasses.replace(ALL, tags=tags))
    if tags == "union":
        assert known.counted is None
    else:
        assert torch.equal(known.counted, 1 - target)


def test_clips_of_one_frame_stay_as_they_are():
    clips = torch.zeros(3, 1, 2), torch.ones(3, 2)
    assert torch.equal(_spliced(clips, ALL)[0], clips[0])


def test_no_value_is_read_back_from_the_device(clips):
    # A meta tensor has no values: reading one raises an error.
    drawn = {
        "cut": torch.zeros(12, 2, dtype=torch.int64, device="meta"),
        "added": torch.zeros(12, dtype=torch.bool, device="meta"),
        "continues_as": torch.zeros(12, dtype=torch.int64, device="meta"),
    }
    _, _, known = splice(
        *(part.to("meta") for part in clips), drawn, dataclasses.replace(HALF, added=0.5)
    )
    assert known.silent.device.type == "meta"


def test_without_splicing_nothing_is_drawn(clips):
    assert draw_cuts(NONE, 12, 20, 1, 2) == {}
    drawn = draw_cuts(HALF, 12, 20, 1, 2)
    assert drawn["cut"].shape == (12, 1)
    assert drawn["continues_as"].shape == (12,)
