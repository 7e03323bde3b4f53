"""Plan, stems and features, as their scripts make them."""

import re
from pathlib import Path

import h5py
import pandas as pd
import pytest
from script_stubs import (
    FOLDS,
    SNR_DB,
    Named,
    features_stub,
    stems_stub,
)

import extract_features
import render_stems
from tfseg.errors import DamagedFileError, DataError


def test_stems_hold_the_shard_that_was_asked_for(plan, stems):
    mixtures = pd.read_csv(plan["mixtures"])
    for fold in FOLDS:
        names = []
        for shard in (0, 1):
            with h5py.File(stems[fold, shard]) as file:
                names += [name.decode() for name in file["mixture"][:]]
        assert names == list(mixtures.loc[mixtures["fold"] == fold, "mixture"])


def test_no_origin_is_in_both_parts_of_the_plan(corpus, plan):
    mixtures, events = pd.read_csv(plan["mixtures"]), pd.read_csv(plan["events"])
    assert mixtures.groupby("fold")["part"].value_counts().to_dict() == {
        (fold, part): n for fold in FOLDS for part, n in (("train", 4), ("validation", 2))
    }
    part_of = mixtures.set_index("mixture")["part"]
    group_of = pd.concat([pd.read_csv(corpus[name]) for name in ("events", "scenes")])
    group_of = group_of.drop_duplicates("path").set_index("path")["group"]
    used = pd.concat(
        [
            pd.DataFrame({"group": group_of[paths].array, "part": part_of[names].array})
            for paths, names in (
                (events["event"], events["mixture"]),
                (mixtures["scene"], mixtures["mixture"]),
            )
        ]
    )
    assert used.groupby("group")["part"].nunique().max() == 1
    assert set(used["part"]) == {"train", "validation"}


def test_a_damaged_intermediate_is_named(work, plan, stems):
    damaged = work / "damaged.h5"
    damaged.write_bytes(Path(stems[1, 0]).read_bytes()[:-2000])
    outputs = Named(*(str(work / f"never{snr}.h5") for snr in (SNR_DB, 0)))
    smk = features_stub(plan, str(damaged), outputs, 1, 0)
    with pytest.raises(DamagedFileError, match=r"damaged\.h5"):
        extract_features.main(smk)
    assert not any(Path(path).exists() for path in outputs)


def test_an_unreadable_recording_is_named(work, corpus, plan):
    first = pd.read_csv(plan["events"])["event"][0]
    content = Path(first).read_bytes()
    try:
        Path(first).write_bytes(b"RIFF this is no sound")
        smk = stems_stub(corpus, plan, str(work / "unused.h5"), 1, 0)
        with pytest.raises(DataError, match=re.escape(Path(first).name)):
            render_stems.main(smk)
    finally:
        Path(first).write_bytes(content)
    assert not (work / "unused.h5").exists()
