"""Which stretches are worth a person's time: numbers only, no sound and no network.

Three things count. A tag near 0.5 is uncertain (uncertainty sampling: Lewis and Gale, SIGIR 1994).
Models that were trained on other folds may disagree (query by committee: Seung, Opper and
Sompolinsky, COLT 1992). And a stretch may be unlike all that the models were trained on.
"""

from dataclasses import dataclass

import numpy as np

# What an earlier choice of the same recording, or asked about the same class, leaves of a score.
_REPEATED = 0.8
# Of a stretch, in its own lengths: chosen ones of a recording begin at least so far apart.
_LEAST_STEP = 1.5
_ROUNDING_S = 1e-6
REASONS = {
    "uncertainty": "uncertain tags",
    "disagreement": "the models disagree",
    "unlikeness": "unlike the training clips",
}


@dataclass(frozen=True)
class Candidates:
    """Stretches of equal length that overlap by half.

    Attributes
    ----------
    recording : np.ndarray [shape=(n,), dtype=int64]
        Number of the recording of each.
    start_s, stop_s : np.ndarray [shape=(n,), dtype=float64]
        Within the recording.
    tags : np.ndarray [shape=(n_models, n, n_classes), in [0, 1]]
    distance : np.ndarray [shape=(n,), dtype=float64]
        From the clips that the models were trained on, in their standard deviations.
    """

    recording: np.ndarray
    start_s: np.ndarray
    stop_s: np.ndarray
    tags: np.ndarray
    distance: np.ndarray


def join(parts):
    """Join the candidates of several recordings.

    Parameters
    ----------
    parts : sequence of Candidates

    Returns
    -------
    candidates : Candidates
    """
    return Candidates(
        np.concatenate([part.recording for part in parts]),
        np.concatenate([part.start_s for part in parts]),
        np.concatenate([part.stop_s for part in parts]),
        np.concatenate([part.tags for part in parts], axis=1),
        np.concatenate([part.distance for part in parts]),
    )


@dataclass(frozen=True)
class Choice:
    """A stretch to ask about.

    Attributes
    ----------
    index : int
        Among the candidates.
    score : float in [0, 3]
        Sum of its three parts, each as a share of the largest among the candidates.
    reason : str
        A key of `REASONS`: the part that is furthest above the candidates' median.
    uncertainty : float
        Bits: entropy of the models' mean tags, summed over the classes.
    disagreement : float
        Variance of the tags over the models as a share of the largest possible (0.25), summed over
        the classes; 0 for one model.
    unlikeness : float in [0, 1)
        d^2 / (1 + d^2) for a distance of d standard deviations.
    classes : tuple of int
        By what their labels teach, the most first.
    """

    index: int
    score: float
    reason: str
    uncertainty: float
    disagreement: float
    unlikeness: float
    classes: tuple


def entropy_bits(probability):
    """Entropy of yes or no, in bits [same shape]: 1 at 0.5, and 0 where the answer is certain."""
    p = np.clip(np.asarray(probability, dtype=np.float64), 1e-12, 1 - 1e-12)
    return -p * np.log2(p) - (1 - p) * np.log2(1 - p)


def _shares(values):
    """Values as shares of the largest; zeros where all are zero."""
    largest = values.max(initial=0.0)
    return values / largest if largest > 0 else values


def choose(candidates, n_wanted):
    """Choose the stretches whose labels help most, one after the other.

    Neighbouring stretches would have the same answers: chosen ones of one recording leave at least
    half their length between them. Each earlier choice from a recording, and each earlier choice
    with the same most instructive class, leaves 0.8 of a score, so that choices spread.

    Parameters
    ----------
    candidates : Candidates
        At least one.
    n_wanted : int

    Returns
    -------
    choices : list of Choice
        The most instructive first; fewer where the recordings have no more room.
    """
    by_class = {
        "uncertainty": entropy_bits(candidates.tags.mean(axis=0)),
        "disagreement": 4 * candidates.tags.astype(np.float64).var(axis=0),
    }
    squared = candidates.distance**2
    parts = {name: values.sum(axis=1) for name, values in by_class.items()}
    parts["unlikeness"] = squared / (1 + squared)
    shares = {name: _shares(values) for name, values in parts.items()}
    score = np.sum(list(shares.values()), axis=0)
    above = {name: values - np.median(values) for name, values in shares.items()}
    order = np.argsort(-sum(by_class.values()), axis=1, kind="stable")
    left, free = score.copy(), np.ones(len(score), dtype=bool)
    choices = []
    while len(choices) < n_wanted and free.any():
        index = int(np.argmax(np.where(free, left, -1)))
        choices.append(
            Choice(
                index,
                float(score[index]),
                max(above, key=lambda name: above[name][index]),
                **{name: float(values[index]) for name, values in parts.items()},
                classes=tuple(order[index].tolist()),
            )
        )
        same = candidates.recording == candidates.recording[index]
        length_s = candidates.stop_s[index] - candidates.start_s[index]
        step_s = np.abs(candidates.start_s - candidates.start_s[index])
        free &= ~(same & (step_s < _LEAST_STEP * length_s - _ROUNDING_S))
        left = np.where(same, _REPEATED, 1) * left
        left = np.where(order[:, 0] == order[index, 0], _REPEATED, 1) * left
    return choices
