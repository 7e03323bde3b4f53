"""The command that asks: what it refuses, and what it says at its end."""

import http.client
import json
import signal
from urllib.parse import parse_qs, urlsplit

import pytest
import soundfile
from loud_bands import CLASSES, tones
from review_command import start
from small_model import write_small_model

from tfseg.cli import review as command


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two recordings of 6 s and an untrained model, which is uncertain of everything."""
    folder = tmp_path_factory.mktemp("a review")
    (folder / "field").mkdir()
    for name in ("one.wav", "two.wav"):
        soundfile.write(folder / "field" / name, tones([(CLASSES[0], 1, 3)], 6.0, 8000), 8000)
    write_small_model(folder / "model")
    return folder


def ask(address, method, path, content=None):
    """Send a request as the page does."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.netloc, timeout=10)
    cookie = f"tfseg-review-{parts.port}={parse_qs(parts.query)['token'][0]}"
    headers = {"Cookie": cookie, "Origin": f"http://{parts.netloc}"}
    if content is not None:
        headers["Content-Type"] = "application/json"
    connection.request(method, path, content and json.dumps(content), headers)
    return json.loads(connection.getresponse().read())


@pytest.fixture
def run(folder, monkeypatch, capsys):
    """Return a function that runs the command without its page: status, and what it said."""
    monkeypatch.chdir(folder)

    def run_review(*arguments):
        try:
            status = command.main([*arguments, "--no-page", "--threads", "1", "--device", "cpu"])
        except SystemExit as error:
            status = error.code
        said = capsys.readouterr()
        return status, said.out + said.err

    return run_review


def test_ctrl_c_ends_it_and_says_what_was_answered(run, folder):
    assert run("field", "--models", "model", "--stretch-s", "2", "--out", "out")[0] == 0
    process, address = start(folder, [])
    stretch = ask(address, "GET", "/review.json")["stretches"][0]
    for label, answer in zip(stretch["classes"], ("yes", "no"), strict=True):
        given = {"stretch": stretch["number"], "labels": [label], "answer": answer}
        ask(address, "POST", "/answers", given)
    status, said = run("--out", "out")
    assert status == 2 and "another tfseg review" in said
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "1 of 4 stretches answered; out/clips.csv: 1 of them, 0 left out as unsure" in said
    _, row = (folder / "out/clips.csv").read_text().splitlines()
    assert row.startswith(f"{stretch['clip']},{stretch['classes'][0]},")


def test_the_same_command_finds_its_review_and_another_is_refused(run, folder):
    one = ["field/one.wav", "--models", "model", "--out", "again", "--stretch-s", "2"]
    assert run(*one)[0] == 0
    before = (folder / "again/review.json").stat()
    assert run(*one)[0] == run("--out", "again")[0] == 0
    assert (folder / "again/review.json").stat() == before
    status, said = run("field", *one[1:], "--stretches", "3")
    assert status == 2 and "found one of other recordings, stretches" in said


def test_results_of_apply_name_their_recordings(run, folder):
    results = folder / "found/one-1234"
    results.mkdir(parents=True)
    (results / "about.json").write_text(json.dumps({"recording": "field/one.wav"}))
    assert run("found", "--models", "model", "--out", "of_found", "--stretch-s", "2")[0] == 0
    request = json.loads((folder / "of_found/review.json").read_text())["request"]
    assert request["recordings"] == [str(folder / "field/one.wav")]


def test_labelled_clips_come_first(run, folder):
    mine = folder / "mine"
    mine.mkdir()
    (mine / "clips.csv").write_text("path,tags\n../field/one.wav,Bark\n")
    new = ["field/one.wav", "--models", "model", "--stretch-s", "2", "--out", "with_mine"]
    assert run(*new, "--labelled", "mine/clips.csv")[0] == 0
    _, row = (folder / "with_mine/clips.csv").read_text().splitlines()
    assert row.startswith(f"{mine}/../field/one.wav,Bark,")
    assert run("--out", "with_mine")[0] == 0
    assert len((folder / "with_mine/clips.csv").read_text().splitlines()) == 2


def test_answers_are_never_taken_for_those_to_other_questions(run, folder):
    new = ["field/one.wav", "--models", "model", "--stretch-s", "2", "--out", "lost"]
    assert run(*new)[0] == 0
    (folder / "lost/review.json").unlink()
    status, said = run(*new)
    assert status == 2 and "answers.csv: expected no answers before the questions" in said


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--out", "none"], "found neither"),
        (["field", "--out", "none"], "found only one of them"),
        (["nowhere", "--models", "model", "--out", "none"], "nowhere: expected a recording"),
        (["field", "--models", "field", "--out", "none"], "expected a trained model"),
        (["field", "--models", "model", "--out", "field/one.wav"], "found a file"),
        (["field", "--models", "model", "--out", "field"], "other files (one.wav, two.wav)"),
        (["field", "--models", "model", "--out", "none", "--stretches", "0"], "above 0"),
        (["field", "--models", "model", "--out", "none", "--labelled", "x.csv"], "x.csv"),
    ],
)
def test_wrong_use_is_said(run, arguments, says):
    status, said = run(*arguments)
    assert status == 2 and says in said


def test_a_missing_library_is_said_with_the_remedy(run, monkeypatch):
    monkeypatch.setattr(command.importlib.util, "find_spec", lambda name: None)
    status, said = run("--out", "none")
    assert status == 2 and "bottle" in said and "pip install 'tfseg[review]'" in said
