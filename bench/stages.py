"""Stages other than the network: corpus to features, event and separation scores, start, disk."""

import contextlib
import subprocess
import sys
import time

import mir_eval
import numpy as np
import sed_eval
import straightforward
from corpus import plan_one_fold
from harness import ROOT, Row, alternate, median_s, read_config

from tfseg.datasets import corpus_tables, embedded
from tfseg.datasets.instruments import INSTRUMENTS
from tfseg.evaluation.bss_eval import score_separation
from tfseg.evaluation.event_based import count_events_by_fold, event_scores
from tfseg.features import logmel
from tfseg.io.files import writing_hdf5
from tfseg.mixing import remixing

N_MIXTURES = 24
PAPER_MIXTURES, PAPER_RUNS = 8000, 84


class SmallCorpus:
    """The embedded corpus at the paper's sizes, and the plan of one fold."""

    def __init__(self, folder, config):
        self.config = config | {"split": {"kind": "folds", "folds": 2, "by": "source"}}
        self.classes = list(INSTRUMENTS)[:8]
        mixture = config["mixing"]
        recordings = embedded.render_corpus(
            folder / "audio",
            classes=self.classes,
            part="development",
            groups_per_class=4,
            takes_per_group=1,
            places_per_scene=2,
            takes_per_place=2,
            scene_duration_s=mixture["duration_s"],
            seed=0,
        )
        self.events, plan, _ = plan_one_fold(recordings, self.config, N_MIXTURES)
        self.mixtures, self.mixture_events = plan
        self.settings = logmel.FeatureSettings(**config["features"])
        self.snr_db = mixture["snr_db"]
        self.stems_path = folder / "stems.h5"
        self.feature_paths = [folder / f"features{snr}.h5" for snr in self.snr_db]

    def render(self):
        """Render stems as in the rule render_stems."""
        keys = ("resampler", "max_event_s", "snr_db", "snr_on")
        with writing_hdf5(self.stems_path) as file:
            remixing.render_stems(
                file,
                self.mixtures,
                self.mixture_events,
                self.events,
                classes=self.classes,
                sample_rate=self.settings.sample_rate,
                **{key: self.config["mixing"][key] for key in keys},
            )

    def extract(self):
        """Extract features of all SNRs as in the rule extract_features."""
        with contextlib.ExitStack() as stack:
            logmel.extract_features(
                [stack.enter_context(writing_hdf5(path)) for path in self.feature_paths],
                remixing.StemReader(self.stems_path),
                self.settings,
                corpus_tables.mixture_labels(self.mixture_events),
                classes=self.classes,
                snr_db=self.snr_db,
            )

    def plainly(self):
        """Do the same in the straightforward way, SNR by SNR."""
        ends = {(row.path, row.start_s): row.stop_s for row in self.events.itertuples()}
        for snr in self.snr_db:
            for mixture in self.mixtures.itertuples():
                mine = self.mixture_events["mixture"] == mixture.mixture
                straightforward.mixture_features(
                    mixture.scene,
                    [
                        (r.event, r.event_start_s, ends[r.event, r.event_start_s], r.onset_s)
                        for r in self.mixture_events[mine].itertuples()
                    ],
                    snr,
                    self.config,
                )


def corpus_rows(folder):
    """Yield CPU seconds and bytes per mixture for stems and the features of all SNRs."""
    corpus = SmallCorpus(folder, read_config())

    def both():
        corpus.render()
        corpus.extract()

    both(), corpus.plainly()  # imports and file caches
    cpu = time.process_time
    ours_s, plain_s = alternate(both, corpus.plainly, 3, cpu)
    yield Row(
        "stems and features of three SNRs, per mixture",
        ours_s / N_MIXTURES,
        plain_s / N_MIXTURES,
        unit="CPU s",
    )
    render_s = median_s(corpus.render, 3, cpu)
    yield Row("of these, stems", render_s / N_MIXTURES, unit="CPU s")
    paths = [corpus.stems_path, *corpus.feature_paths]
    n_bytes = sum(path.stat().st_size for path in paths) / N_MIXTURES
    yield Row(
        f"stems and features on disk, {PAPER_MIXTURES} mixtures x 3 SNRs",
        n_bytes * PAPER_MIXTURES / 1e9,
        _plain_bytes(corpus) * PAPER_MIXTURES / 1e9,
        unit="GB",
    )


