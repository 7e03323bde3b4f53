"""A trained model on one sound, from Python: the command's analysis without its files."""

import shutil
import tempfile
import weakref
from pathlib import Path

import h5py
import numpy as np
from tqdm import tqdm

from tfseg.apply import sounds
from tfseg.apply.analysis import score_and_find
from tfseg.apply.inspection import look
from tfseg.apply.scores import AS_TRAINED, Scores
from tfseg.apply.settings import ApplySettings
from tfseg.errors import DataError
from tfseg.inference.model_folder import load_model_folder
from tfseg.io.audio import writing_float_wav
from tfseg.io.opening import read_all
from tfseg.job.hardware import choose_precision


def load_model(folder, device="cpu", precision="auto"):
    """Load a trained model, ready for `apply_model`, as the command ``tfseg apply`` does.

    Parameters
    ----------
    folder : path-like
        With ``model.safetensors``, ``model.json`` and ``detection.json``. Nothing in it is
        unpickled or executed.
    device : str
        Of torch: ``"cpu"``, ``"cuda"``.
    precision : {"auto", "float32", "bfloat16"}
        Of the network; auto: bfloat16 where the hardware has it.

    Returns
    -------
    model : tfseg.inference.model_folder.ModelFolder

    Raises
    ------
    tfseg.errors.DataError
        When there is no model, or a damaged one; it names the file.
    """
    model = load_model_folder(folder, device)
    model.network.precision = choose_precision(precision, device, log=lambda text: None)
    return model


class AppliedModel:
    """What a model found in one sound.

    Masks and the sound itself lie in temporary files until `close`, the end of a ``with`` block or
    the end of the object, so that long recordings fit into memory.

    Attributes
    ----------
    classes : tuple of str
    duration_s : float
    notes : tuple of str
        What is not as it should be with the sound, such as that its file was cut off.
    events : list of tfseg.apply.detected_events.FoundEvent
        Each has onset_s, offset_s, label, confidence, low_hz and high_hz.
    frames : np.ndarray [shape=(n_frames, n_classes), dtype=float32, in [0, 1]]
        Frame scores; zero where a window's tags deny the class.
    frame_s : np.ndarray [shape=(n_frames,)]
        Where each frame begins, in seconds.
    tags : np.ndarray [shape=(n_windows, n_classes), dtype=float32, in [0, 1]]
        Scores of the overlapping windows as a whole.
    window_s : np.ndarray [shape=(n_windows,)]
        Where each window begins, in seconds.
    """

    def __init__(self, model, path, settings, folder):
        self._folder, self._path = Path(folder), Path(path)
        # Also where nobody calls `close`.
        self._remove = weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        self.classes = model.classes
        grid = model.settings.grid
        self._measured, self.notes = look(self._path, grid)
        self.duration_s = self._measured.duration_s
        self._scores = Scores(model, settings, self._folder)
        with h5py.File(self._folder / "scores.h5", "w") as file:
            self.events = score_and_find(
                self._path,
                file,
                model,
                self._scores,
                measured=self._measured,
                progress=lambda total: tqdm(total=total, disable=True),
            )
            self.frames = file["frames"][:].astype(np.float32)
            self.tags = file["tags"][:]
            starts = file["window_start"][:]
        self.frame_s = np.arange(len(self.frames)) * grid.hop_s
        self.window_s = starts * grid.hop_s

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def close(self):
        """Remove the temporary files; masks and sounds are gone then, arrays and events stay."""
        self._scores.close()
        self._remove()

    def _masks(self):
        if self._scores.store is None:
            raise DataError("a system without masks was applied: expected one with masks")
        return self._scores.store

    def _number(self, label):
        self._masks()
        if label not in self.classes:
            raise DataError(f"expected one of the classes {', '.join(self.classes)}, found {label}")
        return self.classes.index(label)

    def mask(self, label):
        """Mask of a class over the whole sound.

        Parameters
        ----------
        label : str

        Returns
        -------
        mask : np.ndarray [shape=(n_frames, n_mels), dtype=float32, in [0, 1]]

        Raises
        ------
        tfseg.errors.DataError
            When there is no such class, or the system has no masks.
        """
        return self._masks().read(self._number(label), 0, self._scores.n_frames)

    def separate(self, labels=None):
        """Waveforms of classes, and of the rest: together they sum to the sound.

        Parameters
        ----------
        labels : sequence of str or None
            None: the classes of `events`.

        Returns
        -------
        waveforms : dict of str to np.ndarray [dtype=float32]
            By label, and ``"rest"``; at the sound's own rate. One dimension for one channel, else
            shape=(n_samples, n_channels).

        Raises
        ------
        tfseg.errors.DataError
            When there is no such class, or the system has no masks.
        """
        if labels is None:
            found = {event.label for event in self.events}
            labels = [label for label in self.classes if label in found]
        numbers = {label: self._number(label) for label in labels}
        if not numbers:
            return {sounds.REST: read_all(self._path)}
        folder = self._folder / "separated"
        folder.mkdir(exist_ok=True)
        # Files are named by number: a label may hold what no file name does.
        paths = sounds.separate_recording(
            self._path,
            folder,
            self._scores.store,
            {str(number): number for number in numbers.values()},
            sounds.MaskedSpectrum(
                self._scores.spectrograms,
                self._measured.sample_rate,
                self._scores.n_frames,
                self._scores.device,
            ),
            n_samples=self._measured.n_samples,
        )
        names = {label: str(number) for label, number in numbers.items()}
        names[sounds.REST] = sounds.REST
        return {label: read_all(paths[name]) for label, name in names.items()}


