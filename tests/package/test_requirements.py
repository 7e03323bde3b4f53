"""The package's version ranges contain the workflow's exact versions."""

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

# For the workflow alone, and pip cannot install them without a compiler.
BY_SETUP_ALONE = {"sed-scores-eval", "tinysoundfont"}


@pytest.fixture(scope="module")
def project(repository):
    return tomllib.loads((repository / "pyproject.toml").read_text())


@pytest.fixture(scope="module")
def ranges(project):
    """Every requirement of the package and its extras but the extras themselves."""
    extras = project["project"]["optional-dependencies"]
    lines = [
        *project["project"]["dependencies"],
        *(line for lines in extras.values() for line in lines),
    ]
    needs = [Requirement(line) for line in (*lines, *project["build-system"]["requires"])]
    for need in needs:
        assert need.name != "tfseg" or need.extras <= set(extras)
    return [need for need in needs if need.name != "tfseg"]


def _lines(path):
    stripped = (line.split("#")[0].strip() for line in path.read_text().splitlines())
    return [Requirement(line) for line in stripped if line]


@pytest.fixture(scope="module")
def pins(repository):
    lock = _lines(repository / "envs/requirements.lock")
    return {canonicalize_name(pin.name): next(iter(pin.specifier)).version for pin in lock}


def test_every_range_holds_the_version_of_the_lock(ranges, pins):
    for need in ranges:
        name = canonicalize_name(need.name)
        assert name in pins, f"{need}: not in envs/requirements.lock"
        assert need.specifier.contains(pins[name]), f"{need}: the lock has {pins[name]}"


def test_the_package_asks_for_ranges_and_never_for_one_version(ranges):
    for need in ranges:
        operators = {part.operator for part in need.specifier}
        assert ">=" in operators and operators <= {">=", "<"}, need


def test_all_that_the_workflow_installs_belongs_to_an_extra(repository, ranges):
    named = {canonicalize_name(need.name) for need in ranges}
    for need in _lines(repository / "envs/requirements.in"):
        if need.marker is None:
            name = canonicalize_name(need.name)
            assert (name in named) != (name in BY_SETUP_ALONE), need


def test_other_versions_that_machines_have_are_in_range(ranges):
    by_name = {need.name: need.specifier for need in ranges}
    assert by_name["torch"].contains("2.11.0")
    assert by_name["numpy"].contains("2.5.0")


def test_the_oldest_python_is_the_same_everywhere(repository, project):
    oldest = project["project"]["requires-python"].removeprefix(">=")
    text = (repository / "envs/install.py").read_text()
    assert re.search(r"OLDEST = \((\d+), (\d+)\)", text).groups() == tuple(oldest.split("."))
    assert f"py{oldest.replace('.', '')}" == project["tool"]["ruff"]["target-version"]
