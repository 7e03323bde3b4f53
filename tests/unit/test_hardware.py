import ctypes
import platform
import resource
import shutil
import sysconfig
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from tfseg.hardware import (
    choose_compilation,
    choose_device,
    choose_precision,
    keep_freed_memory,
)


def test_without_a_slot_there_is_no_gpu():
    messages = []
    assert choose_device(0, log=messages.append) == "cpu"
    assert messages == ["device: CPU (no gpu slot was given)"]


@pytest.mark.parametrize("available", [True, False])
def test_with_a_slot_the_gpu_is_used_where_there_is_one(monkeypatch, available):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: available)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "a GPU")
    messages = []
    device = choose_device(1, log=messages.append)
    expected = {
        True: ("cuda", ["device: a GPU"]),
        False: ("cpu", ["device: CPU (no CUDA device is usable here)"]),
    }
    assert (device, messages) == expected[available]


def _able(monkeypatch, *, avx512=False, amx=False, capability=(7, 5)):
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: avx512)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda: capability)


@pytest.mark.parametrize(
    ("device", "hardware", "able"),
    [
        ("cpu", {}, False),
        ("cpu", {"avx512": True}, True),
        ("cpu", {"amx": True}, True),
        ("cuda", {"avx512": True, "capability": (7, 5)}, False),
        ("cuda", {"capability": (8, 0)}, True),
        ("cuda", {"capability": (12, 0)}, True),
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


@pytest.fixture
def compiles(monkeypatch, build_tiny):
    """Return a function that asks for the choice and collects what is said."""

    def ask(setting="auto", *, n_units=19904, device="cpu", compiler="/usr/bin/g++", masks=True):
        monkeypatch.setattr(shutil, "which", lambda name: compiler)
        monkeypatch.setattr(sysconfig, "get_path", lambda name: str(headers))
        network = build_tiny("gwrp", widths=(64, 64, 64))
        network.has_masks = masks
        settings = SimpleNamespace(batch_size=24, iterations=10000)
        lines = []
        return choose_compilation(setting, network, n_units, settings, device, lines.append), lines

    headers = Path(sysconfig.get_path("include"))
    return ask


def test_long_trainings_of_masks_on_the_cpu_are_compiled(compiles):
    compiled, lines = compiles()
    assert compiled
    assert "compiling" in lines[0]
    assert compiles(n_units=100) == (False, [])
    assert compiles(device="cuda") == (False, [])
    assert compiles(masks=False) == (False, [])


def test_without_a_compiler_nothing_is_compiled_and_it_is_said(compiles):
    compiled, lines = compiles(compiler=None)
    assert not compiled
    assert "no g++" in lines[0]
    assert compiles(compiler=None, n_units=100) == (False, [])


def test_the_config_has_the_last_word(compiles):
    assert compiles("never") == (False, [])
    assert compiles("always", n_units=1, device="cuda", compiler=None)[0]
