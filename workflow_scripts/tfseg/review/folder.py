"""The folder of a review: what is asked, with the pictures and the sounds to answer it by."""

import contextlib
import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd

from tfseg import __version__
from tfseg.apply.bulk import attempt
from tfseg.apply.listing import plain_name
from tfseg.errors import ConfigError, DataError
from tfseg.io.audio import writing_float_wav
from tfseg.io.files import read_json, whole_file, write_csv, write_json
from tfseg.io.locks import try_lock
from tfseg.io.measuring import average_channels
from tfseg.io.opening import open_sound
from tfseg.io.validation import one_line, savable
from tfseg.reporting.pages.assets import Beside
from tfseg.reporting.pages.view import Event, Lane, Sound, envelope, make_view
from tfseg.review import answers, clips
from tfseg.review.ranking import REASONS, choose, join
from tfseg.review.stretches import find_candidates, scored

DESCRIPTION, TABLE, CLIPS = "review.json", "stretches.csv", "clips"
# Hidden: training, which looks for sounds in the folder of clips.csv, finds none of the page's.
PAGE_FILES, PAGE_URL = ".page", "page_files"
_LOCK = ".lock"
# Classes that the models deny are one question together, and so are those beyond the first few.
_DENIED, _MOST_ASKED = 0.05, 6
_LEAST_MASK = 1 / 255  # what a picture shows
_WAVEFORM_COLUMNS = 400


@dataclass(frozen=True)
class ReviewSettings:
    """What is asked about.

    Parameters
    ----------
    stretches : int
        How many, at most.
    stretch_s : float
        Length of each.
    """

    stretches: int = 20
    stretch_s: float = 5.0

    def __post_init__(self):
        """Refuse values that cannot be."""
        for name, value in asdict(self).items():
            if not 0 < value < float("inf"):
                raise ConfigError(f"{name}: expected a number above 0, found {value}")


class Review:
    """A prepared review.

    Parameters
    ----------
    folder : Path

    Attributes
    ----------
    folder : Path
    request : dict
        What it was made from.
    stretches : list of dict
        In the order in which they are asked about.

    Raises
    ------
    DataError
        When there is none.
    """

    def __init__(self, folder):
        self.folder = Path(folder)
        description = read_json(self.folder / DESCRIPTION)
        self.request, self.stretches = description["request"], description["stretches"]

    @property
    def questions(self):
        """Classes by the number of the stretch."""
        return {stretch["number"]: stretch["classes"] for stretch in self.stretches}

    @property
    def page_files(self):
        """Names of the files that the page shows and plays."""
        urls = [
            url
            for stretch in self.stretches
            for url in (
                stretch["view"]["logmel"],
                *(mask["url"] for mask in stretch["view"]["masks"]),
                *(sound["url"] for sound in stretch["view"]["sounds"]),
            )
        ]
        return {Path(url).name for url in urls}


@contextlib.contextmanager
def locked(folder):
    """Hold a folder for this process; it is made if it is not there.

    Raises
    ------
    DataError
        When another process has it, or it holds something else.
    """
    folder = Path(folder)
    ours = {DESCRIPTION, TABLE, PAGE_FILES, CLIPS, _LOCK, answers.FILE}
    ours |= {clips.FILE, clips.EVENT_TIMES, clips.ATTRIBUTION}
    others = [path.name for path in folder.glob("*") if path.name not in ours]
    if folder.is_dir() and others and not (folder / DESCRIPTION).is_file():
        raise DataError(
            f"{folder}: expected nothing there, or a review of tfseg, found other files "
            f"({', '.join(sorted(others)[:3])}). Name another folder"
        )
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / _LOCK).open("a") as lock:
        if not try_lock(lock):
            raise DataError(
                f"{folder}: expected that nobody else has this review open, found another tfseg "
                "review that serves it. End that one first (Ctrl-C)"
            )
        yield


def describe_request(recordings, models, settings, labelled):
    """What decides the questions of a review, as plain values.

    Parameters
    ----------
    recordings : sequence of tfseg.apply.listing.Recording
    models : sequence of tfseg.inference.model_folder.ModelFolder
    settings : ReviewSettings
    labelled : path-like or None
        The ``clips.csv`` that answers are added to.
    """
    return {
        "recordings": [savable(os.path.abspath(recording.path)) for recording in recordings],
        "models": [model.sha256 for model in models],
        "labelled": labelled and os.path.abspath(labelled),
        **asdict(settings),
    }


