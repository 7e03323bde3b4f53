"""Files that ``tfseg convert`` writes, read back by crowsetta and by Label Studio's own library.

    .venv/bin/python -m pip install --target FOLDER -r envs/interop.in
    .venv/bin/python tests/interoperability/read_back.py FOLDER

The files are written with tfseg's environment. They are read in another process, with the packages of
FOLDER before all others. The command prints what was read and by which version; it fails where that
is not what was written.
"""

import importlib.metadata
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
SOUND = "a b.wav"
# onset, offset, label, confidence, low and high frequency: numbers that the formats hold exactly.
EVENTS = [
    (0.5, 1.25, "dog", 0.75, 250.5, 1800.0),
    (1.0, 2.5, "car horn, près <&> \"x\"", 0.5, 0.0, 16000.0),
    (2.000001, 3.0, "dog", 1.0, 50.0, 4000.0),
]  # fmt: skip


def _write(folder):
    """Write the same events in all formats, by the command itself."""
    results = folder / "applied" / "a b-00000000"
    results.mkdir(parents=True)
    keys = ("onset_s", "offset_s", "label", "confidence", "low_hz", "high_hz")
    about = {
        "recording": SOUND,
        "recording_sha256": "0",
        "model_sha256": "0",
        "events": [dict(zip(keys, event, strict=True)) for event in EVENTS],
    }
    (results / "about.json").write_text(json.dumps(about), encoding="utf-8")
    _convert(folder / "applied", "--to", "desed", "--out", folder / "times")
    for target in ("audacity", "raven", "label_studio"):
        _convert(folder / "applied", "--to", target, "--out", folder / target)
    # Without confidence and frequencies: people's labels.
    _convert(folder / "times", "--to", "audacity", "--out", folder / "audacity_times")
    _convert(folder / "times", "--to", "label_studio", "--out", folder / "label_studio_times")


def _convert(*arguments):
    subprocess.run(
        [sys.executable, "-m", "tfseg.cli", "convert", *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY / "workflow_scripts")},
        check=True,
        stdout=subprocess.DEVNULL,
    )


def _read(folder):
    """Read all files with the other libraries: name of the reader to the events."""
    import crowsetta
    from label_studio_sdk.converter import Converter
    from label_studio_sdk.label_interface import LabelInterface

    found = {}
    for name, reader, file in (
        ("crowsetta, Audacity with frequencies", crowsetta.formats.bbox.AudBBox, "audacity"),
        ("crowsetta, Raven", crowsetta.formats.bbox.Raven, "raven"),
    ):
        boxes = reader.from_file(folder / file / f"{SOUND}.txt").to_bbox()
        found[name] = [(b.onset, b.offset, b.label, b.low_freq, b.high_freq) for b in boxes]
    track = crowsetta.formats.seq.AudSeq.from_file(folder / "audacity_times" / f"{SOUND}.txt")
    # Not its to_seq, which rounds to milliseconds.
    starts, ends = track.start_times.tolist(), track.end_times.tolist()
    found["crowsetta, Audacity"] = list(zip(starts, ends, track.labels.tolist(), strict=True))

    project = folder / "label_studio"
    interface = LabelInterface((project / "label_config.xml").read_text(encoding="utf-8"))
    interface.validate()
    (task,) = json.loads((project / "tasks.json").read_text(encoding="utf-8"))
    # Its validate_task cannot take tasks with predictions (2.1.2): it is done in two steps here.
    assert interface.validate_task({"data": task["data"]})
    (prediction,) = task["predictions"]
    faults = interface.validate_prediction(prediction, return_errors=True)
    assert not faults, faults
    found["label-studio-sdk, pre-annotations"] = [
        (r["value"]["start"], r["value"]["end"], *r["value"]["labels"], r["score"])
        for r in prediction["result"]
    ]

    project = folder / "label_studio_times"
    tasks = json.loads((project / "tasks.json").read_text(encoding="utf-8"))
    # The server numbers tasks and annotations when they are imported.
    for number, task in enumerate(tasks, start=1):
        task["id"] = task["annotations"][0]["id"] = number
    (project / "export.json").write_text(json.dumps(tasks), encoding="utf-8")
    config = (project / "label_config.xml").read_text(encoding="utf-8")
    Converter(config, str(project)).convert_to_json_min(
        str(project / "export.json"), str(folder / "minimal"), is_dir=False
    )
    (minimal,) = json.loads((folder / "minimal/result.json").read_text(encoding="utf-8"))
    found["label-studio-sdk, JSON-MIN of its converter"] = [
        (value["start"], value["end"], *value["labels"]) for value in minimal["label"]
    ]
    return found


def _expected(reader):
    """What a reader must find: the events, as far as its format holds them."""
    kept = {
        "crowsetta, Audacity with frequencies": (0, 1, 2, 4, 5),
        "crowsetta, Raven": (0, 1, 2, 4, 5),
        "label-studio-sdk, pre-annotations": (0, 1, 2, 3),
    }.get(reader, (0, 1, 2))
    return [[event[i] for i in kept] for event in EVENTS]


def main(packages):
    """Write, read back, compare; print a line for each reader."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        _write(folder)
        text = subprocess.run(
            [sys.executable, __file__, "--read", str(folder)],
            env={**os.environ, "PYTHONPATH": str(packages)},
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        ).stdout
        versions, found = json.loads(text.splitlines()[-1])
        _convert(folder / "minimal", "--to", "desed", "--out", folder / "back")
        same = (folder / "back/events.tsv").read_bytes() == (
            folder / "times/events.tsv"
        ).read_bytes()
    print(", ".join(f"{name} {version}" for name, version in versions.items()))
    right = {reader: events == _expected(reader) for reader, events in found.items()}
    right["tfseg, that JSON-MIN"] = same
    for reader, is_right in right.items():
        print(f"{reader}: {'as written' if is_right else f'NOT as written: {found.get(reader)}'}")
    return 0 if all(right.values()) else 1


if __name__ == "__main__":
    if sys.argv[1] == "--read":
        NAMES = ("crowsetta", "label-studio-sdk", "pandas", "numpy")
        VERSIONS = {name: importlib.metadata.version(name) for name in NAMES}
        print(json.dumps([VERSIONS, _read(Path(sys.argv[2]))]))
    else:
        sys.exit(main(sys.argv[1]))
