r"""Count the work of a training step: operations, bytes, and the least time at given rates.

    PYTHONPATH=bench:workflow_scripts python -m gpu_evidence.limits [--tflops 790] [--tb-per-s 4.3]

counts, and measures nothing. Operations are those of convolutions, linear layers and GRUs, three
times a forward pass (a multiplication and an addition are two). Bytes are those of activations in
bfloat16 that a step must write to and read from memory, as passes over a layer's input or output:

- convolution: reads its input, writes its output; the gradient of its input and that of its weights
  each read two such arrays or read one and write one (6 passes);
- batch normalisation and ReLU as separate kernels: 5 passes forward, 8 backward;
- both in one kernel: 3 forward, 5 backward.

Head, masks and pooling are counted like a layer. Kernel by kernel, each takes the longer of its
arithmetic and its bytes.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from gpu_evidence.setting import RECOMMENDED, ROOT, Setting
from tfseg.models.cost import layer_costs

_BYTES = 2  # a value in bfloat16
_CONVOLUTION_PASSES = 6
_SEPARATE_PASSES, _FUSED_PASSES = 13, 8


@dataclass(frozen=True)
class Layer:
    """Work of one layer on one clip: multiply-accumulates, and values in and out."""

    macs: int
    n_in: int
    n_out: int


@dataclass(frozen=True)
class Limit:
    """Work of a training step, and its least time.

    Attributes
    ----------
    flop : float
    bytes_separate, bytes_fused : float
        With batch normalisation and ReLU as separate kernels, and as one.
    arithmetic_s : float
        Operations alone.
    separate_s, fused_s : float
        Kernel by kernel.
    """

    flop: float
    bytes_separate: float
    bytes_fused: float
    arithmetic_s: float
    separate_s: float
    fused_s: float


def layers_of(network, n_frames, n_mels):
    """List the layers of a network with their work on one clip."""
    inputs, sizes = torch.zeros(1, n_frames, n_mels), []

    def note(_, given, __):
        sizes.append(given[0].numel())

    costs = (nn.Conv1d, nn.Conv2d, nn.Linear, nn.GRU)
    hooks = [
        module.register_forward_hook(note)
        for module in network.modules()
        if isinstance(module, costs)
    ]
    found = layer_costs(network, inputs)
    for hook in hooks:
        hook.remove()
    return [
        Layer(macs, n_in, torch.Size(shape).numel())
        for (_, shape, macs), n_in in zip(found, sizes, strict=True)
    ]


def step_limit(layers, batch_size, flop_per_s, bytes_per_s):
    """Count a training step of `batch_size` clips."""
    flop = sum(6 * layer.macs * batch_size for layer in layers)
    n_bytes, seconds = {}, {}
    for passes in (_SEPARATE_PASSES, _FUSED_PASSES):
        n_bytes[passes] = seconds[passes] = 0.0
        for layer in layers:
            of_convolution = (layer.n_in + layer.n_out) * batch_size * _BYTES
            of_output = passes * layer.n_out * batch_size * _BYTES
            n_bytes[passes] += _CONVOLUTION_PASSES / 2 * of_convolution + of_output
            kernel_s = max(2 * layer.macs * batch_size / flop_per_s, of_convolution / bytes_per_s)
            seconds[passes] += 3 * kernel_s + of_output / bytes_per_s
    return Limit(
        flop=flop,
        bytes_separate=n_bytes[_SEPARATE_PASSES],
        bytes_fused=n_bytes[_FUSED_PASSES],
        arithmetic_s=flop / flop_per_s,
        separate_s=seconds[_SEPARATE_PASSES],
        fused_s=seconds[_FUSED_PASSES],
    )


def main():
    """Print a line for each system of the paper, and for the recommended one."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tflops", type=float, default=790, help="rate of bfloat16 products")
    parser.add_argument("--tb-per-s", type=float, default=4.3, help="bytes read and written")
    rates = parser.parse_args()
    setting = Setting("cpu", False, Path(ROOT, "results", "gpu"), {})
    batch_size = setting.config["training"]["batch_size"]
    print("| system | TFLOP | GB, separate | GB, fused | arithmetic | separate | fused |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for system in ("gwrp", "dnn", "wldcnn", "framecnn", "attention", RECOMMENDED):
        limit = step_limit(
            layers_of(setting.network(system), *setting.shape),
            batch_size,
            1e12 * rates.tflops,
            1e12 * rates.tb_per_s,
        )
        print(
            f"| {system} | {limit.flop / 1e12:.3g} | {limit.bytes_separate / 1e9:.3g} | "
            f"{limit.bytes_fused / 1e9:.3g} | {1e3 * limit.arithmetic_s:.3g} ms | "
            f"{1e3 * limit.separate_s:.3g} ms | {1e3 * limit.fused_s:.3g} ms |"
        )


if __name__ == "__main__":
    main()
