"""No code from files is executed: the source tree is searched, and attacked."""

import ast
import io
import json
import os
import pickle
import re
import stat
import zipfile

import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import save
from workflow_project import TINY, copy_project

from tfseg.datasets.clips import list_recordings as list_clips
from tfseg.datasets.corpus_tables import write_table
from tfseg.datasets.folders import list_recordings as list_folders
from tfseg.datasets.unpack import unpack
from tfseg.errors import ConfigError, DamagedFileError, DataError, TfsegError
from tfseg.inference.events import read_events, write_events
from tfseg.io.audio import write_wav
from tfseg.io.files import read_json, reading_hdf5
from tfseg.io.tensors import load_tensors
from tfseg.settings.checks import check_config

pytestmark = pytest.mark.full
# Modules that execute or rebuild objects from what they read.
MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "code"}
BUILT_IN = {"eval", "exec", "compile", "__import__"}
METHODS = {
    "os.system", "os.popen", "yaml.load", "yaml.load_all", "yaml.full_load", "yaml.unsafe_load",
    "yaml.Loader", "yaml.FullLoader", "yaml.UnsafeLoader", "torch.load", "torch.save",
    "torch.hub.load", "np.load", "numpy.load", "pd.read_pickle", "pandas.read_pickle",
    "shutil.unpack_archive", "tempfile.mktemp", "subprocess.getoutput", "subprocess.getstatusoutput",
}  # fmt: skip
UNPACKING = {"extractall", "to_pickle"}