def _write_sound(samples, sample_rate, path):
    """Write samples as a file of 32-bit floats, which the analysis reads block by block."""
    samples = np.asarray(samples)
    if samples.ndim not in (1, 2) or samples.dtype.kind != "f":
        raise DataError(
            "expected samples as floats, shape (n_samples,) or (n_samples, n_channels), full scale "
            f"1.0; found shape {samples.shape} of {samples.dtype}"
        )
    if len(samples) == 0:
        raise DataError("expected sound, found none: there are no samples")
    if not np.isfinite(samples).all():
        raise DataError("expected samples that are numbers, found NaN or infinite ones")
    frames = samples.reshape(len(samples), -1).astype(np.float32)
    with writing_float_wav(path, sample_rate, frames.shape[1], len(frames)) as file:
        file.write(frames)


def apply_model(
    model, sound, sample_rate=None, *, level=AS_TRAINED, window_s=None, batch_size=None
):
    """Find a model's sounds in a file or an array, with the values that ``tfseg apply`` gives.

    Parameters
    ----------
    model : tfseg.inference.model_folder.ModelFolder
        Of `load_model`.
    sound : path-like or np.ndarray [shape=(n_samples,) or (n_samples, n_channels), float]
        A sound file of any rate, channels and length, or samples (full scale is 1.0).
    sample_rate : int or None
        Hz, of samples; a file knows its own.
    level : {"as_trained", "as_recorded"}
        ``as_trained``: loud stretches are brought to the peak of the training mixtures, by at most
        40 dB up. ``as_recorded``: levels are left alone. Separated sounds keep theirs in any case.
    window_s : float or None
        Length of the overlapping windows; None: that of a training clip.
    batch_size : int or None
        Windows that the network takes at once; None: the command's default.

    Returns
    -------
    applied : AppliedModel

    Raises
    ------
    tfseg.errors.TfsegError
        When the sound cannot be used, or a setting cannot be; it says which.
    """
    given = {} if batch_size is None else {"batch_size": batch_size}
    settings = ApplySettings(window_s=window_s, level=level, page=False, **given)
    is_path = isinstance(sound, str | Path)
    if is_path and sample_rate is not None:
        raise DataError(
            f"{sound}: a file has its own sample rate: expected none, found {sample_rate}"
        )
    if not is_path and (sample_rate is None or not sample_rate > 0):
        raise DataError(f"expected the sample rate of the samples in Hz, found {sample_rate}")
    folder = Path(tempfile.mkdtemp(prefix="tfseg-"))
    try:
        path = sound if is_path else folder / "sound.wav"
        if not is_path:
            _write_sound(sound, int(sample_rate), path)
        return AppliedModel(model, path, settings, folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
