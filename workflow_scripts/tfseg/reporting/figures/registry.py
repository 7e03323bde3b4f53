"""Which figures a run has: each module beside this one that declares itself is one.

A declaration is read from the text of its module, so that the DAG is built without matplotlib.
"""

import importlib
from dataclasses import dataclass, fields
from pathlib import Path

from tfseg.io.declarations import read_declaration

FOLDER = Path(__file__).parent
# Results of a run that a figure may be drawn from; `tfseg.run.inputs.Inputs` says what each gives.
NEEDS = ("example", "histories", "metrics", "scores")
# Parts of the report that show figures.
SECTIONS = ("figures", "training")


@dataclass(frozen=True)
class Declaration:
    """What a figure says of itself.

    Attributes
    ----------
    name : str
        Of its module, and of its files.
    order : int
        Its place in the report.
    section : str
        Part of the report that shows it, one of `SECTIONS`.
    label : str
        What Snakemake's own report calls it.
    needs : list of str
        What it is drawn from, each one of `NEEDS`.
    caption : str
        A format string; ``{config[figures][fold]}`` stands for a value of the config.
    """

    name: str
    order: int
    section: str
    label: str
    needs: list
    caption: str

    def caption_of(self, config):
        """Caption in an experiment of this config."""
        return self.caption.format(config=config)


def _check(path, values):
    """Refuse a declaration that says too little, too much, or what nobody knows."""
    expected = {field.name for field in fields(Declaration)} - {"name"}
    if set(values) != expected:
        raise ValueError(
            f"{path}: expected DECLARATION with the keys {', '.join(sorted(expected))}, found "
            f"{', '.join(sorted(values))}"
        )
    for key, known in (("needs", NEEDS), ("section", SECTIONS)):
        found = values[key] if key == "needs" else [values[key]]
        for value in found:
            if value not in known:
                raise ValueError(
                    f"{path}: expected {key} of DECLARATION among {', '.join(known)}, found {value!r}"
                )


def find_figures(folder=FOLDER):
    """Read the declarations of all figures.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    figures : dict of str to Declaration
        By name, in the order of the report.

    Raises
    ------
    ValueError
        When a declaration lacks a key, or names what is not known.
    """
    found = []
    for path in sorted(folder.glob("*.py")):
        values = read_declaration(path)
        if values is not None:
            _check(path, values)
            found.append(Declaration(name=path.stem, **values))
    return {one.name: one for one in sorted(found, key=lambda one: (one.order, one.name))}


def load_draw(name):
    """Import the module of a figure, and return its function ``draw(inputs, params)``."""
    return importlib.import_module(f"{__package__}.{name}").draw
