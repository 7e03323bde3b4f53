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
        self._pairs = list(self._mean.values()), list(self._live.values())

    def share(self, n_done):
        """Return the share of the newest weights after `n_done` iterations (from 1)."""
        return 1 - min(self._keep, n_done / (n_done + 9))

    @torch.no_grad()
    def update(self, share):
        """Include the newest weights.

        Parameters
        ----------
        share : float or torch.Tensor [shape=(), float32]
            `share` of this iteration; a tensor on the device in a step that is replayed.
        """
        mean, live = self._pairs
        if not live:
            return
        if isinstance(share, float):
            torch._foreach_lerp_(mean, live, share)
        else:  # no kernel interpolates many tensors by one weight that is on the device
            steps = torch._foreach_sub(live, mean)
            torch._foreach_mul_(steps, share)
            torch._foreach_add_(mean, steps)

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
