"""The device gives the CPU's results, resumes, and needs no more memory with every iteration."""

import contextlib
import copy
import os
import signal
import tempfile
from pathlib import Path

import numpy as np
import torch
from torch import nn

from gpu_evidence.parts import check
from gpu_evidence.setting import Watch, synchronise
from tfseg.inference import forward
from tfseg.inference.histogram import N_PATTERNS, ScoreHistogram
from tfseg.models import registry
from tfseg.training.losses import cross_entropy
from tfseg.training.state import Interrupted

# Outputs of a float32 network, of which no product is rounded to TF32.
OUTPUTS, GRADIENTS = 1e-4, 1e-2
# bfloat16 has 8 bits, and layers add their rounding: a mean, since single units differ more.
OUTPUTS_BFLOAT16 = 0.02
POOLED, POOLED_GRADIENTS = 1e-5, 1e-4
SCORES = 1e-3
LOSSES, RESUMED = 0.05, 0.05
SPECTRA, SOUNDS = 1e-4, 1e-5
GROWTH_MIB = 1.0


@contextlib.contextmanager
def full_float32():
    """Products of float32 are not rounded to TF32."""
    of_cudnn, of_cublas = torch.backends.cudnn, torch.backends.cuda.matmul
    before = of_cudnn.allow_tf32, of_cublas.allow_tf32
    of_cudnn.allow_tf32 = of_cublas.allow_tf32 = False
    try:
        yield
    finally:
        of_cudnn.allow_tf32, of_cublas.allow_tf32 = before


def _differences(found, expected):
    """Absolute differences; NaN where either has one."""
    return (found.detach().cpu().float() - expected.detach().cpu().float()).abs()


def _difference(found, expected):
    """Largest absolute difference."""
    return _differences(found, expected).max().item()


def _relative(found, expected):
    """Norm of the difference of lists of tensors, relative to that of the expected ones."""
    pairs = [(a.detach().cpu(), b.detach().cpu()) for a, b in zip(found, expected, strict=True)]
    difference = sum(((a - b) ** 2).sum().item() for a, b in pairs)
    return (difference / max(sum((b**2).sum().item() for _, b in pairs), 1e-30)) ** 0.5


def network_checks(setting, system):
    """Tags, masks and gradients of a system."""
    data = setting.clips(setting.sizes.checked_clips)
    inputs = torch.from_numpy(data.logmel).float()
    host = setting.network(system).eval()
    for module in host.modules():
        if isinstance(module, nn.Dropout | nn.Dropout2d):
            module.p = 0.0  # its random values are each device's own
    target = torch.from_numpy(data.target).float()
    device = copy.deepcopy(host).to(setting.device, memory_format=torch.channels_last)
    rows = []
    with full_float32():
        for precision, statistic, limit in (
            ("float32", "largest", OUTPUTS),
            ("bfloat16", "mean", OUTPUTS_BFLOAT16),
        ):
            device.precision = precision
            with torch.no_grad():
                expected, found = host(inputs), device(inputs.to(setting.device))
            for what, ours, reference in zip(("tags", "maps"), found, expected, strict=True):
                differences = _differences(ours, reference)
                value = differences.max() if statistic == "largest" else differences.mean()
                name = f"{system}: {what} in {precision}, {statistic} difference"
                rows.append(check(name, value.item(), limit))
        device.precision = "float32"
        gradients = []
        for network, to in ((device, setting.device), (host, "cpu")):
            wanted = target.to(to)
            tags = network.train()(inputs.to(to))[0]
            (cross_entropy(tags, wanted) + network.own_loss(wanted)).backward()
            gradients.append([parameter.grad for parameter in network.parameters()])
    name = f"{system}: gradients in float32, relative difference"
    return [*rows, check(name, _relative(*gradients), GRADIENTS)]


