"""Declaration of a table (standard library only, since every job of a cluster reads it)."""

from collections.abc import Callable
from dataclasses import dataclass

# Names of the papers in captions, by `compare_with` of the config.
PAPERS = {"tfseg2019": "TASLP 2019", "jsc2018": "ICASSP 2018"}
ENDINGS = ("csv", "md", "tex")


@dataclass(frozen=True)
class Column:
    """A measure of a table.

    Parameters
    ----------
    task, metric, variant : str
        As in ``metrics.csv``.
    name : str
        Value of the column ``metric`` in the CSV; empty for the metric's own name.
    before, behind : str
        Texts around the metric's heading.
    has_interval : bool
        Whether ``intervals.csv`` may have the metric.
    """

    task: str
    metric: str
    variant: str = "published"
    name: str = ""
    before: str = ""
    behind: str = ""
    has_interval: bool = True

    @property
    def key(self):
        """Name in the CSV."""
        return self.name or self.metric


@dataclass(frozen=True)
class Table:
    """A table of a run: ``tables/{name}.csv``, ``.md`` and ``.tex``.

    Parameters
    ----------
    name : str
    columns : tuple of Column
    arrangement : {"by_snr", "by_class", "by_system", "leaderboard"}
        Printed form. ``by_snr``: a row per system, columns grouped by SNR. ``by_class``: a row per
        class at one SNR, a column per system. ``by_system``: a row per SNR and system.
        ``leaderboard``: a row per system over all SNRs, with intervals and costs.
    caption : callable
        Takes a `tfseg.reporting.tables.layout.Layout` (a leaderboard's: the seconds of a clip and
        the number of resamples); returns text without a paper's name. The text before its first colon is the title in the report.
    paper : tuple of (str, str) or None
        The paper that prints it (a key of `PAPERS`), and its number there.
    by_class_columns : int or None
        For a table by system: number of its first columns that are also printed for each class.
        None if the CSV has only the mean over classes.
    reference_rows : tuple of str
        Rows before the systems, which are not systems.
    only_mask_systems : bool
        Whether systems without masks are left out.
    needs_tuning : bool
        Whether the table exists only with ``postprocessing.tune``.
    names_task : bool
        Whether its CSV has columns for task and variant.
    """

    name: str
    columns: tuple
    arrangement: str
    caption: Callable
    paper: tuple | None = None
    by_class_columns: int | None = None
    reference_rows: tuple = ()
    only_mask_systems: bool = False
    needs_tuning: bool = False
    names_task: bool = False

    @property
    def has_classes(self):
        """Whether its CSV has rows of single classes."""
        return self.arrangement == "by_class" or self.by_class_columns is not None
