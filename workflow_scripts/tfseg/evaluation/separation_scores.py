"""Separation of a sample of mixtures with every system's masks, and its scores.

The papers' reference rows are scored too: the unprocessed mixture (``no_separation``), and the
ideal binary and ratio masks (``ibm``, ``irm``). All classes of a mixture are scored, whether their
tag is positive or not (oracle tags, as published). The tags are stored beside the scores, so that
scores with predicted tags follow from the same rows.
"""

import concurrent.futures
import multiprocessing

import numpy as np
import pandas as pd
import torch

from tfseg.evaluation.bss_eval import score_separation
from tfseg.evaluation.separation_rows import MEASURES
from tfseg.features.logmel import MixtureSpectra, Spectrograms
from tfseg.job.seeding import generator
from tfseg.separation.competition import refined
from tfseg.separation.example_sounds import writing_sounds
from tfseg.separation.masking import Separator

REFERENCE_SYSTEMS = ("no_separation", "ibm", "irm")
SPANS = ("whole", "active")
COLUMNS = ["mixture", "class", "system", "span", *MEASURES, "sounding", "predicted"]


def labels_of_mixtures(readers, labels):
    """List the classes in each mixture of the stems; events or scenes alone are left out.

    Parameters
    ----------
    readers : iterable of tfseg.mixing.remixing.StemReader
    labels : dict of str to list of (label, onset_s, offset_s)

    Returns
    -------
    labels_of : dict of str to set of str
    """
    return {
        name: {label for label, _, _ in labels.get(name, [])}
        for reader in readers
        for name, kind in zip(reader.mixtures, reader.kinds, strict=True)
        if kind == "mixture"
    }


def draw_mixtures(labels_of, n_mixtures, seed, *seed_names):
    """Draw a sample of a fold's mixtures in which all classes are about equally frequent.

    Each step draws the next mixture, in shuffled order, of the class that is rarest so far. A plain
    random sample of few mixtures would miss classes.

    Parameters
    ----------
    labels_of : dict of str to set of str
        The classes in each mixture; mixtures without any class are not drawn.
    n_mixtures : int or None
        None takes all.
    seed : int
    *seed_names : str or int

    Returns
    -------
    drawn : list of str
        In the order of `labels_of`.
    """
    candidates = [name for name, labels in labels_of.items() if labels]
    if n_mixtures is None or n_mixtures >= len(candidates):
        return candidates
    order = generator(seed, "separation", *seed_names).permutation(len(candidates))
    left = [candidates[index] for index in order]
    counts = dict.fromkeys(sorted(set().union(*labels_of.values())), 0)
    drawn = set()
    while len(drawn) < n_mixtures:
        waiting = {label for name in left for label in labels_of[name]}
        rarest = min((label for label in counts if label in waiting), key=counts.__getitem__)
        name = next(name for name in left if rarest in labels_of[name])
        left.remove(name)
        drawn.add(name)
        for label in labels_of[name]:
            counts[label] += 1
    return [name for name in candidates if name in drawn]


class Separation:
    """One mixture at one SNR: reference and separated waveforms of its classes.

    Attributes
    ----------
    mixture : str
    waveform : np.ndarray [shape=(n_samples,)]
    references : dict of str to np.ndarray [shape=(n_samples,)]
        The track of each class in the mixture.
    spans : dict of str to (first, stop)
        Samples from the first onset to the last offset of each of these classes.
    estimates : dict of str to dict of str to np.ndarray
        By class, then by system.
    predicted : dict of str to set of str
        By system: the classes whose tag is above the threshold.
    """

    def __init__(
        self,
        stems,
        networks,
        spectrograms,
        separator,
        labels,
        classes,
        *,
        snr_db,
        tag_threshold,
        **refining,
    ):
        self.mixture = stems.mixture
        self.waveform = stems.mixture_at(snr_db).astype(np.float64)
        spectra = MixtureSpectra(spectrograms, stems)
        strong = spectrograms.grid.strong_labels(labels, classes, spectra.n_frames)
        gain = stems.mix_gain[snr_db] * 10 ** (snr_db / 20)
        spectrum = separator.spectrum(self.waveform)
        masks, self.predicted = self._masks_and_tags(
            networks, spectrograms.logmel(spectra.mixture(snr_db)), classes, tag_threshold, refining
        )
        self.references, self.spans, self.estimates = {}, {}, {}
        for k in spectra.classes:
            label = classes[k]
            self.references[label] = gain * stems.event_track(k).astype(np.float64)
            segments = [(onset, onset + len(x)) for j, onset, x in stems.events if j == k]
            self.spans[label] = min(s[0] for s in segments), max(s[1] for s in segments)
            of_class = {
                "ibm": spectra.ideal_binary_mask(k, snr_db, strong[:, k]).astype(np.float32),
                "irm": spectra.ideal_ratio_mask(k, snr_db) * strong[:, k, None],
                **{system: by_class[k] for system, by_class in masks.items()},
            }
            self.estimates[label] = {"no_separation": self.waveform} | {
                system: separator.separate(spectrum, separator.to_bins(mask), len(self.waveform))
                for system, mask in of_class.items()
            }

    @staticmethod
    def _masks_and_tags(networks, logmel, classes, tag_threshold, refining):
        # Stored features are float16: use the same precision as in training.
        inputs = torch.from_numpy(logmel.astype(np.float16).astype(np.float32))[None]
        masks, predicted = {}, {}
        with torch.inference_mode():
            for system, network in networks.items():
                tags, maps = network(inputs)
                found = np.flatnonzero(tags[0].numpy() > tag_threshold)
                masks[system] = refined(maps[0].numpy(), found, **refining)
                predicted[system] = {classes[k] for k in found}
        return masks, predicted


