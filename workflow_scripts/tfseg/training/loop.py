"""Training from clip-level tags; it can stop at any time, and resumes bit for bit on the CPU."""

import numpy as np
import torch

from tfseg.errors import TfsegError
from tfseg.training.averaging import Average
from tfseg.training.batches import Batches
from tfseg.training.graphs import CudaRecorder, GraphStep
from tfseg.training.optimiser import Adam
from tfseg.training.state import Interrupted, State, stop_requested
from tfseg.training.step import Step


def _values(losses):
    """Read losses from the device, all in one copy."""
    return torch.stack(losses).tolist() if losses else []


def train(
    network,
    logmel,
    target,
    settings,
    *,
    seed,
    state_path,
    bound_to,
    excerpt_frames=None,
    teacher=None,
    device="cpu",
    log=print,
    progress=None,
    on_history=None,
    graph=False,
):
    """Train a network in place, from its last saved state if there is one.

    Full binary cross-entropy between tags and weak labels (the released code's loss; TASLP
    eq. 1 prints only its first term), Adam, the last iteration's weights or their average.

    Parameters
    ----------
    network : tfseg.models.systems.MaskNetwork or FrameNetwork
        Computes in its `precision`; weights and Adam's moments are float32 in any case.
    logmel : sequence of np.ndarray [shape=(n_frames, n_mels), dtype=float16]
        One for each clip.
    target : np.ndarray [shape=(n, n_classes)]
    settings : tfseg.training.settings.TrainingSettings
    seed : int
        Orders the batches.
    state_path : path-like
        File of the state to resume from. It is kept when training ends.
    bound_to : str
        `binding` of this training.
    excerpt_frames : int or None
        ``excerpt_s`` of the settings in frames.
    teacher : tfseg.models.systems.MaskNetwork or None
        In evaluation mode, with the same classes; adds
        `tfseg.training.losses.distillation` from its masks to the loss.
    device : str
    log : callable
    progress : callable or None
        ``progress(total=, initial=)`` returns a tqdm-like bar.
    on_history : callable or None
        ``on_history(iteration, loss, rate, network)`` is called after each new row of the history,
        with the network as it is then. A resumed training does not repeat earlier rows.
    graph : bool
        Whether steps are replayed as CUDA graphs (`tfseg.job.hardware.choose_graph`).

    Returns
    -------
    history : list of [iteration, mean loss since the last row, learning rate]

    Raises
    ------
    Interrupted
        After SIGTERM, with the state saved.
    TfsegError
        When the loss is not finite, or a batch is too small to be normalised.
    """
    torch.set_num_threads(settings.threads)
    # Channels-last convolutions are faster on CPUs and on GPUs with tensor cores.
    network.to(device, memory_format=torch.channels_last).train()
    batches = Batches(logmel, target, settings, seed=seed, n_frames=excerpt_frames, device=device)
    optimiser = Adam(network.parameters())
    average = Average(network, settings.average_weights)
    step = Step(
        network, batches, optimiser, average, settings, teacher=teacher, seed=seed, device=device
    )
    run = GraphStep(step, CudaRecorder(device), device) if graph else step
    state = State(state_path, bound_to)
    iteration, history, pending = state.load(network, optimiser, average, log)
    if iteration:
        log(f"resuming at iteration {iteration} of {settings.iterations}")
    bar = progress(total=settings.iterations, initial=iteration) if progress else None
    recent = []  # losses since the last row of the history: `pending`, and these on the device
    with stop_requested() as stop:
        for inputs in batches.inputs(iteration, settings.iterations):
            recent.append(run(inputs, iteration))
            iteration += 1
            if iteration % settings.history_every == 0 or iteration == settings.iterations:
                mean_loss = float(np.mean(pending + _values(recent)))
                pending, recent = [], []
                if not np.isfinite(mean_loss):
                    raise TfsegError(
                        f"the loss became {mean_loss} before iteration {iteration}: "
                        "expected a finite number; try a smaller training.learning_rate"
                    )
                rate = settings.rate(iteration - 1)
                history.append([iteration, mean_loss, rate])
                if on_history:
                    on_history(iteration, mean_loss, rate, network)
                if bar:
                    bar.set_postfix(loss=f"{mean_loss:.4f}", refresh=False)
            finished = iteration == settings.iterations
            # Read once: a signal during the write of the state takes effect in the next iteration.
            stopping = stop.is_set() and not finished
            if finished or stopping or iteration % settings.state_every == 0:
                pending, recent = pending + _values(recent), []
                state.save(network, optimiser, average, iteration, history, pending)
            if bar:
                bar.update()
            if stopping:
                raise Interrupted(f"stopped at iteration {iteration}; run again to resume")
    if bar:
        bar.close()
    average.apply()
    return history
