import ctypes
import platform
import resource
import subprocess
import sys
from collections import Counter
from types import SimpleNamespace

import pytest
import torch

from tfseg.job.hardware import (
    choose_device,
    choose_graph,
    choose_precision,
    keep_freed_memory,
    prepare_device,
)


def test_without_a_slot_there_is_no_gpu():
    messages = []
    assert choose_device(0, log=messages.append) == "cpu"
    assert messages == ["device: CPU (no gpu slot was given)"]


# Replaces two NVIDIA GPUs on a machine without GPUs.
_TWO_GPUS = """
import os, sys
from pathlib import Path
from types import SimpleNamespace
import torch
from tfseg.job.hardware import choose_device

chosen = []
torch.cuda.is_available = lambda: True
torch.cuda.device_count = lambda: 2
torch.cuda.get_device_properties = lambda i: SimpleNamespace(uuid=f"GPU-{i}")
torch.cuda.get_device_name = lambda device: "a GPU"
torch.cuda.set_device = chosen.append
device = choose_device(1, log=lambda line: None, lock_dir=Path(sys.argv[1]))
assert chosen == [device]
print(device, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def job(tmp_path):
    """Return a function that starts a job on a machine with two GPUs: its process, its device."""
    jobs = []

    def start():
        process = subprocess.Popen(
            [sys.executable, "-c", _TWO_GPUS, str(tmp_path / "claims")],
            env={"PYTHONPATH": "workflow_scripts"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        jobs.append(process)
        return SimpleNamespace(process=process, device=process.stdout.readline().strip())

    yield start
    for process in jobs:
        process.kill()
        process.communicate()


def test_jobs_at_once_get_devices_of_their_own_and_a_killed_one_frees_its_device(job):
    first, second = job(), job()
    assert {first.device, second.device} == {"cuda:0", "cuda:1"}
    first.process.kill()
    first.process.wait()
    assert job().device == first.device


def test_more_jobs_than_devices_are_dealt_evenly(job):
    jobs = [job() for _ in range(5)]
    assert sorted(Counter(one.device for one in jobs).values()) == [2, 3]
    # Two jobs leave the fuller device, then two start.
    ((fuller, _), _) = Counter(one.device for one in jobs).most_common()
    for one in [one for one in jobs if one.device == fuller][:2]:
        one.process.kill()
        one.process.wait()
    assert job().device == fuller


@pytest.fixture
def gpus(monkeypatch):
    """Return a function that pretends that a number of GPUs is visible."""

    def pretend(number):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: number > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: number)
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "a GPU")
        monkeypatch.setattr(torch.cuda, "set_device", lambda device: None)
        monkeypatch.setattr(
            torch.cuda, "get_device_properties", lambda i: SimpleNamespace(uuid=f"GPU-{i}")
        )

    return pretend


def test_without_a_gpu_a_job_with_a_slot_uses_the_cpu(gpus):
    gpus(0)
    messages = []
    assert choose_device(1, log=messages.append) == "cpu"
    assert messages == ["device: CPU (no CUDA device is usable here)"]


def test_one_visible_gpu_is_used_without_asking_others(gpus, monkeypatch, tmp_path):
    # In a Slurm job only the assigned device is visible.
    gpus(1)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")
    messages = []
    assert choose_device(1, log=messages.append, lock_dir=tmp_path / "none") == "cuda:0"
    assert messages == ["device: cuda:0, a GPU (of CUDA_VISIBLE_DEVICES=3)"]
    assert not (tmp_path / "none").exists()


def test_a_shared_device_is_said(gpus, monkeypatch, tmp_path):
    gpus(2)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    messages = []
    devices = [choose_device(1, log=messages.append, lock_dir=tmp_path) for _ in range(3)]
    assert devices == ["cuda:0", "cuda:1", "cuda:0"]
    assert messages[1:] == [
        "device: cuda:1, a GPU",
        "device: cuda:0, a GPU, shared with 1 other jobs",
    ]


@pytest.fixture
def cudnn():
    """Torch's settings of cuDNN, restored at the end."""
    before = torch.backends.cudnn.benchmark, torch.get_num_threads()
    torch.backends.cudnn.benchmark = False
    yield torch.backends.cudnn
    torch.backends.cudnn.benchmark = before[0]
    torch.set_num_threads(before[1])


def test_on_a_gpu_cudnn_chooses_by_measuring_and_the_log_says_so(gpus, cudnn):
    gpus(1)
    messages = []
    assert prepare_device(1, 1, messages.append) == "cuda:0"
    assert cudnn.benchmark
    assert "cuDNN: the fastest algorithm of each size" in messages[1]
    assert "float32 convolutions in TF32, float32 matrix products in float32" in messages[1]


def test_on_the_cpu_cudnn_is_left_alone(gpus, cudnn):
    gpus(0)
    messages = []
    assert prepare_device(1, 1, messages.append) == "cpu"
    assert not cudnn.benchmark
    assert len(messages) == 1


@pytest.mark.parametrize(
    ("setting", "device", "graph"),
    [
        ("auto", "cpu", False),
        ("always", "cpu", False),
        ("never", "cpu", False),
        ("auto", "cuda:1", True),
        ("always", "cuda", True),
        ("never", "cuda:0", False),
    ],
)
def test_a_step_is_a_graph_where_there_are_graphs(setting, device, graph):
    messages = []
    assert choose_graph(setting, device, messages.append) == graph
    assert messages[0].startswith(
        "training step: " + ("one CUDA graph" if graph else "operation by operation")
    )
    assert ("only CUDA devices" in messages[0]) == (setting == "always" and device == "cpu")


def _able(monkeypatch, *, avx512=False, amx=False, capability=(7, 5)):
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: avx512)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)


@pytest.mark.parametrize(
    ("device", "hardware", "able"),
    [
        ("cpu", {}, False),
        ("cpu", {"avx512": True}, True),
        ("cpu", {"amx": True}, True),
        ("cuda", {"avx512": True, "capability": (7, 5)}, False),
        ("cuda", {"capability": (8, 0)}, True),
        ("cuda:1", {"avx512": True, "capability": (7, 5)}, False),
        ("cuda:1", {"capability": (12, 0)}, True),
    ],
)
def test_bfloat16_is_used_where_the_hardware_has_it(monkeypatch, device, hardware, able):
    _able(monkeypatch, **hardware)
    lines = []
    found = {s: choose_precision(s, device, lines.append) for s in ("auto", "float32", "bfloat16")}
    best = "bfloat16" if able else "float32"
    assert found == {"auto": best, "float32": "float32", "bfloat16": best}
    assert lines[:2] == [f"precision: {best}", "precision: float32"]
    assert ("no instructions for it" in lines[2]) == (not able)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc's allocator only")
def test_memory_that_is_kept_is_not_filled_again():
    def faults(n_bytes=100 << 20):
        libc = ctypes.CDLL(None)
        libc.malloc.restype = ctypes.c_void_p
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        for _ in range(3):
            block = ctypes.c_void_p(libc.malloc(ctypes.c_size_t(n_bytes)))
            ctypes.memset(block, 1, n_bytes)
            libc.free(block)
        return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

    try:
        keep_freed_memory()
        faults()
        kept = faults()
    finally:
        keep_freed_memory(False)
    assert kept < faults() / 10
