"""Write what a trained model needs beside its weights: thresholds (if not tuned), a card to read."""

from tfseg.inference.model_card import model_card
from tfseg.inference.operating_point import detection_settings, read_detection, write_detection
from tfseg.io.files import read_json, write_text
from tfseg.job.runner import run_script


def main(smk):
    """Write ``detection.json`` and ``model_card.md``."""
    description, tuned = read_json(smk.input.description), bool(smk.input.detection)
    if tuned:
        detection = read_detection(smk.input.detection[0], len(description["classes"]))
    else:
        detection = detection_settings(smk.params.thresholds, smk.params.postprocessing)
        write_detection(smk.output.detection, detection)
    card = model_card(description, detection, smk.input.template, tuned=tuned)
    write_text(smk.output.card, card)


if "snakemake" in globals():
    run_script(main, snakemake)
