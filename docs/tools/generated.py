"""Write what the docs have from declarations, pages and badges: ``make docs`` runs it, tests compare.

A page is made whole, or holds blocks between ``<!-- NAME: made by make docs -->`` and
``<!-- end of NAME -->``, around which its text is written by hand.
"""

import importlib
import posixpath
import re
import tomllib
from pathlib import Path

import tfseg
from tfseg.cli import main as command
from tfseg.evaluation.metric_names import docs_table
from tfseg.models import registry
from tfseg.reporting.pages.deviations import docs_page

REPOSITORY = Path(__file__).resolve().parents[2]
_SECTIONS = {
    registry.POOLINGS: "pooling.NAME",
    registry.TRUNKS: "trunk.NAME",
    registry.NETWORKS: "baselines.NAME",
}


def _cell(text):
    return " ".join(text.split()).replace("|", "\\|")


def table(headings, rows):
    """Write a Markdown table; each row has a text for each heading."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "".join(f"| {' | '.join(map(_cell, line))} |\n" for line in lines)


def _value(action):
    """What stands for an argument's value in usage lines."""
    if action.nargs == 0:
        return ""
    value = action.metavar or "|".join(action.choices or [action.dest.upper()])
    return f"{value}..." if action.nargs == "+" else value


def _argument(action):
    """An argument as it is written on the command line."""
    return " ".join(filter(None, [", ".join(action.option_strings), _value(action)]))


def _help(action):
    shown = {**vars(action), "prog": ""}
    text = action.help % shown
    return text[0].upper() + text[1:]


def command_section(parser):
    """Describe a command from its parser.

    Parameters
    ----------
    parser : argparse.ArgumentParser

    Returns
    -------
    text : str
        Markdown: a heading, the usage, the description, a table of arguments, the exit statuses.
    """
    actions = [action for action in parser._actions if action.dest != "help"]
    needed = [action for action in actions if action.required]
    usage = " ".join([parser.prog, *map(_argument, needed), "[options]"])
    rows = [[f"`{_argument(action)}`", _help(action)] for action in actions]
    described = "\n\n".join(part.strip() for part in (parser.description, parser.epilog))
    return (
        f"### {parser.prog}\n\n```text\n{usage}\n```\n\n{described}\n\n"
        f"{table(['argument', 'meaning'], rows)}"
    )


def commands():
    """Sections of all commands of ``tfseg``."""
    parsers = [importlib.import_module(f"tfseg.cli.{name}")._parser() for name in command.COMMANDS]
    return "\n".join(map(command_section, parsers))


def make_targets(makefile):
    """Table of the targets that ``make help`` lists.

    Parameters
    ----------
    makefile : str

    Returns
    -------
    text : str
        Markdown.
    """
    found = re.findall(r"^([a-z-]+):.*?## (.*)$", makefile, re.MULTILINE)
    return table(["target", "what it does"], [[f"`make {name}`", text] for name, text in found])


def systems():
    """Tables of the declared poolings, trunks and networks, with their keys of the config."""
    text = ""
    for kind, section in _SECTIONS.items():
        rows = [
            [
                f"`{declared.name}`",
                declared.summary,
                ", ".join(f"`{key}`" for key in declared.settings) or "–",
            ]
            for name, declared in registry.declarations(kind).items()
        ]
        headings = ["name", "what it is", f"keys of `{section}`"]
        text += f"**{kind.capitalize()}**\n\n{table(headings, rows)}\n"
    return text.rstrip() + "\n"


def with_links(text, folder, repository=REPOSITORY):
    """Turn names of pages in code, as declarations have them, into links with the pages' titles.

    Parameters
    ----------
    text : str
        Markdown.
    folder : str
        Of the page, in the repository.
    repository : Path

    Returns
    -------
    text : str
    """

    def link(name):
        title = (repository / name[1]).read_text(encoding="utf-8").split("\n", 1)[0]
        return f"[{title.removeprefix('# ')}]({posixpath.relpath(name[1], folder)})"

    return re.sub(r"`(docs/[\w/-]+\.md)`", link, text)


def _with_blocks(page, blocks):
    """Replace the made blocks of a page; all other text stays."""
    for name, text in blocks.items():
        begin, end = f"<!-- {name}: made by make docs -->\n", f"<!-- end of {name} -->"
        before, _, rest = page.partition(begin)
        _, found, after = rest.partition(end)
        if not found:
            raise ValueError(f"expected the block {begin.strip()} ... {end}, found none")
        page = f"{before}{begin}\n{text.strip()}\n\n{end}{after}"
    return page


def badge(left, right):
    """Draw a badge of two words as SVG; it needs no network and no font of its own."""
    widths = [7 * len(text) + 12 for text in (left, right)]
    total = sum(widths)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{total}" height="20" role="img"'
        f' aria-label="{left}: {right}">\n'
        f'<rect width="{total}" height="20" rx="3" fill="#555"/>\n'
        f'<rect x="{widths[0]}" width="{widths[1]}" height="20" rx="3" fill="#0056a3"/>\n'
        '<g fill="#fff" font-family="DejaVu Sans,Verdana,sans-serif" font-size="11">\n'
        f'<text x="6" y="14" textLength="{widths[0] - 12}">{left}</text>\n'
        f'<text x="{widths[0] + 6}" y="14" textLength="{widths[1] - 12}">{right}</text>\n'
        "</g></svg>\n"
    )


def badges(repository):
    """Badges of the README: file name to SVG."""
    project = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    snakefile = (repository / "Snakefile").read_text(encoding="utf-8")
    (snakemake,) = re.findall(r'^min_version\("(.*)"\)', snakefile, re.MULTILINE)
    facts = {
        "version": tfseg.__version__,
        "licence": project["license"],
        "python": project["requires-python"].replace(">=", "≥ "),
        "snakemake": f"≥ {snakemake}",
    }
    return {f"badge_{name}.svg": badge(name, fact) for name, fact in facts.items()}


def pages(repository=REPOSITORY):
    """Text of each page as its declarations want it.

    Parameters
    ----------
    repository : Path

    Returns
    -------
    pages : dict of Path to str
    """
    facts = (repository / "resources/deviations.yaml").read_text(encoding="utf-8")
    makefile = (repository / "Makefile").read_text(encoding="utf-8")
    deviations = docs_page(with_links(facts, "docs/explanation", repository))
    made = {repository / "docs/explanation/deviations.md": deviations}
    reference = repository / "docs/reference"
    blocks = {
        "metrics.md": {"metrics": with_links(docs_table(), "docs/reference", repository)},
        "command_line.md": {"commands": commands(), "make": make_targets(makefile)},
        "systems.md": {"systems": systems()},
    }
    for name, texts in blocks.items():
        page = (reference / name).read_text(encoding="utf-8")
        made[reference / name] = _with_blocks(page, texts)
    images = repository / "docs/images"
    return made | {images / name: text for name, text in badges(repository).items()}


if __name__ == "__main__":
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
