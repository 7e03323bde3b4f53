"""Parameters, and multiply-accumulates (MACs) per clip, of the systems at the paper's geometry.

    python bench/systems.py [--layers] [SYSTEM ...]

counts convolutions, linear layers and GRUs: each weight as often as it is applied. Without a
system's name it prints all; with ``--layers`` also the output size and MACs of each layer.
"""

import argparse
import math
import sys
from pathlib import Path

import torch
import yaml
from torch import nn

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "workflow_scripts"))

from tfseg.features import FeatureSettings  # noqa: E402
from tfseg.models.registry import SYSTEMS  # noqa: E402
from tfseg.models.systems import build_network  # noqa: E402


def build(system, config):
    """Build a system, untrained, for the config's classes and mel bands."""
    return build_network(
        system,
        n_classes=len(config["corpus"]["classes"]),
        n_mels=config["features"]["n_mels"],
        trunk_settings=config["trunk"],
        pooling_settings=config["pooling"],
        baseline_settings=config["baselines"],
    )


def layer_costs(network, inputs):
    """Run a network and list its layers in order.

    Parameters
    ----------
    network : nn.Module
    inputs : torch.Tensor
        One clip, so that MACs are those per clip.

    Returns
    -------
    layers : list of (name, output shape, MACs)
    """
    layers = []

    def note(name):
        def hook(layer, _, output):
            output = output[0] if isinstance(output, tuple) else output
            weights = [p for key, p in layer.named_parameters() if key.startswith("weight")]
            channels = output.shape[1] if isinstance(layer, convolutions) else output.shape[-1]
            times_applied = output.numel() // channels
            macs = times_applied * sum(math.prod(weight.shape) for weight in weights)
            layers.append((name, tuple(output.shape[1:]), macs))

        return hook

    convolutions = (nn.Conv1d, nn.Conv2d)
    hooks = [
        module.register_forward_hook(note(name))
        for name, module in network.named_modules()
        if isinstance(module, (*convolutions, nn.Linear, nn.GRU))
    ]
    with torch.inference_mode():
        network.eval()(inputs)
    for hook in hooks:
        hook.remove()
    return layers


def main():
    """Print a line for each system."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("systems", nargs="*", metavar="SYSTEM", help=f"of {', '.join(SYSTEMS)}")
    parser.add_argument("--layers", action="store_true", help="print each layer too")
    arguments = parser.parse_args()
    unknown = sorted(set(arguments.systems) - set(SYSTEMS))
    if unknown:
        parser.error(f"expected systems of {', '.join(SYSTEMS)}; got {', '.join(unknown)}")
    config = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
    settings = FeatureSettings(**config["features"])
    n_samples = round(config["mixing"]["duration_s"] * settings.sample_rate)
    inputs = torch.zeros(1, settings.grid.n_frames(n_samples), settings.n_mels)
    print(f"{'system':12s} {'parameters':>12s} {'MMAC per clip':>14s}")
    for system in arguments.systems or SYSTEMS:
        network = build(system, config)
        layers = layer_costs(network, inputs)
        n_parameters = sum(parameter.numel() for parameter in network.parameters())
        macs = sum(layer_macs for *_, layer_macs in layers)
        print(f"{system:12s} {n_parameters:12,d} {macs / 1e6:14,.1f}")
        if arguments.layers:
            for name, shape, layer_macs in layers:
                print(f"    {name:36s} {shape!s:>20s} {layer_macs / 1e6:12,.3f}")


if __name__ == "__main__":
    main()