def _plain_bytes(corpus):
    """Return the bytes that the released code stores per mixture.

    For each SNR these are a stereo wav, the magnitude spectra of mixture, event and scene, and
    log-mel features, all in float32.
    """
    grid = corpus.settings.grid
    n_samples = int(corpus.config["mixing"]["duration_s"] * grid.sample_rate)
    n_frames, n_bins = grid.n_frames(n_samples), grid.window_length // 2 + 1
    per_snr = 2 * 2 * n_samples + 3 * 4 * n_frames * n_bins + 4 * n_frames * corpus.settings.n_mels
    return len(corpus.snr_db) * per_snr


def scores_on_disk_row(n_frames, n_classes):
    """Frame scores and tags of the full grid, as float16 and float32."""
    per_fold = PAPER_MIXTURES // 4 * n_classes * (2 * n_frames + 4)
    name = f"scores of {PAPER_RUNS} trainings on disk, before compression"
    return Row(name, PAPER_RUNS * per_fold / 1e9, unit="GB")


def separation_rows():
    """Yield rows of BSS Eval of six estimates of one class, compared with mir_eval for each."""
    rng = np.random.default_rng(0)
    reference, rest = rng.standard_normal((2, 320000))
    estimates = {f"s{i}": reference + 0.1 * (i + 1) * rest for i in range(6)}

    def ours():
        return score_separation(reference, rest, estimates)

    def plain():
        return {
            name: mir_eval.separation.bss_eval_sources(
                np.stack([reference, rest]),
                np.stack([estimate, reference + rest - estimate]),
                compute_permutation=False,
            )[0][0]
            for name, estimate in estimates.items()
        }

    expected = plain()
    if not all(np.isclose(v["sdr"], expected[k], atol=1e-4) for k, v in ours().items()):
        raise SystemExit("bench: the two ways of BSS Eval disagree")
    name = "separation scores of six estimates, 10 s at 32 kHz, one process"
    yield Row(name, *alternate(ours, plain, 1))


def event_rows(n_clips=250, n_classes=41):
    """Yield rows of event scores, compared with sed_eval with all classes for every clip."""
    rng = np.random.default_rng(0)
    classes = [f"c{k}" for k in range(n_classes)]

    def events(n):
        onsets = rng.uniform(0, 9, n)
        return [(classes[rng.integers(n_classes)], t, t + rng.uniform(0.3, 1)) for t in onsets]

    reference = {f"m{i}": events(3) for i in range(n_clips)}
    estimated = {
        name: [(label, t + 0.05, s) for label, t, s in truth] + events(3)
        for name, truth in reference.items()
    }
    settings = {"collar_s": 0.2, "offset_fraction": 0.5}

    def ours():
        counts = count_events_by_fold({1: (reference, estimated)}, classes=classes, **settings)
        return event_scores(counts[1])[1]["f1"]

    def plain():
        metrics = sed_eval.sound_event.EventBasedMetrics(
            classes, t_collar=0.2, percentage_of_length=0.5
        )
        for name, truth in reference.items():
            both = [
                [{"event_label": k, "onset": t, "offset": s, "filename": name} for k, t, s in part]
                for part in (truth, estimated[name])
            ]
            metrics.evaluate(*both)
        return metrics.results_overall_metrics()["f_measure"]["f_measure"]

    if not np.isclose(ours(), plain()):
        raise SystemExit("bench: the two ways of event scores disagree")
    yield Row(
        f"event scores, {n_clips} clips x {n_classes} classes, one process",
        *alternate(ours, plain, 2),
    )


def start_rows():
    """Yield the start time of the most frequent jobs, compared with importing all libraries."""

    def fresh(statement):
        path = str(ROOT / "workflow_scripts")
        code = f"import sys; sys.path.insert(0, {path!r}); {statement}"
        return lambda: subprocess.run([sys.executable, "-c", code], check=True)

    everything = "import torch, h5py, librosa, sklearn.metrics, sed_eval, matplotlib.pyplot, pandas"
    for script in ("train_model", "infer_scores"):
        pair = alternate(fresh(f"import {script}"), fresh(everything), 3)
        yield Row(f"start of {script}, beside loading all libraries", *pair)
