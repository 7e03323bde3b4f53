import base64
import io
import itertools
import json
import re
from html.parser import HTMLParser
from urllib.parse import unquote

import jinja2
import matplotlib as mpl
import matplotlib.image
import numpy as np
import pytest
import soundfile

from tfseg.reporting.pages import assets, render, view

HOSTILE = "</script><script>alert(1)</script>&amp;"


def _pixels(png):
    return matplotlib.image.imread(io.BytesIO(png), format="png")


def _content(url):
    return base64.b64decode(url.split(",", 1)[1])


def test_a_masks_opacity_is_its_value_and_low_frequencies_lie_below():
    mask = np.random.default_rng(1).random((7, 5))
    pixels = _pixels(assets.mask_png(mask))
    np.testing.assert_allclose(pixels[..., 3], mask.T[::-1], atol=0.5 / 255 + 1e-6)
    shown = pixels[..., 3] > 0
    np.testing.assert_allclose(
        pixels[shown][:, :3], np.tile(np.array(assets.MASK_RGB) / 255, (shown.sum(), 1)), atol=1e-6
    )


def test_the_log_mel_picture_is_viridis_between_the_given_levels():
    logmel = np.array([[-20.0, -10.0], [-5.0, 0.0], [3.0, 99.0]])
    pixels = _pixels(assets.logmel_png(logmel, -10, 0))
    shares = np.clip((logmel + 10) / 10, 0, 1).T[::-1]
    np.testing.assert_allclose(
        pixels[..., :3], mpl.colormaps["viridis"](shares)[..., :3], atol=0.01
    )


@pytest.mark.parametrize(("peak", "expected"), [(0.5, 0.5), (4.0, 1.0)])
def test_a_sound_is_made_quieter_only_where_it_would_clip(peak, expected):
    samples = peak * np.sin(np.arange(1000) / 7)
    samples[3] = -peak
    decoded, rate = soundfile.read(io.BytesIO(assets.flac(samples, 8000)))
    assert rate == 8000
    np.testing.assert_allclose(decoded, samples * expected / peak, atol=2 / 32768)


def test_files_beside_a_page_lie_where_their_addresses_say(tmp_path):
    beside = assets.Beside(tmp_path / "report files", "report files")
    urls = [beside.image(name, b"png") for name in ("a/../b", "a b", HOSTILE)]
    urls.append(beside.sound("a b", np.zeros(100), 8000))
    assert len(set(urls)) == 4
    for url in urls:
        path = tmp_path / unquote(url)
        assert path.is_file() and path.parent == tmp_path / "report files"
        assert re.fullmatch(r"[A-Za-z0-9_./%-]+", url)


def test_an_envelope_holds_every_columns_extremes():
    samples = np.random.default_rng(2).standard_normal(1003)
    columns = np.array(view.envelope(samples, n_columns=10))
    assert columns.shape == (10, 2)
    edges = [i * 1003 // 10 for i in range(11)]
    parts = [samples[a:b] / np.abs(samples).max() for a, b in itertools.pairwise(edges)]
    np.testing.assert_allclose(columns, [(p.min(), p.max()) for p in parts], atol=6e-4)
    assert view.envelope(np.zeros(5)) == [[0, 0]] * 5
    assert np.max(view.envelope(samples, peak=100)) == pytest.approx(samples.max() / 100, abs=6e-4)


def _made(**changes):
    arguments = {
        "duration_s": 1.0,
        "hop_s": 0.1,
        "mel_hz": np.array([10.0, 20.0, 30.0]),
        "assets": assets.Embedded(),
        "masks": {"gwrp": {"Flute": np.eye(9, 3)}},
        "lanes": [view.Lane("true", [view.Event("Flute", t, t + 0.5) for t in (0, 4.6, 6, 9)])],
        "sounds": [view.Sound("Mixture", HOSTILE, "data:,")],
        "classes": ["Flute"],
        "start_s": 5.0,
    }
    samples, logmel = np.sin(np.arange(100)), np.random.default_rng(3).random((9, 3))
    return view.make_view(HOSTILE, view.envelope(samples), logmel, **(arguments | changes))


def test_a_view_of_a_later_stretch_keeps_the_times_of_the_sounds():
    made = _made(
        lanes=[view.Lane("true", [view.Event("Flute", t, t + 0.5) for t in (0, 4.6, 5.9, 6)])]
    )
    assert (made.start_s, made.duration_s) == (5.0, 1.0)
    assert made.image_s == pytest.approx(0.9)
    assert [event.onset_s for event in made.lanes[0].events] == [4.6, 5.9]


def test_a_views_levels_come_from_the_stretch_or_from_the_recording():
    logmel = np.random.default_rng(3).random((9, 3))
    own, given = _made(), _made(levels=(-5.0, 5.0))
    assert _content(own.logmel) == assets.logmel_png(logmel, *view.level_range(logmel))
    assert _content(given.logmel) == assets.logmel_png(logmel, -5.0, 5.0)


class _Reader(HTMLParser):
    """Collects elements, and the text of the scripts that hold data."""

    def __init__(self):
        super().__init__()
        self.tags, self.data, self._in_data = [], [], False

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self._in_data = dict(attributes).get("type") == "application/json"
        if self._in_data:
            self.data.append("")

    def handle_endtag(self, tag):
        self._in_data = False

    def handle_data(self, data):
        if self._in_data:
            self.data[-1] += data


_PAGE = """{% extends "base.html" %}{% import "view.html" as views %}
{% block title %}{{ name }}{% endblock %}{% block body %}{{ name }}{{ views.show(view, "one") }}{% endblock %}"""


def test_a_page_shows_hostile_text_as_text_and_needs_nothing_from_elsewhere():
    made = _made()
    page = render.environment().from_string(_PAGE).render(view=made, name=HOSTILE)
    reader = _Reader()
    reader.feed(page)
    scripts = [attributes for tag, attributes in reader.tags if tag == "script"]
    assert len(scripts) == 2  # the data and our own
    assert json.loads(reader.data[0]) == made.as_dict()
    for _, attributes in reader.tags:
        for name in ("src", "href"):
            assert attributes.get(name, "data:").startswith("data:")
    assert "url(" not in page and "@import" not in page


def test_a_template_that_names_something_missing_fails():
    with pytest.raises(jinja2.UndefinedError, match="name"):
        render.environment().from_string(_PAGE).render(view=_made())
