"""Types that declare tasks and metrics for tables, figures, report and docs."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Task:
    """A task that is scored.

    Parameters
    ----------
    name : str
        As in ``metrics.csv``.
    title : str
        Title in the papers' tables.
    figure_title : str
        Title above a panel.
    short : str
        Prefix of a metric's heading where several tasks are shown side by side.
    """

    name: str
    title: str
    figure_title: str
    short: str


TASKS = {
    task.name: task
    for task in (
        Task("tagging", "Audio tagging", "Audio tagging", "tag"),
        Task("frame", "Frame-wise sound event detection", "Frame-wise detection", "frame"),
        Task("event", "Event-wise sound event detection", "Event-wise detection", "event"),
        Task("mask", "Time-frequency segmentation", "T-F segmentation", "mask"),
        Task("separation", "Separation", "Separation", "separation"),
    )
}


@dataclass(frozen=True)
class Metric:
    """A metric of ``metrics.csv``.

    Parameters
    ----------
    name : str
        As in ``metrics.csv``.
    heading : str
        Heading of a column.
    tasks : tuple of str
        Tasks that have this metric.
    description : str
        One line for the docs, in Markdown.
    higher_is_better : bool or None
        None where neither way is better.
    low, high : float or None
        Range of values; None where there is no limit.
    unit : str
        Empty for a number without a unit.
    axis_label : str
        Label of a figure's axis; empty to use the heading.
    full_difference : float
        Difference from the paper that the report shows in the strongest colour.
    """

    name: str
    heading: str
    tasks: tuple
    description: str
    higher_is_better: bool | None = True
    low: float | None = 0.0
    high: float | None = 1.0
    unit: str = ""
    axis_label: str = ""
    full_difference: float = 0.2

    @property
    def label(self):
        """Text for a figure's axis."""
        return self.axis_label or self.heading

    @property
    def heading_with_unit(self):
        """Heading of a column, with the unit."""
        return ", ".join(filter(None, (self.heading, self.unit)))
