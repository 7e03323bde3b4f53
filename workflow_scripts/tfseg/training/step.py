"""One step of a training: batch, network, losses, gradients, Adam, average of the weights.

Nothing in a step asks the device for a value, so that a GPU never waits for the host.
"""

import torch

from tfseg.errors import TfsegError
from tfseg.job.seeding import derive_seed
from tfseg.training import losses
from tfseg.training.terms import frozen_copy

_SEEDS_AT_ONCE = 64


def _random_generator(device):
    """Torch's default generator of a device; torch.manual_seed costs 70 times as much."""
    device = torch.device(device)
    if device.type == "cpu":
        return torch.default_generator
    index = torch.cuda.current_device() if device.index is None else device.index
    return torch.cuda.default_generators[index]


class Step:
    """One step after another.

    Parameters
    ----------
    network : nn.Module
        In training mode, on the device.
    batches : tfseg.training.batches.Batches
    optimiser : tfseg.training.optimiser.Adam
    average : tfseg.training.averaging.Average
    settings : tfseg.training.settings.TrainingSettings
    teacher : nn.Module or None
    seed : int
    device : str
    """

    def __init__(self, network, batches, optimiser, average, settings, *, teacher, seed, device):
        self._network, self._batches, self._settings = network, batches, settings
        self._optimiser, self._average, self._teacher = optimiser, average, teacher
        self._seed = seed
        listens = settings.terms.reclassified or (
            settings.splice.share and settings.splice.agreement
        )
        self._averaged = frozen_copy(network, average.tensors()) if listens else None
        self._run = torch.compile(network) if settings.compile else network
        self._generator, self._seeds = _random_generator(device), {}

    def __call__(self, inputs, iteration):
        """Do one step.

        Parameters
        ----------
        inputs : dict of str to torch.Tensor
            What `tfseg.training.batches.Batches.inputs` yields for the iteration.
        iteration : int
            From 0.

        Returns
        -------
        loss : torch.Tensor [shape=()]
        """
        self.begin(iteration)
        return self.compute(inputs, *self.factors(iteration))

    def begin(self, iteration):
        """Seed dropout: its random values depend on the iteration alone, as all others do."""
        if iteration not in self._seeds:
            # For many at once: between two steps, with cold caches, a hash takes ten times as long.
            ahead = range(iteration, iteration + _SEEDS_AT_ONCE)
            self._seeds = {i: derive_seed(self._seed, "dropout", i) for i in ahead}
        self._generator.manual_seed(self._seeds[iteration])

    def factors(self, iteration):
        """Return the learning rate and the share of the newest weights in their average."""
        return self._settings.rate(iteration), self._average.share(iteration + 1)

    def compute(self, inputs, rate, share):
        """Do all that is computed on the device.

        Parameters
        ----------
        inputs : dict of str to torch.Tensor
        rate, share : float, or torch.Tensor [shape=(), float32]
            `factors` of the iteration.

        Returns
        -------
        loss : torch.Tensor [shape=()]
        """
        batch, wanted, known = self._batches.gather(inputs)
        try:
            tags, masks = self._run(batch)
        except ValueError as error:  # batch normalisation of a single value
            raise TfsegError(
                f"cannot train on a batch of {batch.shape[0]} clips of {batch.shape[1]} frames "
                f"({error}): increase training.batch_size or training.excerpt_s"
            ) from error
        loss = losses.total(
            tags,
            masks,
            batch,
            wanted,
            self._settings,
            teacher=self._teacher,
            iteration=inputs["iteration"],
            known=known,
            averaged=self._averaged,
            has_background=self._network.has_background,
            own=self._network.own_loss(wanted, known.counted),
        )
        loss.backward()
        self._optimiser.step(rate)
        self._average.update(share)
        return loss.detach()

    def state(self):
        """Return all tensors that a step changes."""
        return [
            *self._network.state_dict().values(),
            *self._optimiser.tensors().values(),
            *self._average.tensors().values(),
        ]
