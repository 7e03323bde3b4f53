"""Parameters and multiply-accumulates (MACs) per clip of the systems, at the paper's sizes.

    python bench/systems.py [--layers] [SYSTEM ...]

counts convolutions, linear layers and GRUs, once for each use of a weight. Without a system's name
it prints all systems; ``--layers`` adds the output size and MACs of each layer.
"""

import argparse
import sys
from pathlib import Path

import torch
from harness import read_config

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "workflow_scripts"))

from tfseg.features.logmel import FeatureSettings  # noqa: E402
from tfseg.models.cost import layer_costs, network_cost  # noqa: E402
from tfseg.models.registry import systems  # noqa: E402
from tfseg.models.systems import build_network  # noqa: E402
from tfseg.settings.recipes import find_recipe  # noqa: E402


def build(system, config):
    """Build a system, untrained, for the config's classes and mel bands."""
    recipe = find_recipe(config, system)
    return build_network(
        recipe.network,
        n_classes=len(config["corpus"]["classes"]),
        n_mels=config["features"]["n_mels"],
        trunk_settings=recipe.trunk,
        pooling_settings=recipe.pooling,
        baseline_settings=config["baselines"],
    )


def main():
    """Print a line for each system."""
    config = read_config()
    known = [*systems(), *config["variants"]]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("systems", nargs="*", metavar="SYSTEM", help=f"of {', '.join(known)}")
    parser.add_argument("--layers", action="store_true", help="print each layer too")
    arguments = parser.parse_args()
    unknown = sorted(set(arguments.systems) - set(known))
    if unknown:
        parser.error(f"expected systems of {', '.join(known)}; got {', '.join(unknown)}")
    settings = FeatureSettings(**config["features"])
    n_samples = round(config["mixing"]["duration_s"] * settings.sample_rate)
    shape = settings.grid.n_frames(n_samples), settings.n_mels
    print(f"{'system':16s} {'parameters':>12s} {'MMAC per clip':>14s}")
    for system in arguments.systems or known:
        network = build(system, config)
        n_parameters, macs = network_cost(network, *shape)
        print(f"{system:16s} {n_parameters:12,d} {macs / 1e6:14,.1f}")
        if arguments.layers:
            for name, output, layer_macs in layer_costs(network, torch.zeros(1, *shape)):
                print(f"    {name:36s} {output!s:>20s} {layer_macs / 1e6:12,.3f}")


if __name__ == "__main__":
    main()
