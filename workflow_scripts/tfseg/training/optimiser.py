"""Adam (Kingma and Ba, ICLR 2015), in one fused pass over the parameters."""

import torch

_BETAS, _EPSILON = (0.9, 0.999), 1e-8


class Adam:
    """Adam with its published constants, on torch's fused kernel.

    ``torch.optim.Adam(fused=True)`` uses the same kernel and gives the same bits. But its first
    step loads torch's compiler, which costs every job 0.98 CPU s; this class does not (torch 2.13,
    ``python bench/optimiser_start.py``).

    Parameters
    ----------
    parameters : iterable of nn.Parameter
        float32, on one device.
    """

    def __init__(self, parameters):
        self._parameters = list(parameters)
        self._moments = {
            "exp_avg": [torch.zeros_like(p, requires_grad=False) for p in self._parameters],
            "exp_avg_sq": [torch.zeros_like(p, requires_grad=False) for p in self._parameters],
            "step": [torch.zeros((), device=p.device) for p in self._parameters],
        }

    @torch.no_grad()
    def step(self, learning_rate):
        """Update the parameters from their gradients, and clear the gradients."""
        moments = self._moments
        torch._foreach_add_(moments["step"], 1)
        torch._fused_adam_(
            self._parameters,
            [p.grad for p in self._parameters],
            moments["exp_avg"],
            moments["exp_avg_sq"],
            [],
            moments["step"],
            lr=learning_rate,
            beta1=_BETAS[0],
            beta2=_BETAS[1],
            weight_decay=0.0,
            eps=_EPSILON,
            amsgrad=False,
            maximize=False,
        )
        for parameter in self._parameters:
            parameter.grad = None

    def tensors(self):
        """Return moments and step counts by name, to be saved."""
        return {
            f"{index}.{name}": values[index]
            for name, values in self._moments.items()
            for index in range(len(self._parameters))
        }

    def load(self, tensors):
        """Restore the result of `tensors`, in the memory layout of the parameters."""
        for name, values in self._moments.items():
            for index, value in enumerate(values):
                value.copy_(tensors[f"{index}.{name}"])
