"""The record of how often held-out clips were scored."""

import json
from types import SimpleNamespace

from tfseg.inference.scorings import record_scoring


def test_each_scoring_adds_a_line(tmp_path):
    names = {"snr": "0", "system": "gwrp", "fold": "1", "repeat": "0"}
    features = SimpleNamespace(mixture=["a", "b", "c"])
    path = tmp_path / "logs" / "scorings.jsonl"
    for sha256 in ("one", "two"):
        record_scoring(path, names.items(), {"weights_sha256": sha256}, features)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["weights_sha256"] for line in lines] == ["one", "two"]
    assert all(line.items() >= names.items() and line["clips"] == 3 for line in lines)
