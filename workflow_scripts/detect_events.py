"""Turn frame scores into events with onset and offset times."""

from tfseg.dataset import read_ragged
from tfseg.events import EventSettings, detect_events, write_events
from tfseg.files import read_description, reading_hdf5
from tfseg.timegrid import TimeGrid
from tfseg.workflow import run_script


def main(smk):
    """Read the scores of one fold, write its events."""
    with reading_hdf5(smk.input.scores) as file:
        mixtures = [name.decode() for name in file["mixture"][:]]
        tags, frames = file["tags"][:], read_ragged(file, "frames")
        classes = read_description(file)["classes"]
    events = detect_events(
        mixtures,
        tags,
        frames,
        classes,
        TimeGrid(**smk.params.grid),
        EventSettings(**smk.params.postprocessing),
        tag_threshold=smk.params.tag_threshold,
    )
    write_events(smk.output.events, events)


if "snakemake" in globals():
    run_script(main, snakemake)
