"""Train one system on the training folds of one SNR; resumes where it was stopped."""

import time

from tfseg.datasets.licences import announce
from tfseg.features.feature_set import load_features
from tfseg.inference.forward import load_model, prepare_for_inference, save_model
from tfseg.inference.model_folder import training_facts
from tfseg.io.files import file_sha256, read_json, write_text
from tfseg.job.hardware import choose_device, choose_precision, keep_freed_memory
from tfseg.job.progress import bar
from tfseg.job.runner import run_script
from tfseg.job.seeding import derive_seed
from tfseg.models.systems import build_network
from tfseg.training import loop


def main(smk):
    """Train and write weights, description and history."""
    names = smk.wildcards
    # What is for validation is never trained on.
    data = load_features(smk.input.features).of_parts(["train"])
    settings = loop.read_settings(smk.params.training)
    if settings.kinds is not None:
        data = data.of_kinds(settings.kinds)
    seed = derive_seed(smk.params.seed, "train", names.snr, names.system, names.fold, names.repeat)
    description = {
        "system": names.system,
        "network": smk.params.network,
        "teacher": smk.params.teacher,
        "classes": list(data.classes),
        "features": data.settings,
        "trunk": smk.params.trunk,
        "pooling": smk.params.pooling,
        "baselines": smk.params.baselines,
        "training": smk.params.training,
        "precision": smk.params.precision,
        "snr_db": smk.params.snr_db,
        "held_out_fold": int(names.fold),
        "repeat": int(names.repeat),
    }

    for warning in loop.idle_classes(data):
        print(warning)
    keep_freed_memory()
    device = choose_device(smk.resources.gpu)
    precision = choose_precision(smk.params.precision, device)
    data_sha256 = file_sha256(smk.input.features)
    terms = read_json(smk.input.licences)
    announce(terms, "the weights of this model")

    def build():
        return build_network(
            smk.params.network,
            n_classes=len(data.classes),
            n_mels=data.settings["n_mels"],
            trunk_settings=smk.params.trunk,
            pooling_settings=smk.params.pooling,
            baseline_settings=smk.params.baselines,
        )

    started_s, started_cpu_s = time.perf_counter(), time.process_time()
    network = loop.initial_network(build, seed, data.logmel)
    network.precision = precision
    teacher, sources = None, list(smk.input.features)
    if smk.params.teacher is not None:
        teacher, _ = load_model(smk.input.teacher, smk.input.teacher_description, device)
        prepare_for_inference(teacher, precision)
        sources.append(smk.input.teacher)
    excerpt_frames = data.grid.n_frames_in(settings.excerpt_s) if settings.excerpt_s else None
    history = loop.train(
        network,
        data.logmel,
        loop.targets_of(network, data),
        settings,
        seed=seed,
        state_path=smk.params.state,
        bound_to=loop.binding(file_sha256(sources), smk.params.code, description, seed),
        excerpt_frames=excerpt_frames,
        teacher=teacher,
        device=device,
        progress=lambda total, initial: bar(
            f"{names.system}, {names.snr} dB, fold {names.fold}", total=total, initial=initial
        ),
    )
    # In the log only: what is written is the same in every run.
    print(
        f"this job trained for {time.perf_counter() - started_s:.1f} s "
        f"({time.process_time() - started_cpu_s:.1f} CPU s)"
    )
    # Written by hand: a training job starts without pandas.
    lines = ["iteration,loss,learning_rate", *(",".join(map(repr, row)) for row in history)]
    write_text(smk.output.history, "\n".join(lines) + "\n")
    # Not in the binding: a training may go on on other hardware.
    facts = {"trained_in": precision, **terms} | training_facts(
        data,
        sha256=data_sha256,
        corpus=smk.params.corpus,
        mixing=smk.params.mixing,
        excerpt_s=settings.excerpt_s,
    )
    save_model(smk.output.model, smk.output.description, network, description | facts)


if "snakemake" in globals():
    run_script(main, snakemake)
