"""Losses that networks add by themselves to that of their tags."""

from torch.nn import functional


def counted_cross_entropy(scores, target, counted=None):
    """Binary cross-entropy, mean over the scores that count.

    A NaN counts as a half here: it is in the tags too, where training reports it.

    Parameters
    ----------
    scores : torch.Tensor [in [0, 1]]
    target : torch.Tensor [same shape, 0 or 1]
    counted : torch.Tensor [same shape, 0 or 1] or None
        Scores that the mean is taken over; None: all.

    Returns
    -------
    loss : torch.Tensor [shape=()]
    """
    n = target.numel() if counted is None else counted.sum().clamp(min=1)
    total = functional.binary_cross_entropy(
        scores.nan_to_num(0.5), target, counted, reduction="sum"
    )
    return total / n
