"""The report in a real browser."""

import re

import made_up_run
import numpy as np
import pytest
from selenium.webdriver.common.keys import Keys

ORANGE = np.array([1, 0.5, 0])
F1_TABLE = "#table-tagging_by_snr"
LEFT, RIGHT = slice(20, 400), slice(-400, -60)


def _column(browser, table, index):
    return browser.run(
        "[...document.querySelectorAll(arguments[0])].map((row) => row.cells[arguments[1]].innerText)",
        f"{table} tbody tr",
        index,
    )


def _sort_button(browser, index):
    return browser.find(f"{F1_TABLE} thead tr:last-child button", index)


def test_sorting_sorts_numbers_as_numbers_and_leaves_dashes_at_the_end(browser, report):
    browser.open(report)
    before = [text.split()[0] for text in _column(browser, F1_TABLE, 2)]
    assert before == ["9.000", "10.500", "–", "−3.000", "0.250", "100.000"]
    _sort_button(browser, 2).click()
    rising = [text.split()[0] for text in _column(browser, F1_TABLE, 2)]
    assert rising == ["−3.000", "0.250", "9.000", "10.500", "100.000", "–"]
    head = browser.find(f"{F1_TABLE} thead tr:last-child th", 2)
    assert head.get_attribute("aria-sort") == "ascending"
    _sort_button(browser, 2).click()
    falling = [text.split()[0] for text in _column(browser, F1_TABLE, 2)]
    assert falling == ["100.000", "10.500", "9.000", "0.250", "−3.000", "–"]
    assert head.get_attribute("aria-sort") == "descending"
    # Whole rows move: the difference stays in its row.
    assert [text.split()[0] for text in _column(browser, F1_TABLE, 4)][:2] == ["+99.500", "+10.000"]


def test_sorting_works_by_keyboard_and_by_text(browser, report):
    browser.open(report)
    _sort_button(browser, 0).send_keys(Keys.ENTER)
    assert _column(browser, F1_TABLE, 0) == ["dnn", "dnn", "gmp", "gmp", "gwrp", "gwrp"]
    _sort_button(browser, 1).send_keys(Keys.SPACE)
    assert _column(browser, F1_TABLE, 1) == ["0 dB"] * 3 + ["10 dB"] * 3
    assert browser.run(f"document.querySelectorAll('{F1_TABLE} [aria-sort]').length") == 1


def test_the_mean_stays_at_the_foot(browser, report):
    browser.open(report)
    table = "#table-tagging_by_class"
    for _ in range(2):
        browser.find(f"{table} thead tr:last-child button").click()
        rows = browser.find(table).text.splitlines()
        assert rows[-1].startswith("macro")


def test_a_difference_is_coloured_by_its_size_and_sign(browser, report):
    browser.open(report)

    def colour(index):
        text = browser.run(
            "getComputedStyle(document.querySelectorAll('#table-tagging_by_class tr > *:nth-child(4)')"
            "[arguments[0]]).backgroundColor",
            index,
        )
        return [float(part) for part in re.findall(r"[\d.]+", text.removeprefix("color(srgb"))]

    large, small, none, above = (colour(n) for n in (2, 3, 4, 5))
    assert large[3] == pytest.approx(2 * small[3], rel=0.05)
    assert none[3] == 0
    assert large[0] > large[2] and above[2] > above[0]  # orange below, blue above


def _show(browser, name):
    browser.find(f"#view-1 .masks [aria-label='masks of {name[0]}'] button", name[1]).click()
    browser.until("document.querySelector('#view-1 img.mask').complete")


def test_switching_masks_switches_what_is_drawn(browser, report):
    browser.open(report)
    place = "#view-1 .spectrogram"
    browser.until("document.querySelector('#view-1 img.logmel').complete")

    def orange():
        near = np.abs(browser.pixels(place) - ORANGE).max(axis=2) < 0.4
        return near[:, LEFT].mean(), near[:, RIGHT].mean()

    plain = browser.pixels(place)
    _show(browser, ("gwrp", 0))
    left, right = orange()
    assert left > 0.95 and right < 0.05
    _show(browser, ("gwrp", 1))
    left, right = orange()
    assert left < 0.05 and right > 0.95
    pressed = browser.run("document.querySelectorAll('#view-1 [aria-pressed=true]').length")
    assert pressed == 1
    assert browser.run("document.querySelectorAll('#view-2 [aria-pressed=true]').length") == 0
    browser.find("#view-1 [aria-pressed=true]").send_keys(Keys.SPACE)
    np.testing.assert_array_equal(browser.pixels(place), plain)
    assert browser.run("document.querySelectorAll('#view-1 [aria-pressed=true]').length") == 0


