"""Pages of the docs that are made of declarations: ``make docs`` writes them, a test compares them."""

from pathlib import Path

from tfseg.evaluation.metric_names import docs_table
from tfseg.reporting.pages.deviations import docs_page

REPOSITORY = Path(__file__).resolve().parents[3]
METRICS_BEGIN, METRICS_END = "<!-- metrics: made by make docs -->\n", "<!-- end of metrics -->\n"


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
    files = repository / "docs/reference/files.md"
    before, rest = files.read_text(encoding="utf-8").split(METRICS_BEGIN)
    behind = rest.split(METRICS_END)[1]
    return {
        repository / "docs/explanation/deviations.md": docs_page(facts),
        files: f"{before}{METRICS_BEGIN}{docs_table()}{METRICS_END}{behind}",
    }


if __name__ == "__main__":
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
