"""Masks of the windows in which a class was found, on disk, read as one mask over the recording."""

import bisect
from array import array

import numpy as np

from tfseg.apply.windows import window_weights


class MaskStore:
    """Masks by window and class; where a window's tags deny a class, its mask is zero.

    Only masks that are not zero take space, on disk and for the time of one recording.

    Parameters
    ----------
    path : path-like
        A scratch file, overwritten.
    n_mels : int
    """

    def __init__(self, path, n_mels):
        self._stream = open(path, "w+b")  # noqa: SIM115, `close` does
        self._n_mels = n_mels
        # Whole numbers alone: a day has 80 000 windows, and Python objects take ten times as much.
        self._starts, self._lengths = array("q"), array("q")
        self._longest = 0
        self._windows, self._places = {}, {}  # of each class: windows that hold it, and where

    def add(self, start, n_frames, masks):
        """Add one window.

        Parameters
        ----------
        start : int
            Its first frame; not before that of the window added last.
        n_frames : int
        masks : dict of int to np.ndarray [shape=(n_frames, n_mels), in [0, 1]]
            Of each class that its tags hold. Kept as float16.
        """
        for k, mask in masks.items():
            self._windows.setdefault(k, array("q")).append(len(self._starts))
            self._places.setdefault(k, array("q")).append(self._stream.tell())
            self._stream.write(mask.astype(np.float16).tobytes())
        self._starts.append(start)
        self._lengths.append(n_frames)
        self._longest = max(self._longest, n_frames)

    @property
    def classes(self):
        """Classes that any window's tags hold, in their order."""
        return sorted(self._windows)

    def _load(self, index, k):
        """Mask of a window; None where its tags deny the class."""
        windows = self._windows.get(k, ())
        at = bisect.bisect_left(windows, index)
        if at == len(windows) or windows[at] != index:
            return None
        self._stream.seek(self._places[k][at])
        n_units = self._lengths[index] * self._n_mels
        mask = np.frombuffer(self._stream.read(2 * n_units), dtype=np.float16)
        return mask.reshape(-1, self._n_mels)

    def read(self, k, first, stop):
        """Mask of one class: the mean of its windows' masks, weighted as their scores are.

        Parameters
        ----------
        k : int
        first, stop : int
            Frames, all of them in a window.

        Returns
        -------
        mask : np.ndarray [shape=(stop - first, n_mels), dtype=float32, in [0, 1]]
        """
        total = np.zeros((stop - first, self._n_mels), dtype=np.float32)
        weight = np.zeros((stop - first, 1), dtype=np.float32)
        index = bisect.bisect_left(self._starts, first - self._longest)
        while index < len(self._starts) and self._starts[index] < stop:
            start, n_frames = self._starts[index], self._lengths[index]
            a, b = max(start, first), min(start + n_frames, stop)
            if a < b:
                weights = window_weights(n_frames)[a - start : b - start, None].astype(np.float32)
                weight[a - first : b - first] += weights
                mask = self._load(index, k)
                if mask is not None:
                    total[a - first : b - first] += weights * mask[a - start : b - start]
            index += 1
        return total / weight

    def close(self):
        """Close the scratch file."""
        self._stream.close()