def _dotted(node):
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def dangers(text):
    """Names of calls in a Python text that could execute the content of a file."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names = [alias.name for alias in node.names]
            module = getattr(node, "module", None) or ""
            found += [n for n in [module, *names] if n.split(".")[0] in MODULES]
            found += [f"{module}.{n}" for n in names if f"{module}.{n}" in METHODS]
        if isinstance(node, (ast.Attribute, ast.Name)) and _dotted(node) in METHODS:
            found.append(_dotted(node))
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name) and node.func.id in BUILT_IN:
                found.append(node.func.id)
            if isinstance(node.func, ast.Attribute) and node.func.attr in UNPACKING:
                found.append(node.func.attr)
            for keyword in node.keywords:
                is_false = isinstance(keyword.value, ast.Constant) and not keyword.value.value
                if keyword.arg in ("shell", "allow_pickle") and not is_false:
                    found.append(keyword.arg)
    return found


@pytest.mark.parametrize(
    "text",
    ["import pickle", "from dill import loads", "import torch\ntorch.load('x')", "eval('1')",
     "yaml.load(text, Loader=yaml.SafeLoader)", "x = yaml.Loader", "subprocess.run(c, shell=True)",
     "subprocess.run(c, shell=yes)", "np.load(p)", "f(p, allow_pickle=True)", "os.system(c)",
     "archive.extractall(p)", "from os import system", "frame.to_pickle(p)"],
)  # fmt: skip
def test_the_search_finds(text):
    assert dangers(text)


def test_the_tree_has_none(repository):
    paths = [
        path
        for folder in ("workflow_scripts", "bench", "envs", "tests/support")
        for path in (repository / folder).rglob("*.py")
    ]
    assert len(paths) > 80
    found = {str(path): dangers(path.read_text(encoding="utf-8")) for path in paths}
    assert {path: what for path, what in found.items() if what} == {}


def test_no_rule_has_a_shell_or_code_of_its_own(repository):
    paths = [repository / "Snakefile", *(repository / "rules").glob("*.smk")]
    assert len(paths) > 8
    for path in paths:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"^\s*(shell|run|notebook|wrapper|cwl)\s*:", text, re.MULTILINE), path
        assert not re.search(r"\b(eval|exec|shell|os\.system)\(", text), path


@pytest.fixture
def trap(tmp_path, monkeypatch):
    """A file that exists if an attack worked."""
    monkeypatch.chdir(tmp_path)
    return tmp_path / "x"


class _Touch:
    def __reduce__(self):
        return os.system, ("touch x",)


def _torch_pickle():
    content = io.BytesIO()
    torch.save({"weights": _Touch()}, content)
    return content.getvalue()


def _numpy_pickle():
    content = io.BytesIO()
    np.save(content, np.array([_Touch()], dtype=object), allow_pickle=True)
    return content.getvalue()


def _header(text, *, size=None):
    text = text.encode() if isinstance(text, str) else text
    return (len(text) if size is None else size).to_bytes(8, "little") + text


STATES = {
    "pickle": pickle.dumps(_Touch()),
    "torch's own format": _torch_pickle(),
    "numpy's own format": _numpy_pickle(),
    "a header of 2**63 bytes": _header("{}", size=2**63),
    "a header of 100 GB": _header("{}", size=100 * 10**9),
    "a tensor of 2**60 values": _header(
        '{"a":{"dtype":"F32","shape":[1152921504606846976],"data_offsets":[0,4]}}'
    ),
    "a tensor beyond the end": _header('{"a":{"dtype":"F32","shape":[9],"data_offsets":[0,36]}}'),
    "a tensor before the start": _header('{"a":{"dtype":"U8","shape":[4],"data_offsets":[-4,0]}}'),
    "a header nested 100000 deep": _header("[" * 100_000),
    "a number of 5000 digits": _header('{"__metadata__":' + "9" * 5000 + "}"),
    "metadata that is a list": _header('{"__metadata__":[1]}'),
    "metadata of another": save({"a": torch.ones(2)}, metadata={"tfseg": "[]"}),
    "metadata nested 100000 deep": save({"a": torch.ones(2)}, metadata={"tfseg": "[" * 100_000}),
}


@pytest.mark.parametrize("what", STATES)
def test_a_malicious_state_is_refused_and_runs_nothing(tmp_path, tally, trap, what):
    path = tmp_path / "state.safetensors"
    path.write_bytes(STATES[what])
    _, refused = tally.attempt(
        "attack: a state file", lambda: load_tensors(path), names="state.safetensors"
    )
    assert refused
    assert not trap.exists()


@pytest.mark.parametrize(
    "content",
    [pickle.dumps(_Touch()), b"[" * 100_000, b"9" * 10_000, b'{"a": NaN', b"\xff" * 40, b"",
     b'"\\ud800"' * 2],
    ids=range(7),
)  # fmt: skip
def test_a_malicious_description_is_refused_and_runs_nothing(tmp_path, tally, trap, content):
    path = tmp_path / "model.json"
    path.write_bytes(content)
    _, refused = tally.attempt("attack: a description", lambda: read_json(path), names="model.json")
    assert refused
    assert not trap.exists()


def test_an_hdf5_file_that_points_outside_is_refused(tmp_path, tally):
    import h5py

    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["tags"] = np.arange(3)
    (tmp_path / "secret.raw").write_bytes(bytes(24))
    links = {
        "external link": lambda f: f.__setitem__(
            "tags", h5py.ExternalLink(str(tmp_path / "secret.h5"), "tags")
        ),
        "external storage": lambda f: f.create_dataset(
            "tags", (3,), "i8", external=[(str(tmp_path / "secret.raw"), 0, 24)]
        ),
    }
    for what, make in links.items():
        path = tmp_path / "scores.h5"
        with h5py.File(path, "w") as file:
            make(file)

        def read(path=path):
            with reading_hdf5(path) as file:
                return file["tags"][:]

        _, refused = tally.attempt("attack: an h5 that points outside", read, names="scores.h5")
        assert refused, what


ENTRIES = [
    "../x",
    "a/../../x",
    "/x",
    "a/../x",
    "..\\x",
    "C:\\x",
    "\\\\host\\x",
    "./../x",
    "..",
    "x/..",
]


@pytest.mark.parametrize("entry", ENTRIES)
def test_an_archive_cannot_write_outside(tmp_path, tally, trap, entry):
    path = tmp_path / "sounds.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("good.wav", b"1")
        archive.writestr(entry, b"2")
    _, refused = tally.attempt(
        "attack: an archive", lambda: unpack([path], tmp_path / "data"), names="sounds.zip"
    )
    assert refused
    assert sorted(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFSOCK]
)
def test_an_archive_cannot_hold_links_or_devices(tmp_path, tally, kind):
    path = tmp_path / "sounds.zip"
    special = zipfile.ZipInfo("folder")
    special.external_attr = (kind | 0o777) << 16
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(special, b"/etc")
        archive.writestr("folder/passwd", b"root::0:0::/:/bin/sh")
    _, refused = tally.attempt(
        "attack: an archive", lambda: unpack([path], tmp_path / "data"), names="sounds.zip"
    )
    assert refused
    assert sorted(tmp_path.iterdir()) == [path]


def test_a_file_in_the_place_of_a_folder_of_an_archive_is_refused(tmp_path, tally):
    path = tmp_path / "sounds.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", b"1")
        archive.writestr("a/b", b"2")
    _, refused = tally.attempt(
        "attack: an archive", lambda: unpack([path], tmp_path / "data"), names="data"
    )
    assert refused
    assert sorted(tmp_path.iterdir()) == [path]


LABELS = [
    "$(touch x)", "`touch x`", "; touch x", "| touch x", "../../x", "/x", "..", ".", "a/b", "a\\b",
    "Bark\n", "Ba\nrk", "Ba\0rk", "\tBark", " Bark", "Bark ", "{fold}", "a{{b", "%s", "<b>Bark</b>",
    "Bark;Chime", "Bark,Chime", '"Bark"', "'Bark'", "-Bark", "~", "*", "", "\u202eBark", "x" * 51,
    "macro",
]  # fmt: skip


@pytest.mark.parametrize("label", LABELS)
def test_a_malicious_class_is_refused_before_anything_runs(full_config, tally, label):
    full_config["corpus"]["classes"] = ["Bark", label]
    full_config["corpus"]["kind"] = "folders"
    _, refused = tally.attempt(
        "attack: a class label", lambda: check_config(full_config), names="corpus.classes"
    )
    assert refused


@pytest.mark.parametrize("key", ["run", "data_root", "download.registry"])
@pytest.mark.parametrize("value", ["../../x\n", "$(touch x)\0", "a\nb"])
def test_a_malicious_path_in_the_config_is_refused(full_config, key, value):
    *parents, last = key.split(".")
    (full_config[parents[0]] if parents else full_config)[last] = value
    with pytest.raises(ConfigError, match=f"config key {key}"):
        check_config(full_config)


# Legal file names that a shell or a path would split.
NAMES = ["$(touch x).wav", "`touch x`.wav", "a; touch x.wav", "a b.wav", "-rf.wav", "{fold}.wav",
         "a'b\".wav", "*.wav", "é ü 音.wav", "<b>.wav", "%s%n.wav", "a,b;c.wav", "#.wav", "~.wav",
         "NA.wav", "=1+1.wav"]  # fmt: skip


def test_recordings_of_any_name_are_listed_under_it(tmp_path, tally, trap):
    for label in ("Bark", "Chime"):
        (tmp_path / "events" / label).mkdir(parents=True)
        for name in NAMES:
            write_wav(tmp_path / "events" / label / name, np.full(99, 0.1), 8000, "PCM_16")
    (tmp_path / "scenes").mkdir()
    for name in NAMES:
        write_wav(tmp_path / "scenes" / name, np.full(99, 0.1), 8000, "PCM_16")
    frame = list_folders(tmp_path, classes=["Bark", "Chime"], scenes=None, other_labels="error")
    write_table(tmp_path / "recordings.csv", frame, "recordings")
    assert sorted(frame["path"].str.rsplit("/", n=1).str[1]) == sorted(NAMES * 3)
    assert not trap.exists()
    tally.add("attack: names of files", "handled")


def test_events_of_clips_of_any_name_come_back(tmp_path, trap):
    names = [*NAMES, "a\tb.wav", '"', "a\nb"]
    write_events(tmp_path / "events.tsv", [(name, 0.5, 1.0, "Bark") for name in names[:-1]])
    with pytest.raises(TfsegError, match="control characters"):
        read_events(tmp_path / "events.tsv")
    write_events(tmp_path / "events.tsv", [(name, 0.5, 1.0, "Bark") for name in NAMES])
    assert list(read_events(tmp_path / "events.tsv")) == NAMES


def test_a_list_of_clips_cannot_name_a_file_by_a_trick(tmp_path, tally):
    for path in ("a\nb.wav", "a\0.wav"):
        (tmp_path / "clips.csv").write_text(f'path,tags\n"{path}",Bark\nb.wav,Chime\n')
        _, refused = tally.attempt(
            "attack: names of files",
            lambda: list_clips(tmp_path, classes=["Bark", "Chime"], other_labels="error"),
            names="clips.csv, line",
        )
        assert refused


@pytest.mark.workflow
@pytest.mark.parametrize(
    "overlay",
    [
        "run: !!python/object/apply:os.system ['touch x']\n",
        "run: $(touch x)\n",
        "corpus: {classes: ['$(touch x)', '../../x']}\n",
        "data_root: '$(touch x)'\ncorpus: {kind: folders}\n",
    ],
)
def test_a_malicious_overlay_runs_nothing(tmp_path, overlay):
    path = tmp_path / "overlay.yaml"
    path.write_text(overlay)
    project = copy_project(tmp_path / "workflow", [*TINY, path])
    result = project.snakemake("-n", check=False)
    assert result.returncode != 0
    assert not [p for p in tmp_path.rglob("x")]


def test_the_lock_names_every_package_by_its_exact_version(repository):
    text = (repository / "envs/requirements.lock").read_text()
    packages = re.findall(r"^([A-Za-z0-9_.-]+)==(\S+)", text, re.MULTILINE)
    assert len(packages) > 50
    lines = [line for line in text.splitlines() if line and not line.startswith(("#", " "))]
    assert all("==" in line for line in lines), [line for line in lines if "==" not in line]


def test_errors_that_tell_of_damage_are_errors_for_the_user():
    assert issubclass(DamagedFileError, DataError)
    assert issubclass(DataError, TfsegError)
    assert json.loads(yaml.safe_load('"1"')) == 1
