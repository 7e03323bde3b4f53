"""Scores of a whole recording, window by window, on disk while it is analysed."""

import numpy as np
import torch

from tfseg.apply.masks import MaskStore
from tfseg.apply.windows import OverlapAverage, count_windows, cut_windows, read_mel
from tfseg.features.on_device import spectrograms_on
from tfseg.io.files import append_rows, create_dataset, create_description

# The mixtures that models are trained on have their peak near half of full scale: the mean of two
# tracks, of which the louder one has a peak of 1 (mixing).
_TRAINED_PEAK = 0.5
_MOST_GAIN = 100.0  # silence stays silence
AS_TRAINED, AS_RECORDED = "as_trained", "as_recorded"


def recording_gain(measured, level):
    """Gain that brings a recording to the level of the mixtures that models are trained on.

    Parameters
    ----------
    measured : tfseg.io.measuring.Measured
    level : {"as_trained", "as_recorded"}
        ``as_trained``: its loud stretches (the level that was measured) get a peak of 0.5, by
        at most 40 dB up. ``as_recorded``: 1.
    """
    if level == AS_RECORDED:
        return 1.0
    return min(_TRAINED_PEAK / max(measured.level, 1e-12), _MOST_GAIN)


def _batches(windows, batch_size):
    """Windows in groups of equal length; only the last of a recording may be shorter."""
    group = []
    for window in windows:
        if group and (len(group) == batch_size or len(window.frames) != len(group[0].frames)):
            yield group
            group = []
        group.append(window)
    if group:
        yield group


class Scores:
    """Scores of a whole recording, on disk while it is analysed.

    Parameters
    ----------
    model : tfseg.inference.model_folder.ModelFolder
    settings : ApplySettings
    folder : Path
        For scratch files.
    """

    def __init__(self, model, settings, folder):
        self._model, self._settings = model, settings
        self.device = next(model.network.buffers()).device
        self.spectrograms = spectrograms_on(self.device, model.settings)
        grid = model.settings.grid
        self._grid = grid
        seconds = settings.window_s or model.duration_s
        self.n_window = max(grid.n_frames_in(seconds), 2)
        self.block_frames = max(grid.frame_at(settings.block_s), 1)
        # Clips that were used as recorded, were learned as recorded.
        of_clips = model.description["data"]["corpus"] == "clips"
        self._level = AS_RECORDED if of_clips else settings.level
        self._silence = self.spectrograms.log(np.float32(0)).astype(np.float16)
        self.store = None
        if model.network.has_masks:
            self.store = MaskStore(folder / "masks.part", model.settings.n_mels)
        self._logmel = open(folder / "logmel.part", "w+b")  # noqa: SIM115, `close` does
        self.extremes = []
        self.n_frames = 0

    def _logmel_blocks(self, path, measured):
        """Log-mel as the network sees it, as stored features: float16. Kept for the page, too."""
        gain = np.float32(recording_gain(measured, self._level))
        blocks = read_mel(
            path,
            measured,
            self.spectrograms,
            resampler=self._model.resampler,
            block_frames=self.block_frames,
        )
        for mel, extremes in blocks:
            logmel = self.spectrograms.log(gain * mel).astype(np.float16)
            self._logmel.write(logmel.tobytes())
            self.extremes.append(extremes)
            self.n_frames += len(logmel)
            yield logmel

    def compute(self, path, file, *, measured, progress):
        """Score every window of a recording, and average them into `file`.

        Parameters
        ----------
        path : path-like
        file : h5py.File
            Open for writing: receives ``frames``, ``tags``, ``window_start``.
        measured : tfseg.io.measuring.Measured
        progress : callable
            Makes a progress bar of so many windows.
        """
        network, classes = self._model.network, self._model.classes
        n_classes = len(classes)
        frames = create_dataset(
            file, "frames", shape=(0, n_classes), dtype=np.float16, maxshape=(None, n_classes)
        )
        tags_by_window, starts = [], []
        average = OverlapAverage((n_classes,))
        windows = cut_windows(self._logmel_blocks(path, measured), self.n_window)
        n_samples = self._grid.n_samples(measured.duration_s)
        n_frames = self._grid.n_frames(max(n_samples, self._grid.window_length))
        with progress(count_windows(n_frames, self.n_window)) as shown, torch.inference_mode():
            for group in _batches(windows, self._settings.batch_size):
                inputs = torch.from_numpy(np.stack([window.frames for window in group]))
                tags, maps = network(inputs.float().to(self.device))
                tags = tags.cpu().numpy()
                found = self._found(group, tags)
                frame_scores = self._frame_scores(maps) * found[:, :, None]
                for window, of_window in zip(group, frame_scores, strict=True):
                    append_rows(frames, average.finish(window.start).astype(np.float16))
                    average.add(window.start, of_window.T)
                self._keep_masks(group, maps, found)
                for window, of_window in zip(group, tags, strict=True):
                    tags_by_window.append(of_window)
                    starts.append(window.start)
                shown.update(len(group))
        append_rows(frames, average.finish().astype(np.float16))
        create_dataset(file, "tags", data=np.array(tags_by_window))
        create_dataset(file, "window_start", data=np.array(starts, dtype=np.int64))
        create_description(
            file,
            {
                "classes": list(classes),
                "settings": self._model.settings.as_dict(),
                "window_frames": self.n_window,
            },
        )

    def _found(self, windows, tags):
        """Which classes each window holds [shape=(n_windows, n_classes), dtype=bool].

        A class that a window's tags deny scores zero in it (as published: gated).
        """
        found = tags > np.asarray(self._model.detection.tag_threshold, dtype=tags.dtype)
        # Digital silence holds nothing, whatever a network that never met it makes of it.
        sounding = [window.frames.max() > self._silence for window in windows]
        return found & np.array(sounding)[:, None]

    def _frame_scores(self, maps):
        """Scores of frames [shape=(n_windows, n_classes, n_frames)]: the mean of a mask's bands."""
        if self.store is None:
            return maps.cpu().numpy()
        if maps.is_cuda:
            return maps.mean(dim=3).cpu().numpy()
        return maps.numpy().mean(axis=3)

    def _keep_masks(self, windows, masks, found):
        """Store the masks of the classes that were found; no others are copied to the host."""
        if self.store is None:
            return
        rows, classes = np.nonzero(found)
        at = [torch.from_numpy(index).to(masks.device) for index in (rows, classes)]
        kept = masks[at[0], at[1]].half().cpu().numpy()
        for row, window in enumerate(windows):
            of_window = np.flatnonzero(rows == row)
            self.store.add(
                window.start,
                len(window.frames),
                {int(classes[index]): kept[index] for index in of_window},
            )

    def logmel(self, first, stop):
        """Log-mel of some frames as the network saw it [shape=(stop - first, n_mels), dtype=float32]."""
        n_mels = self._model.settings.n_mels
        self._logmel.seek(2 * n_mels * first)
        values = np.frombuffer(self._logmel.read(2 * n_mels * (stop - first)), dtype=np.float16)
        return values.reshape(-1, n_mels).astype(np.float32)

    def close(self):
        """Close the scratch files."""
        self._logmel.close()
        if self.store is not None:
            self.store.close()
