"""Train one system on the training folds of one SNR; resumes where it was stopped."""

from tfseg.datasets.licences import announce, joined_terms
from tfseg.inference.forward import load_model, load_prepared, save_model
from tfseg.inference.model_folder import training_facts
from tfseg.io.files import file_sha256, read_json
from tfseg.job.hardware import choose_graph, choose_precision, prepare_device
from tfseg.job.progress import bars
from tfseg.job.runner import run_script
from tfseg.job.seeding import derive_seed
from tfseg.training.settings import read_settings
from tfseg.training.start_from import what_is_kept
from tfseg.training.system import RECIPE, train_system, training_clips, write_history


def main(smk):
    """Train and write weights, description and history."""
    names, params, features = smk.wildcards, smk.params, smk.input.features
    terms = read_json(smk.input.licences)
    settings = read_settings(params.training)
    data = training_clips(features, settings.kinds)
    description = {key: getattr(params, key) for key in RECIPE} | {
        "system": names.system,
        "classes": list(data.classes),
        "features": data.settings,
        "held_out_fold": int(names.fold),
        "repeat": int(names.repeat),
    }
    device = prepare_device(smk.resources.gpu, settings.threads)
    precision = choose_precision(params.precision, device)
    facts = training_facts(
        data, file_sha256(features), params.corpus, params.mixing, settings.excerpt_s
    )
    start, started_from = None, [smk.input.start] if params.start else []
    if started_from:
        start = load_model(*started_from, smk.input.start_description)
        terms = joined_terms(terms, start[1])
        facts["started_from"] = what_is_kept(start[1], description)
        print(f"starting from {params.training['start_from']}: {facts['started_from']}")
    facts |= terms | {"trained_in": precision}
    announce(terms, "the weights of this model")
    taught_by = [smk.input.teacher, smk.input.teacher_description] if params.teacher else []
    curves = None
    if params.tensorboard:
        # Imported here: it is an extra, and slow.
        from tfseg.training.tensorboard import Curves

        curves = Curves(params.tensorboard, data)
    network, history = train_system(
        description,
        data,
        settings,
        seed=derive_seed(params.seed, "train", names.snr, names.system, names.fold, names.repeat),
        precision=precision,
        data_sha256=file_sha256([*features, *taught_by[:1], *started_from]),
        code_digest=params.code,
        state_path=params.state,
        start=start,
        teacher=load_prepared(*taught_by, precision, device)[0] if taught_by else None,
        device=device,
        graph=choose_graph(settings.graph, device),
        on_history=curves,
        progress=bars(f"{names.system}, {names.snr} dB, fold {names.fold}"),
    )
    if curves:
        curves.close()
    write_history(smk.output.history, history)
    save_model(smk.output.model, smk.output.description, network, description | facts)


if "snakemake" in globals():
    run_script(main, snakemake)
