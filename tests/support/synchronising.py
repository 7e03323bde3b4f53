"""A stand-in for a GPU: refuses what makes the host wait for one."""

import contextlib

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

# Operations that copy a value to the host, or whose result's size depends on values. The host also
# waits when a tensor is made from Python's numbers (`lift_fresh`).
_REFUSED = {
    "_local_scalar_dense",
    "_unique2",
    "bincount",
    "equal",
    "is_nonzero",
    "item",
    "lift_fresh",
    "masked_select",
    "nonzero",
    "unique_consecutive",
    "unique_dim",
}
_INDEXING = {"index", "index_put", "index_put_", "_index_put_impl_"}
# On the CPU these are not operations: they read a tensor's memory.
_READING = {"__array__", "cpu", "numpy", "tolist"}


class HostWaits(AssertionError):
    """The host would wait for the device."""


class _Operations(TorchDispatchMode):
    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        name = func.name().removeprefix("aten::").split(".")[0]
        by_mask = name in _INDEXING and any(
            index is not None and index.dtype in (torch.bool, torch.uint8) for index in args[1]
        )
        by_counts = name == "repeat_interleave" and kwargs.get("output_size") is None
        if name in _REFUSED or by_mask or by_counts:
            raise HostWaits(f"{func.name()} makes the host wait for the device")
        return func(*args, **kwargs)


class _Methods(TorchFunctionMode):
    def __torch_function__(self, func, types, args=(), kwargs=None):
        if getattr(func, "__name__", None) in _READING:
            raise HostWaits(f"Tensor.{func.__name__} makes the host wait for the device")
        return func(*args, **(kwargs or {}))


@contextlib.contextmanager
def never_waiting():
    """Context in which whatever makes the host wait for a GPU raises `HostWaits`."""
    with _Operations(), _Methods():
        yield
