"""Tuning of thresholds per class on validation clips, which are neither trained on nor scored.

Every threshold maximises the F1 of its own task, counted as in the metrics. Where a range of values
has the same best F1, the middle of the range is taken.
"""

import itertools
from dataclasses import replace

import numpy as np

from tfseg.inference.change_points import merged_segments, step_borders
from tfseg.inference.events import CHANGE_POINTS, median_filtered, of_class
from tfseg.inference.histogram import N_PATTERNS, ScoreHistogram

COLUMNS = ["class", "what", "value", "validation_f1", "fixed_value", "fixed_f1", "n"]
# The search grid: lengths of the median filter, and quantiles of the scores as thresholds.
_MEDIAN_FRAMES = (1, 3, 5, 9, 15)
_QUANTILES = (0.3, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.93, 0.96, 0.98, 0.99)
# Of change points: factors on the length of a step, and shares from which neighbours are merged.
_STEP_FACTORS = (0.5, 1, 2)
_MERGE_SHARES = (0.33, 0.5, 0.9)
_SLACK_S = 1e-3  # widens the search for candidates, which are then compared exactly


def f1_above(total, positive, first):
    """F1 when the values from `first` on are positive, from counts of all and positive units."""
    hit, predicted = positive[first:].sum(), total[first:].sum()
    return float(2 * hit / max(predicted + positive.sum(), 1))


def best_threshold(values, total, positive):
    """Find the threshold with the best F1, exactly; a score is positive above it.

    Parameters
    ----------
    values : np.ndarray [shape=(n,), in [0, 1], of a float type]
        The distinct scores, in ascending order.
    total, positive : np.ndarray [shape=(n,), dtype=int64]
        Number of units with each score, and of the positive ones; at least one unit is positive.

    Returns
    -------
    threshold : float in [0, 1)
        The middle of the widest range of thresholds with the best F1, in the precision of the
        scores.
    f1 : float
    """
    # Thresholds from lower[j] to just below upper[j] make the scores from the j-th on positive.
    lower = np.concatenate([[0.0], values.astype(np.float64)])[:-1]
    upper = values.astype(np.float64)
    hits = np.cumsum(positive[::-1])[::-1]
    predicted = np.cumsum(total[::-1])[::-1]
    f1 = np.where(lower < upper, 2 * hits / (predicted + positive.sum()), -1.0)
    best = np.flatnonzero(f1 == f1.max())
    runs = np.split(best, np.flatnonzero(np.diff(best) > 1) + 1)
    widest = max(runs, key=lambda run: upper[run[-1]] - lower[run[0]])
    low, high = values.dtype.type(lower[widest[0]]), values.dtype.type(upper[widest[-1]])
    middle = values.dtype.type((float(low) + float(high)) / 2)
    if middle >= high:  # rounded up to where another F1 begins
        middle = np.nextafter(high, values.dtype.type(0))
    return float(middle), float(f1.max())


_PATTERN_VALUES = np.arange(N_PATTERNS, dtype=np.uint16).view(np.float16)


def _from_histogram(histogram, k, fixed):
    """Return the best threshold of a class, its F1, and the F1 of the fixed threshold."""
    occur = np.flatnonzero(histogram.total[k])
    values = _PATTERN_VALUES[occur]
    total, positive = histogram.total[k, occur], histogram.positive[k, occur]
    first = np.searchsorted(values, np.float16(fixed), side="right")
    return *best_threshold(values, total, positive), f1_above(total, positive, first)


def _from_scores(scores, positive, fixed):
    """Do the same as `_from_histogram`, from the scores themselves."""
    values, place = np.unique(scores, return_inverse=True)
    total = np.bincount(place, minlength=len(values))
    of_positive = np.bincount(place[positive], minlength=len(values))
    first = np.searchsorted(values, scores.dtype.type(fixed), side="right")
    return *best_threshold(values, total, of_positive), f1_above(total, of_positive, first)


