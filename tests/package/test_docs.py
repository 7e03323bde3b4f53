"""The documentation: its pages, their links, what is generated, and the site."""

import importlib
import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import notebook_pages
import pytest
import repository_links
import yaml
from generated import commands, make_targets, pages, systems

import tfseg
from tfseg.cli.main import COMMANDS
from tfseg.models import registry

REPOSITORY = Path(__file__).parents[2]
DOCS = REPOSITORY / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
READABLE = [*PAGES, *sorted(REPOSITORY.glob("*.md")), *sorted(REPOSITORY.glob("*/README.md"))]
# Where a page of the docs may be named: by its path from the repository's root.
SOURCES = ["Makefile", "Snakefile", "config.yaml", "mkdocs.yml", "pyproject.toml"]
FOLDERS = ["bench", "envs", "experiments", "profiles", "resources", "rules", "workflow_scripts"]


def page_id(path):
    return str(path.relative_to(REPOSITORY))


def anchors(path):
    """Anchors of the headings of a page, as GitHub and MkDocs make them of plain text."""
    text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {
        re.sub(r"\s", "-", re.sub(r"[^\w\s-]", "", heading).strip().lower()) for heading in headings
    }


@pytest.mark.parametrize("page", READABLE, ids=page_id)
def test_links_of_a_page_lead_to_files_and_headings(page):
    text = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"https?:|mailto:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.is_file(), f"{page_id(page)}: expected a file, found the link {link}"
        if anchor:
            assert anchor in anchors(target), f"{page_id(page)}: no such heading: {link}"


def test_pages_that_the_repository_names_exist():
    files = [REPOSITORY / name for name in SOURCES]
    files += [path for name in FOLDERS for path in (REPOSITORY / name).rglob("*") if path.is_file()]
    files += READABLE
    named = {
        (page_id(path), name)
        for path in files
        if path.suffix != ".pyc" and not path.parent.name.endswith(".egg-info")
        for name in re.findall(r"docs/[\w/-]+\.md", path.read_text(encoding="utf-8"))
    }
    assert len(named) > 20
    assert not {(path, name) for path, name in named if not (REPOSITORY / name).is_file()}


def _in_nav(entries):
    for entry in entries:
        if isinstance(entry, str):
            yield entry
        else:
            for inner in entry.values():
                yield from [inner] if isinstance(inner, str) else _in_nav(inner)


def test_every_page_is_in_the_navigation_once():
    # mkdocs.yml may hold tags of Python functions, which are not needed here.
    text = (REPOSITORY / "mkdocs.yml").read_text(encoding="utf-8")
    listed = list(_in_nav(yaml.safe_load(text[text.index("\nnav:") :])["nav"]))
    found = {str(path.relative_to(DOCS)) for path in [*PAGES, *DOCS.rglob("*.ipynb")]}
    assert sorted(listed) == sorted(found)


def test_what_is_made_of_declarations_is_up_to_date():
    made = pages()
    assert len(made) == 8
    old = [page_id(page) for page, text in made.items() if page.read_text("utf-8") != text]
    assert not old, "run: make docs"


@pytest.mark.parametrize("command", COMMANDS)
def test_the_command_line_is_that_of_the_parsers(command, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "1000")
    with pytest.raises(SystemExit):
        importlib.import_module(f"tfseg.cli.{command}").main(["--help"])
    options = capsys.readouterr().out.partition("Exit status")[0]
    section = commands().partition(f"### tfseg {command}\n")[2].partition("\n### ")[0]
    shown = set(re.findall(r"\| `(--[a-z-]+)", section))
    assert shown == set(re.findall(r"(?<![\w-])--[a-z-]+", options)) - {"--help"}


def test_the_make_targets_are_those_that_make_help_lists():
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    listed = subprocess.run(
        ["make", "--no-print-directory", "help"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    rows = make_targets(makefile).splitlines()[2:]
    assert [line.split()[0] for line in listed] == [row.split("`")[1].split()[1] for row in rows]


def test_every_declared_system_has_a_row():
    rows = re.findall(r"^\| `(\w+)` \|", systems(), re.MULTILINE)
    kinds = (registry.POOLINGS, registry.TRUNKS, registry.NETWORKS)
    assert rows == [name for kind in kinds for name in registry.declarations(kind)]


def test_the_python_api_has_a_section_for_each_public_name():
    text = (DOCS / "reference/python.md").read_text(encoding="utf-8")
    public = {name for name in tfseg.__all__ if name != "__version__"}
    assert public == set(re.findall(r"(?:##|heading:) tfseg\.(\w+)$", text, re.MULTILINE))
    shown = {name.rpartition(".")[2] for name in re.findall(r"^::: ([\w.]+)$", text, re.MULTILINE)}
    assert {*tfseg.metrics.__all__} <= shown


def test_a_link_to_a_file_of_the_repository_opens_a_page_of_it():
    text = "[a](../../config.yaml) [b](../index.md) [c](../../no.such) [d](https://x.y/../z)"
    assert repository_links.targets(text, "docs/how-to") == {"../../config.yaml": "config.yaml"}


def test_a_notebook_is_a_page_of_its_text_and_code():
    cells = [
        {"cell_type": "markdown", "source": ["# Title\n", "\n", "Text."]},
        {"cell_type": "code", "source": ["a = 1\n", "print(a)"]},
    ]
    page = notebook_pages.markdown_of(json.dumps({"cells": cells}))
    assert page == "# Title\n\nText.\n\n```python\na = 1\nprint(a)\n```\n"


class _Assets(HTMLParser):
    """Addresses that a browser loads by itself to show a page."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        if tag == "link" and values.get("rel") in ("next", "prev", "canonical"):
            return
        if tag in ("audio", "embed", "iframe", "img", "link", "script", "source", "video"):
            self.found += [values[key] for key in ("src", "href", "srcset") if values.get(key)]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site, built as `make docs` builds it: a warning stops the build."""
    folder = tmp_path_factory.mktemp("site")
    subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", str(folder)],
        cwd=REPOSITORY,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},  # of the theme; no fault of a page
        check=True,
    )
    return folder


@pytest.mark.full
def test_the_site_has_every_page_and_loads_nothing_from_a_network(site):
    for page in [*PAGES, *DOCS.rglob("*.ipynb")]:
        html = (site / page.relative_to(DOCS).with_suffix(".html")).read_text(encoding="utf-8")
        loaded = _Assets(html).found
        assert any(address.endswith(".css") for address in loaded)
        assert not [address for address in loaded if re.match(r"(https?:)?//", address)]
    for sheet in site.rglob("*.css"):
        assert not re.findall(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//", sheet.read_text())


@pytest.mark.full
def test_the_site_shows_docstrings_and_files_of_the_repository(site):
    text = (site / "reference/python.html").read_text(encoding="utf-8")
    first_words = tfseg.load_model.__doc__.strip().partition("`")[0]
    assert first_words in text
    assert ">sample_rate<" in text
    shown = (site / "repository/workflow_scripts/tfseg/features/front_end.py.html").read_text()
    assert "log_mel" in shown
    assert (site / "search/search_index.js").is_file()
