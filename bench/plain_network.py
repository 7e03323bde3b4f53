"""The straightforward way to train and score the mask network, for comparison.

Eager float32 in the default memory layout, GWRP by a full sort, complete masks in memory, and
scikit-learn on arrays.
"""

import numpy as np
import torch
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score
from torch import nn


class PlainNetwork(nn.Module):
    """3x3 convolutions with batch normalisation and ReLU, 1x1 to the masks, GWRP (TASLP IV).

    Parameters
    ----------
    n_classes : int
    widths : sequence of int
    r : float
    """

    def __init__(self, n_classes, widths, r):
        super().__init__()
        layers = []
        for n_inputs, n_maps in zip([1, *widths[:-1]], widths, strict=True):
            layers += [nn.Conv2d(n_inputs, n_maps, 3, padding=1, bias=False)]
            layers += [nn.BatchNorm2d(n_maps), nn.ReLU()]
        self.layers = nn.Sequential(*layers, nn.Conv2d(widths[-1], n_classes, 1))
        self.r = r

    def load(self, network):
        """Take the weights of `network`, a tfseg.models.systems.MaskNetwork of the same size."""
        values = [v for k, v in network.state_dict().items() if not k.startswith("band_")]
        self.load_state_dict(dict(zip(self.state_dict(), values, strict=True)))
        return self

    def forward(self, logmel):
        """Tags [shape=(batch, class)] and masks [shape=(batch, class, time, mel)]."""
        masks = torch.sigmoid(self.layers(logmel[:, None]))
        ranked = torch.sort(masks.flatten(2), dim=2, descending=True).values
        weights = self.r ** torch.arange(ranked.shape[2], device=masks.device)
        return (ranked * weights).sum(dim=2) / weights.sum(), masks


def score_masks(masks, ideal_masks, threshold):
    """Compute F1, AUC and AP of each class, by scikit-learn on whole arrays.

    Parameters
    ----------
    masks : np.ndarray [shape=(n, class, time, mel)]
    ideal_masks : np.ndarray [same shape, dtype=bool]
    threshold : float

    Returns
    -------
    f1, auc, ap : np.ndarray [shape=(class,)]
        NaN for a class without positive units.
    """
    scores = np.full((3, masks.shape[1]), np.nan)
    for k in range(masks.shape[1]):
        truth, values = ideal_masks[:, k].ravel(), masks[:, k].ravel()
        if truth.any():
            scores[:, k] = (
                f1_score(truth, values > threshold),
                roc_auc_score(truth, values),
                average_precision_score(truth, values),
            )
    return scores
