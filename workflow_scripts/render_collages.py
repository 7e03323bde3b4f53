"""Make long recordings of a fold's events and scenes, and the table of what sounds when in each."""

from pathlib import Path

from tfseg.collage import CollageSettings, make_collage, write_collage
from tfseg.corpora import tables
from tfseg.events import write_events
from tfseg.workflow import run_script


def main(smk):
    """Write one recording after the other."""
    fold = smk.params.fold
    events = tables.read_table(smk.input.events, "events")
    scenes = tables.read_table(smk.input.scenes, "scenes")
    events, scenes = events[events["fold"] == fold], scenes[scenes["fold"] == fold]
    rows = []
    for path, entry in zip(smk.output.recordings, smk.params.collages, strict=True):
        settings = CollageSettings(**entry)
        samples, labels = make_collage(
            events,
            scenes,
            settings,
            max_event_s=smk.params.max_event_s,
            resampler=smk.params.resampler,
            seed=smk.params.seed,
        )
        write_collage(path, samples, settings.sample_rate)
        rows += [(Path(path).name, onset_s, offset_s, label) for onset_s, offset_s, label in labels]
    write_events(smk.output.labels, rows)


if "snakemake" in globals():
    run_script(main, snakemake)
