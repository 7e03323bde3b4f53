"""Make long recordings of a fold's events and scenes, and the table of what sounds when in each."""

from pathlib import Path

from tfseg.datasets import corpus_tables
from tfseg.inference.events import write_events
from tfseg.job.runner import run_script
from tfseg.mixing.soundscape import SoundscapeSettings, make_soundscape, write_soundscape


def main(smk):
    """Write one recording after the other."""
    fold = smk.params.fold
    events = corpus_tables.read_table(smk.input.events, "events")
    scenes = corpus_tables.read_table(smk.input.scenes, "scenes")
    events, scenes = events[events["fold"] == fold], scenes[scenes["fold"] == fold]
    rows = []
    for path, entry in zip(smk.output.recordings, smk.params.soundscapes, strict=True):
        settings = SoundscapeSettings(**entry)
        samples, labels = make_soundscape(
            events,
            scenes,
            settings,
            max_event_s=smk.params.max_event_s,
            resampler=smk.params.resampler,
            seed=smk.params.seed,
        )
        write_soundscape(path, samples, settings.sample_rate)
        rows += [(Path(path).name, onset_s, offset_s, label) for onset_s, offset_s, label in labels]
    write_events(smk.output.labels, rows)


if "snakemake" in globals():
    run_script(main, snakemake)
