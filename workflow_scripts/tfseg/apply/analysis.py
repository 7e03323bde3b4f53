"""One recording, from its file to its folder of results."""

import contextlib
import importlib.util
import os
import shutil
import traceback
from dataclasses import asdict, dataclass
from urllib.parse import quote

import numpy as np

from tfseg import __version__
from tfseg.apply import detected_events, sounds
from tfseg.apply.listing import plain_name
from tfseg.apply.scores import AS_RECORDED, AS_TRAINED, Scores
from tfseg.errors import (
    ConfigError,
    DataError,
    NotWrittenError,
    TfsegError,
    UnreadableSoundError,
)
from tfseg.io.files import file_sha256, read_json, write_json, writing_hdf5
from tfseg.io.locks import try_lock
from tfseg.io.measuring import measure
from tfseg.io.opening import Fault
from tfseg.io.sound_files import why_missing
from tfseg.job.progress import bar

_ABOUT = "about.json"
_DRAWING = ("matplotlib", "PIL")  # imported by `tfseg.apply.page` alone
EVENTS, EVENTS_CONFIDENCE = "events.tsv", "events_confidence.tsv"
# What a recording is not analysed with, and why; anything else is analysed, and said.
_OF_NO_USE = {
    "empty": "expected sound, found none: the file has no samples",
    "not_finite": "expected finite samples, found NaN or infinite ones",
    "cancelled": "expected channels that add up, found some that cancel each other: nothing is left "
    "in their mean. Analyse one of them: ffmpeg -i IN -af 'pan=mono|c0=c0' OUT.wav",
}
_NOTED = {
    "truncated", "unfinished_header", "damaged", "too_loud", "silent", "nearly_cancelled", "dc_offset"
}  # fmt: skip
AUDACITY, RAVEN, SCORES, SOUNDS = "audacity.txt", "raven.txt", "scores.h5", "separated"


def missing_for_pages():
    """Libraries that draw pages and pictures and are not installed."""
    return [name for name in _DRAWING if importlib.util.find_spec(name) is None]


@dataclass(frozen=True)
class ApplySettings:
    """How recordings are analysed; fields are the keys of ``apply`` in the config.

    The command's defaults are those below; a test holds them equal to the config's.

    Parameters
    ----------
    window_s : float or None
        Length of the windows; None: that of the clips the model was trained on.
    batch_size : int
        Windows that the network takes at once.
    block_s : float
        What is read at once; no effect on any value.
    level : {"as_trained", "as_recorded"}
        ``as_trained``: the recording's loud stretches are brought to the peak of the mixtures that
        the model was trained on (`tfseg.apply.scores`). ``as_recorded``: levels are left alone.
    sounds : bool
        Write separated sounds.
    page : bool
        Write the page and the picture.
    """

    window_s: float | None = None
    batch_size: int = 8
    block_s: float = 60.0
    level: str = AS_TRAINED
    sounds: bool = True
    page: bool = True

    def __post_init__(self):
        """Refuse values that cannot be (the command's; the config's were checked before)."""
        for name in ("window_s", "batch_size", "block_s"):
            value = getattr(self, name)
            if value is not None and not 0 < value < float("inf"):
                raise ConfigError(f"{name}: expected a number above 0, found {value}")
        if self.level not in (AS_TRAINED, AS_RECORDED):
            raise ConfigError(
                f"level: expected {AS_TRAINED} or {AS_RECORDED}, found {self.level!r}"
            )
        if self.page and missing_for_pages():
            raise ConfigError(
                f"pages and pictures need {' and '.join(missing_for_pages())}: expected that, found "
                "it not installed. Run pip install 'tfseg[pages]', or do without pages (--no-page)"
            )


