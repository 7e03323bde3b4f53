"""Turn frame scores into events with onset and offset times."""

from tfseg.events import HysteresisSettings, detect_events, write_events
from tfseg.files import reading_hdf5
from tfseg.timegrid import TimeGrid
from tfseg.workflow import run_script


def main(smk):
    """Read the scores of one fold, write its events."""
    with reading_hdf5(smk.input.scores) as file:
        events = detect_events(
            [name.decode() for name in file["mixture"][:]],
            file["tags"][:],
            file["frames"][:],
            [str(label) for label in file.attrs["classes"]],
            TimeGrid(**smk.params.grid),
            HysteresisSettings(**smk.params.postprocessing),
            tag_threshold=smk.params.tag_threshold,
        )
    write_events(smk.output.events, events)


if "snakemake" in globals():
    run_script(main, snakemake)
