"""Times on the device, beside the straightforward way, the counted limit and the measured rates."""

import dataclasses
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import torch
from harness import ceilings, timed
from plain_network import PlainNetwork
from torch.nn import functional

from gpu_evidence.limits import layers_of, step_limit
from gpu_evidence.parts import TimeIsUpError
from gpu_evidence.setting import ROOT, Watch, synchronise
from tfseg.inference.forward import infer, prepare_for_inference

# Ways to run a training step, as changes of the config's ``training``.
MODES = {
    "eager": {"compile": False, "graph": "never"},
    "graph": {"compile": False, "graph": "always"},
    "compiled": {"compile": True, "graph": "never"},
}
FASTEST = "graph"
_NEVER = 10**9
_STARTED_S = 240  # trainings at once that are not ready by then are ended


def modes_of(setting):
    """The ways that are measured; compiling takes too long in small. A CPU has no graphs."""
    return {
        mode: changes
        for mode, changes in MODES.items()
        if not (setting.small and changes["compile"])
    }


def ceiling_rows(setting):
    """Measured rates of the device: products of matrices, and a copy."""
    rates = ceilings(setting.device, setting.sizes.matrix, setting.sizes.copied)
    return [{"what": name, "per s": rate} for name, rate in rates.items()]


def rates_of(rows):
    """The rates as a dict, from the rows."""
    return {row["what"]: row["per s"] for row in rows}


def plain_step_s(setting, system):
    """Median seconds of a step of the straightforward way.

    Eager float32 (with TF32) in the default layout, the best convolution algorithms
    (``cudnn.benchmark``), torch's Adam, inputs already on the device. GWRP sorts.
    """
    network, batch = setting.network(system), setting.settings(system).batch_size
    if system == "gwrp":
        trunk, pooling = (setting.config[key] for key in ("trunk", "pooling"))
        n_units = setting.shape[0] * setting.shape[1]
        decay = pooling["gwrp"]["r"] ** (pooling["gwrp"]["reference_units"] / n_units)
        network = PlainNetwork(len(setting.classes), trunk["vgg"]["widths"], decay).load(network)
    network.to(setting.device).train()
    data = setting.clips(batch)
    inputs = torch.from_numpy(data.logmel).float().to(setting.device)
    target = torch.from_numpy(data.target).float().to(setting.device)
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3)

    own_loss = getattr(network, "own_loss", lambda wanted: 0)

    def step():
        tags = network(inputs)[0].clamp(0, 1)
        loss = functional.binary_cross_entropy(tags, target) + own_loss(target)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    before = torch.backends.cudnn.benchmark, torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.benchmark = torch.backends.cudnn.allow_tf32 = True
    try:
        for _ in range(3):
            step()
        return statistics.median(timed(step) for _ in range(min(setting.sizes.steps, 30)))
    finally:
        torch.backends.cudnn.benchmark, torch.backends.cudnn.allow_tf32 = before


@dataclasses.dataclass(frozen=True)
class Step:
    """A timed training: seconds of a step, of its start, and its peak of memory."""

    step_s: float
    start_s: float
    peak_mib: float | None


def training_step(setting, system, changes):
    """Time the training itself, with all that an iteration does, after a warm-up."""
    sizes, marks = setting.sizes, []
    settings = setting.settings(
        system, iterations=sizes.warm_up + sizes.steps, state_every=_NEVER, **changes
    )

    def mark(done):
        synchronise(setting.device)
        marks.append((done, time.perf_counter()))

    if setting.device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    started_s = time.perf_counter()
    watch = Watch([(sizes.warm_up, mark), (sizes.warm_up + sizes.steps, mark)])
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder, "state.safetensors")
        setting.train(system, setting.whole_batches(system), settings, state, watch=watch)
    (first, first_s), (last, last_s) = marks
    step_s = (last_s - first_s) / (last - first)
    peak_mib = None
    if setting.device == "cuda":
        peak_mib = round(torch.cuda.max_memory_allocated() / 2**20)
    return Step(step_s, first_s - started_s - first * step_s, peak_mib)


