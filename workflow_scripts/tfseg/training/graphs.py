"""A whole training step as one CUDA graph, which the host starts with a single call.

A graph replays the same kernels on the same memory. So a batch is copied into buffers that stay,
and what changes from step to step (learning rate, share of the average, iteration) is in tensors on
the device. A graph has one batch size: the short last batch of a pass has a graph of its own.
"""

import torch

from tfseg.errors import TfsegError

_WARM_UP_STEPS = 3  # before a recording: libraries choose algorithms, and memory is allocated


class CudaRecorder:
    """Record work on a GPU; all recordings share their memory, and run one after the other.

    Parameters
    ----------
    device : str
    """

    def __init__(self, device):
        self._stream, self._pool = torch.cuda.Stream(device), None

    def warm_up(self, work):
        """Do the work some times, on the stream that records it."""
        self._stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self._stream):
            for _ in range(_WARM_UP_STEPS):
                work()
        torch.cuda.current_stream().wait_stream(self._stream)

    def record(self, work):
        """Record the work without doing it.

        Parameters
        ----------
        work : callable
            Reads and writes the same tensors at every call.

        Returns
        -------
        replay : callable
            Does the work.
        result : torch.Tensor
            What `work` returned: each replay writes the result there.
        """
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=self._pool, stream=self._stream):
            result = work()
        self._pool = graph.pool()
        return graph.replay, result


class GraphStep:
    """Training steps that are recorded once for each batch size, and then replayed.

    Parameters
    ----------
    step : tfseg.training.step.Step
    recorder : CudaRecorder
    device : str
    """

    def __init__(self, step, recorder, device):
        self._step, self._recorder = step, recorder
        self._device_type = torch.device(device).type
        self._rate, self._share = torch.zeros(2, device=device).unbind()
        self._recordings = {}

    def __call__(self, inputs, iteration):
        """Do one step, as `tfseg.training.step.Step` does."""
        n_clips = len(inputs["rows"])
        if n_clips not in self._recordings:
            self._recordings[n_clips] = self._record(inputs)
        buffers, replay, loss = self._recordings[n_clips]
        for name, buffer in buffers.items():
            buffer.copy_(inputs[name])
        for buffer, value in zip(
            (self._rate, self._share), self._step.factors(iteration), strict=True
        ):
            buffer.fill_(value)
        self._step.begin(iteration)
        replay()
        return loss.clone()  # the next replay overwrites it

    def _record(self, inputs):
        """Record a step for batches of this size; the state of the training stays as it is."""
        buffers = {name: value.clone() for name, value in inputs.items()}
        before = [value.clone() for value in self._step.state()]

        def work():
            return self._step.compute(buffers, self._rate, self._share)

        try:
            # Autocast would keep copies of weights from one use to the next, outside the graph.
            with torch.autocast(self._device_type, enabled=False, cache_enabled=False):
                self._recorder.warm_up(work)
                with torch.no_grad():
                    for value, old in zip(self._step.state(), before, strict=True):
                        value.copy_(old)
                return buffers, *self._recorder.record(work)
        except RuntimeError as error:
            raise TfsegError(
                f"a training step of {len(inputs['rows'])} clips could not be recorded as a CUDA "
                f"graph ({error}): set training.graph to never"
            ) from error
