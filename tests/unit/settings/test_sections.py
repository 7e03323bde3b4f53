import copy
import json
import subprocess
import sys

import pydantic
import pytest

from tfseg.datasets.corpora import find_corpora
from tfseg.settings.declared import SECTIONS_OF, with_declarations
from tfseg.settings.schema import config_schema, default_config, keys_of
from tfseg.settings.schema_errors import schema_errors
from tfseg.settings.sections.experiment import Experiment

SCHEMA = config_schema()
KEYS = dict(keys_of(SCHEMA))
# The others are declared by poolings, trunks, networks and corpora, which know no pydantic.
DECLARED = (*SECTIONS_OF, "corpus.kind", *(f"corpus.{kind}" for kind in find_corpora()))
OF_MODELS = {
    key: node
    for key, node in KEYS.items()
    if not f"{key}.".startswith(tuple(f"{d}." for d in DECLARED))
}
# The ending of a key gives its unit.
UNITS = {"_s": "s", "_hz": "Hz", "_db": "dB", "_frames": "frames"}


def _subsections(node, path=()):
    """Yield the path and the node of every section, the whole config among them."""
    yield path, node
    for key, inner in node["properties"].items():
        if "properties" in inner:
            yield from _subsections(inner, (*path, key))


def _nodes(value):
    """Yield all dictionaries inside a value."""
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value:
        if isinstance(inner, dict | list):
            yield from _nodes(inner)


def _changed(config, dotted, value):
    config = copy.deepcopy(config)
    *parents, last = dotted.split(".")
    inner = config
    for key in parents:
        inner = inner[key]
    inner[last] = value
    return config


@pytest.mark.parametrize("key", KEYS)
def test_every_key_says_what_it_is_in_one_line(key):
    node = KEYS[key]
    assert "default" in node
    assert ("enum" in node) != ("type" in node)
    assert 0 < len(node["description"]) < 100
    assert "\n" not in node["description"]


@pytest.mark.parametrize("key", KEYS)
def test_the_unit_of_a_key_is_the_one_that_its_name_ends_with(key):
    wanted = [unit for ending, unit in UNITS.items() if key.endswith(ending)]
    if wanted:
        assert KEYS[key]["unit"] == wanted[0]


def test_a_merged_config_has_every_key_of_every_section_and_no_other():
    sections = dict(_subsections(SCHEMA))
    assert {("download", "hosts"), ("trunk", "vgg"), ("training", "augmentation")} <= set(sections)
    for path, node in sections.items():
        assert node["required"] == list(node["properties"]), path
        assert node["additionalProperties"] is False, path


def test_nothing_in_the_schema_stands_elsewhere_or_has_alternatives():
    keywords = {keyword for node in _nodes(SCHEMA) for keyword in node}
    assert not keywords & {"$ref", "$defs", "anyOf", "oneOf", "allOf", "title"}


def test_alternatives_that_limit_a_value_in_two_ways_are_no_schema():
    from tfseg.settings.schema import _one_of

    branches = [{"type": "integer", "minimum": 1}, {"type": "number", "minimum": 0}]
    with pytest.raises(ValueError, match="minimum: two alternatives"):
        _one_of(branches)


def test_what_networks_declare_is_in_the_schema_and_is_put_there_again_without_change():
    assert {"trunk.unet.blocks", "pooling.gwrp.r", "baselines.dnn.widths"} <= set(KEYS)
    assert list(SCHEMA["properties"]["trunk"]["properties"]) == [
        "kind", "vgg", "unet", "dilated", "near_far", "luunet", "background", "share_energy"
    ]  # fmt: skip
    assert "gap" not in SCHEMA["properties"]["pooling"]["properties"]  # has no settings
    again = with_declarations(SCHEMA)
    assert again == SCHEMA
    assert again is not SCHEMA