def step_rows(setting, system, mode, changes, rates, plain_s):
    """Row of a system's training step in one mode.

    ``plain_s`` is the straightforward way's; where it is None, it is measured here.
    """
    step = training_step(setting, system, changes)
    layers = layers_of(setting.network(system), *setting.shape)
    batch_size = setting.settings(system).batch_size
    limit = step_limit(layers, batch_size, rates[setting.precision], rates["bandwidth"])
    plain_s = plain_s or plain_step_s(setting, system)
    return [
        {
            "system": system,
            "mode": mode,
            "step ms": 1e3 * step.step_s,
            "straightforward ms": 1e3 * plain_s,
            "ratio": plain_s / step.step_s,
            "TFLOP/s": limit.flop / step.step_s / 1e12,
            "GB/s": limit.bytes_fused / step.step_s / 1e9,
            "counted limit ms": 1e3 * limit.fused_s,
            "10 000 steps s": 1e4 * step.step_s,
            "start s": step.start_s,
            "peak MiB": step.peak_mib,
        }
    ]


def busy_rows(setting, system, changes, n_steps=10):
    """Share of a step in which the GPU computes: time of its kernels over time of the step."""
    sizes = setting.sizes
    settings = setting.settings(
        system, iterations=sizes.warm_up + n_steps, state_every=_NEVER, **changes
    )
    activity = torch.profiler.ProfilerActivity
    on_gpu = setting.device == "cuda"
    profile = torch.profiler.profile(activities=[activity.CUDA if on_gpu else activity.CPU])

    def start(done):
        synchronise(setting.device)
        profile.start()

    def stop(done):
        synchronise(setting.device)
        profile.stop()

    watch = Watch([(sizes.warm_up, start), (sizes.warm_up + n_steps, stop)])
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder, "state.safetensors")
        setting.train(system, setting.whole_batches(system), settings, state, watch=watch)
    events = profile.key_averages()
    if on_gpu:
        kinds = torch.autograd.DeviceType.CUDA
        times = [e.self_device_time_total for e in events if e.device_type == kinds]
    else:
        times = [e.self_cpu_time_total for e in events]
    kernels_s = sum(times) / 1e6 / n_steps
    step_s = training_step(setting, system, changes).step_s
    return [
        {
            "system": system,
            "step ms": 1e3 * step_s,
            "kernels ms": 1e3 * kernels_s,
            "busy %": 100 * kernels_s / step_s,
            "overhead ms": 1e3 * (step_s - kernels_s),
        }
    ]


def inference_rows(setting, system, rates):
    """Scores of many mixtures with all counts of masks, and without."""
    data, rows = setting.clips(setting.sizes.clips), []
    network = setting.network(system).eval()
    layers = layers_of(network, *setting.shape)
    prepare_for_inference(network.to(setting.device), setting.precision)
    flop = 2 * sum(layer.macs for layer in layers) * len(data.mixture)
    threshold = {"published": setting.config["metrics"]["mask_threshold"]}
    for what, thresholds in (("tags, frames and mask counts", threshold), ("tags, frames", None)):

        def score(thresholds=thresholds):
            counter = infer(
                network,
                data,
                batch_size=setting.config["inference"]["batch_size"],
                mask_thresholds=thresholds,
                device=setting.device,
            )[2]
            if counter is not None:
                counter.result()

        score()  # convolution algorithms are chosen, memory is allocated
        seconds = timed(score)
        rows.append(
            {
                "what": f"{system}: {what}, {len(data.mixture)} mixtures",
                "seconds": seconds,
                "TFLOP/s": flop / seconds / 1e12,
                "counted limit s": flop / rates[setting.precision],
            }
        )
    return rows


