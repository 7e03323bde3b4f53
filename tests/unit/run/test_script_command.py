"""Scripts start where the path of Python has a space."""

import logging
from pathlib import Path

import pytest
from snakemake import script

from tfseg.run.script_command import WRITTEN_FOR, quote_python


@pytest.fixture
def commands(monkeypatch):
    """What Snakemake would hand to the shell, by a script class of its own."""
    found = []

    class Base:
        def _execute_cmd(self, cmd, **keywords):
            found.append((cmd, keywords))

    class Script(Base):
        execute_script = script.PythonScript.execute_script
        container_img = conda_env = env_modules = None

    return Script, found


@pytest.mark.parametrize(
    ("python", "quoted"),
    [("/My Projects/.venv/bin/python", "'/My Projects/.venv/bin/python'"),
     ("/venv/bin/python", "/venv/bin/python")],
)  # fmt: skip
def test_the_path_of_python_is_quoted_once(monkeypatch, commands, python, quoted):
    script_class, found = commands
    monkeypatch.setattr("sys.executable", python)
    quote_python(script_class)
    quote_python(script_class)  # a Snakefile can be read twice
    script_class().execute_script("a b.py")
    ((_, keywords),) = found
    assert keywords["py_exec"] == quoted
    assert keywords["fname"] == "a b.py"


def test_the_installed_snakemake_still_needs_it():
    # Where this fails, Snakemake has changed: look whether the repair is still needed.
    source = Path(script.__file__).read_text(encoding="utf-8")
    assert '"{py_exec} {fname:q}", py_exec=py_exec' in source


def test_another_snakemake_is_left_as_it_is_and_the_log_says_so(caplog, commands):
    script_class, _ = commands
    assert WRITTEN_FOR != "9.28.0"
    with caplog.at_level(logging.WARNING, logger="snakemake.logging"):
        quote_python(script_class, version="9.28.0")
    assert "_execute_cmd" not in vars(script_class)
    (record,) = caplog.records
    assert "Snakemake 9.28.0: scripts are started as it does it" in record.message
