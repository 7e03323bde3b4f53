"""The stretches of recordings, as the models see them."""

import contextlib
import tempfile
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from tfseg.apply.analysis import score_and_find
from tfseg.apply.inspection import look
from tfseg.apply.scores import Scores
from tfseg.apply.settings import ApplySettings
from tfseg.errors import DataError
from tfseg.job.progress import bar
from tfseg.review.ranking import Candidates


def check_models(models):
    """Check that models answer the same questions about the same frames.

    Parameters
    ----------
    models : sequence of tfseg.inference.model_folder.ModelFolder

    Raises
    ------
    DataError
        When classes or features differ; it names the models.
    """
    first = models[0]
    for model in models[1:]:
        for what, own, others in (
            ("classes", model.classes, first.classes),
            ("features", model.settings, first.settings),
            ("resampler", model.resampler, first.resampler),
        ):
            if own != others:
                raise DataError(
                    f"{model.folder}: expected the {what} of {first.folder} ({others}), found "
                    f"{own}. Name models of one experiment and one SNR"
                )
    for label in first.classes:
        if set(label) & set(";,"):
            raise DataError(
                f"{first.folder}: found the class {label!r}, expected names without ; and ,: "
                "clips.csv has them between tags"
            )


@dataclass(frozen=True)
class Scored:
    """A recording as a model sees it, in stretches.

    Attributes
    ----------
    scores : tfseg.apply.scores.Scores
    tags : np.ndarray [shape=(n_stretches, n_classes), dtype=float32]
    starts : np.ndarray [shape=(n_stretches,), dtype=int64]
        First frame of each.
    events : list of tfseg.apply.detected_events.FoundEvent
    duration_s : float
        Of the recording.
    """

    scores: Scores
    tags: np.ndarray
    starts: np.ndarray
    events: list
    duration_s: float


@contextlib.contextmanager
def scored(path, model, stretch_s, *, describe):
    """Score a recording in stretches; the scratch files are gone when the block ends.

    Parameters
    ----------
    path : path-like
    model : tfseg.inference.model_folder.ModelFolder
    stretch_s : float
    describe : str
        Of the progress bar.

    Yields
    ------
    seen : Scored
    """
    settings = ApplySettings(window_s=stretch_s, sounds=False, page=False)
    measured, _ = look(path, model.settings.grid)
    with tempfile.TemporaryDirectory(prefix="tfseg-") as folder:
        scores = Scores(model, settings, Path(folder))
        with contextlib.closing(scores), h5py.File(Path(folder) / "scores.h5", "w") as file:
            events = score_and_find(
                path,
                file,
                model,
                scores,
                measured=measured,
                progress=lambda total: bar(describe, total=total),
            )
            yield Scored(
                scores, file["tags"][:], file["window_start"][:], events, measured.duration_s
            )


def _distance(means, network):
    """Distance of mean log-mel spectra from the training clips' [shape=(n,)].

    Root mean square over the bands of the difference from a band's mean, in its standard deviations:
    both are of all frames that the model was trained on, and stand in it.
    """
    mean, std = network.band_mean.cpu().numpy(), network.band_std.cpu().numpy()
    return np.sqrt(np.mean(((means - mean) / std) ** 2, axis=1))


def _spectra(scores, starts):
    """Mean log-mel spectrum of each stretch, and whether there is anything but digital silence."""
    n_window = min(scores.n_window, scores.n_frames)
    stretches = [scores.logmel(start, start + n_window) for start in starts]
    silence = scores.spectrograms.log(np.zeros(1, dtype=np.float32)).astype(np.float16)
    sounds = np.array([logmel.max() > silence[0] for logmel in stretches])
    return np.array([logmel.mean(axis=0) for logmel in stretches]), sounds


def find_candidates(number, path, models, stretch_s):
    """Score the stretches of one recording by all models.

    Parameters
    ----------
    number : int
        Of the recording.
    path : path-like
    models : sequence of tfseg.inference.model_folder.ModelFolder
    stretch_s : float

    Returns
    -------
    candidates : tfseg.review.ranking.Candidates
        Without stretches of digital silence, of which there is nothing to say.

    Raises
    ------
    DataError
        When the recording cannot be used; it says why.
    """
    tags, distances = [], []
    for model in models:
        with scored(path, model, stretch_s, describe=f"{path}: {model.folder.name}") as seen:
            tags.append(seen.tags)
            if not distances:  # the features are the same for all models
                means, sounds = _spectra(seen.scores, seen.starts)
            distances.append(_distance(means, model.network))
    start_s = np.array([models[0].settings.grid.time_at(start) for start in seen.starts])
    return Candidates(
        np.full(sounds.sum(), number),
        start_s[sounds],
        np.minimum(start_s + stretch_s, seen.duration_s)[sounds],
        np.array(tags)[:, sounds],
        np.mean(distances, axis=0)[sounds],
    )
