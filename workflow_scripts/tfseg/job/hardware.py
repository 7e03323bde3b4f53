"""What a job computes on: device, precision, and how memory is kept. Never chosen by a timing."""

import ctypes
import fcntl
import itertools
import os
import platform
import tempfile
from pathlib import Path

import torch

# Of glibc's malloc.h: parameters of mallopt.
_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4
_NEVER_TRIM = 2**31 - 1


# Open lock files of the device that this process claimed: closing one would free it.
_CLAIMS = []


def _take_lock(path):
    """Take a file's lock for the rest of this process's life; False if another process has it."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return False
    _CLAIMS.append(handle)
    return True


def claim_device(names, lock_dir):
    """Claim one of this machine's devices, of those that the fewest other jobs have claimed.

    Snakemake counts GPUs but gives none in particular. Each device has a row of seats, and each
    seat is a file that one process can lock. A claim ends with its process, however that ends.

    Parameters
    ----------
    names : sequence of str
        A name for each device, the same in every process.
    lock_dir : Path
        On this machine's own disk, the same for all jobs of a user.

    Returns
    -------
    index : int
        Of the device in `names`.
    n_others : int
        Jobs that claimed it before: 0 unless there are more jobs than devices.
    """
    lock_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    for seat in itertools.count():
        for index, name in enumerate(names):
            if _take_lock(lock_dir / f"{name}-{seat}.lock"):
                return index, seat


def choose_device(gpu_slots, log=print, lock_dir=None):
    """Choose the device: a GPU when there is one and a slot was given, else the CPU.

    Where one device is visible, as in a job of Slurm with one GPU, it is that one. Of several, each
    job claims its own (`claim_device`).

    Parameters
    ----------
    gpu_slots : int
        The job's ``gpu`` resource.
    log : callable
    lock_dir : Path
        Where claims lie; by default a folder of this user's in the machine's temporary folder.

    Returns
    -------
    device : str
        ``cpu``, or ``cuda:`` and a number among the visible devices. It is then the default device.
    """
    if gpu_slots == 0 or not torch.cuda.is_available():
        reason = "no gpu slot was given" if gpu_slots == 0 else "no CUDA device is usable here"
        log(f"device: CPU ({reason})")
        return "cpu"
    index, n_others = 0, 0
    n_devices = torch.cuda.device_count()
    if n_devices > 1:
        # Numbers mean other devices in a job of Slurm than beside it; these names do not.
        names = [str(torch.cuda.get_device_properties(i).uuid) for i in range(n_devices)]
        default = Path(tempfile.gettempdir()) / f"tfseg-devices-{os.getuid()}"
        index, n_others = claim_device(names, lock_dir or default)
    device = f"cuda:{index}"
    torch.cuda.set_device(device)  # so that nothing is put on the first one by default
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    given = "" if visible is None else f" (of CUDA_VISIBLE_DEVICES={visible})"
    shared = f", shared with {n_others} other jobs" if n_others else ""
    log(f"device: {device}, {torch.cuda.get_device_name(device)}{given}{shared}")
    return device


def prepare_device(gpu_slots, threads):
    """Set up torch for a job of much work; returns the device (`choose_device`).

    Parameters
    ----------
    gpu_slots : int
    threads : int
        Torch's CPU threads.
    """
    torch.set_num_threads(threads)
    keep_freed_memory()
    return choose_device(gpu_slots)


def _multiplies_bfloat16(device):
    """Whether the hardware has instructions for products of bfloat16 numbers."""
    if device.startswith("cuda"):
        return torch.cuda.get_device_capability(device) >= (8, 0)
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()


def choose_precision(setting, device, log=print):
    """Choose the precision of convolutions and matrix products.

    Parameters
    ----------
    setting : {"auto", "float32", "bfloat16"}
        The config's ``precision``. ``auto`` is bfloat16 on hardware with instructions for it:
        processors with AVX-512 BF16 or AMX, NVIDIA GPUs from Ampere on.
    device : str
        ``cpu``, or ``cuda`` with or without a number.
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