class Matcher:
    """Count detected events of one class that match a reference, as sed_eval does (optimally).

    Parameters
    ----------
    reference : sequence of list of (onset_s, offset_s)
        Of each clip.
    collar_s, offset_fraction : float
        As in `tfseg.evaluation.event_based.count_events`.
    """

    def __init__(self, reference, *, collar_s, offset_fraction):
        rows = [(clip, *event) for clip, events in enumerate(reference) for event in events]
        clip, onset_s, offset_s = np.array(rows, dtype=np.float64).reshape(-1, 3).T
        self.n_reference = len(rows)
        self._collar_s = collar_s
        # Clips are concatenated on one time axis, with gaps wider than any collar.
        self._span_s = 2 * (offset_s.max(initial=0) + collar_s + _SLACK_S) + 1
        self._clip, self._onset_s, self._offset_s = clip, onset_s, offset_s
        self._room_s = np.maximum(collar_s, offset_fraction * (offset_s - onset_s))

    def count(self, clip, onset_s, offset_s):
        """Number of matched events.

        Parameters
        ----------
        clip : np.ndarray [shape=(n,), dtype=int64]
        onset_s, offset_s : np.ndarray [shape=(n,)]
            Of detected events, sorted by clip and then onset.
        """
        # Onsets beyond all references match none. Clipping keeps them within their clip's range.
        keys = clip * self._span_s + np.minimum(onset_s, self._span_s / 2)
        wanted = self._clip * self._span_s + self._onset_s
        reach_s = self._collar_s + _SLACK_S
        first = np.searchsorted(keys, wanted - reach_s, side="left")
        n_near = np.searchsorted(keys, wanted + reach_s, side="right") - first
        reference = np.repeat(np.arange(len(wanted)), n_near)
        event = np.arange(len(reference)) + np.repeat(first - np.cumsum(n_near) + n_near, n_near)
        fits = np.abs(self._onset_s[reference] - onset_s[event]) <= self._collar_s
        fits &= np.abs(self._offset_s[reference] - offset_s[event]) <= self._room_s[reference]
        reference, event = reference[fits], event[fits]
        alone = (np.bincount(reference)[reference] == 1) & (np.bincount(event)[event] == 1)
        if alone.all():
            return len(reference)
        return int(alone.sum()) + _match(reference[~alone], event[~alone])


def _match(references, events):
    """Size of the largest matching between references and events."""
    fitting, match = {}, {}
    for reference, event in zip(references.tolist(), events.tolist(), strict=True):
        fitting.setdefault(reference, []).append(event)

    def place(reference, tried):
        for event in fitting[reference]:
            if event not in tried:
                tried.add(event)
                if event not in match or place(match[event], tried):
                    match[event] = reference
                    return True
        return False

    return sum(place(reference, set()) for reference in fitting)


class _Clips:
    """Frame scores of one class in the clips whose tag is positive, concatenated.

    Parameters
    ----------
    frames : sequence of np.ndarray [shape=(n_frames,)]
    clips : np.ndarray [shape=(len(frames),), dtype=int64]
        Index of each clip among the references.
    median_frames : int
    """

    def __init__(self, frames, clips, median_frames):
        self.parts = [median_filtered(scores, median_frames) for scores in frames]
        lengths = np.array([len(part) + 1 for part in self.parts], dtype=np.int64)
        self.starts = np.cumsum(lengths) - lengths
        # A score below every threshold separates the clips.
        end = np.full(1, -1, dtype=np.float16)
        self.scores = np.concatenate([a for part in self.parts for a in (part, end)] or [end])
        self._place = np.repeat(np.arange(len(lengths)), lengths)
        self._clips = clips
        self._borders = {}

    def runs(self, low_threshold):
        """Find runs at or above a threshold: clip, first, stop and largest score of each."""
        above = (self.scores >= low_threshold).view(np.int8)
        edges = np.flatnonzero(np.diff(above, prepend=np.int8(0)))
        if len(edges) == 0:
            none = np.zeros(0, dtype=np.int64)
            return none, none, none, np.zeros(0, dtype=self.scores.dtype)
        peaks = np.maximum.reduceat(self.scores, edges)[::2]
        return self._of_clips(edges[::2], edges[1::2], peaks)

    def _of_clips(self, first, stop, peaks):
        place = self._place[first]
        start = self.starts[place]
        return self._clips[place], first - start, stop - start, peaks

    def segments(self, step_frames, merge_drop, merge_share):
        """Find segments between change points: clip, first, stop and confidence of each."""
        if step_frames not in self._borders:
            self._borders[step_frames] = [step_borders(part, step_frames) for part in self.parts]
        rows = [
            (clip, *segment)
            for clip, part, borders in zip(
                self._clips, self.parts, self._borders[step_frames], strict=True
            )
            for segment in merged_segments(part, borders, merge_drop, merge_share)
        ]
        clip, first, stop, confidence = np.array(rows, dtype=np.float64).reshape(-1, 4).T
        return *(column.astype(np.int64) for column in (clip, first, stop)), confidence


def _kept(clip, first, stop, peaks, settings):
    """Select the runs that are events, as `tfseg.inference.events.detect_runs` does."""
    kept = peaks > peaks.dtype.type(settings.high_threshold)
    clip, first, stop = clip[kept], first[kept], stop[kept]
    if settings.candidates != CHANGE_POINTS and len(first) > 1:
        apart = (first[1:] - stop[:-1] > settings.join_gap_frames) | (clip[1:] != clip[:-1])
        begins, ends = np.concatenate([[True], apart]), np.concatenate([apart, [True]])
        clip, first, stop = clip[begins], first[begins], stop[ends]
    kept = stop - first > settings.drop_frames
    return clip[kept], first[kept], stop[kept]