def score_class(reference, waveform, estimates, span, filter_length):
    """Score one class in one mixture, over the whole clip and over the class's active span.

    Returns
    -------
    scores : dict of str to dict of str to dict
        By span (``whole``, ``active``), then by system: sdr, sir, sar, si_sdr, snr in dB.
    """
    rest = waveform - reference
    spans = {"whole": None, "active": span}
    return {
        name: score_separation(reference, rest, estimates, counted, filter_length)
        for name, counted in spans.items()
    }


def score_rows(separation, scores, systems):
    """Build the rows of one mixture: scores of its classes, and the predicted tags.

    Parameters
    ----------
    separation : Separation
    scores : dict of str to dict
        By class, as `score_class` returns.
    systems : sequence of str
        Systems with masks.
    """
    rows = []
    for label, by_span in scores.items():
        for span, by_system in by_span.items():
            for system, values in by_system.items():
                predicted = system in REFERENCE_SYSTEMS or label in separation.predicted[system]
                rows.append(
                    (
                        separation.mixture,
                        label,
                        system,
                        span,
                        *(values[measure] for measure in MEASURES),
                        1,
                        int(predicted),
                    )
                )
    nothing = (np.nan,) * len(MEASURES)
    for system in systems:
        for label in sorted(separation.predicted[system] - set(scores)):
            rows += [(separation.mixture, label, system, span, *nothing, 0, 1) for span in SPANS]
    return rows


def _pool(processes):
    """Workers for scores; a single one is a thread, since a new process has to load torch."""
    if processes == 1:
        return concurrent.futures.ThreadPoolExecutor(1)
    context = multiprocessing.get_context("spawn")
    return concurrent.futures.ProcessPoolExecutor(processes, mp_context=context)


def score_sample(separations, systems, *, filter_length, processes=1):
    """Score separated mixtures; classes are distributed over processes.

    Parameters
    ----------
    separations : iterable of Separation
    systems : sequence of str
        Systems with masks.
    filter_length : int
        Taps of BSS Eval's distortion filter.
    processes : int

    Returns
    -------
    rows : pd.DataFrame
        `COLUMNS`; one row for each mixture, class in it, system and span. A falsely predicted class
        has one row without scores.
    """
    rows = []
    with _pool(processes) as pool:
        waiting = []
        for separation in separations:
            futures = {
                label: pool.submit(
                    score_class,
                    reference,
                    separation.waveform,
                    separation.estimates[label],
                    separation.spans[label],
                    filter_length,
                )
                for label, reference in separation.references.items()
            }
            separation.estimates = {}  # frees memory: the processes have their own copies
            waiting.append((separation, futures))
        for separation, futures in waiting:
            scores = {label: future.result() for label, future in futures.items()}
            rows += score_rows(separation, scores, systems)
    return pd.DataFrame(rows, columns=COLUMNS)


def separate_sample(
    stem_readers,
    drawn,
    networks,
    settings,
    labels,
    classes,
    *,
    snr_db,
    tag_threshold,
    competition=0.0,
    floor=0.0,
):
    """Separate the drawn mixtures one by one.

    Parameters
    ----------
    stem_readers : sequence of tfseg.mixing.remixing.StemReader
        Readers of all shards of a fold.
    drawn : sequence of str
    networks : dict of str to MaskNetwork
        Systems with masks, in evaluation mode, on the CPU.
    settings : tfseg.features.logmel.FeatureSettings
    labels : dict
        Mixture to list of (label, onset_s, offset_s).
    classes : sequence of str
    snr_db, tag_threshold : float
    competition, floor : float
        As `tfseg.separation.competition.refined` takes them.

    Yields
    ------
    separation : Separation
    """
    wanted = set(drawn)
    spectrograms, separator = Spectrograms(settings), Separator(settings)
    for reader in stem_readers:
        for stems in reader.read(wanted):
            yield Separation(
                stems,
                networks,
                spectrograms,
                separator,
                labels.get(stems.mixture, []),
                classes,
                snr_db=snr_db,
                tag_threshold=tag_threshold,
                competition=competition,
                floor=floor,
            )


def separate_fold(
    stem_readers,
    networks,
    settings,
    labels,
    classes,
    *,
    snr_db,
    tag_threshold,
    sample,
    seed,
    fold,
    examples,
    processes,
    progress,
):
    """Separate and score a sample of a fold's mixtures, and write the sounds of the first ones.

    Parameters
    ----------
    stem_readers, networks, settings, labels, classes, snr_db, tag_threshold
        As `separate_sample` takes them.
    sample : dict
        ``mixtures_per_fold``, ``examples_per_fold``, ``filter_length``, ``competition`` and
        ``floor`` of the config's section ``separation``.
    seed, fold : int
        Draw the sample.
    examples : path-like
        Folder for the sounds.
    processes : int
    progress : callable
        ``progress(separations, total=)`` wraps the iterable.

    Returns
    -------
    rows : pd.DataFrame
        As `score_sample` returns.
    """
    labels_of = labels_of_mixtures(stem_readers, labels)
    drawn = draw_mixtures(labels_of, sample["mixtures_per_fold"], seed, fold)
    separations = separate_sample(
        stem_readers,
        drawn,
        networks,
        settings,
        labels,
        classes,
        snr_db=snr_db,
        tag_threshold=tag_threshold,
        competition=sample["competition"],
        floor=sample["floor"],
    )
    heard = drawn[: sample["examples_per_fold"]]
    separations = writing_sounds(separations, heard, examples, settings.sample_rate)
    return score_sample(
        progress(separations, total=len(drawn)),
        list(networks),
        filter_length=sample["filter_length"],
        processes=processes,
    )
