"""What a job computes on: device, precision, and how memory is kept. Never chosen by a timing."""

import ctypes
import platform

import torch

# Of glibc's malloc.h: parameters of mallopt.
_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4
_NEVER_TRIM = 2**31 - 1


def choose_device(gpu_slots, log=print):
    """Choose the device: a GPU when there is one and a slot was given, else the CPU.

    Parameters
    ----------
    gpu_slots : int
        The job's ``gpu`` resource.
    log : callable
    """
    if gpu_slots > 0 and torch.cuda.is_available():
        device = "cuda"
        log(f"device: {torch.cuda.get_device_name()}")
    else:
        device = "cpu"
        reason = "no gpu slot was given" if gpu_slots == 0 else "no CUDA device is usable here"
        log(f"device: CPU ({reason})")
    return device


def _multiplies_bfloat16(device):
    """Whether the hardware has instructions for products of bfloat16 numbers."""
    if device == "cuda":
        return torch.cuda.get_device_capability() >= (8, 0)
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()


def choose_precision(setting, device, log=print):
    """Choose the precision of convolutions and matrix products.

    Parameters
    ----------
    setting : {"auto", "float32", "bfloat16"}
        The config's ``precision``. ``auto`` is bfloat16 on hardware with instructions for it:
        processors with AVX-512 BF16 or AMX, NVIDIA GPUs from Ampere on.
    device : {"cpu", "cuda"}
    log : callable

    Returns
    -------
    precision : {"float32", "bfloat16"}
        float32 where bfloat16 was asked for and would only be emulated.
    """
    able = _multiplies_bfloat16(device)
    precision = "bfloat16" if able and setting != "float32" else "float32"
    reason = ""
    if setting == "bfloat16" and not able:
        reason = " (bfloat16 was asked for; this hardware has no instructions for it)"
    log(f"precision: {precision}{reason}")
    return precision


def keep_freed_memory(keep=True):
    """Let the process keep the memory that large tensors free, for the next ones.

    glibc gives every block of over 32 MB back to the kernel, and a training step asks for the same
    blocks again: the kernel then fills hundreds of thousands of pages with zeros in every step.
    Elsewhere than on glibc nothing happens. No value that is computed depends on it.

    Parameters
    ----------
    keep : bool
        False restores glibc's behaviour (for comparisons in one process).
    """
    if platform.libc_ver()[0] != "glibc":
        return
    libc = ctypes.CDLL(None)
    libc.mallopt(_M_MMAP_MAX, 0 if keep else 65536)
    libc.mallopt(_M_TRIM_THRESHOLD, _NEVER_TRIM if keep else 128 * 1024)
    if not keep:
        libc.malloc_trim(0)
