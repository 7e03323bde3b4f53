"""Events from where frame scores step up and down, each with one confidence.

The idea is that of sound event bounding boxes (Ebbers, Germain, Wichern, Le Roux, arXiv 2406.04212):
an event's borders do not depend on the threshold that it must pass. Derived here anew from that idea.
"""

import numpy as np


def step_response(scores, step_frames):
    """Mean score after each border between frames, minus the mean before it.

    Parameters
    ----------
    scores : np.ndarray [shape=(n_frames,)]
        Zero outside: an event may begin with the clip.
    step_frames : int
        Frames on each side.

    Returns
    -------
    response : np.ndarray [shape=(n_frames + 1,), dtype=float64]
        Border i lies before frame i.
    """
    n_frames = len(scores)
    total = np.concatenate([[0.0], np.cumsum(scores, dtype=np.float64)])
    border = np.arange(n_frames + 1)
    before = total - total[np.maximum(border - step_frames, 0)]
    after = total[np.minimum(border + step_frames, n_frames)] - total
    # Differences of sums do not cancel to the last bit: where nothing changes, nothing steps.
    return np.round((after - before) / step_frames, 9)


def _extrema(response):
    """Borders where the score steps up most, or down most, in turn: list of (border, response)."""
    # Of equal neighbours, the one at the event: a short event's sum stays the same for a while.
    rises = np.diff(response, prepend=-np.inf, append=-np.inf)
    falls = np.diff(-response, prepend=-np.inf, append=-np.inf)
    onsets = [b for b in _peaks(rises, last=True) if response[b] > 0]
    offsets = [b for b in _peaks(falls, last=False) if response[b] < 0]
    kept = []
    for border in sorted([*onsets, *offsets]):
        value = float(response[border])
        if kept and (kept[-1][1] > 0) == (value > 0):
            # Several of one kind in a row: the largest step is the border.
            if abs(value) > abs(kept[-1][1]):
                kept[-1] = (border, value)
        else:
            kept.append((border, value))
    return kept


def _peaks(changes, last):
    """Local maxima from the changes to both sides; of a plateau its first or its last place."""
    found, start = [], None
    for place in range(len(changes) - 1):
        if changes[place] > 0:
            start = place
        elif changes[place] < 0:
            start = None
        if start is not None and changes[place + 1] < 0:
            found.append(place if last else start)
    return found


def find_segments(scores, *, step_frames, merge_drop, merge_share):
    """Segments between a step up and the next step down, merged where the score hardly drops.

    Parameters
    ----------
    scores : np.ndarray [shape=(n_frames,), at least 0]
    step_frames : int
        Frames on each side of a step.
    merge_drop, merge_share : float
        Neighbours are one event when the mean score between them is at most `merge_drop` below
        that of the stronger, or at least `merge_share` of it.

    Returns
    -------
    segments : list of (first, stop, confidence)
        Frames ``first .. stop - 1``, in order, and their mean score.
    """
    total = np.concatenate([[0.0], np.cumsum(scores, dtype=np.float64)])

    def mean(first, stop):
        return float(total[stop] - total[first]) / max(stop - first, 1)

    borders = [border for border, _ in _extrema(step_response(scores, step_frames))]
    segments = []
    for first, stop in zip(borders[::2], borders[1::2], strict=False):
        segment = (first, stop, mean(first, stop))
        if segments:
            before = segments[-1]
            between = mean(before[1], first) if first > before[1] else before[2]
            stronger = max(before[2], segment[2])  # else an event would swallow what lies around it
            if between >= stronger - merge_drop or between >= merge_share * stronger:
                segments[-1] = (before[0], stop, mean(before[0], stop))
                continue
        segments.append(segment)
    return segments
