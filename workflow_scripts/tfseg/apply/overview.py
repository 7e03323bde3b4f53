"""The picture of a whole recording: its spectrogram, and where each class was found."""

from matplotlib.figure import Figure

from tfseg.reporting.figures.drawing import LEVEL_MAP, mel_ticks, readable
from tfseg.reporting.plot_style import COLOURS


def draw_recording(title, logmel, levels, mel_hz, lanes, duration_s):
    """Draw a whole recording: its log-mel spectrogram, and where each class was found.

    Parameters
    ----------
    title : str
    logmel : np.ndarray [shape=(n_columns, n_mels)]
        Columns of equal length.
    levels : (float, float)
        Values of the darkest and of the brightest colour.
    mel_hz : np.ndarray [shape=(n_mels,)]
    lanes : dict of str to list of (onset_s, offset_s)
        By class, in the order to draw.
    duration_s : float

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    height_in = 0.35 + 0.25 * max(len(lanes), 1)
    figure = Figure(figsize=(9, 2.4 + height_in), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[2, height_in])
    above.imshow(
        logmel.T,
        origin="lower",
        aspect="auto",
        interpolation="nearest",
        extent=(0, duration_s, 0, logmel.shape[1]),
        cmap=LEVEL_MAP,
        vmin=levels[0],
        vmax=levels[1],
        rasterized=True,
    )
    mel_ticks(above, mel_hz)
    above.set_ylabel("Hz")
    above.set_title(title, loc="left", parse_math=False)
    for row, events in enumerate(lanes.values()):
        spans = [(onset_s, offset_s - onset_s) for onset_s, offset_s in events]
        below.broken_barh(spans, (row - 0.35, 0.7), color=COLOURS[row % len(COLOURS)])
    below.set_yticks(range(len(lanes)), [readable(label) for label in lanes])
    below.set_ylim(max(len(lanes), 1) - 0.5, -0.5)
    below.set_xlabel("time, s")
    if not lanes:
        below.text(duration_s / 2, 0, "nothing found", ha="center", va="center")
    return figure
