"""Tables of texts in Markdown and LaTeX."""

from pathlib import Path

import pandas as pd

from tfseg import __version__
from tfseg.io.files import write_text

DASH = "–"  # a missing value


def _markdown(headings, rows, title):
    # Not by pandas: it needs the package tabulate, which pads cells, so that one changed value
    # changes every line.
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
    # Texts are escaped here, because pandas does not escape the caption, ± and dashes.
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
    """Write a printed table in Markdown or LaTeX, by the ending of `path`."""
    render = {".md": _markdown, ".tex": _latex}[Path(path).suffix]
    write_text(path, render(headings, rows, title))
