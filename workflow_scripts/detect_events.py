"""Turn frame scores into events with onset and offset times, at fixed or at tuned settings."""

from tfseg.features.feature_set import read_ragged
from tfseg.features.time_grid import TimeGrid
from tfseg.inference.events import EventSettings, detect_events, write_events
from tfseg.inference.operating_point import read_detection
from tfseg.io.files import read_description, reading_hdf5
from tfseg.job.runner import run_script


def main(smk):
    """Read the scores of one fold, write its events."""
    with reading_hdf5(smk.input.scores) as file:
        mixtures = [name.decode() for name in file["mixture"][:]]
        tags, frames = file["tags"][:], read_ragged(file, "frames")
        classes = read_description(file)["classes"]
    settings, tag_threshold = EventSettings(**smk.params.postprocessing), smk.params.tag_threshold
    if smk.input.detection:
        tuned = read_detection(smk.input.detection[0], len(classes))
        settings, tag_threshold = tuned.postprocessing, tuned.tag_threshold
    events = detect_events(
        mixtures,
        tags,
        frames,
        classes,
        TimeGrid(**smk.params.grid),
        settings,
        tag_threshold=tag_threshold,
    )
    write_events(smk.output.events, events)


if "snakemake" in globals():
    run_script(main, snakemake)
