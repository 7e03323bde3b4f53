"""Write what a trained model needs beside its weights: thresholds, and a card to read."""

from tfseg.detection import DetectionSettings, write_detection
from tfseg.events import EventSettings
from tfseg.files import read_json, write_text
from tfseg.model_card import model_card
from tfseg.workflow import run_script


def main(smk):
    """Write ``detection.json`` and ``model_card.md``."""
    detection = DetectionSettings(
        **smk.params.thresholds, postprocessing=EventSettings(**smk.params.postprocessing)
    )
    card = model_card(read_json(smk.input.description), detection, smk.input.template)
    write_detection(smk.output.detection, detection)
    write_text(smk.output.card, card)


if "snakemake" in globals():
    run_script(main, snakemake)
