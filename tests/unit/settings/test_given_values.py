"""Values that YAML changes are noticed, on the command line of Snakemake and in files."""

import pytest
from snakemake.cli import parse_config

from tfseg.settings.given_values import changed_on_command_line, cut_paths


def messages(*words):
    values = [word for word in words if not word.startswith("-")]
    return changed_on_command_line(["snakemake", "apply", *words], parse_config(values))


@pytest.mark.parametrize(
    "value",
    ["field/site #2", "site: north", "2024", "1e3", "nan", "True", "- a.wav", " a.wav", "&x a.wav",
     "!x a.wav", "{a}", "'a.wav' #2"],
)  # fmt: skip
@pytest.mark.parametrize("key", ["recordings", "model", "run", "data_root", "reference"])
def test_a_text_that_yaml_changes_is_named_with_the_remedy(key, value):
    (message,) = messages("--config", f"{key}={value}")
    assert message.startswith(f"config key {key}: expected {value!r}, as the command says, found ")
    assert "--configfile" in message


@pytest.mark.parametrize(
    "value",
    ["field/site_2", "field/site#2", "my folder/a b.wav", "ü.wav", "caf\udc82.wav", "'quoted.wav'",
     "[a.wav, b.wav]", '["field/site #2"]', "a'b.wav", "", "2024-05-01", "on", "~", "*.wav"],
)  # fmt: skip
def test_what_stays_as_it_is_is_not_named(value):
    assert messages("--config", f"recordings={value}") == []


def test_the_remedy_keeps_the_value():
    assert parse_config(['recordings=["field/site #2"]']) == {"recordings": ["field/site #2"]}


def test_only_values_of_the_option_count_and_only_texts():
    assert messages("--config", "seed=2024", "figures={'fold': 2}") == []
    assert changed_on_command_line(["snakemake", "run=1e3", "--cores", "2"], {"run": "x"}) == []
    words = ["snakemake", "-C", "run=a #b", "model=c #d", "--cores", "2"]
    assert len(changed_on_command_line(words, {"run": "a", "model": "c"})) == 2
    assert len(changed_on_command_line(["snakemake", "--config=run=a #b"], {"run": "a"})) == 1


@pytest.mark.parametrize(
    ("text", "n"),
    [
        ("recordings: site #2\n", 1),
        ("recordings: [other, site]\n", 0),
        ("recordings:\n  - other\n  - site #2\n", 1),
        ("recordings: 'site #2'\n", 0),
        ("recordings: site  # the second\n", 0),
        ("recordings: other #2\n", 0),
        ("data_root: site #2\nrun: site #2\nseed: 3 #2\n", 2),
        ("", 0),
    ],
)
def test_a_path_in_a_file_that_yaml_cuts_is_named_where_it_is_there(tmp_path, monkeypatch, text, n):
    (tmp_path / "site #2").mkdir()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").write_text(text)
    found = cut_paths(["mine.yaml"])
    assert len(found) == n
    assert all("'site #2' is there. Write it in quotes" in message for message in found)
