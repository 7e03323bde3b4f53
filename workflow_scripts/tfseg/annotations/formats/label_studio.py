"""Label Studio: exports as JSON and JSON-MIN, and projects of recordings with labels.

A region of an audio task has ``start`` and ``end`` (s) and ``labels``. Annotations are people's
work; predictions are shown to them as a start, with a ``score`` for each region.
"""

import json
import os
import re
from pathlib import Path
from urllib.parse import parse_qs, quote, unquote, urlsplit
from xml.sax.saxutils import quoteattr

import jsonschema

from tfseg.annotations.recording import Event, Recording
from tfseg.io.sound_files import OTHER_ENDINGS, READ_ENDINGS

DECLARATION = {
    "summary": "JSON, a list of tasks with data and annotations or predictions, or JSON-MIN (Label "
    "Studio)",
    "carries": ["times", "empty", "confidence"],
    "order": 6,
}
_NAME, _SOUND, _LABELS = "recording", "audio", "label"  # of a task's data, and of the control
_SERVED = "/data/local-files/?d="
_UPLOADED = re.compile(r"/?data/upload/(?:[0-9]+/)?(?:[0-9a-f]{8}-)?")
_SKIPPED = "left out, skipped by the annotator"
_NOT_DONE = "left out, not annotated yet"
_EARLIER = "left out, annotated more than once: the latest annotation counts"


# What is looked at in tasks; the rest of them is Label Studio's own affair.
_REGION = {
    "type": "object",
    "required": ["value"],
    "properties": {"value": {"type": "object"}, "score": {"type": ["number", "null"]}},
}
_RESULTS = {
    "type": ["array", "null"],
    "items": {
        "type": "object",
        "required": ["result"],
        "properties": {"result": {"type": ["array", "null"], "items": _REGION}},
    },
}
_VALIDATOR = jsonschema.Draft202012Validator(
    {"properties": dict.fromkeys(["annotations", "completions", "predictions"], _RESULTS)}
)


def _told(error):
    """Say what is wrong in a task, and where."""
    expected = " or ".join(
        [error.validator_value] if isinstance(error.validator_value, str) else error.validator_value
    )
    return f"{error.json_path}: expected {expected}, found {str(error.instance)[:80]}"


def recognise(source):
    """Whether it is a JSON list of tasks that name a sound."""
    tasks = source.value
    return bool(isinstance(tasks, list) and tasks and all(map(_is_task, tasks)))


def _is_task(task):
    if not isinstance(task, dict):
        return False
    data = task.get("data", task)
    return isinstance(data, dict) and _recording_of(data) is not None


def read(source):
    """Read the labels of all tasks.

    Of several annotations of a task the latest counts. Predictions are read where no task of the
    file has an annotation: they are what an export holds besides, where one has.
    """
    tasks = source.value
    read_task = _of_export if any("data" in task for task in tasks) else _of_minimal
    found: dict[str, tuple] = {}
    use_predictions = not any(_annotations(task) or "annotation_id" in task for task in tasks)
    for number, task in enumerate(tasks, start=1):
        name = _recording_of(task.get("data", task))
        where = f"{source.path}, task {task.get('id', number)}"
        faults = [_told(error) for error in _VALIDATOR.iter_errors(task)]
        source.faults += [f"{where}: {fault}" for fault in faults]
        if faults:
            continue
        result, why_not = read_task(task, use_predictions)
        if why_not:
            source.notes.append((why_not, name))
            continue
        if len(_annotations(task)) > 1:
            source.notes.append((_EARLIER, name))
        at = str(result.get("updated_at") or result.get("created_at") or "")
        if name in found:
            source.notes.append((_EARLIER, name))
            if at < found[name][0]:
                continue
        recording = Recording(name, predicted=use_predictions, where=where)
        for region in result["result"] or []:
            _take(source, region, recording)
        found[name] = at, recording
    return [recording for _, recording in found.values()]


def _annotations(task):
    return task.get("annotations") or task.get("completions") or []


