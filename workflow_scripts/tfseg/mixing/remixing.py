"""The plan of mixtures (independent of the SNR), and the stems that are mixed at any SNR.

A mixture at one SNR is ``a(SNR) * (scene + 10**(SNR/20) * sum(events))``. The scene has unit RMS,
each event has unit RMS before the SNR's gain, and ``a(SNR)`` is the joint peak normalisation of the
released code. Only these gains depend on the SNR, so stems are rendered once.
"""

import functools
import math
from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tfseg.datasets.folds import TRAIN, VALIDATION, validation_share
from tfseg.errors import DamagedFileError, DataError
from tfseg.features.time_grid import samples_in
from tfseg.io import audio
from tfseg.io.files import append_rows, create_dataset, reading_hdf5
from tfseg.io.measuring import without_offset
from tfseg.job.seeding import generator

CENTRE, RANDOM = "centre", "random"
_INT16_PEAK = 32767
_CACHED_EVENTS, _CACHED_SCENES = 128, 64  # 16 MB of 2 s events and 41 MB of 10 s scenes, at 32 kHz
_SAMPLE_CHUNK, _RMS_BLOCK = 1 << 16, 1 << 14
_MICROSECONDS = 1_000_000  # per second; the plan's times are whole microseconds
_SCENE_MARGIN_S = 0.1  # read beyond the used part, to keep the resampler's edge effect out of it


