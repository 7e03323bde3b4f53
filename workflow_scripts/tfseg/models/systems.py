"""From a system's name to its network."""

import torch
from torch import nn

from tfseg.models import registry
from tfseg.models.own_losses import counted_cross_entropy

_STRETCH_FRAMES = 4096  # a multiple of every U-Net's coarsest frame


def _needs_attention(pooling):
    return getattr(pooling, "needs_attention", False)


class _Network(nn.Module):
    """Base of every system: standardisation per mel band, and the precision of the computation."""

    def __init__(self, n_mels):
        super().__init__()
        self.precision = "float32"
        self.register_buffer("band_mean", torch.zeros(n_mels))
        self.register_buffer("band_std", torch.ones(n_mels))

    def _standardised(self, logmel):
        return (logmel - self.band_mean) / self.band_std

    def _at_precision(self, inputs):
        """Context manager: convolutions and matrix products compute in `precision`."""
        low = self.precision == "bfloat16"
        return torch.autocast(inputs.device.type, dtype=torch.bfloat16, enabled=low)


class MaskNetwork(_Network):
    """Standardisation, trunk and pooling: log-mel as stored to tags and masks.

    Parameters
    ----------
    trunk, pooling : nn.Module
        Where the pooling needs attention, the trunk's last outputs are the attention logits. A
        trunk with ``n_views`` gives so many groups of outputs: the masks, then the views that they
        are made of. Each view is pooled and trained on the tags by itself too (`own_loss`), and a
        clip's tags are the mean over all groups.
    n_classes, n_mels : int
    has_background : bool
        Whether training has one more mask and tag, for the background: one minus the sum of the
        events' masks, and at least zero (JSC, released code).
    shares_energy : bool
        Whether the masks and the background's mask sum to one in every unit. They are then a
        softmax over all logits (the background's last) instead of a sigmoid of each. The separated
        sounds add up to the mixture (Wisdom et al., ICASSP 2019: mixture consistency).

    Attributes
    ----------
    band_mean, band_std : torch.Tensor [shape=(n_mels,)]
        Standardisation of the training folds; saved with the weights.
    precision : {"float32", "bfloat16"}
        Of the trunk (`tfseg.job.hardware.choose_precision`). Masks and pooling are always float32.
    """

    has_masks = True

    def __init__(
        self, trunk, pooling, n_classes, n_mels, *, has_background=False, shares_energy=False
    ):
        super().__init__(n_mels)
        self.n_classes, self.has_background = n_classes, has_background
        self.shares_energy = shares_energy
        self.trunk, self.pooling = trunk, pooling
        self._n_groups = getattr(trunk, "n_views", 1)
        self._views = []

    def _logits(self, logmel):
        """Logits; a long recording is processed in pieces, each with the frames it depends on."""
        n_frames, reach = logmel.shape[1], self.trunk.reach_frames
        if self.training or n_frames <= _STRETCH_FRAMES:
            return self.trunk(logmel)
        parts = []
        for start in range(0, n_frames, _STRETCH_FRAMES):
            first = max(start - reach, 0)
            stop = min(start + _STRETCH_FRAMES, n_frames)
            logits = self.trunk(logmel[:, first : min(stop + reach, n_frames)])
            parts.append(logits[:, :, start - first : stop - first])
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
            In training, the background follows the classes, where the system has one.
        """
        with self._at_precision(logmel):
            outputs = self._logits(self._standardised(logmel))
        groups = outputs.chunk(self._n_groups, dim=1)
        tags, masks = self._pooled(groups[0])
        views = [self._pooled(group)[0] for group in groups[1:]]
        if self.training:
            self._views = views
        elif views:
            tags = torch.stack([tags, *views]).mean(dim=0)
        return tags, masks

    def _pooled(self, outputs):
        """Tags and masks of one group of the trunk's outputs."""
        if self.shares_energy:
            # Poolings assume that masks are the sigmoid of logits, which does not hold here.
            logits, n_own = None, self.n_classes + 1
            masks = torch.softmax(outputs[:, :n_own].float(), dim=1)[:, : self.n_classes]
        else:
            n_own = self.n_classes
            logits = outputs[:, :n_own].contiguous()
            masks = torch.sigmoid(logits.float())
        if self.training and self.has_background:
            rest = (1 - masks.sum(dim=1, keepdim=True)).clamp(0, 1)
            masks, logits = torch.cat([masks, rest], dim=1), None
        attention = {}
        if _needs_attention(self.pooling):
            attention["attention"] = outputs[:, n_own:][:, : masks.shape[1]]
        # Rounding may leave a weighted mean of ones slightly above one.
        return self.pooling(masks, logits, **attention).clamp(0, 1), masks

    def own_loss(self, target, counted=None):
        """Cross-entropy of the tags of each view of the last batch, summed over the views.

        Parameters
        ----------
        target : torch.Tensor [shape=(batch, class), 0 or 1]
        counted : torch.Tensor [same shape, 0 or 1] or None
            Tags that the mean is taken over; None: all.

        Returns
        -------
        loss : torch.Tensor or 0
            A scalar; 0 for a trunk without views.
        """
        return sum(counted_cross_entropy(tags, target, counted) for tags in self._views)


