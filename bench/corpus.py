"""Inspection and plan of one fold, as in the workflow's jobs; peak memory."""

import time
from pathlib import Path

from tfseg.datasets import assemble, inspection
from tfseg.mixing import remixing


def plan_one_fold(recordings, config, n_mixtures):
    """Inspect every recording and plan the mixtures of fold 1.

    Parameters
    ----------
    recordings : pd.DataFrame
        The list of a corpus.
    config : dict
        The merged configuration.
    n_mixtures : int

    Returns
    -------
    events : pd.DataFrame
        Recordings of events.
    plan : (mixtures, mixture_events)
    inspect_s : float
        CPU seconds for the inspection of one recording.
    """
    start = time.process_time()
    facts, report = inspection.inspect(recordings)
    inspect_s = (time.process_time() - start) / len(recordings)
    recordings = assemble.usable(recordings, report, "skip", "the report", log=lambda text: None)
    recordings = assemble.sounding_parts(recordings, facts, config["corpus"]["trim_silence"])
    recordings["fold"] = assemble.deal_folds(recordings, config["split"], config["seed"])
    parts = assemble.corpus_tables(recordings)
    layout = ("duration_s", "onsets_s", "events_per_mixture", "overlap", "max_event_s")
    keys = (*layout, "kinds", "scene_start")
    plan = remixing.plan_mixtures(
        parts["events"],
        parts["scenes"],
        folds=[1],
        mixtures_per_fold=[n_mixtures],
        seed=config["seed"],
        **{key: config["mixing"][key] for key in keys},
    )
    return parts["events"], plan, inspect_s


def own_peak_memory_mib():
    """Return the largest resident memory of this process in MiB.

    Read from /proc: getrusage's ru_maxrss includes that of the parent process.
    """
    status = Path("/proc/self/status").read_text(encoding="ascii")
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024
