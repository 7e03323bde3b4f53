"""The cost of a system: parameters, and multiply-accumulates (MACs) per clip.

MACs are counted for convolutions, linear layers and GRUs, once for each use of a weight.
Normalisation, activations and pooling are not counted.
"""

import math

import torch
from torch import nn

_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d)


def layer_costs(network, inputs):
    """Run a network and list its layers in order.

    Parameters
    ----------
    network : nn.Module
    inputs : torch.Tensor
        One clip, so that the MACs are per clip.

    Returns
    -------
    layers : list of (name, output shape, MACs)
    """
    layers = []

    def note(name):
        def hook(layer, _, output):
            output = output[0] if isinstance(output, tuple) else output
            weights = [p for key, p in layer.named_parameters() if key.startswith("weight")]
            channels = output.shape[1] if isinstance(layer, _CONVOLUTIONS) else output.shape[-1]
            times_applied = output.numel() // channels
            macs = times_applied * sum(math.prod(weight.shape) for weight in weights)
            layers.append((name, tuple(output.shape[1:]), macs))

        return hook

    hooks = [
        module.register_forward_hook(note(name))
        for name, module in network.named_modules()
        if isinstance(module, (*_CONVOLUTIONS, nn.Linear, nn.GRU))
    ]
    with torch.inference_mode():
        network.eval()(inputs)
    for hook in hooks:
        hook.remove()
    return layers


def network_cost(network, n_frames, n_mels):
    """Count the parameters and MACs of a network; it need not be trained.

    Parameters
    ----------
    network : MaskNetwork or FrameNetwork
    n_frames, n_mels : int
        Size of a clip's spectrogram.

    Returns
    -------
    n_parameters : int
    macs : int
        Per clip.
    """
    layers = layer_costs(network, torch.zeros(1, n_frames, n_mels))
    n_parameters = sum(parameter.numel() for parameter in network.parameters())
    return n_parameters, sum(macs for *_, macs in layers)
