"""From a system's name to its network."""

import torch
from torch import nn

from tfseg.models import poolings, trunks
from tfseg.models.registry import SYSTEMS

_STRETCH_FRAMES = 4096
_TRUNKS = {"vgg": trunks.VggTrunk}
_POOLINGS = {
    "gmp": poolings.GlobalMaxPooling,
    "gap": poolings.GlobalAveragePooling,
    "gwrp": poolings.GlobalWeightedRankPooling,
}


class MaskNetwork(nn.Module):
    """Standardisation, trunk and pooling: log-mel as stored to tags and masks.

    Parameters
    ----------
    trunk, pooling : nn.Module
    n_mels : int

    Attributes
    ----------
    band_mean, band_std : torch.Tensor [shape=(n_mels,)]
        Standardisation of the training folds; saved with the weights.
    """

    def __init__(self, trunk, pooling, n_mels):
        super().__init__()
        self.trunk, self.pooling = trunk, pooling
        self.register_buffer("band_mean", torch.zeros(n_mels))
        self.register_buffer("band_std", torch.ones(n_mels))

    def _masks(self, logmel):
        """Masks; of a long recording stretch by stretch, each with all frames that reach into it."""
        n_frames, reach = logmel.shape[1], self.trunk.reach_frames
        if self.training or n_frames <= _STRETCH_FRAMES:
            return self.trunk(logmel)
        parts = []
        for start in range(0, n_frames, _STRETCH_FRAMES):
            first = max(start - reach, 0)
            stop = min(start + _STRETCH_FRAMES, n_frames)
            masks = self.trunk(logmel[:, first : min(stop + reach, n_frames)])
            parts.append(masks[:, :, start - first : stop - first])
        return torch.cat(parts, dim=2)

    def forward(self, logmel):
        """Run the system.

        Parameters
        ----------
        logmel : torch.Tensor [shape=(batch, time, mel), float]

        Returns
        -------
        tags : torch.Tensor [shape=(batch, class), in [0, 1]]
        masks : torch.Tensor [shape=(batch, class, time, mel), in [0, 1]]
        """
        masks = self._masks((logmel - self.band_mean) / self.band_std)
        # Sums of rounded weights may end a rounding error above one.
        return self.pooling(masks).clamp(0, 1), masks


def build_network(system, *, n_classes, n_mels, trunk_settings, pooling_settings):
    """Build the untrained network of a named system.

    Parameters
    ----------
    system : str
        A key of `tfseg.models.registry.SYSTEMS`.
    n_classes, n_mels : int
    trunk_settings : dict
        Keyword arguments of each trunk by its name; ``config.yaml``'s ``trunk``.
    pooling_settings : dict
        The same for poolings; one that takes no arguments needs no entry.

    Returns
    -------
    network : MaskNetwork
    """
    names = SYSTEMS[system]
    return MaskNetwork(
        _TRUNKS[names.trunk](n_classes, **trunk_settings[names.trunk]),
        _POOLINGS[names.pooling](**pooling_settings.get(names.pooling, {})),
        n_mels,
    )