def _middle(places):
    """Index of the point nearest to all others: the middle of a plateau [shape=(n, axes)]."""
    distance = np.abs(places[:, None] - places[None]).sum(axis=(1, 2))
    return int(np.argmin(distance))


class EventSearch:
    """Event-based F1 of one class under many settings.

    Parameters
    ----------
    frames : sequence of np.ndarray [shape=(n_frames,)]
        Frame scores of the class in every clip with known event times.
    has_tag : np.ndarray [shape=(n_clips,), dtype=bool]
        Clips in which the class is searched for.
    matcher : Matcher
    grid : tfseg.features.time_grid.TimeGrid
    """

    def __init__(self, frames, has_tag, matcher, grid):
        self._clips = np.flatnonzero(has_tag)
        self._frames = [frames[clip] for clip in self._clips]
        self._matcher = matcher
        n_most = max((len(part) for part in self._frames), default=0)
        # Times are rounded as in the table of events.
        self._time_s = np.array([round(grid.time_at(i), 6) for i in range(n_most + 1)])

    def _f1(self, runs, settings):
        clip, first, stop = _kept(*(*runs, settings))
        hits = self._matcher.count(clip, self._time_s[first], self._time_s[stop])
        return 2 * hits / max(len(first) + self._matcher.n_reference, 1)

    def f1(self, settings):
        """F1 with the given settings of the class (`tfseg.inference.events.EventSettings`)."""
        clips = _Clips(self._frames, self._clips, settings.median_frames)
        if settings.candidates == CHANGE_POINTS:
            segments = clips.segments(
                settings.step_frames, settings.merge_drop, settings.merge_share
            )
            return self._f1(segments, settings)
        return self._f1(clips.runs(settings.low_threshold), settings)

    def best(self, fixed):
        """Search the grid for the settings with the best F1.

        Parameters
        ----------
        fixed : tfseg.inference.events.EventSettings
            Settings of the class. Those that are not searched are kept; the grid includes the
            values of the others.

        Returns
        -------
        settings : tfseg.inference.events.EventSettings
        f1 : float
        """
        find = self._change_points if fixed.candidates == CHANGE_POINTS else self._hysteresis
        places, tried, scores = [], [], []
        for place, settings, runs in find(fixed):
            places.append(place)
            tried.append(settings)
            scores.append(self._f1(runs, settings))
        best = np.flatnonzero(np.array(scores) == max(scores))
        chosen = best[_middle(np.array(places)[best])]
        return tried[chosen], scores[chosen]

    def _hysteresis(self, fixed):
        """Yield grid index, settings and runs for hysteresis."""
        base = _Clips(self._frames, self._clips, fixed.median_frames)
        levels = _levels(base.scores[base.scores >= 0], fixed.low_threshold, fixed.high_threshold)
        for i, n_frames in enumerate(sorted({*_MEDIAN_FRAMES, fixed.median_frames})):
            clips = _Clips(self._frames, self._clips, n_frames)
            for j, low in enumerate(levels):
                runs = clips.runs(low)
                for h, high in enumerate(levels[j:], start=j):
                    changes = {"low_threshold": low, "high_threshold": high}
                    yield (i, j, h), replace(fixed, median_frames=n_frames, **changes), runs

    def _change_points(self, fixed):
        """Yield grid index, settings and segments for change points."""
        clips = _Clips(self._frames, self._clips, fixed.median_frames)
        steps = sorted({max(1, round(factor * fixed.step_frames)) for factor in _STEP_FACTORS})
        shares = sorted({*_MERGE_SHARES, fixed.merge_share})
        found = {
            (i, j): clips.segments(steps[i], fixed.merge_drop, shares[j])
            for i, j in itertools.product(range(len(steps)), range(len(shares)))
        }
        confidences = np.concatenate([runs[3] for runs in found.values()])
        for h, high in enumerate(_levels(confidences, fixed.high_threshold)):
            for (i, j), runs in found.items():
                changes = {"step_frames": steps[i], "merge_share": shares[j]}
                yield (i, j, h), replace(fixed, high_threshold=high, **changes), runs


def _levels(scores, *fixed):
    """Thresholds to try: quantiles of the scores, and the fixed values."""
    found = np.quantile(scores.astype(np.float64), _QUANTILES) if len(scores) else []
    # Quantiles are rounded to four digits for readability.
    levels = {float(f"{value:.4g}") for value in found} | {float(value) for value in fixed}
    return sorted(level for level in levels if 0 <= level < 1)


