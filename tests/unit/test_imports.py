"""Imports that scripts must avoid: every job starts an interpreter, and a run has hundreds of jobs.

Each script needs an interpreter here too, so only scripts with many jobs or slow libraries
are tested.
"""

import subprocess
import sys

import pytest

# Seconds of processor time, about: torch 1, plotting 0.2, pandas 0.2, scipy.fft 0.2, librosa.filters
# with numba 0.7, scikit-learn 0.5, sed_eval 0.3.
PLOTTING = {"matplotlib"}
AUDIO = {"librosa", "numba", "soundfile", "soxr"}
SCIENTIFIC = {
    "scipy",
    "sklearn",
    "pandas",
    "sed_eval",
    "sed_scores_eval",
    "dcase_util",
    "jsonschema",
}
ALL = PLOTTING | AUDIO | SCIENTIFIC | {"snakemake", "requests", "pydantic"}

REFUSED = {
    # The most jobs of a run: torch, numpy, h5py, safetensors, tqdm and nothing else that is slow.
    "train_model": ALL,
    "infer_scores": ALL,
    # As many jobs as there are models: writes text.
    "describe_model": ALL | {"torch", "safetensors"},
    # Works on stored scores, and writes its table without pandas.
    "detect_events": ALL | {"torch", "safetensors"},
    # Reads tables (pandas, jsonschema); sed_eval is loaded when there are events to count, and the
    # processes that count import the script once more.
    "score_system": ALL - {"pandas", "jsonschema"} | {"torch"},
    # The same of every system, and resampling in numpy.
    "compare_systems": ALL - {"pandas", "jsonschema"} | {"torch"},
    # Mel filters (librosa, with numba) are loaded by the first spectrogram that is computed.
    "extract_features": PLOTTING | {"torch", "numba", "sklearn", "sed_eval", "snakemake"},
    # Draw stored results.
    "plot_figure": AUDIO | {"torch", "scipy", "sklearn", "sed_eval", "snakemake"},
    **{
        f"tfseg.reporting.figures.{figure}": AUDIO
        | {"torch", "scipy", "sklearn", "sed_eval", "snakemake"}
        for figure in ("example_mixture", "f1_by_threshold")
    },
    # Snakemake's own process: every job of a cluster reads the rules once more.
    "tfseg.run.inputs": PLOTTING | AUDIO | {"torch", "pandas", "scipy", "sklearn", "sed_eval"},
    "tfseg.run.given_recordings": PLOTTING | AUDIO | {"torch", "pandas", "scipy"},
    "tfseg.reporting.figures.registry": PLOTTING | AUDIO | {"torch", "pandas", "scipy"},
    # Reads what others have computed; encodes sounds, and colours pictures with matplotlib's maps.
    "make_report": SCIENTIFIC - {"pandas"} | {"torch", "librosa", "numba", "snakemake", "requests"},
    # Loads networks and computes spectra, but uses only its own metrics.
    "separate_mixtures": PLOTTING | {"numba", "sklearn", "sed_eval", "snakemake"},
}


@pytest.mark.parametrize("script", REFUSED)
def test_a_script_starts_without_what_it_does_not_use(script, repository):
    program = f"import sys, {script}; print(*sys.modules)"
    found = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(repository / "workflow_scripts")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert not REFUSED[script] & set(found.stdout.split())