def test_a_schema_from_before_a_pooling_was_added_or_removed_checks_what_there_is():
    old = copy.deepcopy(SCHEMA)
    poolings = old["properties"]["pooling"]["properties"]
    poolings["gone"] = poolings.pop("gwrp")
    old["properties"]["trunk"]["properties"]["kind"]["enum"] = ["vgg"]
    assert with_declarations(old) == SCHEMA


def test_the_defaults_are_a_copy():
    default_config(SCHEMA)["variants"].clear()
    assert default_config(SCHEMA)["variants"]


def _accepts(config):
    """Whether the models take a config."""
    try:
        Experiment.model_validate(config)
    except pydantic.ValidationError:
        return False
    return True


def test_the_models_take_their_own_defaults_and_the_experiments_that_stand_alone(
    repository, experiment
):
    defaults = default_config(SCHEMA)
    assert _accepts(defaults)
    own, all_of_them = Experiment().model_dump(), set(defaults)
    assert set(own) == all_of_them
    for kind in find_corpora():
        defaults["corpus"].pop(kind, None)
    for section in all_of_them - set(SECTIONS_OF):
        assert own[section] == defaults[section]
    names = sorted(path.stem for path in (repository / "experiments").glob("*.yaml"))
    taken = {name for name in names if _accepts(experiment(name))}
    assert taken == {name for name in names if not schema_errors(experiment(name))}
    # It lies over compare.yaml, and names only what differs from that.
    assert set(names) - taken == {"compare_mini"}
    assert len(taken) > 8


SPOILED = [
    None, True, "text", "5", "", "x" * 300, -1, 0, 1, 2, 0.5, 3.0, 1e300, -1e300, 2**31, 10**40,
    [], {}, [1], [1, 1], ["x"], ["mixture"], ["scene"], ["events", "mixture"], [["x"]], {"x": 1},
    [None, None], [0.1, 5], "centre", "https://x",
]  # fmt: skip


def test_the_models_and_the_schema_refuse_the_same(full_config, pytestconfig):
    # One is for users, the other for the check.
    assert not schema_errors(full_config)
    # Four milliseconds each: a quarter of the values for each key, another one for the next key.
    step = 1 if pytestconfig.getoption("--long") else 4
    tried = [(key, v) for index, key in enumerate(OF_MODELS) for v in SPOILED[index % step :: step]]
    refused = 0
    for key, value in tried:
        config = _changed(full_config, key, value)
        accepts = _accepts(config)
        assert accepts == (not schema_errors(config)), f"{key}: {value!r}, model: {accepts}"
        refused += not accepts
    assert len(OF_MODELS) < refused < len(tried)


def test_an_even_number_is_refused_where_an_odd_one_is_needed(full_config):
    for value in (2, 4, 10**6):
        config = _changed(full_config, "postprocessing.median_frames", value)
        (message,) = schema_errors(config)
        assert message.endswith(f"expected an odd number, found {value} (int)")
    # One message each: a value that is not a count is not also reported as even.
    for value in (0, -2, 2.0, "2"):
        assert len(schema_errors(_changed(full_config, "postprocessing.median_frames", value))) == 1


def test_a_name_of_a_variant_that_is_no_text_is_refused(full_config):
    full_config["variants"] = {5: {"system": "gap"}}
    assert schema_errors(full_config)[0].startswith("config key variants: expected a value of type")


def test_checking_a_config_needs_no_pydantic(repository, full_config):
    # Snakemake checks at every start, and each job of a cluster starts it anew.
    program = (
        "import json, sys\n"
        "from tfseg.settings.checks import check_config\n"
        "check_config(json.load(sys.stdin))\n"
        "print(*sys.modules)\n"
    )
    modules = subprocess.run(
        [sys.executable, "-c", program],
        input=json.dumps(full_config),
        env={"PYTHONPATH": str(repository / "workflow_scripts")},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert "jsonschema" in modules
    assert not {"pydantic", "pydantic_core", "torch", "pandas"} & set(modules)