def feature_rows(setting):
    """Log-mel features of clips, on the device and on one core."""
    from tfseg.features.logmel import FeatureSettings
    from tfseg.features.on_device import spectrograms_on

    features = FeatureSettings(**setting.config["features"])
    n_samples = round(setting.config["mixing"]["duration_s"] * features.sample_rate)
    n_clips, rows = max(setting.sizes.clips // 10, 1), []
    clips = np.random.default_rng(0).normal(0, 0.1, (n_clips, n_samples)).astype(np.float32)
    for device in dict.fromkeys((setting.device, "cpu")):
        spectrograms = spectrograms_on(device, features)

        def compute(spectrograms=spectrograms):
            for clip in clips:
                spectrograms.logmel(spectrograms.complex(clip))

        compute()
        rows.append(
            {"what": f"log-mel of {n_clips} clips on the {device}", "seconds": timed(compute)}
        )
    return rows


def apply_rows(setting, n_classes=4):
    """A model applied to a long recording, with the separated sound of every class."""
    import soundfile

    from tfseg.apply.analysis import analyse
    from tfseg.apply.listing import Recording
    from tfseg.apply.settings import ApplySettings
    from tfseg.inference.events import EventSettings
    from tfseg.inference.forward import save_model
    from tfseg.inference.model_folder import DESCRIPTION, DETECTION, WEIGHTS, load_model_folder
    from tfseg.inference.operating_point import DetectionSettings, write_detection

    few = setting.changed({"corpus": {"classes": list(setting.classes)[:n_classes]}})
    rate, seconds = 44100, setting.sizes.recording_s
    with tempfile.TemporaryDirectory(dir=setting.work) as scratch:
        folder = Path(scratch)
        facts = {
            "duration_s": setting.config["mixing"]["duration_s"],
            "resampler": setting.config["mixing"]["resampler"],
            "versions": {},
            "data": {"corpus": "random", "mixtures": 0, "sha256": ""},
            "licences": {},
            "restricted": [],
        }
        network = few.network("gwrp")  # untrained: its masks are near 0.5, so all sounds everywhere
        save_model(folder / WEIGHTS, folder / DESCRIPTION, network, few.description("gwrp") | facts)
        keys = [field.name for field in dataclasses.fields(EventSettings)]
        events = EventSettings(**{key: setting.config["postprocessing"][key] for key in keys})
        write_detection(folder / DETECTION, DetectionSettings(0.1, True, 0.1, 0.1, events))
        rng = np.random.default_rng(0)
        with soundfile.SoundFile(folder / "in.wav", "w", rate, 1, subtype="PCM_16") as file:
            for _ in range(round(seconds / 6)):
                file.write(rng.normal(0, 0.1, 6 * rate))
        model = load_model_folder(folder, setting.device)
        model.network.precision = setting.precision
        rows = []
        for what, sounds in (("events", False), ("events and all sounds", True)):
            settings = ApplySettings(page=False, sounds=sounds)
            recording, out = Recording("in", folder / "in.wav"), folder / f"out_{sounds}"
            elapsed_s = timed(lambda: analyse(recording, out, model, settings))  # noqa: B023
            rows.append(
                {
                    "what": f"apply to {seconds:g} s, {n_classes} classes: {what}",
                    "seconds": elapsed_s,
                    "times real time": seconds / elapsed_s,
                }
            )
    return rows


def _lines(process):
    """Read a process's output up to its next line."""
    line = process.stdout.readline()
    if not line:
        raise RuntimeError(f"a training beside others ended with status {process.wait()}")
    return line.strip()


def at_once_rows(setting, system, config, left_s):
    """Trainings side by side on the device, as ``--resources gpu=N`` starts them."""
    rows, alone = [], None
    for n_jobs in setting.sizes.jobs:
        if left_s() < _STARTED_S / 4:
            raise TimeIsUpError("trainings at once")
        command = [sys.executable, "-m", "gpu_evidence.worker", setting.device, system, config]
        command += ["--small"] if setting.small else []
        jobs = [
            subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                cwd=ROOT,
                env=_environment(),
            )
            for _ in range(n_jobs)
        ]
        watchdog = threading.Timer(_STARTED_S, lambda jobs=jobs: [job.kill() for job in jobs])
        watchdog.start()
        try:
            for job in jobs:
                if _lines(job) != "ready":
                    raise RuntimeError("a training beside others did not become ready")
            for job in jobs:
                job.stdin.write("go\n")
                job.stdin.flush()
            step_s = max(float(_lines(job)) for job in jobs)
        finally:
            watchdog.cancel()
            for job in jobs:
                job.stdin.close()
                job.stdout.close()
                job.kill()
                job.wait()
        alone = alone or step_s
        rows.append(
            {
                "system": f"{system}, {config}",
                "trainings at once": n_jobs,
                "step of each ms": 1e3 * step_s,
                "steps of all per s": n_jobs / step_s,
                "gain": n_jobs * alone / step_s,
            }
        )
    return rows


def _environment():
    """The environment of a worker: it finds this package and the library."""
    folders = (ROOT / "bench", ROOT / "workflow_scripts")
    path = os.pathsep.join([*map(str, folders), os.environ.get("PYTHONPATH", "")])
    return os.environ | {"PYTHONPATH": path}
