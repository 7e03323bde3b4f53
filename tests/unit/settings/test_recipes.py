import copy

import pytest

from tfseg.errors import ConfigError
from tfseg.settings.checks import check_config
from tfseg.settings.recipes import find_recipe, merged


def _with(full_config, **variants):
    config = copy.deepcopy(full_config)
    config["variants"] = variants
    config["systems"] = ["gwrp", *variants]
    return config


def test_a_registered_system_has_the_experiments_recipe(full_config):
    recipe = find_recipe(full_config, "gwrp")
    assert (recipe.name, recipe.network, recipe.teacher) == ("gwrp", "gwrp", None)
    for section in ("trunk", "pooling", "training"):
        assert getattr(recipe, section) == full_config[section]
    assert recipe.facts.has_masks


def test_a_variant_changes_what_it_names_and_nothing_else(full_config):
    config = _with(
        full_config,
        mine={
            "system": "power",
            "trunk": {"kind": "unet"},
            "training": {"augmentation": {"mixup": 0.5}, "iterations": 7},
        },
    )
    recipe = find_recipe(config, "mine")
    assert (recipe.name, recipe.network) == ("mine", "power")
    assert recipe.trunk == config["trunk"] | {"kind": "unet"}
    expected = copy.deepcopy(config["training"])
    expected["augmentation"]["mixup"], expected["iterations"] = 0.5, 7
    assert recipe.training == expected
    assert find_recipe(config, "gwrp").training["iterations"] == config["training"]["iterations"]
    check_config(config)


def test_laying_over_leaves_both_sides_alone():
    defaults, changes = {"a": {"b": 1, "c": [1]}}, {"a": {"c": [2]}}
    result = merged(defaults, changes)
    assert result == {"a": {"b": 1, "c": [2]}}
    result["a"]["c"].append(3)
    assert (defaults, changes) == ({"a": {"b": 1, "c": [1]}}, {"a": {"c": [2]}})


@pytest.mark.parametrize(
    ("variant", "message"),
    [
        (
            {"system": "gwpr"},
            r"variants.mine.system: did you mean 'gwrp'\? expected one of .*found 'gwpr'",
        ),
        ({"system": "mine"}, r"variants.mine.system: a variant builds on .*found 'mine'"),
        ({"system": "dnn", "trunk": {"kind": "unet"}}, r"variants.mine.trunk: expected none"),
        (
            {"system": "gwrp", "pooling": {"power": {"exponent": 2.0}}},
            r"variants.mine.pooling.power: expected gwrp's own pooling",
        ),
        ({"system": "gwrp", "training": {"kinds": ["scene"]}}, r"a list with 'mixture' in it"),
        ({}, r"variants.mine.system: expected, not found"),
        (
            {"system": "gwrp", "training": {"iterations": 0}},
            r"variants.mine.training.iterations: expected at least 1, found 0",
        ),
        (
            {"system": "gwrp", "training": {"augmentation": {"mixup": 2}}},
            r"variants.mine.training.augmentation.mixup: expected at most 1",
        ),
        (
            {"system": "gwrp", "trunk": {"unet": {"width": [1]}}},
            r"variants.mine.trunk.unet.width: did you mean 'widths'",
        ),
        ({"system": "gwrp", "mixing": {}}, r"variants.mine.mixing: .*expected one of"),
        (
            {"system": "gwrp", "training": {"kinds": ["mixture", "scene"]}},
            r"variants.mine.training.kinds: expected kinds of mixing.kinds .*found 'scene'",
        ),
        (
            {"system": "gwrp", "training": {"excerpt_s": 0.001}},
            r"variants.mine.training.excerpt_s: expected at least one window",
        ),
        ({"system": "gwrp", "teacher": "gap"}, r"variants.mine.teacher: expected one of systems"),
        ({"system": "gwrp", "teacher": "mine"}, r"variants.mine.teacher: .*a circle: mine"),
    ],
)
def test_a_variant_that_cannot_be_is_refused(full_config, variant, message):
    with pytest.raises(ConfigError, match=message):
        check_config(_with(full_config, mine=variant))


@pytest.mark.parametrize("name", ["gwrp", "ibm", "no_separation"])
def test_a_name_that_is_taken_is_refused(full_config, name):
    config = copy.deepcopy(full_config)
    config["variants"] = {name: {"system": "gap"}}
    with pytest.raises(ConfigError, match=f"{name}: expected another name"):
        check_config(config)


def test_a_circle_of_teachers_is_refused(full_config):
    config = _with(
        full_config,
        one={"system": "gwrp", "teacher": "two"},
        two={"system": "gwrp", "teacher": "one"},
    )
    with pytest.raises(ConfigError, match=r"variants.one.teacher: .*a circle"):
        check_config(config)


def test_a_system_without_masks_neither_teaches_nor_is_taught(full_config):
    config = _with(full_config, taught={"system": "dnn", "teacher": "gwrp"})
    with pytest.raises(ConfigError, match=r"variants.taught.teacher: .*taught without masks"):
        check_config(config)


def test_a_system_that_is_no_variant_and_not_registered_is_refused(full_config):
    config = copy.deepcopy(full_config) | {"systems": ["mine"]}
    with pytest.raises(ConfigError, match=r"systems\[0\]: expected one of gmp, .*found 'mine'"):
        check_config(config)