@dataclass(frozen=True)
class Analysis:
    """What came of one recording.

    Attributes
    ----------
    name : str
        Of its folder of results.
    path : str
    duration_s : float
    events : list of tfseg.apply.detected_events.FoundEvent
    notes : tuple of str
        What is not as it should be with the recording, and did not keep it from being analysed.
    """

    name: str
    path: str
    duration_s: float
    events: list
    notes: tuple = ()


def describe(analysis, elapsed_s):
    """One line on what was found, and how long that took."""
    labels = sorted({event.label for event in analysis.events})
    found_here = f" ({', '.join(labels)})" if labels else ""
    counted = "1 event" if len(analysis.events) == 1 else f"{len(analysis.events)} events"
    seconds = f"{analysis.duration_s:.{1 if analysis.duration_s >= 1 else 4}f}"
    return (
        f"{analysis.name}: {counted}{found_here}; {seconds} s of sound in {elapsed_s:.1f} s, "
        f"{analysis.duration_s / elapsed_s:.0f} times real time{warning(analysis)}"
    )


def warning(analysis):
    """End of a line on a recording: what is not as it should be with it; empty where nothing is."""
    return "".join(f"; WARNING, {note}" for note in analysis.notes)


def _check_is_file(path):
    if not os.path.exists(path):
        raise DataError(f"{path}: expected a sound file, found {why_missing(path)}")
    if os.path.isdir(path):  # it was listed, since it could not be looked into
        try:
            os.scandir(path).close()
            why = "a folder whose sound files were not listed"
        except OSError as error:
            why = (
                f"one that cannot be listed ({error.strerror or error}): nothing in it is analysed"
            )
        raise DataError(f"{path}: expected a folder to look into, found {why}")


def digest_of(path):
    """SHA-256 of a recording's bytes.

    Raises
    ------
    DataError
        When it is missing or cannot be read.
    """
    _check_is_file(path)
    try:
        return file_sha256(path)
    except OSError as error:
        raise UnreadableSoundError(path, error.strerror or error) from None


def look(path, grid):
    """Read a recording once: what is there, and what is not as it should be.

    Parameters
    ----------
    path : path-like
    grid : tfseg.features.time_grid.TimeGrid
        Of the model.

    Returns
    -------
    measured : tfseg.io.measuring.Measured
    notes : tuple of str
        What does not keep it from being analysed.

    Raises
    ------
    DataError
        When it is missing, or of no use; it says why.
    """
    _check_is_file(path)
    measured = measure(path)
    for fault in measured.faults:
        if fault.problem in _OF_NO_USE:
            raise DataError(f"{path}: {_OF_NO_USE[fault.problem]}")
    faults = [fault for fault in measured.faults if fault.problem in _NOTED]
    frame_s = grid.window_length / grid.sample_rate
    if measured.duration_s < frame_s:
        faults.append(
            Fault(
                "shorter_than_one_frame",
                f"at least the {1000 * frame_s:g} ms that the model looks at at once",
                f"{measured.n_samples} samples, {1000 * measured.duration_s:.3g} ms",
            )
        )
    return measured, tuple(str(fault) for fault in faults)


def attempt(work):
    """Do something with a recording that costs only that recording if it fails.

    Parameters
    ----------
    work : callable

    Returns
    -------
    result
        Of `work`; None where it failed.
    reason : str or None
        Why it failed.

    Raises
    ------
    NotWrittenError, OSError
        No fault of the recording (a full disk): the next would fare no better.
    """
    try:
        return work(), None
    except (NotWrittenError, OSError):
        raise
    except TfsegError as error:
        return None, str(error)
    except Exception as error:  # nobody expected it: where it happened is shown, the others go on
        traceback.print_exc()
        return None, f"an unexpected error, {type(error).__name__}: {error}"


def _about(recording, digest, model, settings):
    """What decides the results: an analysis with the same answers need not be done again."""
    values = asdict(settings)
    del values["block_s"]
    return {
        "recording": str(recording.path),
        "recording_sha256": digest,
        "model_sha256": model.sha256,
        "apply": values,
        "tfseg": __version__,
    }


