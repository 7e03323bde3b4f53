"""Training from clip-level tags; it can stop at any time, and resumes bit for bit on the CPU."""

import numpy as np
import torch

from tfseg.errors import TfsegError
from tfseg.job.seeding import derive_seed
from tfseg.training import losses
from tfseg.training.augmentation import augment
from tfseg.training.averaging import Average
from tfseg.training.batches import Excerpts, batch_indices
from tfseg.training.optimiser import Adam
from tfseg.training.splicing import draw_cuts, splice
from tfseg.training.state import Interrupted, State, stop_requested
from tfseg.training.terms import frozen_copy


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
    inputs = Excerpts(logmel, excerpt_frames, seed, device)
    targets = torch.from_numpy(target).to(device)
    optimiser = Adam(network.parameters())
    average = Average(network, settings.average_weights)
    listens = settings.terms.reclassified or (settings.splice.share and settings.splice.agreement)
    averaged = frozen_copy(network, average.tensors()) if listens else None
    state = State(state_path, bound_to)
    iteration, history, pending = state.load(network, optimiser, average, log)
    if iteration:
        log(f"resuming at iteration {iteration} of {settings.iterations}")
    bar = progress(total=settings.iterations, initial=iteration) if progress else None
    run = torch.compile(network) if settings.compile else network
    with stop_requested() as stop:
        while iteration < settings.iterations:
            rate = settings.learning_rate * settings.learning_rate_decay ** (
                iteration // settings.decay_every
            )
            clips = batch_indices(iteration, len(inputs), settings.batch_size, seed)
            batch, wanted = augment(
                inputs.batch(clips, iteration),
                targets[torch.from_numpy(clips).to(device)].float(),
                settings.augmentation,
                seed,
                iteration,
            )
            cuts = draw_cuts(settings.splice, len(batch), batch.shape[1], seed, iteration)
            cuts = {name: torch.from_numpy(values).to(device) for name, values in cuts.items()}
            batch, wanted, known = splice(batch, wanted, cuts, settings.splice)
            # Dropout's random values depend on the iteration alone, as all others do.
            torch.manual_seed(derive_seed(seed, "dropout", iteration))
            try:
                tags, masks = run(batch)
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
                settings,
                teacher=teacher,
                iteration=torch.tensor(iteration, device=device),
                known=known,
                averaged=averaged,
                has_background=network.has_background,
                own=network.own_loss(wanted, known.counted),
            )
            loss.backward()
            optimiser.step(rate)
            iteration += 1
            average.update(iteration)
            pending.append(loss.detach())
            if iteration % settings.history_every == 0 or iteration == settings.iterations:
                mean_loss = float(np.mean([float(value) for value in pending]))
                pending = []
                if not np.isfinite(mean_loss):
                    raise TfsegError(
                        f"the loss became {mean_loss} before iteration {iteration}: "
                        "expected a finite number; try a smaller training.learning_rate"
                    )
                history.append([iteration, mean_loss, rate])
                if on_history:
                    on_history(iteration, mean_loss, rate, network)
                if bar:
                    bar.set_postfix(loss=f"{mean_loss:.4f}", refresh=False)
            finished = iteration == settings.iterations
            # Read once: a signal during the write of the state takes effect in the next iteration.
            stopping = stop.is_set() and not finished
            if finished or stopping or iteration % settings.state_every == 0:
                pending = [float(value) for value in pending]
                state.save(network, optimiser, average, iteration, history, pending)
            if bar:
                bar.update()
            if stopping:
                raise Interrupted(f"stopped at iteration {iteration}; run again to resume")
    if bar:
        bar.close()
    average.apply()
    return history
