"""Real-time factor and memory of `apply` on ten minutes and one hour of the demo's sounds.

    python bench/long_recording.py [MODEL]

needs a finished demo (`make demo`). MODEL is the folder of a model, by default the demo's.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd
from harness import ROOT

from tfseg.mixing.soundscape import SoundscapeSettings, make_soundscape, write_soundscape

RUN = ROOT / "results" / "mini"
MODEL = RUN / "models" / "snr10" / "gwrp" / "fold1" / "seed0"
MINUTES = (10, 60)
_MEASURED = f"""
import sys
sys.path[:0] = [{str(ROOT / "bench")!r}, {str(ROOT / "workflow_scripts")!r}]
from tfseg.cli import apply
status = apply.main(sys.argv[1:])
import corpus
print("peak_mib", round(corpus.own_peak_memory_mib()))
sys.exit(status)
"""


def measure(path, model, out):
    """Apply the model to a recording.

    Returns
    -------
    found : dict
        ``times_real_time``, ``peak_mib`` of the process, and the number of ``events``.
    """
    command = [sys.executable, "-c", _MEASURED, str(path), "--model", str(model), "--out", str(out)]
    text = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    about = json.loads((Path(out) / path.stem / "about.json").read_text(encoding="utf-8"))
    return {
        "times_real_time": int(re.search(r"(\d+) times real time", text)[1]),
        "peak_mib": int(re.search(r"peak_mib (\d+)", text)[1]),
        "events": len(about["events"]),
    }


def main(model=MODEL, minutes=MINUTES, run=RUN):
    """Print a line for each length."""
    tables = [pd.read_csv(Path(run) / "corpus" / f"{name}.csv") for name in ("events", "scenes")]
    events, scenes = (table[table["fold"] == 1] for table in tables)
    with tempfile.TemporaryDirectory() as folder:
        for number in minutes:
            path = Path(folder) / f"minutes{number}.wav"
            settings = SoundscapeSettings(path.name, 60.0 * number, 10, 44100, 1)
            samples, _ = make_soundscape(
                events, scenes, settings, max_event_s=2.0, resampler="soxr_hq", seed=1
            )
            write_soundscape(path, samples, settings.sample_rate)
            del samples
            print(f"{number} minutes: {measure(path, model, Path(folder) / 'out')}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
