"""One pass over all recordings before anything is mixed: what is really in the files."""

import concurrent.futures
import struct
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile

from tfseg.datasets.corpus_tables import table_schema
from tfseg.errors import DamagedFileError
from tfseg.io.audio import average_channels
from tfseg.io.files import content_sha256

# Less than one step of 16 bit counts as digital silence: lossy coders leave such a residue.
SILENCE = 1 / 32768
_CANCELLED = 1e-3  # of the peak: what is left of channels of opposite sign is coding noise
_TOO_LOUD = 1e6  # times full scale: no sound, and resampling it overflows
_FULL_SCALE = 0.9999
_CLIPPED_RUN = 3
_LABEL_TOLERANCE_S = 0.01
_BLOCK = 1 << 20
# What a writer puts there that did not know the length yet (a pipe): 0, or the largest numbers.
_UNKNOWN_LENGTH = 0x7FFFF000
_OGG_HEADER = 27
_OGG_PAGE = 1 << 17  # more than a page and its header can have


def _problem(row, problem, severity, expected, found):
    return {
        "path": row["path"],
        "role": row["role"],
        "start_s": row["start_s"],
        "label": row["label"],
        "problem": problem,
        "severity": severity,
        "expected": expected,
        "found": found,
    }


def _unread(row, sha256=""):
    return {
        **{key: row[key] for key in ("role", "path", "start_s")},
        "sample_rate": 0,
        "channels": 0,
        "file_s": np.nan,
        "peak": np.nan,
        "sound_start_s": np.nan,
        "sound_stop_s": np.nan,
        "sha256": sha256,
    }


def _chunk_sizes(stream, wanted, byte_order):
    """Stated size of a chunk of a RIFF or IFF file, and the bytes there are of it; or None."""
    end = stream.seek(0, 2)
    stream.seek(12)
    while len(header := stream.read(8)) == 8:
        name, size = struct.unpack(f"{byte_order}4sI", header)
        if name == wanted:
            return size, end - stream.tell()
        stream.seek(size + size % 2, 1)  # chunks begin at even places
    return None


def _stated_and_found_bytes(path):
    """Bytes of samples that a header states, and those there are; None where nothing states it.

    libsndfile reads what there is of a wav, AIFF or AU file that was cut off, and does not say so.
    """
    with path.open("rb") as stream:
        head = stream.read(12)
        if head[:4] == b"RIFF" and head[8:] == b"WAVE":
            return _chunk_sizes(stream, b"data", "<")
        if head[:4] == b"FORM" and head[8:] in (b"AIFF", b"AIFC"):
            return _chunk_sizes(stream, b"SSND", ">")
        if head[:4] == b".snd":
            offset, size = struct.unpack(">4xII", head)
            return size, stream.seek(0, 2) - offset
    return None


def _ends_without_last_page(path):
    """Whether an Ogg file was cut off: its last page is not whole, or not marked as the last."""
    with path.open("rb") as stream:
        if stream.read(4) != b"OggS":
            return False
        stream.seek(max(stream.seek(0, 2) - _OGG_PAGE, 0))
        tail = stream.read()
    page = tail[max(tail.rfind(b"OggS"), 0) :]
    if len(page) <= _OGG_HEADER or not page[5] & 4:
        return True
    n_segments = page[_OGG_HEADER - 1]
    lengths = page[_OGG_HEADER : _OGG_HEADER + n_segments]
    return len(page) < _OGG_HEADER + n_segments + sum(lengths)


class _Measure:
    """Peak, borders of sound and faults of a stretch of samples, block by block."""

    def __init__(self):
        self.peak, self.mono_peak, self.n_samples = 0.0, 0.0, 0
        self.first = self.last = None
        self.finite, self.clipped = True, False
        self._tail = 0

    def add(self, block):
        """Take the next samples [shape=(n, channels)]."""
        levels = np.abs(block).max(axis=1)
        with np.errstate(over="ignore"):
            mono_peak = float(np.abs(average_channels(block)).max())
        if not (np.isfinite(levels).all() and np.isfinite(mono_peak)):
            self.finite = False
        else:
            self.peak = max(self.peak, float(levels.max()))
            self.mono_peak = max(self.mono_peak, mono_peak)
        sounding = np.flatnonzero(levels >= SILENCE)
        if len(sounding):
            if self.first is None:
                self.first = self.n_samples + int(sounding[0])
            self.last = self.n_samples + int(sounding[-1])
        full = levels >= _FULL_SCALE
        if full.any() and not self.clipped:
            # A run may go on from the block before.
            edges = np.flatnonzero(~np.concatenate([np.ones(self._tail, bool), full]))
            total = self._tail + len(full)
            runs = np.diff(np.concatenate([[-1], edges, [total]])) - 1
            self.clipped = bool(runs.max() >= _CLIPPED_RUN)
        trailing = np.flatnonzero(~full[::-1])
        self._tail = int(trailing[0]) if len(trailing) else self._tail + len(full)
        self.n_samples += len(levels)


def check_unchanged(inspection, paths):
    """Check that recordings are what was inspected: a flipped bit in a wav shows nowhere else.

    Parameters
    ----------
    inspection : pd.DataFrame
        As ``tfseg/datasets/schemas/inspection.schema.yaml`` says.
    paths : iterable of str

    Raises
    ------
    DamagedFileError
        Naming the first file that is not.
    """
    expected = dict(zip(inspection["path"], inspection["sha256"], strict=True))
    for path in sorted(set(paths)):
        try:
            found = content_sha256(path)
        except OSError as error:
            found = error.strerror or str(error)
        if found != expected.get(path):
            raise DamagedFileError(
                f"{path}: expected the file that was inspected (sha256 {expected.get(path, 'none')[:12]}...), "
                f"found another content ({found[:40]}). Put the file back, or delete "
                "corpus/inspection.csv and run again to work with what is there."
            )


