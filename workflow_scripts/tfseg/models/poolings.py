"""Classification mappings g2: one T-F mask to one presence probability (TASLP IV-B)."""

import torch
from torch import nn


def _check_masks(masks):
    if masks.ndim != 4:
        raise ValueError(f"expected masks (batch, class, time, mel), got {tuple(masks.shape)}")


class GlobalMaxPooling(nn.Module):
    """GMP: the largest unit (TASLP eq. 5)."""

    def forward(self, masks):
        """Pool masks [shape=(batch, class, time, mel)] to tags [shape=(batch, class)]."""
        _check_masks(masks)
        return masks.amax(dim=(2, 3))


class GlobalAveragePooling(nn.Module):
    """GAP: the mean of all units (TASLP eq. 6)."""

    def forward(self, masks):
        """Pool masks [shape=(batch, class, time, mel)] to tags [shape=(batch, class)]."""
        _check_masks(masks)
        return masks.mean(dim=(2, 3))


class GlobalWeightedRankPooling(nn.Module):
    """GWRP: units in descending order, weighted by r**rank (TASLP eq. 7).

    Parameters
    ----------
    r : float in [0, 1]
        Decay per rank; 0 is GMP, 1 is GAP.
    reference_units : int
        The number of T-F units that `r` was chosen for. For masks of N units the decay becomes
        ``r ** (reference_units / N)``, so that the same share of the units matters.
    """

    def __init__(self, *, r, reference_units):
        super().__init__()
        if not 0 <= r <= 1:
            raise ValueError(f"expected r within 0..1, got {r}")
        self.r, self.reference_units = float(r), int(reference_units)
        self._weights = {}

    def weights(self, n_units, device=None):
        """Normalised weights of the ranks [shape=(n_units,), sums to 1, dtype=float32]."""
        key = (n_units, str(device))
        if key not in self._weights:
            decay = self.r ** (self.reference_units / n_units)
            powers = decay ** torch.arange(n_units, dtype=torch.float64)
            self._weights[key] = (powers / powers.sum()).to(device=device, dtype=torch.float32)
        return self._weights[key]

    def forward(self, masks):
        """Pool masks [shape=(batch, class, time, mel)] to tags [shape=(batch, class)]."""
        _check_masks(masks)
        units = masks.flatten(2)
        ranked = units.sort(dim=-1, descending=True).values
        return ranked @ self.weights(units.shape[-1], masks.device)
