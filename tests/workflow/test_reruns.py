"""Re-runs in a finished run after an edit of the library."""

import shutil

import pytest
from workflow_project import TINY, Project

pytestmark = pytest.mark.workflow

LIBRARY = "workflow_scripts/tfseg"
# Of one system of the tiny run: two SNRs, two folds.
TRAININGS_OF_A_SYSTEM = 4


@pytest.fixture(scope="module")
def project(finished, tmp_path_factory):
    """A copy of the finished run, changed and restored by each test."""
    folder = tmp_path_factory.mktemp("reruns") / "changed"
    shutil.copytree(finished.folder, folder, symlinks=True)
    return Project(folder, TINY)


@pytest.fixture
def edit(project):
    """Return a function that edits or adds a file of the library; undone after the test."""
    originals = {}

    def write(path, text):
        path = project.folder / path
        originals.setdefault(path, path.read_bytes() if path.exists() else None)
        path.write_text(text)

    def change(path, old, new):
        text = (project.folder / path).read_text()
        assert old in text
        write(path, text.replace(old, new, 1))

    change.write = write
    yield change
    for path, content in originals.items():
        if content is None:
            path.unlink()
        else:
            path.write_bytes(content)


def _copied(project, path):
    return (project.folder / path).read_text()


def test_a_pooling_a_trunk_and_a_system_train_nothing_of_another(project, edit):
    for kind, name in (("poolings", "power"), ("trunks", "vgg"), ("networks", "dnn")):
        text = _copied(project, f"{LIBRARY}/models/{kind}/{name}.py")
        edit.write(
            f"{LIBRARY}/models/{kind}/brand_new.py"
            if kind != "networks"
            else f"{LIBRARY}/models/networks/brand_new_network.py",
            text,
        )
    planned = project.planned()
    # The report lists the whole config, with the settings of what is new.
    assert set(planned) <= {"make_report"}


def test_a_system_that_is_named_trains_itself_alone(project, edit, tmp_path):
    edit.write(
        f"{LIBRARY}/models/poolings/brand_new.py",
        _copied(project, f"{LIBRARY}/models/poolings/power.py"),
    )
    overlay = tmp_path / "overlay.yaml"
    overlay.write_text("systems: [gap, gwrp, brand_new]\n")
    planned = Project(project.folder, [*TINY, overlay]).planned()
    assert planned["train_model"] == planned["infer_scores"] == TRAININGS_OF_A_SYSTEM
    assert "render_stems" not in planned


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        (
            "errors.py",
            "class TfsegError",
            "class Unheard(Exception):\n    pass\n\n\nclass TfsegError",
        ),
        ("job/progress.py", "import", "import math\nimport"),
        ("training/batches.py", "expected one length, or a ", "expected equal lengths, or a "),
        ("datasets/licences.py", "def ", "NOBODY = 1\n\n\ndef "),
        ("io/files.py", "import", "import math\nimport"),
    ],
)
def test_messages_errors_progress_licences_and_file_helpers_run_nothing(
    project, edit, path, old, new
):
    edit(f"{LIBRARY}/{path}", old, new)
    assert project.planned() == {}


def test_the_body_of_gwrp_retrains_gwrp_and_nothing_else(project, edit):
    edit(f"{LIBRARY}/models/poolings/gwrp.py", "powers.sum()", "powers.sum() / 1")
    planned = project.planned()
    assert planned["train_model"] == planned["infer_scores"] == TRAININGS_OF_A_SYSTEM


def test_the_training_loop_retrains_all(project, edit):
    edit(
        f"{LIBRARY}/training/initial.py",
        "total, total_square, count = 0.0, 0.0, 0",
        "total, total_square, count = 0.0, 0.0, 0.0",
    )
    assert project.planned()["train_model"] == 2 * TRAININGS_OF_A_SYSTEM


def test_a_function_that_no_rule_names_runs_nothing(project, edit):
    text = _copied(project, f"{LIBRARY}/features/logmel.py")
    edit.write(f"{LIBRARY}/features/logmel.py", text + "\n\ndef brand_new():\n    return 1\n")
    assert project.planned() == {}
