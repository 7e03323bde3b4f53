"""docs/tutorials/first_recording.ipynb runs from its first cell to its last, on a small model."""

import re

import nbformat
import numpy as np
import pytest
import soundfile
from nbclient import NotebookClient
from small_model import CLASSES, write_small_model

RATE = 8000


@pytest.fixture(scope="module")
def notebook(repository):
    path = repository / "docs/tutorials/first_recording.ipynb"
    return nbformat.read(path, as_version=4)


@pytest.fixture(scope="module")
def executed(tmp_path_factory, repository, notebook):
    """The notebook after a run, with paths of a small model and of eight seconds of noise."""
    folder = tmp_path_factory.mktemp("notebook")
    write_small_model(folder / "model")
    samples = 0.1 * np.random.default_rng(0).standard_normal((8 * RATE, 2))
    soundfile.write(folder / "street.wav", samples, RATE)
    table = "filename\tonset\toffset\tevent_label\nstreet.wav\t1.0\t2.0\tBark\n"
    (folder / "events.tsv").write_text(table, encoding="utf-8")
    run = nbformat.from_dict(notebook)
    (paths,) = (cell for cell in run.cells if "parameters" in cell.metadata.get("tags", ()))
    for name, value in (
        ("model_folder", "model"),
        ("recording", "street.wav"),
        ("known_events", "events.tsv"),
    ):
        line = f"{name} = Path({str(folder / value)!r})"
        paths.source, found = re.subn(rf"^{name} = .*$", line, paths.source, flags=re.MULTILINE)
        assert found == 1, name
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(repository / "workflow_scripts"))
        # Of this environment, whatever kernels the user has.
        patch.setenv("JUPYTER_PATH", "")
        patch.setenv("JUPYTER_DATA_DIR", str(folder / "jupyter"))
        NotebookClient(run, timeout=300).execute(cwd=folder)
    return run


def outputs(executed, kind):
    """What the cells show of one media type, in order."""
    shown = (o for c in executed.cells if c.cell_type == "code" for o in c.outputs)
    return [o.data[kind] for o in shown if kind in o.get("data", {})]


def test_it_is_committed_without_what_a_run_leaves(notebook):
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert not cell.outputs and cell.execution_count is None, cell.id


def test_its_paths_are_those_of_the_demo(notebook, repository):
    makefile = (repository / "Makefile").read_text(encoding="utf-8")
    (model,) = re.findall(r"^DEMO_MODEL := results/mini/(\S+)$", makefile, re.MULTILINE)
    (paths,) = (c.source for c in notebook.cells if "parameters" in c.metadata.get("tags", ()))
    assert f'model_folder = results / "{model}"' in paths
    demo = (repository / "experiments/mini.yaml").read_text(encoding="utf-8")
    (recording,) = re.findall(r'recording = results / "soundscapes/(\S+)"', paths)
    assert f"name: {recording}" in demo


def test_it_shows_pictures_events_and_sounds(executed):
    assert len(outputs(executed, "image/png")) == 3
    (table,) = (html for html in outputs(executed, "text/html") if "<table" in html)
    assert "confidence" in table and any(label in table for label in CLASSES)
    players = [html for html in outputs(executed, "text/html") if "<audio" in html]
    # The whole recording; then a stretch of it, of each class that was found, and of the rest.
    found = sum(label in table for label in CLASSES)
    assert len(players) == 2 + found + 1


def test_the_separated_sounds_sum_to_the_recording(executed):
    text = "".join(
        o.text for c in executed.cells if c.cell_type == "code" for o in c.outputs if "text" in o
    )
    (difference,) = re.findall(r"largest difference from the recording: (\S+)", text)
    assert float(difference) < 1e-6


def test_it_runs_without_a_warning(executed):
    for cell in executed.cells:
        for output in cell.get("outputs", ()):
            assert output.get("name") != "stderr", output.text
