"""From a list of recordings to the plan of one fold, as the workflow's jobs go; peak memory."""

import time
from pathlib import Path

from tfseg.datasets import assemble, inspection
from tfseg.mixing import remixing


def plan_one_fold(recordings, config, n_mixtures):
    """Look into every recording and plan the mixtures of fold 1.

    Parameters
    ----------
    recordings : pd.DataFrame
        As a corpus lists them.
    config : dict
        The merged configuration.
    n_mixtures : int

    Returns
    -------
    events : pd.DataFrame
        Recordings of events.
    plan : (mixtures, mixture_events)
    inspect_s : float
        CPU seconds per recording of looking into it.
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
    """Largest resident memory of this process in MiB.

    From /proc: getrusage's ru_maxrss begins with that of the process that started this one.
    """
    status = Path("/proc/self/status").read_text(encoding="ascii")
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024
