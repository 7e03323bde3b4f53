import io

import matplotlib.image
import numpy as np
import pandas as pd
import pytest

from tfseg.models.registry import systems
from tfseg.reporting.figures.f1_by_threshold import draw_thresholds
from tfseg.reporting.figures.training import draw_training
from tfseg.reporting.plot_style import system_styles


def _drawn(figure):
    """Render as the workflow does, so that constrained layout has placed everything."""
    stream = io.BytesIO()
    figure.savefig(stream, dpi=50)
    stream.seek(0)
    return matplotlib.image.imread(stream)


def _inside(figure):
    box = figure.legends[0].get_window_extent()
    return box.x0 >= 0 and box.x1 <= figure.bbox.x1 + 1 and box.y1 <= figure.bbox.y1 + 1


@pytest.mark.parametrize("snrs", [[0.0], [20.0, 10.0, 0.0]])
@pytest.mark.parametrize("systems", [["gwrp"], list(systems())])
def test_the_training_figure_names_every_system_within_the_picture(snrs, systems):
    rows = [
        (iteration, 1 / (1 + iteration), snr, system, fold, "0")
        for iteration in (10, 20, 30)
        for snr in snrs
        for system in systems
        for fold in ("1", "2")
    ]
    columns = ["iteration", "loss", "snr_db", "system", "fold", "repeat"]
    figure = draw_training(pd.DataFrame(rows, columns=columns), systems)
    picture = _drawn(figure)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        system for system in systems
    ]
    assert _inside(figure)
    assert np.ptp(picture[..., :3]) > 0.5


def test_every_figure_of_a_run_shows_a_system_in_the_same_look():
    systems = ["gmp", "gap", "gwrp", "unet"]
    styles = system_styles(systems)
    rows = [(iteration, 1.0, 0.0, system, "1", "0") for iteration in (10, 20) for system in systems]
    columns = ["iteration", "loss", "snr_db", "system", "fold", "repeat"]
    training = draw_training(pd.DataFrame(rows, columns=columns), systems)
    curves = {system: {"tagging": np.linspace(0, 1, 5)} for system in systems}
    thresholds = draw_thresholds(curves, np.logspace(-3, 0, 5), {"tagging": 0.1, "frame": 0.1}, 0.0)
    for figure in (training, thresholds):
        lines = {line.get_label(): line for line in figure.axes[0].get_lines()}
        for system in systems:
            shown = lines[system].get_color(), lines[system].get_linestyle()
            assert shown == (styles[system]["color"], styles[system]["linestyle"])


@pytest.mark.parametrize(("snr_db", "said"), [(-5.0, "-5 dB SNR"), (None, "clips as recorded")])
def test_f1_by_threshold_says_its_snr(snr_db, said):
    thresholds = np.logspace(-3, 0, 5)
    curves = {"gwrp": {"tagging": np.linspace(0, 1, 5)}}
    figure = draw_thresholds(curves, thresholds, {"tagging": 0.1, "mask": 0.1}, snr_db)
    assert said in figure.axes[0].get_ylabel()
