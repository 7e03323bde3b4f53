"""Apply a trained model to one recording; one that cannot be used is noted, and the others go on."""

import functools
import time
from pathlib import Path

import torch

from tfseg.apply.analysis import analyse
from tfseg.apply.bulk import attempt
from tfseg.apply.listing import Recording
from tfseg.apply.results import describe
from tfseg.apply.settings import ApplySettings
from tfseg.inference.events import read_events
from tfseg.inference.model_folder import load_model_folder
from tfseg.io.files import write_json, write_text
from tfseg.io.validation import one_line
from tfseg.job.hardware import choose_device, choose_precision
from tfseg.job.runner import run_script


def main(smk):
    """Write the recording's folder and its status."""
    torch.set_num_threads(smk.threads)
    device = choose_device(smk.resources.gpu)
    model = load_model_folder(smk.params.model, device)
    model.network.precision = choose_precision(smk.params.precision, device)
    recording = Recording(smk.wildcards.recording, Path(smk.params.path))
    reference = None
    if smk.params.reference_names:
        known = read_events(smk.input.reference[0])
        reference = [event for name in smk.params.reference_names for event in known[name]]
    folder, started_s = Path(smk.output.folder), time.perf_counter()
    settings = ApplySettings(**smk.params.apply)
    analysis, error = attempt(
        functools.partial(analyse, recording, folder, model, settings, reference)
    )
    if error is None:
        print(describe(analysis, time.perf_counter() - started_s))
    else:
        error = one_line(error)
        print(f"FAILED: {error}")
        write_text(folder / "failed.txt", f"{error}\n")
    status = {"name": recording.name, "path": str(recording.path), "error": error}
    write_json(smk.output.status, status)


if "snakemake" in globals():
    run_script(main, snakemake)
