"""Moving average of a network's weights."""

import torch


class Average:
    """Moving average of a network's weights and batch normalisation statistics.

    Its decay rises to `keep`, so that the initial weights are soon forgotten.

    Parameters
    ----------
    network : nn.Module
    keep : float in [0, 1)
        Decay; 0 keeps no average and uses the network itself.
    """

    def __init__(self, network, keep):
        self._keep = keep
        self._live = {
            name: value
            for name, value in network.state_dict(keep_vars=False).items()
            if keep and value.is_floating_point()
        }
        self._mean = {name: value.clone() for name, value in self._live.items()}

    @torch.no_grad()
    def update(self, iteration):
        """Include the weights after an iteration (from 1)."""
        if self._live:
            keep = min(self._keep, iteration / (iteration + 9))
            torch._foreach_lerp_(list(self._mean.values()), list(self._live.values()), 1 - keep)

    def tensors(self):
        """Return the average by name, to be saved."""
        return self._mean

    def load(self, tensors):
        """Restore the result of `tensors`."""
        for name, value in self._mean.items():
            value.copy_(tensors[name])

    @torch.no_grad()
    def apply(self):
        """Replace the network's weights by the average."""
        for name, value in self._live.items():
            value.copy_(self._mean[name])