def prepare(folder, recordings, models, settings, *, labelled, say=print):
    """Choose stretches, and write what is needed to answer.

    Parameters
    ----------
    folder : Path
        `locked`. ``review.json`` is written last: without it, all is made anew.
    recordings : sequence of tfseg.apply.listing.Recording
    models : sequence of tfseg.inference.model_folder.ModelFolder
        `tfseg.review.stretches.check_models` has seen them.
    settings : ReviewSettings
    labelled : path-like or None
    say : callable
        Told of recordings that cannot be used.

    Raises
    ------
    DataError
        When no recording has a stretch to ask about, or there are answers already.
    """
    if (folder / answers.FILE).exists():
        raise DataError(
            f"{folder / answers.FILE}: expected no answers before the questions, found some of another "
            f"review, whose {DESCRIPTION} is gone. Name another folder, or move them away"
        )
    for name in (PAGE_FILES, CLIPS):
        shutil.rmtree(folder / name, ignore_errors=True)
        (folder / name).mkdir()
    found = []
    for number, recording in enumerate(recordings):
        candidates, reason = attempt(
            lambda number=number, path=recording.path: find_candidates(
                number, path, models, settings.stretch_s
            )
        )
        if reason is not None:
            say(one_line(f"{recording.path}: left out: {reason}"))
        else:
            found.append(candidates)
    if sum(len(candidates.recording) for candidates in found) == 0:
        raise DataError(
            f"expected a stretch with sound in the {len(recordings)} recordings, found none"
        )
    candidates = join(found)
    writer = _Writer(folder, models)
    by_recording = {}
    for number, choice in enumerate(choose(candidates, settings.stretches), start=1):
        index = int(candidates.recording[choice.index])
        by_recording.setdefault(index, []).append((number, choice))
    stretches = []
    for index, of_recording in by_recording.items():
        path = recordings[index].path
        stretches += writer.write(path, of_recording, candidates, settings.stretch_s)
    stretches.sort(key=lambda stretch: stretch["number"])
    _write_table(folder / TABLE, stretches)
    request = describe_request(recordings, models, settings, labelled)
    description = {"request": request, "stretches": stretches, "tfseg": __version__}
    write_json(folder / DESCRIPTION, description)


def _write_table(path, stretches):
    columns = ["number", "path", "start_s", "stop_s", "score", "reason", *REASONS]
    rows = [{**{name: stretch[name] for name in columns}} for stretch in stretches]
    asked = ["; ".join(stretch["asked"]) for stretch in stretches]
    table = pd.DataFrame(rows, columns=columns).rename(columns={"number": "stretch"})
    write_csv(path, table.assign(asked=asked))


def _why(choice):
    """Say in a sentence why a stretch was chosen."""
    return (
        f"Chosen for: {REASONS[choice.reason]}. Score {choice.score:.2f} (uncertainty "
        f"{choice.uncertainty:.2f} bits, disagreement {choice.disagreement:.2f}, unlikeness "
        f"{choice.unlikeness:.2f})."
    )


def _asked(choice, tags, classes):
    """Classes that are asked about one by one, the most instructive first [at most six]."""
    mean = tags.mean(axis=0)
    return [classes[k] for k in choice.classes if mean[k] > _DENIED][:_MOST_ASKED]


def read_stretch(path, start_s, stop_s):
    """Read a stretch of a recording as it is.

    Returns
    -------
    samples : np.ndarray [shape=(n_samples, n_channels), dtype=float32]
    sample_rate : int
    """
    with open_sound(path) as sound:
        rate = sound.sample_rate
        first = sound.skip(round(start_s * rate))
        return sound.read(max(round(stop_s * rate) - first, 1)), rate


