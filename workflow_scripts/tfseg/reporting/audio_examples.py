"""The audio examples: clips chosen by a rule, with their scores, masks and sounds.

Imports that only the computation needs (networks, spectra, audio) are local: the page needs none.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from tfseg.io.files import (
    create_dataset,
    create_description,
    read_description,
    reading_hdf5,
    writing_hdf5,
)
from tfseg.reporting.examples import (
    Example,
    example_of,
    make_clip_example,
    store_example,
    stored_example,
)

_MOST_OTHERS = 2  # number of falsely detected classes that are shown


@dataclass(frozen=True)
class AudioExample:
    """An example clip with all that the page shows.

    Attributes
    ----------
    reason : {"best", "median", "worst"}
    score : float
        The F1 that it was chosen by (`choose_clips`).
    by_times : bool
        Whether this is the F1 of frames; else of tags.
    example : tfseg.reporting.examples.Example
    shown : list of str
        Present or detected classes, in class order.
    true_events : list of (label, onset_s, offset_s) or None
        None where the events' times are not known.
    detected : dict of str to list of (label, onset_s, offset_s)
        By system.
    references : dict of str to np.ndarray [shape=(n_samples,)]
        The reference track of each class; empty for a clip that was not mixed here.
    separated : dict of str to dict of str to np.ndarray [shape=(n_samples,)]
        By system that has masks, then by class.
    """

    reason: str
    score: float
    by_times: bool
    example: Example
    shown: list
    true_events: list | None
    detected: dict
    references: dict
    separated: dict


def _f1(predicted, true):
    return 2 * np.sum(predicted & true) / (np.sum(predicted) + np.sum(true))


def clip_scores(fold, settings):
    """Compute the F1 of every clip with known classes, over all its classes and frames.

    Parameters
    ----------
    fold : tfseg.evaluation.scoring.FoldScores
    settings : tfseg.evaluation.records.MetricSettings

    Returns
    -------
    scores : dict of str to float
        F1 of frames if the fold has clips with known event times (for these clips), else of tags.
    """
    found = fold.tags > settings.tag_threshold
    scores = {}
    for index, name in enumerate(fold.mixtures):
        if not fold.target[index].any():
            continue
        if not fold.reference:
            scores[name] = _f1(found[index], fold.target[index])
        elif fold.reference.get(name):
            frames = fold.frames[index] > settings.frame_threshold
            scores[name] = _f1(
                frames & found[index] if settings.tag_gate else frames, fold.strong[index]
            )
    return scores


def choose_clips(by_system):
    """Choose the best, the median and the worst clip by F1, averaged over systems; ties by name.

    Parameters
    ----------
    by_system : list of dict of str to float
        From `clip_scores`, for the same clips.

    Returns
    -------
    chosen : dict of str to (clip, score)
        By ``best``, ``median``, ``worst``. Two clips have no median, a single clip is only the
        best, and without any class there is none.
    """
    means = {name: float(np.mean([one[name] for one in by_system])) for name in by_system[0]}
    ranked = sorted(means, key=lambda name: (-means[name], name))
    places = {"best": 0, "median": len(ranked) // 2, "worst": len(ranked) - 1}
    if len(ranked) < len(places):
        places = dict(zip(("best", "worst"), range(len(ranked)), strict=False))
    return {reason: (ranked[n], means[ranked[n]]) for reason, n in places.items()}


def choose_scored(scored, labels, grid, settings):
    """Choose clips by what came of a held-out fold.

    Parameters
    ----------
    scored : dict of str to dict
        Paths ``scores`` and ``counts`` of each system.
    labels : dict
        Clip to list of (label, onset_s, offset_s), for every clip whose events' times are known.
    grid : tfseg.features.time_grid.TimeGrid
    settings : tfseg.evaluation.records.MetricSettings

    Returns
    -------
    chosen : dict
        As `choose_clips` returns.
    by_times : bool
        Whether they were chosen by the F1 of frames; else of tags.
    """
    from tfseg.evaluation.scoring import read_fold_scores

    folds = [
        read_fold_scores(files["scores"], files["counts"], {}, labels, grid)[0]
        for files in scored.values()
    ]
    return choose_clips([clip_scores(fold, settings) for fold in folds]), bool(folds[0].reference)


def _shown(example, tag_threshold):
    """Select the classes in the clip, and the falsely detected ones with the highest tags."""
    tags = np.max(list(example.tags.values()), axis=0)
    found = np.flatnonzero((tags > tag_threshold) & ~example.target)
    others = found[np.argsort(-tags[found], kind="stable")][:_MOST_OTHERS]
    return [
        label
        for k, label in enumerate(example.classes)
        if example.target[k] or k in set(others.tolist())
    ]


def _separated(example, shown, settings):
    """Separate every shown class with every system's mask."""
    from tfseg.separation.masking import Separator

    separator = Separator(settings)
    waveform = example.waveform.astype(np.float64)
    spectrum = separator.spectrum(waveform)
    return {
        system: {
            label: separator.separate(
                spectrum, separator.to_bins(masks[example.classes.index(label)]), len(waveform)
            ).astype(np.float32)
            for label in shown
        }
        for system, masks in example.masks.items()
    }


