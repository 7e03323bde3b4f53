"""Score the held-out fold with a trained system; masks are counted, not kept."""

from tfseg.features.feature_set import load_features
from tfseg.inference.forward import infer, load_prepared, write_scores
from tfseg.inference.operating_point import read_detection
from tfseg.inference.scorings import record_scoring
from tfseg.job.hardware import choose_precision, prepare_device
from tfseg.job.progress import bars
from tfseg.job.runner import run_script


def main(smk):
    """Write tags and frame scores, and the mask counts where there are ideal masks."""
    params, names = smk.params, smk.wildcards
    device = prepare_device(smk.resources.gpu, params.threads)
    precision = choose_precision(params.precision, device)
    network, description = load_prepared(smk.input.model, smk.input.description, precision, device)
    features = load_features(smk.input.features).scored()
    thresholds = {"published": params.mask_threshold}
    for path in smk.input.detection:  # one where thresholds are tuned, else none
        thresholds["tuned"] = read_detection(path, len(features.classes)).mask_threshold
    inferred = infer(
        network,
        features,
        batch_size=params.batch_size,
        mask_thresholds=thresholds if params.has_ideal_masks else None,
        device=device,
        progress=bars(f"scoring, {names.system}, {names.snr} dB"),
    )
    record_scoring(params.scorings, names.items(), description, features)
    write_scores(smk.output.scores, smk.output.counts, features, *inferred)


if "snakemake" in globals():
    run_script(main, snakemake)