def _of_export(task, use_predictions):
    """Pick the annotation of a task that counts, or say why none does."""
    if use_predictions:
        predictions = task.get("predictions")
        return (predictions[-1], None) if predictions else (None, _NOT_DONE)
    annotations = _annotations(task)
    if not annotations:
        return None, _NOT_DONE
    done = [a for a in annotations if not (a.get("was_cancelled") or a.get("skipped"))]
    if not done:
        return None, _SKIPPED
    return max(
        reversed(done), key=lambda a: str(a.get("updated_at") or a.get("created_at") or "")
    ), None


def _of_minimal(task, use_predictions):
    """Bring a task of JSON-MIN, which has the values of its regions alone, into the longer form."""
    del use_predictions  # it has none
    if task.get("annotation_id", 0) is None:
        return None, _NOT_DONE
    regions = [
        {"type": "labels", "value": value}
        for values in task.values()
        if isinstance(values, list)
        for value in values
        if isinstance(value, dict) and "start" in value
    ]
    return {**task, "result": regions}, None


def _take(source, region, recording):
    """Take the events of a region: one for each of its labels."""
    value = region.get("value", {})
    if region.get("type") != "labels" or not {"start", "end"} <= value.keys():
        source.notes.append((f"left out, a region of type {region.get('type')!r}", recording.name))
        return
    labels, times = value.get("labels") or [], (value["start"], value["end"])
    if (
        not labels
        or not all(type(time) in (int, float) for time in times)
        or not all(isinstance(label, str) for label in labels)
    ):
        source.faults.append(
            f"{recording.where}: expected start and end in seconds and a label of each region, found "
            f"{value}"
        )
        return
    confidence = region.get("score") if recording.predicted else None
    recording.events += [
        Event(*times, label, confidence, where=recording.where) for label in labels
    ]


def _recording_of(data):
    """Name of the recording of a task's data; None where it names none."""
    if isinstance(data.get(_NAME), str):
        return data[_NAME]
    texts = {key: text for key, text in data.items() if isinstance(text, str)}
    for text in [texts.get(_SOUND), *texts.values()]:
        name = None if text is None else _path_of(text)
        if name and Path(name).suffix.lower() in READ_ENDINGS | OTHER_ENDINGS:
            return name
    return None


def _path_of(address):
    """Path that an address of a sound means, without what Label Studio puts before it."""
    served = parse_qs(urlsplit(address).query).get("d")
    if served:
        return served[0]
    upload = _UPLOADED.match(address)
    if upload:
        return unquote(address[upload.end() :])
    return unquote(urlsplit(address).path) if "://" in address else address


def write(recordings, folder):
    """``label_config.xml`` and ``tasks.json``, for Label Studio's local files.

    What a model found becomes a prediction, what people said an annotation.
    """
    labels = sorted({label for r in recordings for label in (*r.classes, *r.labels)})
    values = "".join(f"    <Label value={quoteattr(label)}/>\n" for label in labels)
    config = (
        f'<View>\n  <Header value="${_NAME}"/>\n  <Labels name="{_LABELS}" toName="{_SOUND}">\n'
        f'{values}  </Labels>\n  <Audio name="{_SOUND}" value="${_SOUND}"/>\n</View>\n'
    )
    tasks = json.dumps([_task(r) for r in recordings], indent=2, ensure_ascii=False)
    return {folder / "label_config.xml": config, folder / "tasks.json": f"{tasks}\n"}


def _task(recording):
    result = [
        {
            "id": f"event{number}",
            "type": "labels",
            "from_name": _LABELS,
            "to_name": _SOUND,
            "value": {
                "start": event.onset_s,
                "end": event.offset_s,
                "channel": 0,
                "labels": [event.label],
            },
        }
        | ({} if event.confidence is None else {"score": event.confidence})
        for number, event in enumerate(recording.events, start=1)
    ]
    path = recording.path or recording.name
    address = os.path.abspath(path) if os.path.exists(path) else recording.name
    data = {_SOUND: _SERVED + quote(address.lstrip("/")), _NAME: recording.name}
    if not recording.predicted:
        return {"data": data, "annotations": [{"result": result}]}
    found: dict = {"model_version": "tfseg", "result": result}
    known = [event.confidence for event in recording.events if event.confidence is not None]
    if known:
        found["score"] = min(known)  # of a task: tasks are sorted by it, the least certain first
    return {"data": data, "predictions": [found]}
