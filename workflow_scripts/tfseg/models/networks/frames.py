"""Coarse outputs of a network, repeated to one score per input frame."""

import torch


def hold(outputs, n_frames, *, stride, first_centre):
    """Give every frame the output whose centre is nearest.

    Frames before the first centre get the first output, and frames after the last centre get the
    last. A frame halfway between two centres gets the later output.

    Parameters
    ----------
    outputs : torch.Tensor [shape=(..., n_outputs)]
        In order of time.
    n_frames : int
    stride : int
        Frames from one centre to the next.
    first_centre : float
        Centre of the first output in frames: 7.5 for frames 0 to 15.

    Returns
    -------
    frames : torch.Tensor [shape=(..., n_frames)]
    """
    frames = torch.arange(n_frames, device=outputs.device)
    nearest = torch.floor((frames - first_centre) / stride + 0.5).long()
    return outputs[..., nearest.clamp(0, outputs.shape[-1] - 1)]
