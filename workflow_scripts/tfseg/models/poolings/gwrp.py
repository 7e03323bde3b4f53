"""Global weighted rank pooling."""

import torch
from torch import nn

from tfseg.models.poolings.units import check_masks

DECLARATION = {
    "summary": "units in descending order, weighted by r to the power of the rank (TASLP eq. 7)",
    "order": 3,
    "settings": {
        "r": {
            "type": "number",
            "minimum": 0,
            "maximum": 1,
            "default": 0.9998,
            "description": "decay per rank (released code; TASLP does not print it)",
        },
        "reference_units": {
            "type": "integer",
            "minimum": 1,
            "maximum": 1000000000,
            "default": 19904,
            "unit": "T-F units",
            "description": "number of units that r was chosen for (311 x 64); rescaled for others",
        },
    },
}

# Buckets of bfloat16 logits by bit pattern: magnitudes 2**-18 to 2**4, both signs. Logits beyond
# share the outermost bucket; masks within such a bucket differ by less than 2e-6.
_FIRST_PATTERN, _LAST_PATTERN = 109 << 7, 131 << 7
_N_BUCKETS = 2 * (_LAST_PATTERN - _FIRST_PATTERN + 1)


def _buckets(rows):
    """Bucket of each bfloat16 logit, row by row [dtype=int32]; increases with the logit."""
    bits = rows.view(torch.int16)
    buckets = (bits & 0x7FFF).clamp_(_FIRST_PATTERN, _LAST_PATTERN).sub_(_FIRST_PATTERN)
    buckets.bitwise_xor_(bits >> 15)  # m to -1 - m where the sign is set
    first_of_row = torch.arange(len(rows), dtype=torch.int32, device=rows.device) * _N_BUCKETS
    return buckets + (first_of_row + _N_BUCKETS // 2)[:, None]


class GlobalWeightedRankPooling(nn.Module):
    """GWRP: units in descending order, weighted by r**rank (TASLP eq. 7).

    bfloat16 logits take so few values that they are counted instead of sorted. The count of each
    value tells which ranks its units share; each unit gets the mean weight of those ranks. Tags are
    exact, since equal units are interchangeable. The gradient is the mean over all orders of equal
    units, where a sort picks one order. Logits beyond the buckets (magnitudes under 2**-18 or over
    16) change a tag by less than 1e-6.

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
        self._tables = {}

    def _table(self, n_units, device):
        """Weights of the ranks, and their cumulative sum (float64)."""
        key = (n_units, str(device))
        if key not in self._tables:
            decay = self.r ** (self.reference_units / n_units)
            powers = decay ** torch.arange(n_units, dtype=torch.float64)
            weights = powers / powers.sum()
            first = torch.cat([torch.zeros(1, dtype=torch.float64), weights.cumsum(0)])
            self._tables[key] = weights.to(device, torch.float32), first.to(device)
        return self._tables[key]

    def weights(self, n_units, device=None):
        """Normalised weights of the ranks [shape=(n_units,), sums to 1, dtype=float32]."""
        return self._table(n_units, device)[0]

    def unit_weights(self, logits):
        """Compute the weight of each unit by counting, without a sort.

        Parameters
        ----------
        logits : torch.Tensor [shape=(..., n_units), dtype=bfloat16]

        Returns
        -------
        weights : torch.Tensor [same shape, dtype=float32]
            Sum to 1 over the units.
        """
        rows = logits.reshape(-1, logits.shape[-1])
        n_rows, n_units = rows.shape
        buckets = _buckets(rows).flatten()
        # Not torch.bincount, which on a GPU waits for the largest bucket to know its result's size.
        counts = torch.zeros(n_rows * _N_BUCKETS, dtype=torch.int32, device=rows.device)
        counts.index_add_(0, buckets, counts.new_ones(()).expand_as(buckets))
        counts = counts.view(n_rows, _N_BUCKETS)
        above = counts.cumsum(1, dtype=torch.int32).neg_().add_(n_units)
        _, first = self._table(n_units, rows.device)
        # The weight of all units above a bucket.
        ends = first.index_select(0, above.flatten()).view(n_rows, _N_BUCKETS)
        shared = -ends
        shared[:, 0] += 1
        shared[:, 1:] += ends[:, :-1]  # now the weight of all units of a bucket
        shared /= counts.clamp_(min=1)
        return shared.float().flatten().index_select(0, buckets).view(logits.shape)

    def forward(self, masks, logits=None):
        """Pool masks [shape=(batch, class, time, mel)] to tags [shape=(batch, class)].

        With bfloat16 `logits` [same shape] the units are counted; otherwise they are sorted.
        """
        check_masks(masks)
        units = masks.flatten(2)
        if logits is not None and logits.dtype == torch.bfloat16:
            with torch.no_grad():
                weights = self.unit_weights(logits.flatten(2))
            return (units * weights).sum(dim=-1)
        ranked = units.sort(dim=-1, descending=True).values
        return ranked @ self.weights(units.shape[-1], masks.device)


def build(n_masks, *, r, reference_units):
    """Build `GlobalWeightedRankPooling` from its settings."""
    return GlobalWeightedRankPooling(r=r, reference_units=reference_units)
