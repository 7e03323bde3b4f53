"""The folder of results of one recording: what decides it, and how it is read and replaced."""

import contextlib
import os
import shutil
from dataclasses import asdict, dataclass, replace

from tfseg import __version__
from tfseg.apply import detected_events
from tfseg.apply.inspection import digest_of
from tfseg.errors import DataError
from tfseg.io.files import read_json, write_json
from tfseg.io.locks import try_lock
from tfseg.io.sound_files import ABOUT


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
    sha256 : str
        Of the recording.
    """

    name: str
    path: str
    duration_s: float
    events: list
    notes: tuple = ()
    sha256: str = ""


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


def write_about(folder, recording, digest, model, settings, facts):
    """Write what an analysis was of, and what was found: a folder with it is finished."""
    write_json(folder / ABOUT, _about(recording, digest, model, settings) | facts)


def already_there(recording, folder, model, settings, *, overwrite, digest=None):
    """Whether a folder holds this very analysis.

    Parameters
    ----------
    recording : tfseg.apply.listing.Recording
    folder : Path
    model : tfseg.inference.model_folder.ModelFolder
    settings : tfseg.apply.settings.ApplySettings
    overwrite : bool
        Results of another analysis of tfseg may be replaced.
    digest : str or None
        Of the recording's bytes, where it is known; else they are read.

    Raises
    ------
    DataError
        When it holds something else that may not be replaced.
    """
    if not folder.exists():
        return False
    about = folder / ABOUT
    if not about.is_file():
        raise DataError(
            f"{folder}: expected nothing there, or results of tfseg, found other files. They are "
            "never overwritten: name another folder"
        )
    known = read_json(about)
    wanted = _about(recording, digest or digest_of(recording.path), model, settings)
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
    about = read_json(folder / ABOUT)
    events = [detected_events.FoundEvent(**event) for event in about["events"]]
    notes = tuple(about.get("notes", ()))  # results of older versions have none
    path, digest = about["recording"], about["recording_sha256"]
    return Analysis(folder.name, path, about["duration_s"], events, notes, digest)


def analyses_in(out, done):
    """Read what was found again, one recording at a time, in the order of their names.

    Parameters
    ----------
    out : Path
    done : dict of str to str
        Path by name, as it is to be shown.

    Yields
    ------
    analysis : Analysis
    """
    for name in sorted(done):
        yield replace(read_analysis(out / name), path=done[name])


def results_in(out):
    """Facts of each folder of results in a folder, by its name; without the events."""
    found = {}
    for path in sorted(out.glob(f"*/{ABOUT}")):
        about = read_json(path)
        about.pop("events", None)
        found[path.parent.name] = about
    return found


def check_model_of_results(out, known, model):
    """Check that all results in a folder are of one model: its index and tables are.

    Parameters
    ----------
    out : Path
    known : dict
        Of `results_in`.
    model : tfseg.inference.model_folder.ModelFolder

    Raises
    ------
    DataError
        When there are results of another model.
    """
    others = [n for n, about in known.items() if about.get("model_sha256") != model.sha256]
    if others:
        raise DataError(
            f"{out}: expected results of this model or none, found those of another model for "
            f"{', '.join(others[:3])}{', ...' if others[3:] else ''}. Name another folder, or "
            "overwrite them with --overwrite"
        )


@contextlib.contextmanager
def _scratch_of(folder):
    """Yield the path of a folder's scratch folder, which this process alone may use."""
    with (folder.parent / f".{folder.name}.lock").open("a") as lock:
        if not try_lock(lock):
            raise DataError(f"{folder}: another process makes these results just now")
        scratch = folder.parent / f".{folder.name}.part"
        shutil.rmtree(scratch, ignore_errors=True)
        try:
            yield scratch
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
            os.unlink(lock.name)


@contextlib.contextmanager
def scratch_folder(folder):
    """Yield an empty folder beside `folder` that replaces it when the block ends without error.

    Its name is always the same, so that what a killed process leaves behind is found and emptied.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _scratch_of(folder) as scratch:
        scratch.mkdir()
        yield scratch
        if folder.exists():
            shutil.rmtree(folder)
        os.replace(scratch, folder)


def discard_scratch(folder):
    """Remove what a process left behind that was killed while it made `folder`."""
    with _scratch_of(folder):
        pass
