"""No answer that was said to be kept is ever lost."""

import contextlib
import os
import signal
import subprocess
import sys

import pytest

from tfseg.errors import DamagedFileError, DataError, NotWrittenError
from tfseg.review.answers import Answers
from tfseg.run.digest import LIBRARY

QUESTIONS = {1: ["Bark", "Chime, low"], 2: ["Bark", "Chime, low"]}
KILLED = """
import sys
from tfseg.review.answers import Answers
answers = Answers(sys.argv[1], {n: ["Bark", "Gong"] for n in range(100_000)})
for n in range(100_000):
    answers.add(n, ["Bark", "Gong"], "no")
    print(n, flush=True)
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "answers.csv"


@pytest.fixture
def opened(path):
    with contextlib.ExitStack() as held:
        yield lambda questions=QUESTIONS: held.enter_context(
            contextlib.closing(Answers(path, questions))
        )


def test_answers_are_there_when_the_table_is_opened_again(opened, path):
    answers = opened()
    answers.add(1, ["Chime, low"], "yes")
    answers.add(2, ["Bark", "Chime, low"], "no")
    wanted = {(1, "Chime, low"): "yes", (2, "Bark"): "no", (2, "Chime, low"): "no"}
    assert answers.given == opened().given == wanted
    lines = path.read_text().splitlines()
    assert lines[0] == "step,stretch,label,answer,time_utc"
    assert lines[1].startswith('1,1,"Chime, low",yes,20')


def test_a_step_is_taken_back_as_a_whole_and_answered_anew(opened):
    answers = opened()
    answers.add(1, ["Bark"], "yes")
    answers.add(2, ["Bark", "Chime, low"], "unsure")
    assert answers.undo() == [(2, "Bark"), (2, "Chime, low")]
    assert answers.given == opened().given == {(1, "Bark"): "yes"}
    answers.add(2, ["Bark"], "yes")
    again = opened()
    assert again.given == {(1, "Bark"): "yes", (2, "Bark"): "yes"}
    assert again.undo() == [(2, "Bark")] and again.undo() == [(1, "Bark")] and again.undo() == []
    assert opened().given == {}


def test_a_row_that_a_kill_cut_short_is_removed(opened, path):
    opened().add(1, ["Bark"], "yes")
    whole = path.read_bytes()
    for cut in range(1, 12):
        path.write_bytes(whole + b"2,1,Chime, low,yes"[:cut])
        assert opened().given == {(1, "Bark"): "yes"}
        assert path.read_bytes() == whole


def test_what_was_said_to_be_kept_survives_a_kill(path):
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, path],
        env={"PYTHONPATH": str(LIBRARY.parent)},
        stdout=subprocess.PIPE,
        text=True,
    )
    said = [int(process.stdout.readline()) for _ in range(20)]
    process.send_signal(signal.SIGKILL)
    said += [int(line) for line in process.communicate()[0].splitlines()]
    questions = {n: ["Bark", "Gong"] for n in range(100_000)}
    with contextlib.closing(Answers(path, questions)) as answers:
        assert {(n, label) for n in said for label in ("Bark", "Gong")} <= set(answers.given)
        assert len(said) >= 20


@pytest.mark.parametrize(
    ("stretch", "labels", "answer", "says"),
    [
        (3, ["Bark"], "yes", "an answer to a question"),
        (1, ["Gong"], "yes", "an answer to a question"),
        (1, [], "yes", "an answer to a question"),
        (1, ["Bark"], "perhaps", "an answer to a question"),
        (1, ["Bark", "Chime, low"], "yes", "for one class"),
        (1, ["Bark", "Bark"], "no", "without an answer"),
        (2, ["Bark"], "no", "without an answer"),
    ],
)
def test_an_answer_to_no_question_is_refused(opened, path, stretch, labels, answer, says):
    answers = opened()
    answers.add(2, ["Bark"], "yes")
    before = path.read_bytes()
    with pytest.raises(DataError, match=says):
        answers.add(stretch, labels, answer)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "text",
    [
        "path,tags\n",
        "step,stretch,label,answer,time_utc\n1,1,Gong,yes,now\n",
        "step,stretch,label,answer,time_utc\n1,one,Bark,yes,now\n",
        "step,stretch,label,answer,time_utc\n1,1,Bark\n",
        "\x00\n",
    ],
)
def test_another_table_is_not_written_to(path, text):
    path.write_text(text)
    with pytest.raises(DamagedFileError, match=r"answers\.csv"):
        Answers(path, QUESTIONS)
    assert path.read_text() == text


def test_a_full_disk_keeps_nothing_of_an_answer(opened, path, monkeypatch):
    answers = opened()
    answers.add(1, ["Bark"], "yes")
    before = path.read_bytes()

    def half(file, content):
        return written(file, content[: len(content) // 2])

    written = os.write
    monkeypatch.setattr("tfseg.review.answers.os.write", half)
    with pytest.raises(NotWrittenError, match="no space left"):
        answers.add(2, ["Bark"], "no")
    monkeypatch.setattr("tfseg.review.answers.os.write", written)
    assert path.read_bytes() == before and answers.given == {(1, "Bark"): "yes"}
    answers.add(2, ["Bark"], "no")
    assert len(opened().given) == 2