def pooling_checks(setting):
    """Tags and gradients of the poolings from the same bfloat16 logits: GWRP counts these."""
    rows = []
    shape = (setting.sizes.checked_clips, len(setting.classes), *setting.shape)
    generator = torch.Generator().manual_seed(0)
    logits = (2 * torch.randn(shape, generator=generator) - 3).bfloat16()
    for system in [name for name, facts in registry.systems().items() if facts.has_masks]:
        pooling = setting.network(system).pooling
        if getattr(pooling, "needs_attention", False):
            continue  # `network_checks` has it
        results = []
        for to in (setting.device, "cpu"):
            leaf = logits.float().to(to).requires_grad_()
            tags = copy.deepcopy(pooling).to(to)(torch.sigmoid(leaf), leaf.bfloat16())
            tags.sum().backward()
            results.append((tags, leaf.grad))
        (tags, gradient), (expected, expected_gradient) = results
        name = f"{system}: tags of the same bfloat16 logits, largest difference"
        rows.append(check(name, _difference(tags, expected), POOLED))
        name = f"{system}: gradients of these, relative difference"
        rows.append(check(name, _relative([gradient], [expected_gradient]), POOLED_GRADIENTS))
    return rows


def count_checks(setting):
    """Counts of mask values: equal for equal masks; scores alike from the clips on."""
    data = setting.clips(2 * setting.sizes.checked_clips)
    n_clips, n_classes = data.target.shape
    generator = torch.Generator().manual_seed(1)
    masks = torch.rand((n_clips, n_classes, *setting.shape), generator=generator) ** 8
    ideal = data.ideal_masks(np.arange(len(data.mask_class)))
    dense = np.zeros(masks.shape, dtype=bool)
    dense[data.mask_mixture, data.mask_class] = ideal
    threshold = setting.config["metrics"]["mask_threshold"]
    counter = forward.MaskCounter(n_classes, {"published": threshold}, setting.device)
    given = (torch.from_numpy(a) for a in (ideal, data.mask_mixture, data.mask_class))
    counter.add(masks.to(setting.device), *(values.to(setting.device) for values in given))
    histogram, predicted, hit = counter.result()
    # Counted anew, by NumPy.
    scores = np.moveaxis(masks.half().numpy(), 1, -1)
    expected = ScoreHistogram.of(scores, np.moveaxis(dense, 1, -1))
    above = masks.numpy() > np.float32(threshold)
    differences = [
        ("all mask values", histogram.total - expected.total),
        ("mask values within ideal masks", histogram.positive - expected.positive),
        ("units above the threshold", predicted - above.sum(axis=(0, 2, 3))),
        ("hits", hit - (above & dense).sum(axis=(0, 2, 3))),
    ]
    patterns = masks.half().view(torch.int16).to(torch.int32)
    counted = forward.count_on_device(patterns.to(setting.device), N_PATTERNS).cpu().numpy()
    differences.append(("values, without a wait", counted - expected.total.sum(axis=0)))
    rows = [
        check(f"counts of {what}, largest difference", np.abs(values).max(), 0)
        for what, values in differences
    ]
    with full_float32():
        results = []
        for to in (setting.device, "cpu"):
            network = setting.network("gwrp").eval()
            forward.prepare_for_inference(network, "float32")
            counter = forward.infer(
                network.to(to),
                data,
                batch_size=setting.config["inference"]["batch_size"],
                mask_thresholds={"published": threshold},
                device=to,
            )[2]
            histogram = counter.result()[0]
            results.append(np.stack([histogram.auc(), histogram.average_precision()]))
    name = "AUC and AP of masks from the clips on, largest difference"
    return [*rows, check(name, np.nanmax(np.abs(results[0] - results[1])), SCORES)]


def _losses(history):
    return np.array([row[1] for row in history])


def _apart(history, expected):
    """Largest relative difference of two loss curves; infinite where they differ in length."""
    if len(history) != len(expected):
        return float("inf")
    return float(np.max(np.abs(_losses(history) / _losses(expected) - 1)))