def test_every_player_loads(browser, report):
    browser.open(report)
    n_players = browser.run("document.querySelectorAll('audio').length")
    assert n_players == 2 * (1 + 2 + 2 * 3)
    for index in range(n_players):
        browser.run("document.querySelectorAll('audio')[arguments[0]].scrollIntoView()", index)
        browser.until("document.querySelectorAll('audio')[arguments[0]].readyState > 0", index)
        duration_s = browser.run("document.querySelectorAll('audio')[arguments[0]].duration", index)
        assert duration_s == pytest.approx(made_up_run.DURATION_S, abs=0.01)


def _cursor(browser):
    """Where the cursor is drawn, as a share of the plot's width; None while it is not."""
    return browser.run(
        "(() => { const c = document.querySelector('#view-1 .cursor');"
        "const r = c.getBoundingClientRect();"
        "const p = document.querySelector('#view-1 .plot').getBoundingClientRect();"
        "return c.hidden ? null : (r.left + r.width / 2 - p.left) / p.width; })()"
    )


def test_the_cursor_runs_over_picture_and_lanes_while_a_sound_plays(browser, report):
    browser.open(report)
    assert _cursor(browser) is None
    browser.run("document.querySelectorAll('#view-1 audio')[1].play()")
    browser.until("document.querySelectorAll('#view-1 audio')[1].currentTime > 0.3")
    first = _cursor(browser)
    browser.until("document.querySelectorAll('#view-1 audio')[1].currentTime > 0.8")
    assert _cursor(browser) > first > 0.05
    extents = browser.run(
        "['cursor', 'plot'].map((name) => {"
        "const box = document.querySelector(`#view-1 .${name}`).getBoundingClientRect();"
        "return [box.top, box.bottom]; })"
    )
    assert extents[0] == pytest.approx(extents[1], abs=1)
    browser.until("document.querySelectorAll('#view-1 audio')[1].ended", seconds=15)
    assert _cursor(browser) == pytest.approx(1, abs=0.02)


def test_one_sound_plays_at_a_time_on_the_whole_page(browser, report):
    browser.open(report)
    playing = "[...document.querySelectorAll('audio')].map((a) => !a.paused)"
    browser.run("document.querySelector('#view-1 audio').play()")
    browser.run("document.querySelector('#view-2 audio').play()")
    browser.until(f"{playing}.filter(Boolean).length === 1")
    assert browser.run("document.querySelector('#view-2 audio').paused") is False


def test_clicking_the_picture_moves_every_player_there(browser, report):
    browser.open(report)
    browser.run("document.querySelector('#view-1 .spectrogram').scrollIntoView({block: 'center'})")
    browser.find("#view-1 .spectrogram").click()  # in the middle
    middle_s = made_up_run.DURATION_S / 2
    assert _cursor(browser) == pytest.approx(0.5, abs=0.01)
    times = browser.run("[...document.querySelectorAll('#view-1 audio')].map((a) => a.currentTime)")
    assert times == pytest.approx([middle_s] * len(times), abs=0.03)


def test_the_picture_obeys_the_keyboard(browser, report):
    browser.open(report)
    slider = browser.find("#view-1 [role=slider]")
    slider.send_keys(Keys.HOME)
    assert _cursor(browser) == pytest.approx(0, abs=0.001)
    slider.send_keys(Keys.PAGE_UP, Keys.ARROW_RIGHT)
    assert _cursor(browser) == pytest.approx(0.11, abs=0.01)
    assert float(slider.get_attribute("aria-valuenow")) == pytest.approx(0.33, abs=0.02)
    slider.send_keys(Keys.SPACE)
    browser.until("document.querySelector('#view-1 audio').currentTime > 0.6")
    slider.send_keys(Keys.SPACE)
    browser.until("document.querySelector('#view-1 audio').paused")


def test_everything_can_be_reached_by_keyboard_and_shows_it(browser, report):
    browser.open(report)
    reached = set()
    for _ in range(150):  # each heading of a table to sort is reached too
        browser.driver.switch_to.active_element.send_keys(Keys.TAB)
        name, outline = browser.run(
            "(() => { const a = document.activeElement, e = a.closest('.player') ?? a;"
            "return [a.tagName, getComputedStyle(e).outlineStyle]; })()"
        )
        reached.add(name)
        assert outline != "none", name
    assert {"A", "BUTTON", "DIV", "AUDIO"} <= reached


@pytest.mark.parametrize("width", [375, 1440])
def test_the_page_never_scrolls_sideways(browser, report, width):
    browser.open(report, width=width)
    root = "document.documentElement"
    assert browser.run("window.innerWidth") == width
    assert browser.run(f"{root}.scrollWidth") <= browser.run(f"{root}.clientWidth")


