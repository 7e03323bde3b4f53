"""Training one system on clips of some folds, and what is written of how it went."""

import time

from tfseg.features.feature_set import load_features
from tfseg.io.files import write_text
from tfseg.models.systems import network_of
from tfseg.training.initial import idle_classes, initial_network, targets_of
from tfseg.training.loop import train
from tfseg.training.start_from import keep_weights
from tfseg.training.state import binding

# Params of the rule that trains which ``model.json`` repeats.
RECIPE = (
    "network",
    "teacher",
    "trunk",
    "pooling",
    "baselines",
    "training",
    "precision",
    "snr_db",
)


def training_clips(paths, kinds):
    """Load the clips that a system is trained on; those for validation are left out.

    Parameters
    ----------
    paths : sequence of path-like
        Feature files of the folds that are trained on.
    kinds : list of str or None
        Kinds of clip (``training.kinds``); None for all.

    Returns
    -------
    data : tfseg.features.feature_set.FeatureSet
    """
    data = load_features(paths).of_parts(["train"])
    return data if kinds is None else data.of_kinds(kinds)


def train_system(
    description, data, settings, *, seed, precision, data_sha256, code_digest, start=None, **options
):
    """Train a system from its first weights, or from its last saved state if there is one.

    Parameters
    ----------
    description : dict
        Of the model, as `tfseg.models.systems.network_of` takes it, with all else that a saved
        state is bound to.
    data : tfseg.features.feature_set.FeatureSet
    settings : tfseg.training.settings.TrainingSettings
    seed : int
    precision : {"float32", "bfloat16"}
        Of the network. A saved state is not bound to it: a training may go on on other hardware.
    data_sha256, code_digest : str
        Of all files that are trained on, and of the code that trains.
    start : (network, dict) or None
        A trained model and its description, from whose weights the training starts.
    **options
        As `tfseg.training.loop.train` takes them: ``state_path``, ``teacher``, ``device``,
        ``progress``, ``on_history``, ``graph``.

    Returns
    -------
    network : tfseg.models.systems.MaskNetwork or FrameNetwork
    history : list of [iteration, mean loss since the last row, learning rate]
    """
    for warning in idle_classes(data):
        print(warning)
    started_s, started_cpu_s = time.perf_counter(), time.process_time()
    network = initial_network(lambda: network_of(description), seed, data.logmel)
    if start:
        keep_weights(network, description, *start)
    network.precision = precision
    history = train(
        network,
        data.logmel,
        targets_of(network, data),
        settings,
        seed=seed,
        bound_to=binding(data_sha256, code_digest, description, seed),
        excerpt_frames=data.grid.n_frames_in(settings.excerpt_s) if settings.excerpt_s else None,
        **options,
    )
    # In the log only: what is written is the same in every run.
    print(
        f"this job trained for {time.perf_counter() - started_s:.1f} s "
        f"({time.process_time() - started_cpu_s:.1f} CPU s)"
    )
    return network, history


def write_history(path, history):
    """Write what `train_system` returns as CSV; by hand: a training starts without pandas."""
    lines = ["iteration,loss,learning_rate", *(",".join(map(repr, row)) for row in history)]
    write_text(path, "\n".join(lines) + "\n")