def inspect_recording(row):
    """Look at one recording.

    Parameters
    ----------
    row : dict
        A row of ``recordings.csv``.

    Returns
    -------
    facts : dict
        A row of ``inspection.csv``.
    problems : list of dict
        Rows of ``corpus_report.csv``.
    """
    path = Path(row["path"])
    try:
        if not path.is_file():
            return _unread(row), [
                _problem(row, "missing", "error", "a sound file", "nothing there")
            ]
        if path.stat().st_size == 0:
            return _unread(row), [_problem(row, "empty", "error", "a sound file", "no bytes")]
        sha256 = content_sha256(path)
    except OSError as error:  # no permission, a disk's fault
        reason = error.strerror or str(error)
        return _unread(row), [_problem(row, "unreadable", "error", "a file to read", reason)]
    measure = _Measure()
    try:
        info = soundfile.info(str(path))
        file_s = info.frames / info.samplerate
        with soundfile.SoundFile(str(path)) as file:
            first = min(round(row["start_s"] * file.samplerate), file.frames)
            stop_s = file_s if np.isnan(row["stop_s"]) else row["stop_s"]
            n_left = max(min(round(stop_s * file.samplerate), file.frames) - first, 0)
            if first:  # as tfseg.io.audio.read_mono
                file.seek(first)
            while n_left:
                block = file.read(min(n_left, _BLOCK), dtype="float32", always_2d=True)
                if len(block) == 0:
                    raise RuntimeError(f"it ends {n_left} samples before its header says")
                measure.add(block)
                n_left -= len(block)
    except (soundfile.LibsndfileError, RuntimeError) as error:
        reason = str(error).replace(f"{str(path)!r}", "it")
        return _unread(row, sha256), [
            _problem(row, "unreadable", "error", "a file that libsndfile reads", reason)
        ]
    rate = info.samplerate
    facts = _unread(row, sha256) | {
        "sample_rate": rate,
        "channels": info.channels,
        "file_s": round(file_s, 6),
    }
    problems = []
    if _ends_without_last_page(path):
        problems.append(
            _problem(row, "truncated", "error", "an Ogg file with its last page", "none")
        )
    stated, available = _stated_and_found_bytes(path) or (0, 0)
    if available < stated < _UNKNOWN_LENGTH:
        problems.append(
            _problem(
                row,
                "truncated",
                "error",
                f"{stated} bytes of samples, as its header says",
                f"{available} bytes",
            )
        )
    if measure.n_samples == 0:
        found = f"a file of {file_s:.3f} s" if info.frames else "none"
        problems.append(
            _problem(row, "empty", "error", f"samples from {row['start_s']:g} s on", found)
        )
        return facts, problems
    facts["peak"] = round(measure.peak, 9) if measure.finite else np.nan
    if not measure.finite:
        problems.append(
            _problem(row, "not_finite", "error", "finite samples", "NaN or infinite ones")
        )
    elif measure.peak > _TOO_LOUD:
        problems.append(
            _problem(
                row,
                "not_finite",
                "error",
                f"samples up to {_TOO_LOUD:.0e} times full scale",
                f"{measure.peak:.1e}",
            )
        )
    elif measure.first is None:
        problems.append(
            _problem(row, "silent", "error", "a sound", f"no sample above {SILENCE:.1e}")
        )
    elif measure.mono_peak < _CANCELLED * measure.peak:
        problems.append(
            _problem(row, "silent", "error", "a sound", "channels that cancel each other")
        )
    else:
        facts["sound_start_s"] = round((first + measure.first) / rate, 6)
        facts["sound_stop_s"] = round((first + measure.last + 1) / rate, 6)
    if row["stop_s"] > file_s + _LABEL_TOLERANCE_S:
        problems.append(
            _problem(
                row,
                "shorter_than_label",
                "error",
                f"{row['stop_s']:g} s, where its label ends",
                f"{file_s:.3f} s",
            )
        )
    if measure.clipped:
        problems.append(
            _problem(
                row,
                "clipped",
                "warning",
                f"fewer than {_CLIPPED_RUN} samples in a row at full scale",
                f"a run of {_CLIPPED_RUN} or more",
            )
        )
    return facts, problems


def inspect(recordings, *, processes=1, progress=lambda items, total: items):
    """Look at every recording once.

    Parameters
    ----------
    recordings : pd.DataFrame
        As ``tfseg/datasets/schemas/recordings.schema.yaml`` says.
    processes : int
    progress : callable
        Wraps the iterable of results; is told their number by ``total``.

    Returns
    -------
    inspection, report : pd.DataFrame
        ``inspection.csv``, one row for each recording in the same order; ``corpus_report.csv``,
        one row for each problem.
    """
    rows = recordings.to_dict("records")
    if processes == 1:
        results = list(progress(map(inspect_recording, rows), total=len(rows)))
    else:
        with concurrent.futures.ProcessPoolExecutor(processes) as pool:
            found = pool.map(inspect_recording, rows, chunksize=8)
            results = list(progress(found, total=len(rows)))
    inspection = pd.DataFrame(
        [facts for facts, _ in results], columns=table_schema("inspection")["required"]
    )
    report = pd.DataFrame(
        [problem for _, problems in results for problem in problems],
        columns=table_schema("corpus_report")["required"],
    )
    return inspection, report