def tune(scores, classes, fixed, grid, *, collar_s, offset_fraction):
    """Tune the thresholds of every class.

    Parameters
    ----------
    scores : tfseg.evaluation.scoring.FoldScores
        Of the validation clips.
    classes : sequence of str
    fixed : DetectionSettings
        The experiment's settings, kept for classes without positives in the validation clips.
    grid : tfseg.features.time_grid.TimeGrid
    collar_s, offset_fraction : float
        As in `tfseg.evaluation.event_based.count_events`.

    Returns
    -------
    settings : DetectionSettings
        With one value per class.
    rows : list of tuple
        Columns `COLUMNS`: setting and class, the chosen value with its F1 on the validation clips,
        and the fixed value with its F1; `n` counts the positive units. F1 is NaN where the fixed
        value was kept.
    """
    rows = []

    def note(k, what, value, f1, fixed_value, fixed_f1, n):
        rows.append((classes[k], what, value, f1, fixed_value, fixed_f1, int(n)))

    def choose(what, n_positive, choice):
        """Choose a threshold per class that has positives; `choice` takes class and fixed value."""
        chosen = []
        for k, n in enumerate(n_positive):
            value = of_class(getattr(fixed, what), k)
            found, f1, fixed_f1 = choice(k, value) if n else (value, np.nan, np.nan)
            found = found if f1 > 0 else value  # no threshold has a hit: keep the fixed value
            chosen.append(found)
            note(k, what, found, f1, value, fixed_f1, n)
        return tuple(chosen)

    tags = choose(
        "tag_threshold",
        scores.target.sum(axis=0),
        lambda k, value: _from_scores(scores.tags[:, k], scores.target[:, k], value),
    )
    settings = replace(fixed, tag_threshold=tags)
    known = [i for i, name in enumerate(scores.mixtures) if name in scores.reference]
    if known:
        chosen, gated = (
            _gated_frames(scores, known, each.tag_threshold if fixed.tag_gate else None)
            for each in (settings, fixed)
        )
        thresholds = choose(
            "frame_threshold",
            chosen.n_positive,
            lambda k, value: (
                *_from_histogram(chosen, k, value)[:2],
                _from_histogram(gated, k, value)[2],
            ),
        )
        settings = replace(settings, frame_threshold=thresholds)
    if scores.masks is not None:
        thresholds = choose(
            "mask_threshold",
            scores.masks.n_positive,
            lambda k, value: _from_histogram(scores.masks, k, value),
        )
        settings = replace(settings, mask_threshold=thresholds)
    if known:
        events = []
        for k, label in enumerate(classes):
            of_fixed = fixed.postprocessing.of_class(k)
            reference = [
                [(a, b) for name, a, b in scores.reference[scores.mixtures[i]] if name == label]
                for i in known
            ]
            matcher = Matcher(reference, collar_s=collar_s, offset_fraction=offset_fraction)
            frames = [scores.frames[i][:, k] for i in known]
            search, before = (
                EventSearch(
                    frames, _has_tag(scores, known, each.tag_threshold)[:, k], matcher, grid
                )
                for each in (settings, fixed)
            )
            found, f1, fixed_f1 = of_fixed, np.nan, np.nan
            if matcher.n_reference:
                (found, f1), fixed_f1 = search.best(of_fixed), before.f1(of_fixed)
                found = found if f1 > 0 else of_fixed
            events.append(found)
            for what in searched(of_fixed):
                values = getattr(found, what), f1, getattr(of_fixed, what), fixed_f1
                note(k, what, *values, matcher.n_reference)
        by_class = {
            what: tuple(getattr(of, what) for of in events)
            for what in searched(fixed.postprocessing)
        }
        settings = replace(settings, postprocessing=replace(fixed.postprocessing, **by_class))
    order = {what: i for i, what in enumerate(dict.fromkeys(row[1] for row in rows))}
    place = {label: k for k, label in enumerate(classes)}
    return settings, sorted(rows, key=lambda row: (place[row[0]], order[row[1]]))


def searched(settings):
    """Return the names of the event settings that are searched."""
    if settings.candidates == CHANGE_POINTS:
        return ["high_threshold", "step_frames", "merge_share"]
    return ["high_threshold", "low_threshold", "median_frames"]


def _has_tag(scores, known, tag_threshold):
    return scores.tags[known] > np.asarray(tag_threshold, dtype=scores.tags.dtype)


def _gated_frames(scores, known, tag_threshold):
    """Count frame scores, set to zero where the tag is not above its threshold; None: no gate."""
    frames = np.concatenate([scores.frames[i] for i in known])
    strong = np.concatenate([scores.strong[i] for i in known])
    kept = None
    if tag_threshold is not None:
        has_tag = _has_tag(scores, known, tag_threshold)
        kept = np.repeat(has_tag, [len(scores.frames[i]) for i in known], axis=0)
    return ScoreHistogram.of(frames, strong, kept)
