"""How a training goes, for TensorBoard: scalars, and masks of a few clips.

Event files are beside the results, and no result depends on them.
"""

from pathlib import Path

import numpy as np
import torch

_N_CLIPS = 3


def example_clips(target):
    """Choose clips to show: the same in every run, with different classes where there are any.

    Parameters
    ----------
    target : np.ndarray [shape=(n, n_classes)]

    Returns
    -------
    clips : list of int
    """
    clips, shown = [], np.zeros(target.shape[1], dtype=bool)
    while len(clips) < min(_N_CLIPS, len(target)):
        # Most classes that no earlier one has; of equal ones the first.
        gain = (target.astype(bool) & ~shown).sum(axis=1)
        gain[clips] = -1
        clips.append(int(gain.argmax()))
        shown |= target[clips[-1]].astype(bool)
    return clips


def _picture(values):
    """Values [shape=(time, mel or class), in [0, 1]] as a picture with low bands at the bottom."""
    return np.round(255 * np.clip(values.T[::-1], 0, 1)).astype(np.uint8)


class Curves:
    """Event files of one training; call it with each new row of the history.

    Parameters
    ----------
    folder : path-like
        Of this training alone. A training that goes on after a kill goes on in the same curves:
        what was written beyond its saved state is replaced.
    data : tfseg.features.feature_set.FeatureSet
        Clips to train on.
    """

    def __init__(self, folder, data):
        self._folder, self._writer = Path(folder), None
        self._classes = data.classes
        clips = example_clips(data.target)
        self._tags = [np.flatnonzero(data.target[clip]) for clip in clips]
        self._clips = [np.asarray(data.logmel[clip], dtype=np.float32) for clip in clips]

    def __call__(self, iteration, loss, rate, network):
        """Write loss, learning rate and masks of the network as it is now.

        Parameters
        ----------
        iteration : int
        loss : float
            Mean since the last row.
        rate : float
            Of learning.
        network : tfseg.models.systems.MaskNetwork or FrameNetwork
            In training mode, which it is left in.
        """
        writer = self._writer or self._begin(iteration)
        writer.add_scalar("loss", loss, iteration)
        writer.add_scalar("learning_rate", rate, iteration)
        network.eval()
        with torch.no_grad():
            for name, values in self._maps(network):
                writer.add_image(name, _picture(values), iteration, dataformats="HW")
        network.train()
        writer.flush()

    def _begin(self, iteration):
        # Imported here: it is an extra.
        from torch.utils.tensorboard import SummaryWriter

        is_new = not any(self._folder.glob("events.*"))
        # Rows from this one on may be there, of a process that was killed before its state was saved.
        self._writer = SummaryWriter(str(self._folder), purge_step=iteration)
        for number, clip in enumerate(self._clips if is_new else []):
            shown = (clip - clip.min()) / max(clip.max() - clip.min(), 1e-6)
            name = f"clip_{number}/log_mel"
            self._writer.add_image(name, _picture(shown), iteration, dataformats="HW")
        return self._writer

    def _maps(self, network):
        """Yield the name and the values of each picture of the clips."""
        device = next(network.buffers()).device
        for number, clip in enumerate(self._clips):
            _, maps = network(torch.from_numpy(clip)[None].to(device))
            maps = maps[0].float().cpu().numpy()
            if network.has_masks:
                for k in self._tags[number]:
                    yield f"clip_{number}/mask_{k}_{self._classes[k]}", maps[k]
            else:
                yield f"clip_{number}/frames", maps.T

    def close(self):
        """Close the event file."""
        if self._writer is not None:
            self._writer.close()
