import copy
import re
import shutil

import pytest

from tfseg.inference import events
from tfseg.settings import detection_keys, generate
from tfseg.settings.schema import config_schema, keys_of


@pytest.fixture(scope="module")
def schema():
    return config_schema()


@pytest.mark.parametrize("name", [generate.SCHEMA, generate.DOCS, generate.DETECTION_KEYS])
def test_what_is_committed_is_what_the_sections_say(repository, name):
    committed = (repository / name).read_text(encoding="utf-8")
    differs = generate.difference(name, committed, generate.generated(repository)[name])
    assert not differs, f"run `make settings`:\n{differs}"


def test_config_yaml_has_the_declared_defaults(full_config):
    differs = generate.config_difference(full_config)
    assert not differs, f"edit config.yaml or the section's file:\n{differs}"


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda config: config["training"].update(iterations=9), "-  iterations: 9"),
        (lambda config: config["split"].pop("by"), "+  by: file"),
        (lambda config: config.update(more=1), "-more: 1"),
    ],
)
def test_another_default_in_config_yaml_is_shown(full_config, change, line):
    changed = copy.deepcopy(full_config)
    change(changed)
    assert line in generate.config_difference(changed).splitlines()


def test_a_file_that_was_edited_by_hand_is_shown(repository, tmp_path):
    (tmp_path / "docs/reference").mkdir(parents=True)
    shutil.copy(repository / generate.DOCS, tmp_path / generate.DOCS)
    page = tmp_path / generate.DOCS
    text = page.read_text(encoding="utf-8")
    page.write_text(text.replace("| `seed` | `1234` |", "| `seed` | `1235` |"), "utf-8")
    assert page.read_text(encoding="utf-8") != text
    wanted = generate.generated(tmp_path)[generate.DOCS]
    assert wanted == text  # the page around the table stays
    differs = generate.difference(generate.DOCS, page.read_text(encoding="utf-8"), wanted)
    assert sum(line.startswith("-| `seed`") for line in differs.splitlines()) == 1


def test_the_table_has_a_row_for_each_key_and_the_keys_of_entries(schema):
    text = generate.keys_table(schema)
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    keys = [row.split("`")[1] for row in rows]
    assert len(keys) == len(set(keys))
    assert {key for key, _ in keys_of(schema)} < set(keys)
    assert {"soundscapes[].channels", "variants.NAME.teacher"} <= set(keys)
    headings = re.findall(r"^### (.*)$", text, re.MULTILINE)
    assert len(headings) == len(set(headings))
    # A pipe inside a cell would be one more column.
    assert {row.replace("\\|", "").count("|") for row in rows} == {5}


@pytest.mark.parametrize(
    ("key", "default", "kind"),
    [
        ("features.sample_rate", "`32000` Hz", "integer, ≥ 1000, ≤ 1000000"),
        ("compare_with", "`tfseg2019`", "one of: `tfseg2019`, `jsc2018`, `null`"),
        ("training.excerpt_s", "`null` s", "number or null, > 0, ≤ 86400"),
        (
            "trunk.unet.widths",
            None,
            "list of integers, 2 to 8 items, each ≥ 1",
        ),
        ("corpus.classes", "41 names: `config.yaml`", None),
        ("variants", "`unet`: `config.yaml`", "sections by name"),
        ("data_root", "`data`", "text, not empty, a path"),
    ],
)
def test_a_row_says_type_default_range_and_unit(schema, key, default, kind):
    (row,) = [r for r in generate.keys_table(schema).splitlines() if r.startswith(f"| `{key}` |")]
    cells = [cell.strip() for cell in row.split(" | ")[1:3]]
    for cell, expected in zip(cells, (default, kind), strict=True):
        assert cell == expected or expected is None


def test_events_and_thresholds_have_the_defaults_of_the_config(full_config):
    declared = full_config["metrics"] | full_config["postprocessing"]
    assert detection_keys.DEFAULTS.items() <= declared.items()
    settings = events.EventSettings(0.2, 0.1, 10, 10)
    assert vars(settings).items() <= declared.items()
    assert {events.HYSTERESIS, events.CHANGE_POINTS} == set(
        detection_keys.LIMITS["candidates"]["enum"]
    )


def test_the_command_writes_what_differs_and_says_where_config_yaml_does(
    repository, tmp_path, monkeypatch, capsys
):
    for name in (generate.SCHEMA, generate.DOCS, generate.DETECTION_KEYS, generate.CONFIG):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(repository / name, tmp_path / name)
    (tmp_path / generate.SCHEMA).unlink()
    monkeypatch.setattr(generate, "_REPOSITORY", tmp_path)
    generate.main()
    assert capsys.readouterr().out == f"wrote {generate.SCHEMA}\n"
    assert (tmp_path / generate.SCHEMA).read_bytes() == (repository / generate.SCHEMA).read_bytes()
    config = tmp_path / generate.CONFIG
    config.write_text(config.read_text().replace("seed: 1234", "seed: 4321"))
    with pytest.raises(SystemExit, match=r"-seed: 4321\n\+seed: 1234"):
        generate.main()
