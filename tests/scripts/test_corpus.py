"""Results of the scripts for good, bad and restricted recordings."""

import re
from pathlib import Path

import pandas as pd
import pytest
from script_stubs import (
    corpus_stub,
    inspection_stub,
)

import inspect_recordings
import prepare_corpus
from tfseg.errors import DataError


def test_bad_audio_stops_the_corpus_or_is_left_out(corpus, work, capsys):
    recordings = pd.read_csv(corpus["recordings"])
    bad = recordings.loc[recordings["role"] == "scene", "path"].iloc[0]
    content = Path(bad).read_bytes()
    paths = corpus | {
        name: str(work / "bad" / f"{name}.csv")
        for name in ("inspection", "report", "events", "scenes", "attribution", "licences")
    }
    try:
        Path(bad).write_bytes(content[: len(content) // 2])
        inspect_recordings.main(inspection_stub(paths))
    finally:
        Path(bad).write_bytes(content)
    report = pd.read_csv(paths["report"])
    assert report.loc[report["severity"] == "error", ["path", "problem"]].to_numpy().tolist() == [
        [bad, "truncated"]
    ]
    with pytest.raises(DataError, match=re.escape(f"{bad}: truncated: expected")):
        prepare_corpus.main(corpus_stub(paths))
    assert not Path(paths["events"]).exists()
    prepare_corpus.main(corpus_stub(paths, on_bad_audio="skip"))
    assert bad not in set(pd.read_csv(paths["scenes"])["path"])
    assert bad not in set(pd.read_csv(paths["attribution"])["path"])
    assert f"{bad}: truncated" in capsys.readouterr().out
