"""What is asked, and what lies beside it."""

import pandas as pd
import pytest
import soundfile
from loud_bands import CLASSES, make_model

from tfseg.apply.listing import Recording
from tfseg.errors import ConfigError, DataError
from tfseg.io.files import write_text
from tfseg.review.folder import PAGE_FILES, Review, ReviewSettings, locked, prepare, read_stretch
from tfseg.review.stretches import check_models, find_candidates

LOW, HIGH = CLASSES


def test_every_stretch_is_a_clip_of_its_recording_as_it_is(review):
    assert [stretch["number"] for stretch in review.stretches] == [1, 2, 3, 4]
    for stretch in review.stretches:
        clip, rate = soundfile.read(review.folder / stretch["clip"], always_2d=True)
        first = round(stretch["start_s"] * rate)
        whole, _ = soundfile.read(stretch["path"], always_2d=True)
        assert (clip == whole[first : first + len(clip)]).all()
        assert len(clip) / rate == pytest.approx(2.0, abs=1e-3)


def test_all_classes_are_asked_and_those_the_model_denies_together(review):
    for stretch in review.stretches:
        assert sorted(stretch["classes"]) == sorted(CLASSES)
        for label, (tag,) in stretch["tags"].items():
            assert (label in stretch["asked"]) == (tag > 0.05)
            # The tag is that of loud bands: known from when the tones sound.
            sounding = {LOW: [(1, 2), (7, 9)], HIGH: [(7.5, 8.5)]}[label]
            overlaps = any(
                min(stop, stretch["stop_s"]) - max(start, stretch["start_s"]) > 0.1
                for start, stop in sounding
            )
            assert tag > 0.9 or not overlaps  # the other band hears onsets, too


def test_the_page_has_pictures_masks_and_sounds_of_each(review):
    there = {path.name for path in (review.folder / PAGE_FILES).iterdir()}
    assert review.page_files == there
    for stretch in review.stretches:
        assert [mask["label"] for mask in stretch["view"]["masks"]] == [
            label for label in CLASSES if label in stretch["asked"]
        ]
        assert stretch["view"]["note"].startswith("Chosen for: ")


def test_the_table_lists_them_with_score_and_reason(review):
    table = pd.read_csv(review.folder / "stretches.csv")
    assert table["stretch"].tolist() == [1, 2, 3, 4]
    assert set(table["reason"]) <= {"uncertainty", "disagreement", "unlikeness"}
    assert table["score"].iloc[0] == table["score"].max()


def test_a_stretch_that_is_unlike_the_training_is_far_away(recordings, tmp_path):
    model = make_model(tmp_path / "model")
    found = find_candidates(0, recordings[0].path, [model], 2.0)
    assert found.tags.shape == (1, len(found.start_s), 2)
    # Faint noise lies at the mean of what the model "was trained on", tones far above it.
    quiet = (found.start_s > 2.5) & (found.stop_s < 6.5)
    loud = (found.start_s < 1.5) & (found.stop_s > 1.5)
    assert found.distance[quiet].max() < 0.5 < found.distance[loud].min()
    model.network.band_std.fill_(4.0)
    again = find_candidates(0, recordings[0].path, [model], 2.0)
    assert again.distance == pytest.approx(found.distance / 2, rel=1e-5)


def test_digital_silence_is_not_asked_about(tmp_path):
    soundfile.write(tmp_path / "none.wav", [0.0] * 32000, 8000)
    with pytest.raises(DataError, match="expected a stretch with sound"):
        prepare_in(tmp_path / "out", [Recording("none", tmp_path / "none.wav")], tmp_path)


def prepare_in(folder, recordings, tmp_path, say=print):
    model = make_model(tmp_path / "model")
    with locked(folder):
        prepare(folder, recordings, [model], ReviewSettings(2, 2.0), labelled=None, say=say)
    return Review(folder)


def test_a_bad_recording_costs_only_itself(recordings, tmp_path):
    write_text(tmp_path / "bad.wav", "no sound")
    said = []
    mixed = [Recording("bad", tmp_path / "bad.wav"), *recordings]
    review = prepare_in(tmp_path / "out", mixed, tmp_path, said.append)
    assert len(review.stretches) == 2 and len(said) == 1
    assert "bad.wav: left out: " in said[0]


def test_one_process_at_a_time_has_a_review(tmp_path):
    with (
        locked(tmp_path / "out"),
        pytest.raises(DataError, match="nobody else has this review open"),
        locked(tmp_path / "out"),
    ):
        pass
    with locked(tmp_path / "out"):
        pass


def test_a_folder_of_something_else_is_refused(tmp_path):
    write_text(tmp_path / "thesis.txt", "text")
    with pytest.raises(DataError, match=r"other files \(thesis\.txt\)"), locked(tmp_path):
        pass


def test_models_of_other_classes_are_refused(tmp_path):
    one, other = (make_model(tmp_path / name) for name in ("one", "other"))
    check_models([one, one])
    other.description["classes"] = ["low tone", "Gong"]
    with pytest.raises(DataError, match=r"other: expected the classes of .*one"):
        check_models([one, other])
    other.description["classes"] = ["low; high"]
    with pytest.raises(DataError, match="without ; and ,"):
        check_models([other])


@pytest.mark.parametrize("values", [(0, 2.0), (2, 0.0), (2, float("inf"))])
def test_values_that_cannot_be_are_refused(values):
    with pytest.raises(ConfigError, match="expected a number above 0"):
        ReviewSettings(*values)


def test_the_end_of_a_recording_is_the_end_of_its_last_stretch(recordings):
    samples, rate = read_stretch(recordings[0].path, 13.0, 15.0)
    assert samples.shape == (16000, 2) and rate == 16000
