import pytest

from tfseg.errors import ConfigError
from tfseg.settings.checks import check_config
from tfseg.settings.renamed import RENAMED
from tfseg.settings.schema import config_schema


def _has(node, dotted):
    for key in dotted.split("."):
        if key not in node.get("properties", {}):
            return False
        node = node["properties"][key]
    return True


@pytest.mark.parametrize(("old", "new"), RENAMED.items())
def test_a_new_name_is_a_key_and_an_old_one_is_none(old, new):
    schema = config_schema()
    assert _has(schema, new)
    assert not _has(schema, old)


@pytest.mark.parametrize(("old", "new"), RENAMED.items())
def test_an_old_name_is_refused_with_the_new_one(full_config, old, new):
    *parents, last = old.split(".")
    section = full_config
    for key in parents:
        section = section[key]
    section[last] = []
    with pytest.raises(ConfigError) as caught:
        check_config(full_config)
    assert str(caught.value) == f"config key {old}: expected its new name, {new}"


def test_collages_are_soundscapes():
    assert RENAMED["collages"] == "soundscapes"


def test_a_section_with_the_old_name_inside_is_no_renamed_key(full_config):
    full_config["mixing"]["collages"] = []
    with pytest.raises(ConfigError, match=r"config key mixing\.collages: .*expected one of"):
        check_config(full_config)
