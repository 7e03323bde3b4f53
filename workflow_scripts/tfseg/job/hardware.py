"""The device, precision, graphs and memory use of a job. Timings never affect these choices."""

import ctypes
import fcntl
import itertools
import os
import platform
import tempfile
from pathlib import Path

import torch

# Parameters of mallopt, from glibc's malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4
_NEVER_TRIM = 2**31 - 1


# Open lock files of the devices that this process claimed: closing one would release the claim.
_CLAIMS = []


def _take_lock(path):
    """Lock a file until this process ends; return False if another process holds the lock."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return False
    _CLAIMS.append(handle)
    return True


def claim_device(names, lock_dir):
    """Claim one of this machine's devices: one with the fewest claims by other jobs.

    Snakemake counts GPUs but does not assign them. Each device has several seats, and each seat is
    a file that one process can lock. A claim ends with its process, whether or not that fails.

    Parameters
    ----------
    names : sequence of str
        A name for each device, the same in every process.
    lock_dir : Path
        A folder on this machine's own disk, the same for all jobs of a user.

    Returns
    -------
    index : int
        Index of the device in `names`.
    n_others : int
        Jobs that claimed it before: 0 unless there are more jobs than devices.
    """
    lock_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    for seat in itertools.count():
        for index, name in enumerate(names):
            if _take_lock(lock_dir / f"{name}-{seat}.lock"):
                return index, seat


def choose_device(gpu_slots, log=print, lock_dir=None):
    """Choose the device: a GPU if there is one and the job has a slot, else the CPU.

    If only one device is visible, as in a Slurm job with one GPU, that one is used. Of several,
    each job claims its own (`claim_device`).

    Parameters
    ----------
    gpu_slots : int
        The job's ``gpu`` resource.
    log : callable
    lock_dir : Path
        Folder of the claims; by default a folder for this user in the machine's temporary folder.

    Returns
    -------
    device : str
        ``cpu``, or ``cuda:`` and a number among the visible devices, which becomes torch's default.
    """
    if gpu_slots == 0 or not torch.cuda.is_available():
        reason = "no gpu slot was given" if gpu_slots == 0 else "no CUDA device is usable here"
        log(f"device: CPU ({reason})")
        return "cpu"
    index, n_others = 0, 0
    n_devices = torch.cuda.device_count()
    if n_devices > 1:
        # In a Slurm job, numbers refer to other devices than outside it; these names do not.
        names = [str(torch.cuda.get_device_properties(i).uuid) for i in range(n_devices)]
        default = Path(tempfile.gettempdir()) / f"tfseg-devices-{os.getuid()}"
        index, n_others = claim_device(names, lock_dir or default)
    device = f"cuda:{index}"
    torch.cuda.set_device(device)  # else the first device would be torch's default
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    given = "" if visible is None else f" (of CUDA_VISIBLE_DEVICES={visible})"
    shared = f", shared with {n_others} other jobs" if n_others else ""
    log(f"device: {device}, {torch.cuda.get_device_name(device)}{given}{shared}")
    return device


def prepare_device(gpu_slots, threads, log=print):
    """Set up torch for a job of much work on batches of one size; returns the device.

    Parameters
    ----------
    gpu_slots : int
        As `choose_device` takes it.
    threads : int
        Torch's CPU threads.
    log : callable
    """
    torch.set_num_threads(threads)
    keep_freed_memory()
    device = choose_device(gpu_slots, log)
    if device.startswith("cuda"):
        # cuDNN measures its algorithms once for each size. They differ in the order of sums only.
        torch.backends.cudnn.benchmark = True
        convolutions, products = (
            "TF32" if allowed else "float32"
            for allowed in (torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32)
        )
        log(
            "cuDNN: the fastest algorithm of each size, so last bits may differ between runs; "
            f"float32 convolutions in {convolutions}, float32 matrix products in {products}"
        )
    return device


def choose_graph(setting, device, log=print):
    """Choose whether training steps run as CUDA graphs.

    Parameters
    ----------
    setting : {"auto", "always", "never"}
        The config's ``training.graph``; ``auto`` is wherever there are graphs, on CUDA devices.
    device : str
    log : callable

    Returns
    -------
    graph : bool
    """
    able = device.startswith("cuda")
    graph = able and setting != "never"
    reason = ""
    if setting == "always" and not able:
        reason = " (a graph was asked for; only CUDA devices have them)"
    log(f"training step: {'one CUDA graph' if graph else 'operation by operation'}{reason}")
    return graph


def _multiplies_bfloat16(device):
    """Whether the hardware has instructions for bfloat16 products."""
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
        float32 where bfloat16 was requested but would only be emulated.
    """
    able = _multiplies_bfloat16(device)
    precision = "bfloat16" if able and setting != "float32" else "float32"
    reason = ""
    if setting == "bfloat16" and not able:
        reason = " (bfloat16 was asked for; this hardware has no instructions for it)"
    log(f"precision: {precision}{reason}")
    return precision


def keep_freed_memory(keep=True):
    """Let the process keep the freed memory of large tensors for reuse.

    glibc returns every block of over 32 MB to the kernel, and a training step requests the same
    blocks again. The kernel then has to clear hundreds of thousands of pages in every step.
    Without glibc this function does nothing. No computed value depends on it.

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
