"""The page of a review in a real browser: keys, touch, and a server that is killed."""

import contextlib
import csv
import signal
import threading
from types import SimpleNamespace

import pytest
import soundfile
from loud_bands import CLASSES, make_model, tones
from review_command import start
from small_model import write_small_model

from tfseg.apply.listing import Recording
from tfseg.review.answers import Answers
from tfseg.review.folder import Review, ReviewSettings, locked, prepare
from tfseg.review.server import make_server

LOW, HIGH = CLASSES
N_STRETCHES = 6
QUESTION = "document.getElementById('question').innerText"
STATUS = "document.getElementById('status').innerText"


def address_of(text):
    """What `Browser.open` opens."""
    return SimpleNamespace(as_uri=lambda: text)


@pytest.fixture(scope="session")
def prepared(tmp_path_factory):
    """A review of two recordings by a model of loud bands; the second one has <b> in its name."""
    folder = tmp_path_factory.mktemp("review")
    names = ["one.wav", "two <b>minutes<b>.wav"]
    for name in names:
        events = [(LOW, 1.0, 2.0), (LOW, 7.0, 9.0), (HIGH, 7.5, 8.5)]
        soundfile.write(folder / name, tones(events, 14.0, 16000, 2), 16000)
    recordings = [Recording(name, folder / name) for name in names]
    models = [make_model(folder / "model")]
    settings = ReviewSettings(stretches=N_STRETCHES, stretch_s=2.0)
    with locked(folder / "review"):
        prepare(folder / "review", recordings, models, settings, labelled=None)
    return folder / "review"


@pytest.fixture
def served(browser, prepared, tmp_path):
    """Address of the review, with no answers yet, and their table."""
    table = tmp_path / "answers.csv"
    review = Review(prepared)
    with contextlib.closing(Answers(table, review.questions)) as answers:
        server, address = make_server(review, answers)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield address, table
        browser.driver.get("about:blank")  # else a sound still loads when nobody answers any more
        server.shutdown()
        thread.join()
        server.server_close()


def press(browser, *keys):
    for key in keys:
        before = browser.run(f"{STATUS} + {QUESTION}")
        browser.find("body").send_keys(key)
        browser.until(f"{STATUS} + {QUESTION} !== arguments[0]", before)


def rows(table):
    """Answers in a table: (stretch, label, answer)."""
    return [tuple(row[1:4]) for row in csv.reader(table.open(newline=""))][1:]


def open_review(browser, address, width):
    browser.open(address_of(address), width=width)
    browser.until("document.getElementById('question').innerText.endsWith('here?')")


def test_keys_answer_and_take_back(browser, served, prepared):
    address, table = served
    open_review(browser, address, 1280)
    assert "token" not in browser.driver.current_url
    first = Review(prepared).stretches[0]
    assert len(first["asked"]) == 2  # both tones sound in what comes first
    assert browser.run(QUESTION) == f"Does {first['asked'][0]} sound here?"
    press(browser, "y")
    assert browser.run(QUESTION) == f"Does {first['asked'][1]} sound here?"
    press(browser, "u")
    assert rows(table) == [("1", first["asked"][0], "yes"), ("1", first["asked"][1], "unsure")]
    press(browser, "z")
    assert browser.run(QUESTION) == f"Does {first['asked'][1]} sound here?"
    assert rows(table)[2:] == [("1", first["asked"][1], "undone")]
    press(browser, "N")
    assert browser.run(f"{STATUS}") == f"Kept: {first['asked'][1]}, no."
    assert "stretch 2 of 6" in browser.find("#place").text


def test_classes_that_the_model_denies_are_one_question(browser, served, prepared):
    address, table = served
    open_review(browser, address, 1280)
    together = next(s for s in Review(prepared).stretches if not s["asked"])
    while f"stretch {together['number']} " not in browser.find("#place").text:
        press(browser, "n")
    assert browser.run(QUESTION) == "Does any of 2 other classes sound here?"
    assert browser.find("#said").text == f"All of them: {', '.join(together['classes'])}"
    before = rows(table)
    press(browser, "y")
    assert browser.run(QUESTION) == f"Does {together['classes'][0]} sound here?"
    assert rows(table) == before
    press(browser, "n", "y")
    number = str(together["number"])
    assert rows(table)[len(before) :] == [
        (number, together["classes"][0], "no"),
        (number, together["classes"][1], "yes"),
    ]


