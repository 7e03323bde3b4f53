"""Training curves of every system."""

import pandas as pd
from matplotlib.figure import Figure

from tfseg.reporting.figures.drawing import legend_above, line_styles
from tfseg.snr import snr_from_number, snr_title, snr_to_number

DECLARATION = {
    "order": 4,
    "section": "training",
    "label": "training curves",
    "needs": ["histories"],
    "caption": ("Training loss by iteration: a thin line per fold and repeat, the mean in bold."),
}


def draw(inputs, params):
    """Draw the figure of a run."""
    return draw_training(read_histories(params.trainings), params.systems)


def read_histories(trainings):
    """Join training histories.

    Parameters
    ----------
    trainings : iterable of dict
        ``snr_db, system, fold, repeat``, and ``history``: the path of its table.

    Returns
    -------
    histories : pd.DataFrame
        All rows of the tables, with the keys of their training.
    """
    parts = []
    for training in trainings:
        keys = {key: training[key] for key in ("system", "fold", "repeat")}
        history = pd.read_csv(training["history"])
        parts.append(history.assign(snr_db=snr_to_number(training["snr_db"]), **keys))
    return pd.concat(parts, ignore_index=True)


def draw_training(histories, systems):
    """Draw loss by iteration: a panel per SNR, a thin line per training, means in bold."""
    snrs = list(dict.fromkeys(map(snr_from_number, histories["snr_db"])))
    figure = Figure(figsize=(max(2.6 * len(snrs) + 0.8, 5.0), 3.0), layout="constrained")
    axes = figure.subplots(1, len(snrs), sharey=True, squeeze=False)[0]
    styles = line_styles(systems)
    for axis, snr_db in zip(axes, snrs, strict=True):
        is_here = histories["snr_db"].isna() if snr_db is None else histories["snr_db"] == snr_db
        at_snr = histories[is_here]
        for system in systems:
            rows = at_snr[at_snr["system"] == system]
            for _, single in rows.groupby(["fold", "repeat"]):
                axis.plot(
                    single["iteration"],
                    single["loss"],
                    color=styles[system]["color"],
                    linewidth=0.5,
                    alpha=0.6,
                )
            mean = rows.groupby("iteration")["loss"].mean()
            axis.plot(mean.index, mean, linewidth=1.8, label=system, **styles[system])
        axis.set_title(snr_title(snr_db))
        axis.set_xlabel("iteration")
        axis.grid(color="0.92")
    axes[0].set_ylabel("binary cross-entropy")
    axes[0].set_ylim(bottom=0)
    legend_above(figure, axes[0])
    return figure
