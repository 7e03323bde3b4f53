"""Tables of texts as Markdown to read and as LaTeX to print."""

from pathlib import Path

import pandas as pd

from tfseg import __version__
from tfseg.io.files import write_text

DASH = "–"  # where there is no value


def _markdown(headings, rows, title):
    # By hand: pandas needs tabulate for it, which tfseg needs for nothing else, and which pads
    # every cell, so that one value that changes is a change of every line.
    lines = ["| " + " | ".join(headings) + " |", "|" + "---|" * len(headings)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return f"{title}\n\n" + "\n".join(lines) + "\n"


_LATEX = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        **{sign: f"\\{sign}" for sign in "_%&$#{}"},
        "±": r"$\pm$",
        DASH: "--",
    }
)


def _latex(headings, rows, title):
    # Texts are escaped here, because pandas would leave the caption, ± and dashes as they are.
    frame = pd.DataFrame(
        [[text.translate(_LATEX) for text in row] for row in rows],
        columns=[text.translate(_LATEX) for text in headings],
    )
    table = frame.to_latex(
        index=False, column_format="l" + "r" * (len(headings) - 1), caption=title.translate(_LATEX)
    )
    table = table.replace("\\begin{table}\n", "\\begin{table}\n\\centering\n", 1)
    return f"% tfseg {__version__}; needs \\usepackage{{booktabs}}\n{table}"


def write_printed(path, headings, rows, title):
    """Write a table as it is printed, in Markdown or LaTeX by the ending of `path`."""
    render = {".md": _markdown, ".tex": _latex}[Path(path).suffix]
    write_text(path, render(headings, rows, title))