def _luminance(colour):
    parts = np.array([float(part) for part in re.findall(r"[\d.]+", colour)[:3]]) / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def test_dark_mode_is_dark_and_both_can_be_read(browser, report):
    backs = {}
    for mode in ("light", "dark"):
        browser.open(report, mode=mode)
        for selector in ("body", ".muted", ".hint", "a", ".view .note", "figcaption"):
            text = browser.run(f"getComputedStyle(document.querySelector('{selector}')).color")
            back = browser.run(
                "(() => { let e = document.querySelector(arguments[0]); let c;"
                "do { c = getComputedStyle(e).backgroundColor; e = e.parentElement; }"
                "while (c === 'rgba(0, 0, 0, 0)'); return c; })()",
                selector,
            )
            light, dark = sorted([_luminance(text), _luminance(back)], reverse=True)
            assert (light + 0.05) / (dark + 0.05) >= 4.5, (mode, selector)  # WCAG AA
        backs[mode] = browser.pixels("h1")[2, 2]
    assert backs["light"].min() > 0.9 and backs["dark"].max() < 0.2


def test_markup_in_a_label_is_shown_as_text(browser, report):
    browser.open(report)
    for selector in ("#view-1 .lanes", "#view-1 .masks", "#view-1 .sounds", "#run", "#confusion"):
        shown = browser.run(f"document.querySelector('{selector}').textContent")
        assert made_up_run.HOSTILE in shown, selector
    assert browser.run("[...document.scripts].filter((s) => s.text === 'alert(1)').length") == 0


def test_true_and_detected_events_lie_where_their_times_say(browser, report):
    browser.open(report)
    lanes = browser.run(
        "[...document.querySelectorAll('#view-1 .lane')].map((lane) => [lane.firstChild.textContent,"
        "[...lane.querySelectorAll('.bar')].map((bar) => {"
        "const p = lane.getBoundingClientRect(), b = bar.getBoundingClientRect();"
        "return [(b.left - p.left) / p.width, (b.right - p.left) / p.width]; })])"
    )
    expected = {
        "true events": [(0.5, 1.5), (1.5, 2.5)],
        "detected by gmp": [],
        "detected by gwrp": [(0.6, 1.4)],
        "detected by dnn": [(1.0, 2.0)],
    }
    assert [name for name, _ in lanes] == list(expected)
    for name, bars in lanes:
        assert len(bars) == len(expected[name])
        for bar, times_s in zip(bars, expected[name], strict=True):
            assert bar == pytest.approx(np.array(times_s) / made_up_run.DURATION_S, abs=0.005)


def test_the_confusion_table_shows_the_rates(browser, report):
    browser.open(report)
    cells = browser.run(
        "[...document.querySelectorAll('#table-confusion-gwrp tbody tr')]"
        ".map((row) => [...row.querySelectorAll('td')].map((cell) => cell.textContent))"
    )
    # Three clips: Flute in two (found in both), Hi-hat in one (missed), predicted once without.
    assert cells == [["1.00", "1.00", "0.00"], ["–", "0.00", "0.00"], ["0.00", "0.50", "0.00"]]


def test_nothing_is_asked_of_a_network(browser, report):
    browser.open(report)
    urls = browser.run("performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert [url for url in urls if not url.startswith(("data:", "file:"))] == []


def test_sounds_beside_the_page_play_and_clips_need_no_references(browser, report_of_clips):
    assert len(list((report_of_clips.parent / "report_files").iterdir())) == 1 + 2 * 3
    browser.open(report_of_clips)
    browser.run("document.querySelector('#view-1 audio').play()")
    browser.until("document.querySelector('#view-1 audio').currentTime > 0.1")
    groups = browser.run(
        "[...document.querySelectorAll('#view-1 .sounds h4')].map((h) => h.textContent)"
    )
    assert groups == ["Clip", "Separated by gmp", "Separated by gwrp"]
    lanes = browser.run(
        "[...document.querySelectorAll('#view-1 .lane-name')].map((l) => l.textContent)"
    )
    assert lanes == ["detected by gmp", "detected by gwrp", "detected by dnn"]


LATER = """(() => {
  const data = JSON.parse(document.querySelector('script.view-data').textContent);
  const later = { ...data, start_s: 1.0, duration_s: 1.0, image_s: 1.0, title: 'later' };
  tfsegView(document.getElementById('view-1'), later);
})()"""


def test_another_stretch_of_the_same_sounds_keeps_the_players(browser, report):
    browser.open(report)
    browser.run("(window.first = document.querySelector('#view-1 audio')).play()")
    browser.until("window.first.currentTime > 0.1")
    _show(browser, ("gwrp", 1))
    browser.run(LATER)
    assert browser.run("window.first === document.querySelector('#view-1 audio')")
    assert browser.run("window.first.paused") is False
    assert browser.find("#view-1 h3").text == "later"
    assert browser.find("#view-1 [aria-pressed=true]").text == "Hi-hat"
    assert _cursor(browser) is None  # the sound has not reached this section yet
    browser.until("window.first.currentTime > 1.3")
    browser.run("window.first.pause()")
    browser.until("window.first.paused")
    share = browser.run("window.first.currentTime") - 1.0
    assert _cursor(browser) == pytest.approx(share, abs=0.02)
    # The axis shows the sounds' times, and events that end before the section are not drawn in it.
    assert browser.run("document.querySelector('#view-1 .axis').textContent").startswith("1.0 s")