def already_there(recording, folder, model, settings, *, overwrite):
    """Whether a folder holds this very analysis.

    Parameters
    ----------
    recording : tfseg.apply.listing.Recording
    folder : Path
    model : tfseg.inference.model_folder.ModelFolder
    settings : ApplySettings
    overwrite : bool
        Results of another analysis of tfseg may be replaced.

    Raises
    ------
    DataError
        When it holds something else that may not be replaced.
    """
    if not folder.exists():
        return False
    about = folder / _ABOUT
    if not about.is_file():
        raise DataError(
            f"{folder}: expected nothing there, or results of tfseg, found other files. They are "
            "never overwritten: name another folder"
        )
    known = read_json(about)
    wanted = _about(recording, digest_of(recording.path), model, settings)
    # Where it was spelled from does not matter: the folder's name stands for the place.
    others = [key for key in wanted if key != "recording" and known.get(key) != wanted[key]]
    if others and not overwrite:
        raise DataError(
            f"{folder}: there are results of another analysis (other {', '.join(others)}). Name "
            "another folder, or overwrite them with --overwrite"
        )
    return not others


def read_analysis(folder):
    """Read what `analyse` found from its folder of results."""
    about = read_json(folder / _ABOUT)
    events = [detected_events.FoundEvent(**event) for event in about["events"]]
    notes = tuple(about.get("notes", ()))  # results of older versions have none
    return Analysis(folder.name, about["recording"], about["duration_s"], events, notes)


def results_in(out):
    """Facts of each folder of results in a folder, by its name."""
    return {path.parent.name: read_json(path) for path in sorted(out.glob(f"*/{_ABOUT}"))}


def earlier_analyses(out, names, model):
    """Read what a model found before in a folder, in other recordings than those named.

    Parameters
    ----------
    out : Path
    names : set of str
    model : tfseg.inference.model_folder.ModelFolder

    Returns
    -------
    analyses : list of Analysis
    """
    return [
        read_analysis(out / name)
        for name, about in results_in(out).items()
        if name not in names and about.get("model_sha256") == model.sha256
    ]


def check_model_of_results(out, model):
    """Check that all results in a folder are of one model: its index and tables are.

    Parameters
    ----------
    out : Path
    model : tfseg.inference.model_folder.ModelFolder

    Raises
    ------
    DataError
        When there are results of another model.
    """
    others = [
        name for name, about in results_in(out).items() if about.get("model_sha256") != model.sha256
    ]
    if others:
        raise DataError(
            f"{out}: expected results of this model or none, found those of another model for "
            f"{', '.join(others[:3])}{', ...' if others[3:] else ''}. Name another folder, or "
            "overwrite them with --overwrite"
        )


@contextlib.contextmanager
def _scratch_folder(folder):
    """Yield an empty folder beside `folder` that replaces it when the block ends without error.

    Its name is always the same, so that what a killed process leaves behind is found and emptied.
    """
    scratch = folder.parent / f".{folder.name}.part"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / f".{folder.name}.lock").open("a") as lock:
        if not try_lock(lock):
            raise DataError(f"{folder}: another process makes these results just now")
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        try:
            yield scratch
            if folder.exists():
                shutil.rmtree(folder)
            os.replace(scratch, folder)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
            os.unlink(lock.name)