class FrameNetwork(_Network):
    """Standardisation and a network without masks: log-mel as stored to tags and frame scores.

    Parameters
    ----------
    network : nn.Module
        Takes standardised log-mel; returns tags and frame scores.
    n_mels : int
    """

    has_masks = False
    has_background = False

    def __init__(self, network, n_mels):
        super().__init__(n_mels)
        self.network = network

    def forward(self, logmel):
        """Run the system.

        Parameters
        ----------
        logmel : torch.Tensor [shape=(batch, time, mel), float]

        Returns
        -------
        tags : torch.Tensor [shape=(batch, class), in [0, 1]]
        frames : torch.Tensor [shape=(batch, class, time), in [0, 1]]
        """
        with self._at_precision(logmel):
            tags, frames = self.network(self._standardised(logmel))
        return tags.float().clamp(0, 1), frames.float().clamp(0, 1)

    def own_loss(self, target, counted=None):
        """Loss that the network adds to that of its tags in the last batch; 0: none.

        Parameters as in `MaskNetwork.own_loss`.
        """
        own = getattr(self.network, "own_loss", None)
        return own(target, counted) if own else 0


def _completed(kind, name, sections):
    """Settings of a pooling, trunk or network; a model from before a key has the key's default."""
    return registry.declarations(kind)[name].defaults | sections.get(name, {})


def network_of(description):
    """Build the untrained network that the description of a model names.

    Parameters
    ----------
    description : dict
        With ``network, classes, features, trunk, pooling, baselines``.

    Returns
    -------
    network : MaskNetwork or FrameNetwork
    """
    return build_network(
        description["network"],
        n_classes=len(description["classes"]),
        n_mels=description["features"]["n_mels"],
        trunk_settings=description["trunk"],
        pooling_settings=description["pooling"],
        baseline_settings=description["baselines"],
    )


def build_network(
    system, *, n_classes, n_mels, trunk_settings, pooling_settings, baseline_settings=None
):
    """Build the untrained network of a named system.

    Parameters
    ----------
    system : str
        A key of `tfseg.models.registry.systems`.
    n_classes, n_mels : int
    trunk_settings : dict
        ``config.yaml``'s ``trunk``: ``kind``, ``background``, ``share_energy``, and the keyword
        arguments of each kind of trunk by its name.
    pooling_settings : dict
        Keyword arguments of each pooling by its name; a pooling without settings needs no entry.
    baseline_settings : dict or None
        Keyword arguments of each system without masks by its name.

    Returns
    -------
    network : MaskNetwork or FrameNetwork
    """
    names = registry.systems()[system]
    if not names.has_masks:
        settings = _completed(registry.NETWORKS, names.network, baseline_settings or {})
        network = registry.load(registry.NETWORKS, names.network)
        return FrameNetwork(network.build(n_classes, n_mels, **settings), n_mels)
    n_masks = n_classes + trunk_settings["background"]
    pooling = registry.load(registry.POOLINGS, names.pooling).build(
        n_masks, **_completed(registry.POOLINGS, names.pooling, pooling_settings)
    )
    shares_energy = trunk_settings["share_energy"]
    n_outputs = n_classes + shares_energy + (n_masks if _needs_attention(pooling) else 0)
    kind = trunk_settings["kind"]
    return MaskNetwork(
        registry.load(registry.TRUNKS, kind).build(
            n_outputs, **_completed(registry.TRUNKS, kind, trunk_settings)
        ),
        pooling,
        n_classes,
        n_mels,
        has_background=trunk_settings["background"],
        shares_energy=shares_energy,
    )
