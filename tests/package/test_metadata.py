"""What people and programs read about the project: version, citation, changelog, hooks, catalogue."""

import json
import re
from pathlib import Path

import pytest
import yaml

import tfseg


@pytest.fixture(scope="module")
def citation(repository):
    return yaml.safe_load((repository / "CITATION.cff").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def releases(repository):
    """Versions of the changelog with their dates, newest first, as it states them."""
    text = (repository / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert headings[0] == "Unreleased"
    return [re.fullmatch(r"(\d+\.\d+\.\d+) - (\d{4}-\d\d-\d\d)", h).groups() for h in headings[1:]]


def test_the_version_is_the_same_wherever_it_stands(citation, releases):
    version, date = releases[0]
    assert version == tfseg.__version__ == citation["version"]
    assert date == str(citation["date-released"])
    assert releases == sorted(releases, key=lambda r: [*map(int, r[0].split("."))], reverse=True)


def test_the_changelog_sorts_changes_by_kind(repository):
    text = (repository / "CHANGELOG.md").read_text(encoding="utf-8")
    kinds = set(re.findall(r"^### (.*)$", text, re.MULTILINE))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_the_citation_has_what_the_format_asks_for(citation):
    assert citation["cff-version"] == "1.2.0"
    assert citation["type"] == "software" and citation["license"] == "MIT"
    assert citation["title"] == "tfseg" and citation["message"] and citation["authors"]


def test_the_citation_refers_to_both_papers(citation, repository):
    assert [(r["type"], r["year"]) for r in citation["references"]] == [
        ("article", 2019),
        ("conference-paper", 2018),
    ]
    readme = " ".join((repository / "README.md").read_text(encoding="utf-8").split())
    for reference in citation["references"]:
        assert f'"{reference["title"]}"' in readme
        names = [author["family-names"] for author in reference["authors"]]
        assert names[0] == "Kong" and names[-1] == "Plumbley"
        assert all(name in readme for name in names)


def test_hooks_run_programs_of_the_environment_alone(repository):
    text = (repository / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    (local,) = yaml.safe_load(text)["repos"]
    assert local["repo"] == "local"
    makefile = (repository / "Makefile").read_text(encoding="utf-8")
    for hook in local["hooks"]:
        assert hook["language"] == "system"
        program, *options = hook["entry"].split()
        assert Path(program).parent == Path(".venv/bin")
        assert f"$(VENV)/{Path(program).name}" in makefile
        if "--config" in options:
            json.loads((repository / options[options.index("--config") + 1]).read_text())


def test_the_catalogue_finds_what_it_asks_for(repository):
    text = (repository / ".snakemake-workflow-catalog.yml").read_text(encoding="utf-8")
    usage = yaml.safe_load(text)["usage"]
    assert set(usage["software-stack-deployment"]) == {"conda", "apptainer", "apptainer+conda"}
    assert usage["mandatory-flags"]["flags"] and usage["report"] is True
    for name in ("workflow/Snakefile", "config/README.md", "config/config.yaml"):
        assert (repository / name).is_file()
    readme = (repository / "README.md").read_text(encoding="utf-8").lower()
    assert "snakemake" in readme and "workflow" in readme


def test_the_configuration_that_is_deployed_is_the_demos(repository):
    deployed = (repository / "config/config.yaml").read_text(encoding="utf-8")
    assert deployed == (repository / "experiments/mini.yaml").read_text(encoding="utf-8")
