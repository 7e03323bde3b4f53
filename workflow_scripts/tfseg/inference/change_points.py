"""Events from upward and downward steps of the frame scores, each with one confidence.

The idea is that of sound event bounding boxes (Ebbers, Germain, Wichern, Le Roux, arXiv
2406.04212): an event's onset and offset do not depend on the detection threshold. This
implementation is our own.
"""

import numpy as np


def step_response(scores, step_frames):
    """Compute, for each border between frames, the mean score after it minus the mean before it.

    Parameters
    ----------
    scores : np.ndarray [shape=(n_frames,)]
        Taken as zero outside, so that an event may begin with the clip.
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
    # Differences of sums do not cancel exactly: treat rounding errors as no step.
    return np.round((after - before) / step_frames, 9)


def _extrema(response):
    """Find alternating borders of largest steps up and down: list of (border, response)."""
    # The response of a short event has a plateau: take its end for onsets, its start for offsets.
    rises = np.diff(response, prepend=-np.inf, append=-np.inf)
    falls = np.diff(-response, prepend=-np.inf, append=-np.inf)
    onsets = [b for b in _peaks(rises, last=True) if response[b] > 0]
    offsets = [b for b in _peaks(falls, last=False) if response[b] < 0]
    kept = []
    for border in sorted([*onsets, *offsets]):
        value = float(response[border])
        if kept and (kept[-1][1] > 0) == (value > 0):
            # Of several steps in the same direction, keep the largest.
            if abs(value) > abs(kept[-1][1]):
                kept[-1] = (border, value)
        else:
            kept.append((border, value))
    return kept


def _peaks(changes, last):
    """Find local maxima from the changes on both sides; of a plateau, its first or last index."""
    found, start = [], None
    for place in range(len(changes) - 1):
        if changes[place] > 0:
            start = place
        elif changes[place] < 0:
            start = None
        if start is not None and changes[place + 1] < 0:
            found.append(place if last else start)
    return found


def step_borders(scores, step_frames):
    """Find the borders of the largest steps: up, down, up, and so on (list of frames)."""
    return [border for border, _ in _extrema(step_response(scores, step_frames))]


def find_segments(scores, *, step_frames, merge_drop, merge_share):
    """Find segments from a step up to the next step down; merge them where scores hardly drop.

    Parameters
    ----------
    scores : np.ndarray [shape=(n_frames,), at least 0]
    step_frames : int
        Frames on each side of a step.
    merge_drop, merge_share : float
        Neighbours are merged when the mean score between them is at most `merge_drop` below the
        stronger segment's mean, or at least `merge_share` of it.

    Returns
    -------
    segments : list of (first, stop, confidence)
        Frames ``first .. stop - 1``, in order, and their mean score.
    """
    return merged_segments(scores, step_borders(scores, step_frames), merge_drop, merge_share)


def merged_segments(scores, borders, merge_drop, merge_share):
    """Form the segments of `find_segments` from the borders of `step_borders`."""
    total = np.concatenate([[0.0], np.cumsum(scores, dtype=np.float64)])

    def mean(first, stop):
        return float(total[stop] - total[first]) / max(stop - first, 1)

    segments = []
    for first, stop in zip(borders[::2], borders[1::2], strict=False):
        segment = (first, stop, mean(first, stop))
        if segments:
            before = segments[-1]
            between = mean(before[1], first) if first > before[1] else before[2]
            stronger = max(before[2], segment[2])  # the weaker one would merge too easily
            if between >= stronger - merge_drop or between >= merge_share * stronger:
                segments[-1] = (before[0], stop, mean(before[0], stop))
                continue
        segments.append(segment)
    return segments
