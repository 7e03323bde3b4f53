"""One recording, from its file to its folder of results."""

import contextlib
from dataclasses import asdict
from urllib.parse import quote

import numpy as np

from tfseg.annotations.formats import audacity, desed, raven
from tfseg.apply import detected_events, sounds
from tfseg.apply.inspection import digest_of, look
from tfseg.apply.listing import plain_name
from tfseg.apply.results import Analysis, scratch_folder, write_about
from tfseg.apply.scores import Scores
from tfseg.io.files import write_text, writing_hdf5
from tfseg.job.progress import bar

EVENTS, EVENTS_CONFIDENCE = "events.tsv", "events_confidence.tsv"
AUDACITY, RAVEN, SCORES, SOUNDS = "audacity.txt", "raven.txt", "scores.h5", "separated"


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
    with scratch_folder(folder) as scratch:
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
        write_about(scratch, recording, digest, model, settings, facts)
    path = str(recording.path)
    return Analysis(recording.name, path, measured.duration_s, events, notes, digest)


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
    found = [(name, events)]
    write_text(folder / EVENTS, desed.event_table(found))
    write_text(folder / EVENTS_CONFIDENCE, desed.event_table(found, confidence=True))
    write_text(folder / AUDACITY, audacity.label_track(events))
    write_text(folder / RAVEN, raven.selection_table(name, events))
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
