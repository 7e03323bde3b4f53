"""Small versions of the papers' baselines, for common and for individual tests."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
import yaml

from tfseg.models.networks import attention, dnn, fbcrnn, framecnn, twoapae, wldcnn

_CONFIG = yaml.safe_load((Path(__file__).parents[2] / "config.yaml").read_text())
PUBLISHED = _CONFIG["baselines"]


@dataclass(frozen=True)
class Baseline:
    """A network with small settings.

    Parameters
    ----------
    build : callable
        Makes the network of a number of classes, a number of mel bands and settings.
    settings : dict
    settling : (int, int)
        Batches from which its batch normalisation learns its statistics, and their frames.
    n_steps : int
        Training steps after which it has memorised eight clips.
    """

    build: Callable
    settings: dict
    settling: tuple
    n_steps: int

    @property
    def normalises(self):
        """Whether it has batch normalisation."""
        return self.settling[0] > 0

    def settled(self, mel=16):
        """Build the network for five classes, with batch normalisation fitted to such inputs."""
        torch.manual_seed(0)
        network = self.build(5, mel, **self.settings).train()
        n_batches, n_frames = self.settling
        with torch.no_grad():
            for _ in range(n_batches):
                network(random_input(4, n_frames, mel))
        return network.eval()


BASELINES = {
    "dnn": Baseline(dnn.build, {"widths": [64, 64], "dropout": 0.2}, (0, 0), 80),
    "wldcnn": Baseline(
        wldcnn.build, {"widths": [4, 6, 8, 8, 8, 8], "segment_maps": 32}, (20, 100), 60
    ),
    "framecnn": Baseline(
        framecnn.build,
        {"width_factors": [1, 2, 3, 3], "dense_units": 32, "dropout": 0.2},
        (20, 100),
        60,
    ),
    "attention": Baseline(
        attention.build,
        {"stages": 4, "gated_maps": 6, "output_maps": 16, "gru_units": 16},
        (10, 60),
        40,
    ),
    "twoapae": Baseline(
        twoapae.build, {"widths": [8, 16], "rebuilding_weight": 0.001}, (10, 60), 150
    ),
    "fbcrnn": Baseline(
        fbcrnn.build, {"widths": [4, 6, 8], "gru_units": 16, "dropout": 0.2}, (10, 60), 60
    ),
}


def random_input(*shape):
    """Standard normal values, the same on every call."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))