def _repeat_shuffled(n_items, n_needed, rng):
    """Draw indices in passes over all items, each pass shuffled anew."""
    rounds = -(-n_needed // n_items)
    return np.concatenate([rng.permutation(n_items) for _ in range(rounds)])[:n_needed]


def _event_counts(onsets_s, events_per_mixture):
    """Return the smallest and largest number of events of a mixture."""
    if onsets_s == RANDOM:
        given = events_per_mixture
        return tuple(given) if isinstance(given, list) else (given, given)
    n_onsets = 1 if onsets_s == CENTRE else len(onsets_s)
    return n_onsets, n_onsets


def random_onsets(lengths_s, duration_s, overlap, rng):
    """Draw the onsets of the events of one mixture, so that each event lies inside the mixture.

    With overlaps, onsets are independent and uniform. Without, every possible layout is equally
    likely: the order of the events is uniform, and so is the division of the free time before,
    between and after them.

    Parameters
    ----------
    lengths_s : sequence of float
        Each at most `duration_s`; without overlaps their sum is at most `duration_s`.
    duration_s : float
    overlap : bool
    rng : np.random.Generator

    Returns
    -------
    onsets_s : list of float
        In the order of `lengths_s`, whole microseconds.
    """
    # In whole microseconds, since rounded sums of seconds could overlap. Lengths are rounded up.
    duration = round(duration_s * _MICROSECONDS)
    lengths = np.array([math.ceil(round(x * _MICROSECONDS, 3)) for x in lengths_s], dtype=np.int64)
    if overlap:
        onsets = rng.integers(0, np.maximum(duration - lengths, 0), endpoint=True)
    else:
        order = rng.permutation(len(lengths))
        free = max(duration - int(lengths.sum()), 0)
        waits = np.sort(rng.integers(0, free, size=len(lengths), endpoint=True))
        in_order = lengths[order]
        onsets = np.empty_like(lengths)
        onsets[order] = waits + np.cumsum(in_order) - in_order
    return (onsets / _MICROSECONDS).tolist()


def _onsets(onsets_s, events, duration_s, max_event_s, overlap, rng):
    """Onset of each of a mixture's events, in seconds."""
    if onsets_s not in (CENTRE, RANDOM):
        return onsets_s
    lengths_s = [min(e["stop_s"] - e["start_s"], max_event_s, duration_s) for e in events]
    if onsets_s == RANDOM:
        return random_onsets(lengths_s, duration_s, overlap, rng)
    (length_s,) = lengths_s
    return [round((duration_s - length_s) / 2, 6)]


def _parts(events, folds, mixtures_per_fold, validation):
    """Yield fold, part, index of its first mixture, number of mixtures, and names for its seeds."""
    for fold, n_mixtures in zip(folds, mixtures_per_fold, strict=True):
        # A fold that is always held out has no recordings for validation.
        is_split = validation and len(_of_part(events, fold, VALIDATION, validation))
        n_validation = validation_share(n_mixtures, validation) if is_split else 0
        n_train = n_mixtures - n_validation
        yield fold, TRAIN, 0, n_train, (fold,)
        if n_validation:
            yield fold, VALIDATION, n_train, n_validation, (fold, VALIDATION)


def _of_part(recordings, fold, part, validation):
    """Select the recordings of a part of a fold; without validation the part is optional."""
    here = recordings["fold"] == fold
    if validation:
        here &= recordings["part"] == part
    return recordings[here].to_dict("records")


def plan_mixtures(
    events,
    scenes,
    *,
    folds,
    mixtures_per_fold,
    duration_s,
    onsets_s,
    events_per_mixture,
    overlap,
    max_event_s,
    kinds,
    scene_start,
    seed,
    validation=0.0,
):
    """Plan every mixture of every fold (TASLP V-A; layout as released).

    Each fold's recordings are assigned to its mixtures in shuffled passes, so that all are used
    equally often. An event lasts at most `max_event_s`.

    Parameters
    ----------
    events, scenes : pd.DataFrame
        Corpus tables.
    folds : sequence of int
    mixtures_per_fold : sequence of int
        One number for each fold.
    duration_s : float
        Length of a mixture.
    onsets_s : sequence of float, "centre" or "random"
        One event per onset. ``centre``: one event in the middle (JSC). ``random``: drawn for each
        mixture, so that every event lies inside it.
    events_per_mixture : int or [int, int]
        With random onsets: the number of events, or the range to draw it from for each mixture.
    overlap : bool
        With random onsets: whether events may overlap, also two of one class.
    max_event_s : float
    kinds : sequence of {"mixture", "events", "scene"}
        Clips made from each draw: events over a scene, the same events alone, the same scene alone
        (JSC trains on all three).
    scene_start : {"beginning", "random"}
        Start of the mixture's part within a longer scene.
    seed : int
    validation : float in [0, 1)
        Share of a fold's mixtures that are made from its validation recordings only.

    Returns
    -------
    mixtures : pd.DataFrame
        mixture, kind, fold, part, scene, scene_start_s, duration_s, strong.
    mixture_events : pd.DataFrame
        mixture, event, label, onset_s, offset_s, event_start_s.
    """
    mixture_rows, event_rows = [], []
    least, most = _event_counts(onsets_s, events_per_mixture)
    for fold, part, first, n_mixtures, names in _parts(
        events, folds, mixtures_per_fold, validation
    ):
        fold_events = _of_part(events, fold, part, validation)
        fold_scenes = _of_part(scenes, fold, part, validation)
        counts = generator(seed, "plan", "counts", *names).integers(
            least, most, size=n_mixtures, endpoint=True
        )
        event_order = np.split(
            _repeat_shuffled(
                len(fold_events), int(counts.sum()), generator(seed, "plan", "events", *names)
            ),
            np.cumsum(counts)[:-1],
        )
        scene_order = _repeat_shuffled(
            len(fold_scenes), n_mixtures, generator(seed, "plan", "scenes", *names)
        )
        places = generator(seed, "plan", "scene_start", *names).random(n_mixtures)
        onset_rng = generator(seed, "plan", "onsets", *names)
        for index in range(n_mixtures):
            scene = fold_scenes[scene_order[index]]
            drawn = [fold_events[i] for i in event_order[index]]
            onsets = _onsets(onsets_s, drawn, duration_s, max_event_s, overlap, onset_rng)
            room_s = max(scene["duration_s"] - duration_s, 0) if scene_start == "random" else 0
            for kind in kinds:
                name = f"fold{fold}-{first + index:05d}" + ("" if kind == "mixture" else f"-{kind}")
                mixture_rows.append(
                    {
                        "mixture": name,
                        "kind": kind,
                        "fold": fold,
                        "part": part,
                        "scene": "" if kind == "events" else scene["path"],
                        "scene_start_s": 0.0
                        if kind == "events"
                        else round(places[index] * room_s, 6),
                        "duration_s": duration_s,
                        "strong": 1,
                    }
                )
                for onset_s, event in zip(onsets, drawn if kind != "scene" else [], strict=False):
                    length_s = min(event["stop_s"] - event["start_s"], max_event_s)
                    event_rows.append(
                        {
                            "mixture": name,
                            "event": event["path"],
                            "label": event["label"],
                            "onset_s": onset_s,
                            "offset_s": round(min(onset_s + length_s, duration_s), 6),
                            "event_start_s": event["start_s"],
                        }
                    )
    return pd.DataFrame(mixture_rows), pd.DataFrame(event_rows)


def plan_clips(clips, events):
    """Plan a corpus of ready clips: each clip is its own mixture.

    Parameters
    ----------
    clips : pd.DataFrame
        As ``tfseg/datasets/schemas/clips.schema.yaml`` says.
    events : dict of str to list of (label, onset_s, offset_s)
        Of the clips with known event times.

    Returns
    -------
    mixtures, mixture_events : pd.DataFrame
        As `plan_mixtures` returns.
    """
    mixtures = pd.DataFrame(
        {
            "mixture": clips["clip"],
            "kind": "clip",
            "fold": clips["fold"],
            "part": clips["part"],
            "scene": "",
            "scene_start_s": 0.0,
            "duration_s": clips["duration_s"],
            "strong": [int(clip in events) for clip in clips["clip"]],
        }
    )
    rows = [
        (row.clip, row.path, label, onset_s, offset_s, onset_s)
        for row in clips.itertuples(index=False)
        for label, onset_s, offset_s in events.get(row.clip, [])
    ]
    columns = ["mixture", "event", "label", "onset_s", "offset_s", "event_start_s"]
    return mixtures, pd.DataFrame(rows, columns=columns)


def _rms(samples):
    energy = 0.0  # in float64, by blocks that stay in the cache
    for start in range(0, len(samples), _RMS_BLOCK):
        block = samples[start : start + _RMS_BLOCK].astype(np.float64)
        energy += block @ block
    return float(np.sqrt(energy / len(samples)))


def _quantise(samples):
    """Quantise float samples to int16 with a full-scale peak; return them and their scale.

    Silence (a mixture without scene) stays silent.
    """
    peak = float(np.abs(samples).max())
    scale = peak / _INT16_PEAK if peak > 0 else 1.0
    steps = samples / scale
    return np.rint(steps, out=steps).astype(np.int16), scale


def _read_scene(n_samples, sample_rate, resampler, path, start_s):
    """Read a scene at unit RMS, cut or extended to the mixture's length, and quantise it."""
    scene = audio.read_mono(
        path,
        sample_rate,
        resampler=resampler,
        start_s=start_s,
        stop_s=start_s + n_samples / sample_rate + _SCENE_MARGIN_S,
    )
    scene = without_offset(scene, sample_rate)
    scene = audio.fit_length(scene, n_samples, sample_rate)
    rms = _rms(scene)
    if rms == 0:
        raise DataError(f"{path}: expected sound, found digital silence")
    return _quantise(scene / np.float32(rms))


class _EventReader:
    """Read events as int16 at unit RMS, cut to the mixture's needs, with a cache."""

    def __init__(self, corpus_events, sample_rate, resampler, max_samples, snr_on):
        self._stop_s = {
            (row.path, row.start_s): row.stop_s for row in corpus_events.itertuples(index=False)
        }
        self._sample_rate, self._resampler = sample_rate, resampler
        self._max_samples, self._snr_on = max_samples, snr_on
        # The cache is bounded: a shard of any size needs the same memory.
        self._kept = functools.lru_cache(maxsize=_CACHED_EVENTS)(self._read)

    def _read(self, path, start_s, n_samples):
        samples = audio.read_mono(
            path,
            self._sample_rate,
            resampler=self._resampler,
            start_s=start_s,
            stop_s=self._stop_s[path, start_s],
        )
        samples = without_offset(samples, self._sample_rate)
        segment = samples[:n_samples]
        rms = _rms(samples if self._snr_on == "file" else segment)
        if rms == 0:
            raise DataError(f"{path}: expected sound from {start_s} s on, found digital silence")
        return _quantise(segment / np.float32(rms))

    def read(self, path, start_s, n_samples):
        """Read one event, cut to at most `n_samples`: int16 samples and their scale."""
        return self._kept(path, start_s, min(n_samples, self._max_samples))


def render_stems(
    file,
    mixtures,
    mixture_events,
    corpus_events,
    *,
    classes,
    sample_rate,
    resampler,
    max_event_s,
    snr_db,
    snr_on,
    progress=lambda items: items,
):
    """Render scene tracks and event segments of mixtures into an open HDF5 file.

    Parameters
    ----------
    file : h5py.File
        Open for writing. Layout: ``docs/reference/files.md``.
    mixtures, mixture_events : pd.DataFrame
        Rows of the plan.
    corpus_events : pd.DataFrame
        Corpus table, for the end of each recording.
    classes : sequence of str
    sample_rate : int
        Hz.
    resampler : str
    max_event_s : float
    snr_db : sequence of float
        SNRs for which the joint peak gain is stored.
    snr_on : {"file", "segment"}
        Signal on which an event's level is measured: the whole recording before it is cut (as
        released), or the part used in the mixture.
    progress : callable

    Raises
    ------
    DataError
        When a recording cannot be used; the error names it.
    """
    n_samples = samples_in(mixtures["duration_s"].iloc[0], sample_rate)
    reader = _EventReader(
        corpus_events, sample_rate, resampler, samples_in(max_event_s, sample_rate), snr_on
    )
    by_mixture = defaultdict(list)
    for event in mixture_events.itertuples(index=False):
        by_mixture[event.mixture].append(event)
    column = {label: k for k, label in enumerate(classes)}
    snr_gains = 10.0 ** (np.asarray(snr_db, dtype=np.float64) / 20)
    read_scene = functools.lru_cache(maxsize=_CACHED_SCENES)(
        functools.partial(_read_scene, n_samples, sample_rate, resampler)
    )
    scene_track = create_dataset(
        file, "scene", shape=(len(mixtures), n_samples), dtype="int16", chunks=(1, n_samples)
    )
    scene_scales = np.zeros(len(mixtures))
    mix_gains = np.zeros((len(mixtures), len(snr_gains)))
    event_samples = create_dataset(
        file, "event_samples", shape=(0,), dtype="int16", chunks=(_SAMPLE_CHUNK,), maxshape=(None,)
    )
    event_track = np.zeros(n_samples, dtype=np.float32)
    lengths, rows = [0], []
    for index, mixture in enumerate(progress(list(mixtures.itertuples(index=False)))):
        scene_peak, scene_scales[index] = 0.0, 1.0
        if mixture.scene:
            scene, scale = read_scene(mixture.scene, mixture.scene_start_s)
            scene_track[index], scene_scales[index] = scene, scale
            scene_peak = _INT16_PEAK * scale
        event_track[:], segments = 0, []
        for event in by_mixture[mixture.mixture]:
            onset = samples_in(event.onset_s, sample_rate)
            segment, scale = reader.read(event.event, event.event_start_s, n_samples - onset)
            # In float32, as the reader sums them, so that the peak is that of its track.
            event_track[onset : onset + len(segment)] += segment * np.float32(scale)
            segments.append(segment)
            lengths.append(len(segment))
            rows.append((index, onset, scale, column[event.label]))
        event_peak = np.float64(np.abs(event_track).max())
        if segments:
            append_rows(event_samples, np.concatenate(segments))
        # As in the released code: divide both tracks by the larger peak; the mixture is their mean.
        mix_gains[index] = 0.5 / np.maximum(scene_peak, snr_gains * event_peak)
    create_dataset(file, "kind", data=np.array(list(mixtures["kind"]), dtype="S"))
    create_dataset(file, "part", data=np.array(list(mixtures["part"]), dtype="S"))
    create_dataset(file, "mixture", data=np.array(list(mixtures["mixture"]), dtype="S"))
    create_dataset(file, "fold", data=mixtures["fold"].to_numpy(np.int32))
    create_dataset(file, "scene_scale", data=scene_scales)
    create_dataset(file, "mix_gain", data=mix_gains)
    create_dataset(file, "event_start", data=np.cumsum(lengths, dtype=np.int64))
    table = np.array(
        rows,
        dtype=[
            ("event_mixture", np.int64),
            ("event_onset", np.int64),
            ("event_scale", np.float64),
            ("event_class", np.int32),
        ],
    )
    for name in table.dtype.names or ():
        create_dataset(file, name, data=table[name])
    file.attrs["sample_rate"] = sample_rate
    file.attrs["snr_db"] = np.asarray(snr_db, dtype=np.float64)
    file.attrs["classes"] = list(classes)


@dataclass(frozen=True)
class Stems:
    """The sparse tracks of one mixture, before any SNR.

    Attributes
    ----------
    mixture : str
    fold : int
    scene : np.ndarray [shape=(n_samples,), dtype=float32, RMS about 1, or zeros]
    events : list of (class_index, onset_sample, np.ndarray [shape=(n,), dtype=float32])
    mix_gain : dict of float to float
        a(SNR) by SNR in dB.
    kind : {"mixture", "events", "scene"}
    part : {"train", "validation"}
    """

    mixture: str
    fold: int
    scene: np.ndarray
    events: list
    mix_gain: dict
    kind: str = "mixture"
    part: str = TRAIN

    def event_track(self, class_index=None):
        """Sum of all events (of one class when given) on the mixture's time axis, at 0 dB."""
        track = np.zeros_like(self.scene)
        for k, onset, samples in self.events:
            if class_index is None or k == class_index:
                track[onset : onset + len(samples)] += samples
        return track

    def mixture_at(self, snr_db):
        """Waveform of the mixture at one of the rendered SNRs [dtype=float32, within -1..1]."""
        gain = np.float32(10 ** (snr_db / 20))
        return np.float32(self.mix_gain[snr_db]) * (self.scene + gain * self.event_track())


class StemReader:
    """Reads a stems file, mixture by mixture.

    Parameters
    ----------
    path : path-like

    Attributes
    ----------
    mixtures, kinds, parts : list of str
    sample_rate : int
    n_samples : int
        Length of each mixture.
    most_events : int
        Largest number of events in one mixture.
    """

    def __init__(self, path):
        self.path = path
        with reading_hdf5(path) as file:
            self.mixtures = [name.decode() for name in file["mixture"][:]]
            self.kinds = [kind.decode() for kind in file["kind"][:]]
            self.parts = [part.decode() for part in file["part"][:]]
            self.sample_rate = int(file.attrs["sample_rate"])
            self.n_samples = file["scene"].shape[1]
            self._snr_db = [float(snr) for snr in file.attrs["snr_db"]]
            self._table = {
                name: file[name][:]
                for name in (
                    "fold",
                    "scene_scale",
                    "mix_gain",
                    "event_start",
                    "event_mixture",
                    "event_onset",
                    "event_scale",
                    "event_class",
                )
            }
        self.most_events = int(np.bincount(self._table["event_mixture"], minlength=1).max())
        if len(self._table["fold"]) != len(self.mixtures):
            raise DamagedFileError(f"{path}: its datasets disagree on the number of mixtures")

    def __iter__(self):
        return self.read(set(self.mixtures))

    def read(self, wanted):
        """Read the wanted mixtures, in the file's order.

        Parameters
        ----------
        wanted : set of str

        Yields
        ------
        stems : Stems
        """
        table = self._table
        starts, scales = table["event_start"], table["event_scale"].astype(np.float32)
        scene_scales = table["scene_scale"].astype(np.float32)
        with reading_hdf5(self.path) as file:
            scenes, event_samples = file["scene"], file["event_samples"]
            for index, mixture in enumerate(self.mixtures):
                if mixture not in wanted:
                    continue
                rows, events = np.flatnonzero(table["event_mixture"] == index), []
                if len(rows):
                    # The events of a mixture are stored consecutively: a single read suffices.
                    first = starts[rows[0]]
                    samples = event_samples[first : starts[rows[-1] + 1]]
                for row in rows:
                    segment = samples[starts[row] - first : starts[row + 1] - first]
                    events.append(
                        (
                            int(table["event_class"][row]),
                            int(table["event_onset"][row]),
                            segment * scales[row],
                        )
                    )
                yield Stems(
                    mixture=mixture,
                    fold=int(table["fold"][index]),
                    scene=scenes[index] * scene_scales[index],
                    events=events,
                    mix_gain=dict(zip(self._snr_db, table["mix_gain"][index], strict=True)),
                    kind=self.kinds[index],
                    part=self.parts[index],
                )
