"""A stand-in for CUDA graphs: operations that are recorded once and replayed on the same memory.

As in a graph, Python does not run again: a number that was not in a tensor stays what it was at the
recording, and results go where they were.
"""

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


def _tensors(values):
    return [value for value in tree_leaves(values) if isinstance(value, torch.Tensor)]


def _changed_by(func, args, kwargs):
    """Tensors that an operation writes to, by its schema."""
    if func.name() == "aten::native_batch_norm":  # its schema does not tell
        return _tensors(args[3:5])
    changed = []
    for place, argument in enumerate(func._schema.arguments):
        if argument.alias_info is not None and argument.alias_info.is_write:
            changed += _tensors(args[place] if place < len(args) else kwargs.get(argument.name))
    return changed


class _Recording(TorchDispatchMode):
    """Keeps all operations, and what tensors were before the first that changed them."""

    def __init__(self):
        super().__init__()
        self.operations, self._before, self._made = [], {}, set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        for tensor in _changed_by(func, args, kwargs):
            if id(tensor) not in self._made:
                self._before.setdefault(id(tensor), (tensor, tensor.clone()))
        results = func(*args, **kwargs)
        given = {id(tensor) for tensor in _tensors((args, kwargs))}
        made = [None if id(one) in given else one for one in _tensors(results)]
        self._made |= {id(one) for one in made if one is not None}
        self.operations.append((func, args, kwargs, made))
        return results

    def undo(self):
        """Restore what the operations changed, the last first: tensors may share memory."""
        for tensor, before in reversed(self._before.values()):
            tensor.copy_(before)

    @torch.no_grad()
    def replay(self):
        """Do all operations again, on the same memory."""
        for func, args, kwargs, made in self.operations:
            if func.is_view:
                continue
            results = _tensors(func(*args, **kwargs))
            for result, place in zip(results, made, strict=True):
                if place is not None:
                    place.copy_(result)


class Recorder:
    """Stands in for `tfseg.training.graphs.CudaRecorder`; ``events`` says what was done."""

    def __init__(self, device="cpu"):
        self.events, self._n_recorded = [], 0
        Recorder.last = self

    def warm_up(self, work):
        """Do the work some times."""
        assert not torch.is_autocast_cache_enabled()
        self.events.append("warm-up")
        for _ in range(3):
            work()

    def record(self, work):
        """Record the work; nothing is changed by it."""
        recording = _Recording()
        with recording:
            result = work()
        with torch.no_grad():
            recording.undo()
            result.fill_(float("nan"))
        self.events.append("record")
        self._n_recorded += 1
        name = f"replay {self._n_recorded}"

        def replay():
            self.events.append(name)
            recording.replay()

        return replay, result
