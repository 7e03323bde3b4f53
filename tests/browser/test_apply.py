"""The pages of `apply` in a real browser."""

import numpy as np
import pytest
import soundfile
from loud_bands import CLASSES, SETTINGS, make_model, tones

from tfseg.apply.analysis import analyse
from tfseg.apply.listing import Recording
from tfseg.apply.summary import write_summary

LOW, HIGH = CLASSES
EVENTS = [(LOW, 5.0, 15.0), (HIGH, 40.0, 50.0), (LOW, 100.0, 110.0)]
N_SECTIONS = 2


@pytest.fixture(scope="session")
def applied(tmp_path_factory):
    """Result folder of a recording of two minutes, and of a file that is not audio."""
    folder = tmp_path_factory.mktemp("applied folder")
    path = folder / "two <b>minutes<b>.wav"
    soundfile.write(path, tones(EVENTS, 120.0, 16000, 2), 16000)
    model = make_model(folder / "model")
    out = folder / "out"
    done = analyse(Recording("minutes", path), out / "minutes", model, SETTINGS, EVENTS)
    write_summary(out, [done], {("bad", "bad <i>.wav"): "it is <script>no</script> sound"}, model)
    return out


def audio(index, what):
    return f"document.querySelectorAll('audio')[{index}].{what}"


def test_the_page_shows_the_section_and_the_strip_leads_to_others(browser, applied):
    browser.open(applied / "minutes/page.html")
    assert browser.run("document.querySelectorAll('#section option').length") == N_SECTIONS
    assert len(browser.driver.find_elements("css selector", "#strip rect.event")) == len(EVENTS)
    first = browser.pixels(".spectrogram")
    browser.find("#after").click()
    assert browser.run("document.getElementById('section').value") == "1"
    assert not browser.find("#after").is_enabled()
    second = browser.pixels(".spectrogram")
    # In the first section 10 s of a low tone from 5 s on; in the second one from 40 s on.
    width = first.shape[1]
    part = slice(int(width * 6 / 60), int(width * 14 / 60))
    assert np.abs(first[:, part] - second[:, part]).mean() > 0.02
    browser.find("#strip rect.section").click()
    assert browser.run("document.getElementById('section').value") == "0"


def test_both_lanes_say_what_was_found_and_what_is_known(browser, applied):
    browser.open(applied / "minutes/page.html")
    names = browser.run("[...document.querySelectorAll('.lane-name')].map((n) => n.innerText)")
    assert names == ["true events", "found"]
    for lane in (0, 1):
        bars = browser.run(
            "[...document.querySelectorAll('.lane')[arguments[0]].querySelectorAll('.bar')]"
            ".map((bar) => bar.title)",
            lane,
        )
        assert len(bars) == 2 and bars[0].startswith("low tone, ")


def test_an_event_of_the_table_is_shown_and_sounds_from_there(browser, applied):
    browser.open(applied / "minutes/page.html")
    browser.run("document.querySelector('audio').scrollIntoView()")
    browser.until(f"{audio(0, 'readyState')} > 0")
    browser.find("button.go", 2).click()
    assert browser.run("document.getElementById('section').value") == "1"
    browser.until(f"Math.abs({audio(0, 'currentTime')} - 100) < 1")
    browser.until("!document.querySelector('.cursor').hidden")
    browser.run(audio(0, "play()"))
    browser.until(f"{audio(0, 'currentTime')} > 100.2")
    browser.run(audio(0, "pause()"))


def test_every_sound_loads_in_full_length(browser, applied):
    browser.open(applied / "minutes/page.html")
    n_sounds = browser.run("document.querySelectorAll('audio').length")
    assert n_sounds == 2 + len(CLASSES)
    for index in range(n_sounds):
        browser.run(audio(index, "scrollIntoView()"))
        browser.until(f"{audio(index, 'readyState')} > 0")
        assert browser.run(audio(index, "duration")) == pytest.approx(120.0, abs=0.1)


def test_sounds_play_on_over_a_change_of_section(browser, applied):
    browser.open(applied / "minutes/page.html")
    browser.run("document.querySelector('audio').scrollIntoView()")
    browser.until(f"{audio(0, 'readyState')} > 0")
    browser.run(f"{audio(0, 'currentTime')} = 59.5")
    browser.run(audio(0, "play()"))
    browser.until("document.getElementById('section').value === '1'")
    assert not browser.run(audio(0, "paused"))
    browser.run(audio(0, "pause()"))


@pytest.mark.parametrize("page", ["index.html", "minutes/page.html"])
@pytest.mark.parametrize("mode", ["light", "dark"])
def test_narrow_pages_do_not_scroll_sideways(browser, applied, page, mode):
    browser.open(applied / page, width=375, mode=mode)
    assert browser.run("document.documentElement.scrollWidth") <= 375


def test_text_is_text(browser, applied):
    browser.open(applied / "minutes/page.html")
    assert browser.find("h1").text == "two <b>minutes<b>.wav"
    assert browser.run("document.querySelectorAll('main i, td i, td b, li i').length") == 0
    browser.open(applied / "index.html")
    failed = browser.find(".failed").text
    assert "bad <i>.wav: it is <script>no</script> sound" in failed
    assert "high/<i>tone</i>" in browser.find("thead").text


def test_the_index_counts_and_leads_to_the_page(browser, applied):
    browser.open(applied / "index.html")
    row = browser.find("tbody tr", 2)
    assert [cell.text for cell in row.find_elements("css selector", "td")][1:] == [
        "2.0",
        "0.33 (2)",
        "0.17 (1)",
    ]
    row.find_element("css selector", "a").click()
    browser.until("document.querySelector('h1').innerText.includes('minutes')")