class _Writer:
    """Writes the files of stretches.

    Parameters
    ----------
    folder : Path
    models : sequence of tfseg.inference.model_folder.ModelFolder
    """

    def __init__(self, folder, models):
        self._folder, self._models = folder, models
        self._assets = Beside(folder / PAGE_FILES, PAGE_URL)

    def write(self, path, numbered, candidates, stretch_s):
        """Write the chosen stretches of one recording.

        Parameters
        ----------
        path : path-like
        numbered : list of (int, tfseg.review.ranking.Choice)
        candidates : tfseg.review.ranking.Candidates
        stretch_s : float

        Returns
        -------
        stretches : list of dict
            Plain values for ``review.json``.
        """
        shown = {number: {"masks": {}, "lanes": []} for number, _ in numbered}
        for position, model in enumerate(self._models, start=1):
            name = f"model {position}" if len(self._models) > 1 else model.system
            with scored(path, model, stretch_s, describe=f"{path}: {name}") as seen:
                for number, choice in numbered:
                    times = candidates.start_s[choice.index], candidates.stop_s[choice.index]
                    self._look(shown[number], name, model, seen, times)
        return [
            self._stretch(path, number, choice, candidates, shown[number])
            for number, choice in numbered
        ]

    def _look(self, shown, name, model, seen, times):
        """Take from what a model saw in a recording what is shown of a stretch."""
        scores, (start_s, stop_s) = seen.scores, times
        first = model.settings.grid.frame_at(start_s)
        stop = min(first + scores.n_window, scores.n_frames)
        # Features are the models' own, and the same: the first one's are drawn.
        shown.setdefault("logmel", scores.logmel(first, stop))
        shown.setdefault("mel_hz", scores.spectrograms.mel_hz)
        if scores.store is not None:
            masks = {
                model.classes[k]: scores.store.read(k, first, stop) for k in scores.store.classes
            }
            shown["masks"][name] = {
                k: mask for k, mask in masks.items() if mask.max() > _LEAST_MASK
            }
        within = [
            Event(
                event.label,
                round(max(event.onset_s, start_s) - start_s, 6),
                round(min(event.offset_s, stop_s) - start_s, 6),
                event.confidence,
            )
            for event in seen.events
            if event.offset_s > start_s and event.onset_s < stop_s
        ]
        shown["lanes"].append(Lane(f"found by {name}", within))

    def _stretch(self, path, number, choice, candidates, shown):
        start_s = float(candidates.start_s[choice.index])
        stop_s = float(candidates.stop_s[choice.index])
        tags = candidates.tags[:, choice.index]
        classes = self._models[0].classes
        asked = _asked(choice, tags, classes)
        samples, rate = read_stretch(path, start_s, stop_s)
        clip = f"{CLIPS}/{number:04d}-{plain_name(Path(path).stem)}.wav"
        with (
            whole_file(self._folder / clip) as temporary,
            writing_float_wav(temporary, rate, samples.shape[1], len(samples)) as file,
        ):
            file.write(samples)
        mono = average_channels(samples)
        name = one_line(Path(path).name)
        sound = self._assets.sound(name, mono if samples.shape[1] > 2 else samples, rate)
        view = make_view(
            f"{name}, {start_s:.1f} to {stop_s:.1f} s",
            envelope(mono, n_columns=_WAVEFORM_COLUMNS),
            shown["logmel"],
            duration_s=len(samples) / rate,
            hop_s=self._models[0].settings.grid.hop_s,
            mel_hz=shown["mel_hz"],
            assets=self._assets,
            masks={
                system: {label: mask for label, mask in by_label.items() if label in asked}
                for system, by_label in shown["masks"].items()
            },
            lanes=shown["lanes"],
            sounds=[Sound("stretch", name, sound)],
            classes=list(classes),
            note=_why(choice),
        )
        return {
            "number": number,
            "path": savable(os.path.abspath(path)),
            "start_s": round(start_s, 6),
            "stop_s": round(stop_s, 6),
            "clip": clip,
            "score": round(choice.score, 4),
            "reason": choice.reason,
            **{reason: round(getattr(choice, reason), 4) for reason in REASONS},
            "tags": {
                label: [round(float(tag), 4) for tag in tags[:, k]]
                for k, label in enumerate(classes)
            },
            "classes": [*asked, *(label for label in classes if label not in asked)],
            "asked": asked,
            "view": view.as_dict(),
        }
