"""One round of label, train, review, train again, in small."""

import label_round
import numpy as np
import pandas as pd
import pytest

SMALL = label_round.Sizes(
    clips=12, pool=2, scored=1, long_s=20.0, stretches=4, iterations=4, groups=2
)


def test_a_class_sounds_in_a_stretch_if_enough_of_an_event_is_in_it():
    events = [(1.0, 2.0, "Bark"), (4.97, 6.0, "Chime"), (9.9, 10.1, "Gong")]
    assert label_round.tags_of(events, 0.0, 5.0) == {"Bark"}
    assert label_round.tags_of(events, 5.0, 10.0) == {"Chime", "Gong"}


def test_the_table_has_a_row_for_each_seed_and_the_mean():
    rows = [
        (seed, name, 0.1 * (seed + 1), 0.5, 0) for seed in (0, 1) for name in label_round.ROUNDS
    ]
    table = pd.DataFrame(rows, columns=["seed", "round", "f1", "map", "tags"])
    lines = label_round.as_markdown(table)
    assert lines[0].startswith("| seed | F1 before | F1 review | F1 random | mAP before |")
    assert lines[-1] == "| mean | 0.150 | 0.150 | 0.150 | 0.500 | 0.500 | 0.500 |"


@pytest.mark.full
def test_a_round_goes_from_tags_to_answers_to_a_second_model(tmp_path):
    table = label_round.run_rounds(tmp_path, [0], SMALL)
    assert table["round"].tolist() == list(label_round.ROUNDS)
    assert np.isfinite(table[["f1", "map"]]).all(axis=None)
    folder = tmp_path / "seed0"
    before, review, random = (
        pd.read_csv(folder / place / "clips.csv", keep_default_na=False)
        for place in ("labelled", "review", "random")
    )
    assert len(before) == SMALL.clips
    # The second models are trained on the same clips and on the answered stretches.
    for added in (review, random):
        assert len(added) == SMALL.clips + SMALL.stretches
        assert added["tags"][: SMALL.clips].tolist() == before["tags"].tolist()
        assert set(added["group"][SMALL.clips :]) <= {
            str(folder / f"pool{n}.wav") for n in range(SMALL.pool)
        }
    answers = pd.read_csv(folder / "review/answers.csv")
    said = answers[answers["answer"] == "yes"].groupby("stretch")["label"].apply(set)
    stretches = pd.read_csv(folder / "review/stretches.csv").set_index("stretch")
    assert len(stretches) == SMALL.stretches
    clips = review.set_index("path")["tags"]
    for number in stretches.index:
        (tags,) = clips[clips.index.str.startswith(f"clips/{number:04d}-")]
        assert set(filter(None, tags.split(";"))) == said.get(number, set())