def test_all_answered_is_said_and_can_be_taken_back(browser, served, prepared):
    address, table = served
    open_review(browser, address, 1280)
    while not browser.run(QUESTION).startswith("All questions"):
        press(browser, "n")
    assert f"{N_STRETCHES} of them as clips" in browser.find("#said").text
    assert not browser.find("[data-answer=yes]").is_enabled()
    assert len(rows(table)) == 2 * N_STRETCHES
    press(browser, "z")
    assert browser.run(QUESTION).endswith("sound here?")
    assert len((prepared / "clips.csv").read_text().splitlines()) == N_STRETCHES


def test_the_stretch_is_seen_and_heard(browser, served):
    open_review(browser, served[0], 1280)
    sound = "document.querySelector('audio')"
    browser.until("document.querySelector('.logmel').naturalWidth > 0")
    browser.until("document.querySelector('.spectrogram .mask').naturalWidth > 0")
    browser.find("body").send_keys(" ")
    browser.until(f"{sound}.currentTime > 0.05")
    assert browser.find("#play").text.startswith("Pause")
    browser.find("#play").click()
    browser.until(f"{sound}.paused")
    assert browser.find("#play").text.startswith("Play")
    assert browser.run(f"{sound}.duration") == pytest.approx(2.0, abs=0.01)
    browser.find("body").send_keys("m")
    browser.until("document.querySelector('.spectrogram .mask').hidden")
    # The space key on a button that the keyboard reached is that button's.
    browser.run("document.querySelector('[data-answer=no]').focus()")
    browser.driver.switch_to.active_element.send_keys(" ")
    browser.until(f"{STATUS}.startsWith('Kept: ')")


def test_help_says_the_keys_and_single_keys_can_be_switched_off(browser, served):
    address, table = served
    open_review(browser, address, 1280)
    browser.find("body").send_keys("?")
    assert browser.find("#help").is_displayed()
    browser.driver.switch_to.active_element.send_keys("y")  # no answer while it is open
    browser.find("#keys").click()
    browser.find("#help form button").click()
    browser.find("body").send_keys("y")
    browser.find("[data-answer=no]").click()
    browser.until(f"{STATUS}.endsWith('no.')")
    assert [row[2] for row in rows(table)] == ["no"]


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_a_narrow_page_has_its_buttons_in_reach(browser, served, mode):
    address, table = served
    browser.open(address_of(address), width=375, mode=mode)
    browser.until("document.getElementById('question').innerText.endsWith('here?')")
    assert browser.run("document.documentElement.scrollWidth") <= 375
    browser.run("window.scrollTo(0, document.body.scrollHeight)")
    for name in ("[data-answer=yes]", "[data-answer=no]", "[data-answer=unsure]", "#undo", "#play"):
        box = browser.find(name).rect
        assert box["width"] >= 44 and box["height"] >= 44
        shown = "document.querySelector(arguments[0]).getBoundingClientRect().bottom <= innerHeight"
        assert browser.run(shown, name)
    browser.find("[data-answer=yes]").click()
    browser.until(f"{STATUS}.endsWith('yes.')")
    browser.find("#undo").click()
    browser.until(f"{STATUS}.startsWith('Taken back')")
    assert [row[2] for row in rows(table)] == ["yes", "undone"]


def test_names_of_classes_and_recordings_are_text(browser, served):
    open_review(browser, served[0], 1280)
    browser.find("summary").click()
    assert "two <b>minutes<b>.wav" in browser.find("#list").text
    assert browser.run("document.querySelectorAll('main i, main b').length") == 0


def test_a_kill_loses_no_answer(browser, tmp_path):
    soundfile.write(tmp_path / "one.wav", tones([(LOW, 1, 11)], 12.0, 8000), 8000)
    write_small_model(tmp_path / "model")
    new = ["one.wav", "--models", "model", "--stretch-s", "2", "--stretches", "3"]
    process, address = start(tmp_path, new)
    open_review(browser, address, 1280)
    press(browser, "y", "n", "u")
    asked, kept = browser.run(QUESTION), rows(tmp_path / "out/answers.csv")
    process.send_signal(signal.SIGKILL)
    process.wait()
    browser.find("body").send_keys("n")
    browser.until("document.getElementById('error').innerText.includes('does not answer')")
    assert browser.run(QUESTION) == asked
    browser.driver.get_log("browser")  # that nobody answers is a message on the console
    process, address = start(tmp_path, [])
    open_review(browser, address, 375)
    assert browser.run(QUESTION) == asked
    press(browser, "n")
    after = rows(tmp_path / "out/answers.csv")
    assert after[: len(kept)] == kept and [row[2] for row in after] == ["yes", "no", "unsure", "no"]
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=20) == 0
