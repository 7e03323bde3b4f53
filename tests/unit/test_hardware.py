import ctypes
import platform
import resource

import pytest
import torch

from tfseg.hardware import (
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
