import numpy as np

from tfseg.evaluation.confusion import confusion_rates


def test_rates_are_those_of_counting_clip_by_clip():
    rng = np.random.default_rng(4)
    target = rng.random((40, 4)) < 0.3
    target[:, 3] = False  # never sounds
    tags = rng.random((40, 4))
    rates, n_clips = confusion_rates(tags, target, 0.6)
    for i in range(4):
        for j in range(4):
            clips = [c for c in range(40) if target[c, i] and (i == j or not target[c, j])]
            assert n_clips[i, j] == len(clips)
            if clips:
                assert rates[i, j] == np.mean([tags[c, j] > 0.6 for c in clips])
            else:
                assert np.isnan(rates[i, j])


def test_perfect_tags_confuse_nothing():
    target = np.array([[1, 0, 1], [0, 1, 0], [1, 1, 0], [0, 0, 1]], dtype=bool)
    rates, _ = confusion_rates(target.astype(float), target, 0.5)
    np.testing.assert_array_equal(rates, np.eye(3))