def _references(stems, classes, snr_db):
    """Waveform of every class in the mixture, at its level there."""
    gain = np.float32(stems.mix_gain[snr_db] * 10 ** (snr_db / 20))
    return {
        classes[k]: gain * stems.event_track(k) for k in sorted({k for k, _, _ in stems.events})
    }


def make_audio_examples(
    chosen, networks, settings, labels, detected, *, classes, tag_threshold, by_times, source
):
    """Run every system on the chosen clips, and separate them.

    Parameters
    ----------
    chosen : dict
        As `choose_clips` returns.
    networks : dict of str to MaskNetwork
        In evaluation mode, on the CPU.
    settings : tfseg.features.logmel.FeatureSettings
    labels : dict
        Clip to list of (label, onset_s, offset_s); missing clips have unknown event times.
    detected : dict of str to dict
        By system, as `tfseg.inference.events.read_events` returns.
    classes : sequence of str
    tag_threshold : float
    by_times : bool
        Whether `chosen` was chosen by the F1 of frames.
    source : Mixtures or Clips

    Returns
    -------
    audio_examples : list of AudioExample
    """
    examples = source.examples(
        {clip for clip, _ in chosen.values()}, networks, settings, labels, classes
    )
    made = []
    for reason, (clip, score) in chosen.items():
        example, references = examples[clip]
        shown = _shown(example, tag_threshold)
        made.append(
            AudioExample(
                reason=reason,
                score=score,
                by_times=by_times,
                example=example,
                shown=shown,
                true_events=labels.get(clip),
                detected={system: events.get(clip, []) for system, events in detected.items()},
                references=references,
                separated=_separated(example, shown, settings),
            )
        )
    return made


@dataclass(frozen=True)
class Mixtures:
    """Source of mixed clips.

    Parameters
    ----------
    stem_readers : list of tfseg.mixing.remixing.StemReader
    snr_db : float
    """

    stem_readers: list
    snr_db: float

    def examples(self, wanted, networks, settings, labels, classes):
        """Map each wanted clip to (`Example`, references)."""
        return {
            stems.mixture: (
                example_of(stems, networks, settings, labels, classes=classes, snr_db=self.snr_db),
                _references(stems, classes, self.snr_db),
            )
            for reader in self.stem_readers
            for stems in reader.read(wanted)
        }


@dataclass(frozen=True)
class Clips:
    """Source of ready clips; only their first 30 s are shown.

    Parameters
    ----------
    table : pd.DataFrame
        As ``tfseg/datasets/schemas/clips.schema.yaml`` says.
    resampler : str
    """

    table: Any  # not typed: importing pandas would slow down every job
    resampler: str

    def examples(self, wanted, networks, settings, labels, classes):
        """Map each wanted clip to (`Example`, references); the references are empty."""
        return {
            clip["clip"]: (
                make_clip_example(
                    clip, networks, settings, labels, classes=classes, resampler=self.resampler
                ),
                {},
            )
            for _, clip in self.table[self.table["clip"].isin(wanted)].iterrows()
        }


def source_of(stems, clips, *, snr_db, resampler):
    """Open what clips are made of.

    Parameters
    ----------
    stems : sequence of path-like
        Of mixed clips; none where clips are used as recorded.
    clips : sequence of path-like
        The table of these.
    snr_db : float or None
        Of mixed clips.
    resampler : str
        For the others.

    Returns
    -------
    source : Mixtures or Clips
    """
    if stems:
        from tfseg.mixing.remixing import StemReader

        return Mixtures([StemReader(path) for path in stems], snr_db)
    from tfseg.datasets.corpus_tables import read_table

    (path,) = clips
    return Clips(read_table(path, "clips"), resampler)


def write_audio_examples(path, audio_examples):
    """Write the clips as HDF5, whole or not at all."""
    with writing_hdf5(path) as file:
        for index, one in enumerate(audio_examples):
            group = file.create_group(str(index))
            store_example(group, one.example)
            # By number: HDF5 could take a label for a path.
            for k, label in enumerate(one.shown):
                if label in one.references:
                    create_dataset(group, f"references/{k}", data=one.references[label])
                for system, by_label in one.separated.items():
                    create_dataset(group, f"separated/{system}/{k}", data=by_label[label])
            create_description(
                group,
                {
                    "reason": one.reason,
                    "score": one.score,
                    "by_times": one.by_times,
                    "shown": one.shown,
                    "true_events": one.true_events,
                    "detected": one.detected,
                },
            )


def read_audio_examples(path):
    """Read what `write_audio_examples` wrote."""
    with reading_hdf5(path) as file:
        audio_examples = []
        for index in range(len(file)):
            group = file[str(index)]
            described, example = read_description(group), stored_example(group)
            shown, known = dict(enumerate(described["shown"])), group.get("references", {})
            # HDF5 and JSON sort names; the example has the order of the config.
            described["detected"] = {s: described["detected"][s] for s in example.tags}
            audio_examples.append(
                AudioExample(
                    **described,
                    example=example,
                    references={
                        label: known[str(k)][:] for k, label in shown.items() if str(k) in known
                    },
                    separated={
                        system: {
                            label: group[f"separated/{system}/{k}"][:] for k, label in shown.items()
                        }
                        for system in example.masks
                    },
                )
            )
        return audio_examples
