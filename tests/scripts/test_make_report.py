"""The report of a made-up run, without a browser."""

import base64
import io
import re

import made_up_run
import pytest
import soundfile


def _sounds(page):
    encoded = re.findall(r"data:audio/flac;base64,([A-Za-z0-9+/=]+)", page.read_text())
    return [soundfile.read(io.BytesIO(base64.b64decode(one))) for one in encoded]


def test_a_small_run_is_one_file(tmp_path):
    page = made_up_run.make(tmp_path, [made_up_run.audio_example("best")])
    assert list((tmp_path / "report_files").iterdir()) == []
    sounds = _sounds(page)
    assert len(sounds) == 1 + 2 + 2 * 3
    for samples, rate in sounds:
        assert rate == made_up_run.RATE
        assert len(samples) == made_up_run.DURATION_S * rate
    # The mixture as it is, the separated ones half as loud.
    assert [round(samples.max(), 2) for samples, _ in sounds] == [0.5] * 3 + [0.25] * 6


@pytest.mark.parametrize(("limit", "beside"), [(10**9, False), (1000, True)])
def test_sounds_lie_beside_the_page_where_they_are_many(tmp_path, monkeypatch, limit, beside):
    monkeypatch.setattr("tfseg.reporting.pages.audio_examples.EMBEDDED_SOUNDS_LIMIT", limit)
    page = made_up_run.make(tmp_path, [made_up_run.audio_example("best", has_references=False)])
    files = sorted((tmp_path / "report_files").iterdir())
    assert (len(files) == 1 + 2 * 3) == beside == (not _sounds(page))
    for path in files:
        assert f"report_files/{path.name}" in page.read_text()
        assert soundfile.info(path).samplerate == made_up_run.RATE


def test_a_run_in_which_nothing_sounds_has_a_report(tmp_path):
    page = made_up_run.make(tmp_path, [])
    assert "The clips of fold 1 have no events" in page.read_text()


def test_labels_are_text_wherever_they_stand(tmp_path):
    text = made_up_run.make(tmp_path, [made_up_run.audio_example("best")]).read_text()
    assert made_up_run.HOSTILE not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text


def test_the_leaderboard_stands_first_with_intervals_and_the_time_of_training(tmp_path):
    text = made_up_run.make(tmp_path, []).read_text()
    section = text[text.index('<section id="leaderboard">') : text.index('<section id="tables">')]
    assert section.count("[0.400, 0.625]") == 3 + 2  # tags of all systems, masks of two
    rows = re.findall(r"<tr>.*?</tr>", section, re.DOTALL)[1:]
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in rows]
    assert [row[0] for row in cells] == made_up_run.SYSTEMS
    assert [row[-1] for row in cells] == ["–", "12.5 s", "–"]
    assert [row[-3:-1] for row in cells] == [["1 000", "2.5"], ["2 000", "2.5"], ["3 000", "2.5"]]
    assert "lower bound" in section
