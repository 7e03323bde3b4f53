"""Score the held-out fold with a trained system; masks are counted, not kept."""

import datetime
import json

import torch

from tfseg import __version__
from tfseg.features.feature_set import load_features
from tfseg.inference.forward import infer, load_model, prepare_for_inference, write_scores
from tfseg.inference.operating_point import read_detection
from tfseg.io.files import append_line
from tfseg.job.hardware import choose_device, choose_precision, keep_freed_memory
from tfseg.job.progress import bars
from tfseg.job.runner import run_script


def main(smk):
    """Write tags and frame scores, and the mask counts where there are ideal masks."""
    torch.set_num_threads(smk.params.threads)
    keep_freed_memory()
    device = choose_device(smk.resources.gpu)
    network, description = load_model(smk.input.model, smk.input.description, device)
    prepare_for_inference(network, choose_precision(smk.params.precision, device))
    # Training may also see events and scenes alone; what is scored are mixtures.
    features = load_features(smk.input.features).of_kinds(["mixture", "clip"])
    thresholds = {"published": smk.params.mask_threshold}
    if smk.input.detection:
        (path,) = smk.input.detection
        detection = read_detection(path, len(features.classes))
        thresholds["tuned"] = detection.mask_threshold
    tags, frames, counter = infer(
        network,
        features,
        batch_size=smk.params.batch_size,
        mask_thresholds=thresholds if smk.params.has_ideal_masks else None,
        device=device,
        progress=bars(f"scoring, {smk.wildcards.system}, {smk.wildcards.snr} dB"),
    )
    # Whoever scores held-out clips again and again ends by fitting them: each time is on record.
    record = dict(smk.wildcards.items()) | {
        "scored": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "weights_sha256": description["weights_sha256"],
        "clips": len(features.mixture),
        "tfseg": __version__,
    }
    append_line(smk.params.scorings, json.dumps(record))
    write_scores(smk.output.scores, smk.output.counts, features, tags, frames, counter)


if "snakemake" in globals():
    run_script(main, snakemake)