def resume_checks(setting, system):
    """A training that SIGTERM stops goes on with the same loss curve."""
    data, n_steps = setting.short_batches(system), setting.sizes.resumed
    settings = setting.settings(
        system, iterations=n_steps, history_every=max(n_steps // 10, 1), state_every=10**9
    )

    def stop(done):
        os.kill(os.getpid(), signal.SIGTERM)

    with tempfile.TemporaryDirectory() as folder:
        _, whole = setting.train(system, data, settings, Path(folder, "whole.safetensors"))
        state, stopped = Path(folder, "state.safetensors"), False
        try:
            setting.train(system, data, settings, state, watch=Watch([(n_steps // 2, stop)]))
        except Interrupted:
            stopped = True
        resumed_from = Watch([])
        _, history = setting.train(system, data, settings, state, watch=resumed_from)
    return [
        check(
            f"{system}: SIGTERM stops the training with its state saved", stopped, 1, at_least=True
        ),
        check(f"{system}: loss of the resumed training, relative", _apart(history, whole), RESUMED),
    ]


def mode_checks(setting, system, modes):
    """Every way to run the step gives the eager step's losses, in float32."""
    data, n_steps = setting.short_batches(system), setting.sizes.resumed
    curves = {}
    with tempfile.TemporaryDirectory() as folder, full_float32():
        for mode, changes in modes.items():
            settings = setting.settings(
                system, iterations=n_steps, history_every=max(n_steps // 10, 1), **changes
            )
            state = Path(folder, f"{mode}.safetensors")
            curves[mode] = setting.train(system, data, settings, state, precision="float32")[1]
    eager = curves.pop("eager")
    return [
        check(f"{system}: losses {mode}, relative to eager", _apart(curve, eager), LOSSES)
        for mode, curve in curves.items()
    ]


def _memory_mib(device):
    synchronise(device)
    if device == "cuda":
        return torch.cuda.memory_allocated() / 2**20
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / 2**20


def memory_checks(setting, system):
    """Memory in use does not grow over iterations (on a CPU the process's, so within 64 MiB)."""
    data, sizes, found = setting.clips(setting.sizes.clips), setting.sizes, []
    settings = setting.settings(system, iterations=sizes.warm_up + sizes.steps + 1)
    marks = (sizes.warm_up, sizes.warm_up + sizes.steps)
    watch = Watch(
        [(mark, lambda done: found.append(_memory_mib(setting.device))) for mark in marks]
    )
    with tempfile.TemporaryDirectory() as folder:
        setting.train(system, data, settings, Path(folder, "state.safetensors"), watch=watch)
    limit = GROWTH_MIB if setting.device == "cuda" else 64
    name = f"{system}: growth of memory over {sizes.steps} iterations, MiB"
    return [check(name, found[1] - found[0], limit)]


def sound_checks(setting):
    """Log-mel features and separated sounds."""
    from tfseg.apply.masks import MaskStore
    from tfseg.apply.sounds import MaskedSpectrum, separate_recording
    from tfseg.features.logmel import FeatureSettings, Spectrograms
    from tfseg.features.on_device import DeviceSpectrograms
    from tfseg.io.audio import write_wav
    from tfseg.io.opening import read_all

    features = FeatureSettings(**setting.config["features"])
    host, device = Spectrograms(features), DeviceSpectrograms(features, setting.device)
    rng = np.random.default_rng(0)
    samples = rng.normal(0, 0.1, 3 * features.sample_rate).astype(np.float32)
    expected, found = (s.logmel(s.complex(samples)) for s in (host, device))
    rows = [check("log-mel features, largest difference", np.abs(found - expected).max(), SPECTRA)]
    with tempfile.TemporaryDirectory() as folder:
        path, rate = Path(folder, "in.wav"), 22050
        write_wav(path, samples, rate, "FLOAT")
        n_frames = features.grid.n_frames(int(len(samples) * features.sample_rate / rate))
        store = MaskStore(Path(folder, "masks.part"), features.n_mels)
        masks = rng.random((2, n_frames, features.n_mels), dtype=np.float32)
        store.add(0, n_frames, dict(enumerate(masks)))
        sounds = []
        for to in (setting.device, "cpu"):
            out = Path(folder, f"on_{to}_{len(sounds)}")
            out.mkdir()
            spectrum = MaskedSpectrum(host, rate, n_frames, to)
            paths = separate_recording(
                path, out, store, {"one": 0, "two": 1}, spectrum, n_samples=len(samples)
            )
            sounds.append(np.stack([read_all(path) for path in paths.values()]))
        store.close()
    difference = np.abs(sounds[0] - sounds[1]).max()
    return [*rows, check("separated sounds, largest difference", difference, SOUNDS)]