def analyse(recording, folder, model, settings, reference=None):
    """Analyse one recording and write its folder of results, whole or not at all.

    Parameters
    ----------
    recording : tfseg.apply.listing.Recording
    folder : Path
        Replaced if it is there.
    model : tfseg.inference.model_folder.ModelFolder
    settings : ApplySettings
    reference : list of (label, onset_s, offset_s) or None
        What is known to sound in it; shown on its page, and used for nothing else.

    Returns
    -------
    analysis : Analysis

    Raises
    ------
    DataError
        When the recording cannot be used; it says why.
    """
    digest = digest_of(recording.path)
    measured, notes = look(recording.path, model.settings.grid)
    with _scratch_folder(folder) as scratch:
        scores = Scores(model, settings, scratch)
        with contextlib.closing(scores):
            events = _find_events(recording, scratch, model, scores, measured)
            sound_files = {}
            if settings.sounds and scores.store is not None and events:
                sound_files = _separate(recording, scratch, model, scores, events, measured)
            if settings.page:
                # Here, since it imports matplotlib: whoever wants no pages need not have it.
                from tfseg.apply import page

                page.write_page(
                    scratch,
                    recording,
                    model,
                    scores,
                    events,
                    reference=reference,
                    sound_files=sound_files,
                    measured=measured,
                    notes=notes,
                )
        for path in scratch.glob("*.part"):
            path.unlink()
        facts = {
            "duration_s": measured.duration_s,
            "notes": list(notes),
            "events": [asdict(event) for event in events],
        }
        write_json(scratch / _ABOUT, _about(recording, digest, model, settings) | facts)
    return Analysis(recording.name, str(recording.path), measured.duration_s, events, notes)


def score_and_find(path, file, model, scores, *, measured, progress):
    """Score a recording, and find its events.

    Parameters
    ----------
    path : path-like
    file : h5py.File
        Open for writing: receives the scores (`tfseg.apply.scores.Scores.compute`).
    model : tfseg.inference.model_folder.ModelFolder
    scores : tfseg.apply.scores.Scores
        New; knows the whole recording afterwards.
    measured : tfseg.io.measuring.Measured
    progress : callable
        Makes a progress bar of so many windows.

    Returns
    -------
    events : list of tfseg.apply.detected_events.FoundEvent
    """
    scores.compute(path, file, measured=measured, progress=progress)
    return detected_events.find_events(
        lambda k: file["frames"][:, k].astype(np.float32),
        scores.store,
        model.classes,
        model.settings,
        model.detection,
        duration_s=measured.duration_s,
        highest_hz=measured.sample_rate / 2,
    )


def _find_events(recording, folder, model, scores, measured):
    """Score the recording, find its events, write both."""
    with writing_hdf5(folder / SCORES) as file:
        events = score_and_find(
            recording.path,
            file,
            model,
            scores,
            measured=measured,
            progress=lambda total: bar(f"{recording.name}: scores", total=total),
        )
    name = recording.path.name
    detected_events.write_desed(folder / EVENTS, name, events, confidence=False)
    detected_events.write_desed(folder / EVENTS_CONFIDENCE, name, events, confidence=True)
    detected_events.write_audacity(folder / AUDACITY, events)
    detected_events.write_raven(folder / RAVEN, name, events)
    return events


def sound_names(labels):
    """File name (without ending) of each label's sound: safe, and no two alike."""
    names = {}
    for label in labels:
        name = plain_name(label)
        taken = {sounds.REST, *(other.casefold() for other in names.values())}
        while name.casefold() in taken:
            name += "_"
        names[label] = name
    return names


def _separate(recording, folder, model, scores, events, measured):
    """Write the sound of each class that was found, and the rest: paths within the folder."""
    labels = [label for label in model.classes if label in {event.label for event in events}]
    names = sound_names(labels)
    (folder / SOUNDS).mkdir()
    sounds.separate_recording(
        recording.path,
        folder / SOUNDS,
        scores.store,
        {names[label]: model.classes.index(label) for label in labels},
        sounds.MaskedSpectrum(
            scores.spectrograms, measured.sample_rate, scores.n_frames, scores.device
        ),
        n_samples=measured.n_samples,
        progress=lambda blocks: bar(f"{recording.name}: sounds", blocks),
    )
    names[sounds.REST] = sounds.REST
    return {label: f"{SOUNDS}/{quote(name)}.wav" for label, name in names.items()}
