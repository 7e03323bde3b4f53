import copy
import json
import re
from pathlib import Path

import pytest
import yaml

from tfseg.datasets.instruments import INSTRUMENTS
from tfseg.errors import ConfigError
from tfseg.settings.checks import check_config
from tfseg.settings.comparing import changed_keys, sorted_keys

CONFIG = yaml.safe_load((Path(__file__).parents[3] / "config.yaml").read_text(encoding="utf-8"))

SOUNDSCAPE = {
    "name": "street.wav",
    "duration_s": 30.0,
    "snr_db": 10,
    "sample_rate": 32000,
    "channels": 1,
}


def _paths(value, prefix=()):
    """Paths of all keys, of dictionaries and of leaves."""
    for key, inner in value.items():
        yield (*prefix, key)
        if isinstance(inner, dict):
            yield from _paths(inner, (*prefix, key))


# Variants have names chosen by the user, and only keys that differ: test_recipes.
PATHS = [path for path in _paths(CONFIG) if path[0] != "variants" or len(path) == 1]


def _parent(config, dotted):
    *parents, last = dotted.split(".")
    for key in parents:
        config = config[key]
    return config, last


def _changed(config, dotted, value):
    config = copy.deepcopy(config)
    parent, last = _parent(config, dotted)
    parent[last] = value
    return config


def _message(config):
    with pytest.raises(ConfigError) as caught:
        check_config(config)
    return str(caught.value)


def test_the_full_experiment_and_the_miniature_pass(full_config, mini_config):
    assert mini_config["run"] == "mini" != full_config["run"]
    check_config(full_config)
    check_config(mini_config)


def test_checking_changes_nothing(full_config):
    before = copy.deepcopy(full_config)
    check_config(full_config)
    assert full_config == before


def test_every_embedded_class_may_be_asked_for(mini_config):
    mini_config["corpus"]["classes"] = list(INSTRUMENTS)
    check_config(mini_config)


@pytest.mark.parametrize("path", PATHS, ids=".".join)
def test_every_missing_key_is_named(full_config, path):
    parent, last = _parent(full_config, ".".join(path))
    del parent[last]
    assert _message(full_config) == f"config key {'.'.join(path)}: expected, not found"


def test_every_missing_key_is_named_once(full_config):
    del full_config["training"]["threads"]
    del full_config["training"]["iterations"]
    assert sorted(_message(full_config).splitlines()) == [
        "config key training.iterations: expected, not found",
        "config key training.threads: expected, not found",
    ]


@pytest.mark.parametrize("path", PATHS, ids=".".join)
def test_a_misspelt_key_is_named_with_the_right_one(full_config, path):
    parent, last = _parent(full_config, ".".join(path))
    parent[last + "x"] = parent[last]
    expected = f"config key {'.'.join(path)}x: did you mean {last!r}? expected one of "
    message = _message(full_config)
    assert message.startswith(expected)
    assert "\n" not in message


def test_a_key_like_no_other_gets_the_list_and_no_guess(full_config):
    full_config["trunk"]["transformer"] = {}
    assert _message(full_config) == (
        "config key trunk.transformer: expected one of kind, vgg, unet, dilated, near_far, "
        "luunet, background, share_energy"
    )


def test_a_key_that_is_not_text_is_named(full_config):
    full_config["mixing"][5] = 1  # YAML reads `5: 1` so
    assert "config key mixing.5" in _message(full_config)


@pytest.mark.parametrize("path", PATHS, ids=".".join)
def test_every_key_refuses_a_value_of_no_use(full_config, path):
    dotted = ".".join(path)
    message = _message(_changed(full_config, dotted, {"nothing": ["of", "use"]}))
    assert message.startswith(f"config key {dotted}")
    assert "expected" in message


@pytest.mark.parametrize(
    ("dotted", "value", "message"),
    [
        ("seed", "1234", "config key seed: expected a value of type integer, found '1234' (text)"),
        ("seed", -1, "config key seed: expected at least 0, found -1 (int)"),
        (
            "seed",
            True,
            "config key seed: expected a value of type integer, found True (true/false)",
        ),
        ("repeats", 0, "config key repeats: expected at least 1, found 0 (int)"),
        (
            "data_root",
            "",
            "config key data_root: expected a text that is not empty, found '' (text)",
        ),
        (
            "run",
            "a b",
            "config key run: expected a folder's name of the letters .*, found 'a b' (text)",
        ),
        (
            "run",
            "../x",
            "config key run: expected a folder's name of the letters .*, found '../x' (text)",
        ),
        ("run", None, "config key run: expected a value of type string, found None (null)"),
        (
            "model",
            "a/{b}",
            "config key model: expected a path without { and }, .* found 'a/{b}' (text)",
        ),
        ("recordings", [], "config key recordings: expected at least 1 item(s), found [] (list)"),
        (
            "model",
            "a/{b}",
            "config key model: expected a path without { and }, .* found 'a/{b}' (text)",
        ),
        ("recordings", [], "config key recordings: expected at least 1 item(s), found [] (list)"),
        (
            "compare_with",
            "x",
            "config key compare_with: expected one of tfseg2019, jsc2018, null, found 'x'",
        ),
        (
            "corpus.kind",
            "esc",
            "config key corpus.kind: expected one of clips, dcase2018, embedded, esc50, folders, tut_rare2017, found",
        ),
        ("corpus.classes", ["a"], "config key corpus.classes: expected at least 2 item(s), found"),
        (
            "corpus.classes",
            ["a", "a"],
            "config key corpus.classes: expected every item once, found",
        ),
        (
            "corpus.classes",
            ["a", "b/c"],
            "config key corpus.classes[1]: expected a name of letters of any script, digits, _ and -",
        ),
        (
            "corpus.embedded.part",
            "test",
            "config key corpus.embedded.part: expected one of demo, dev",
        ),
        ("split.folds", 1, "config key split.folds: expected at least 2, found 1 (int)"),
        (
            "postprocessing.candidates",
            "boxes",
            "config key postprocessing.candidates: expected one of hysteresis",
        ),
        (
            "postprocessing.median_frames",
            4,
            "config key postprocessing.median_frames: expected an odd number, found 4",
        ),
        (
            "postprocessing.tune",
            True,
            "config key postprocessing.tune: expected false without validation clips",
        ),
        ("split.validation", 1, "config key split.validation: expected less than 1, found 1 (int)"),
        ("split.folds", 2.5, "config key split.folds: expected a value of type integer, found 2.5"),
        (
            "split.kind",
            "none",
            "config key split.kind: expected one of folds, fixed, found 'none' (text)",
        ),
        (
            "mixing.snr_db",
            ["20"],
            "config key mixing.snr_db[0]: expected a value of type number, fou",
        ),
        ("mixing.snr_db", 20, "config key mixing.snr_db: expected a value of type array, found 20"),
        ("mixing.snr_db", [], "config key mixing.snr_db: expected at least 1 item(s), found []"),
        (
            "mixing.snr_db",
            [0, -61],
            "config key mixing.snr_db[1]: expected at least -60, found -61",
        ),
        (
            "mixing.onsets_s",
            "anywhere",
            "config key mixing.onsets_s: expected a list of times, centre or random, found 'anywhere'",
        ),
        (
            "mixing.events_per_mixture",
            [1, 2, 3],
            "config key mixing.events_per_mixture: expected at most 2 item(s), found [1, 2, 3]",
        ),
        ("mixing.events_per_mixture", 0, "config key mixing.events_per_mixture: expected at least"),
        ("mixing.overlap", 1, "config key mixing.overlap: expected a value of type boolean"),
        ("mixing.duration_s", 0, "config key mixing.duration_s: expected more than 0, found 0"),
        ("mixing.snr_on", "clip", "config key mixing.snr_on: expected one of file, segment, found"),
        (
            "mixing.resampler",
            "sinc",
            "config key mixing.resampler: expected one of soxr_hq, soxr_v",
        ),
        ("features.hop_length", 0, "config key features.hop_length: expected at least 1, found 0"),
        (
            "features.log_offset",
            0.0,
            "config key features.log_offset: expected more than 0, found 0",
        ),
        ("systems", [], "config key systems: expected at least 1 item(s), found []"),
        (
            "trunk.vgg.widths",
            [8, 0],
            "config key trunk.vgg.widths[1]: expected at least 1, found 0",
        ),
        ("pooling.gwrp.r", 1.1, "config key pooling.gwrp.r: expected at most 1, found 1.1 (float)"),
        ("pooling.gwrp.r", -0.1, "config key pooling.gwrp.r: expected at least 0, found -0.1"),
        (
            "training.learning_rate",
            0,
            "config key training.learning_rate: expected more than 0, fo",
        ),
        (
            "metrics.tag_gate",
            "yes",
            "config key metrics.tag_gate: expected a value of type boolean",
        ),
        ("metrics.tag_gate", 1, "config key metrics.tag_gate: expected a value of type boolean"),
        (
            "metrics.tag_threshold",
            1.0,
            "config key metrics.tag_threshold: expected less than 1, fo",
        ),
        (
            "metrics.error_rate",
            "er",
            "config key metrics.error_rate: expected one of class_wise, ov",
        ),
        (
            "intervals.resamples",
            9,
            "config key intervals.resamples: expected at least 100, found 9",
        ),
        (
            "training",
            None,
            "config key training: expected a value of type object, found None (null)",
        ),
    ],
)
def test_a_wrong_value_gives_one_line_with_key_expected_and_found(
    full_config, dotted, value, message
):
    found = _message(_changed(full_config, dotted, value))
    assert "\n" not in found
    assert re.match(re.escape(message).replace(r"\.\*", ".*"), found), found


@pytest.mark.parametrize(
    ("dotted", "value", "message"),
    [
        (
            "systems",
            ["gap", "gwap"],
            "systems[1]: did you mean 'gap'? expected one of gmp, gap, gwrp, ",
        ),
        (
            "features.fmax_hz",
            16001,
            "features.fmax_hz: expected at most half of features.sample_rate (16000), found 16001",
        ),
        ("features.fmin_hz", 16000, "features.fmin_hz: expected less than features.fmax_hz"),
        ("mixing.duration_s", 0.063, "mixing.duration_s: expected at least one window (0.064 s)"),
        (
            "mixing.onsets_s",
            [0.5, 10.0],
            "mixing.onsets_s[1]: expected less than mixing.duration_s",
        ),
        (
            "mixing.events_per_mixture",
            [3, 2],
            "mixing.events_per_mixture[0]: expected at most the second number (2), found 3",
        ),
        ("postprocessing.low_threshold", 0.21, "postprocessing.low_threshold: expected at most "),
        ("tables.by_class_snr_db", 5, "tables.by_class_snr_db: expected one of mixing.snr_db"),
        (
            "comparison.reference",
            "gwap",
            "comparison.reference: expected one of systems (gmp, gap, gwrp), found 'gwap'",
        ),
        ("figures.snr_db", 5, "figures.snr_db: expected one of mixing.snr_db [20, 10, 0], found 5"),
        ("figures.fold", 5, "figures.fold: expected a fold that is held out, at most 4, found 5"),
    ],
)
def test_keys_that_do_not_fit_each_other_are_named(full_config, dotted, value, message):
    config = _changed(full_config, dotted, value)
    if dotted == "mixing.duration_s":
        config["mixing"]["onsets_s"] = [0.0]
    assert _message(config).startswith(f"config key {message}")
    assert "\n" not in _message(config)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"split.by": "corpus"},
            "split.by: expected a split .* corpus dcase2018 supports, found 'corpus'",
        ),
        ({"split.kind": "fixed"}, "split.kind: expected a split .*dcase2018.*found 'fixed'"),
        ({"corpus.kind": "esc50", "split.kind": "fixed"}, "split.kind: .*esc50"),
        (
            {"corpus.kind": "tut_rare2017", "split.kind": "fixed", "figures.fold": 2},
            "figures.fold: expected a fold that is held out, at most 1, found 2",
        ),
        (
            {"mixing.mixtures_per_fold": [5, 5, 5, 1], "split.validation": 0.1},
            r"mixing.mixtures_per_fold: expected at least 2 with split.validation .*found 1",
        ),
        (
            {"mixing.mixtures_per_fold": [5, 5, 5]},
            r"mixing.mixtures_per_fold: expected one number, or 4 .*found 3",
        ),
        ({"corpus.kind": "clips"}, "training.excerpt_s: expected a number of seconds"),
        ({"training.excerpt_s": 0.06}, "training.excerpt_s: expected at least one window"),
        (
            {"corpus.kind": "clips", "training.excerpt_s": 4, "soundscapes": [SOUNDSCAPE]},
            r"soundscapes: expected none with corpus\.kind clips, .*found 1; write soundscapes: \[\]",
        ),
    ],
)
def test_splits_and_clips_that_cannot_be_are_named(full_config, changes, message):
    for dotted, value in changes.items():
        full_config = _changed(full_config, dotted, value)
    assert re.match(f"config key {message}", _message(full_config))
    assert "\n" not in _message(full_config)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"training.terms.size": 0.1}, r"training\.terms\.size: expected 0 for dnn, .*found 0\.1"),
        ({"training.splice.share": 0.5}, r"training\.splice\.negatives: expected 0 for dnn"),
        (
            {"training.terms.reclassified": 1.0, "systems": ["gap"]},
            r"training\.terms\.reclassified: expected 0 for gap, or training\.average_weights",
        ),
        (
            {"training.splice.share": 0.5, "training.splice.agreement": 1.0, "systems": ["gap"]},
            r"training\.splice\.agreement: expected 0 for gap, or training\.average_weights",
        ),
        ({"training.splice.share": 0.5, "training.splice.negatives": 0.0}, None),
        ({"training.terms.reclassified": 1.0, "systems": ["unet"]}, None),
    ],
)
def test_terms_of_the_loss_need_masks_and_an_average(full_config, changes, message):
    for dotted, value in ({"systems": ["gap", "dnn"]} | changes).items():
        full_config = _changed(full_config, dotted, value)
    if message is None:
        check_config(full_config)
    else:
        assert re.match(f"config key {message}", _message(full_config))


@pytest.mark.parametrize(
    "changes",
    [
        {"corpus.kind": "tut_rare2017", "split.kind": "fixed", "mixing.mixtures_per_fold": [9, 30]},
        {"corpus.kind": "tut_rare2017", "split.by": "source"},
        {"corpus.kind": "esc50", "split.by": "corpus", "split.folds": 5},
        {
            "corpus.kind": "clips",
            "split.by": "corpus",
            "training.excerpt_s": 4,
            "figures.snr_db": 7,
        },
        {
            "corpus.kind": "folders",
            "corpus.classes": ["Türklingel", "car horn"],
            "soundscapes": [SOUNDSCAPE],
        },
    ],
)
def test_splits_that_a_corpus_has_pass(full_config, changes):
    for dotted, value in changes.items():
        full_config = _changed(full_config, dotted, value)
    check_config(full_config)


def test_events_that_do_not_fit_beside_each_other_are_named(full_config):
    mixing = full_config["mixing"]
    mixing["events_per_mixture"] = [1, 6]
    check_config(full_config)  # used with random onsets only
    mixing["onsets_s"] = "random"
    assert _message(full_config) == (
        "config key mixing.events_per_mixture: expected at most 5, the number of events of "
        "mixing.max_event_s (2.0) that fit into mixing.duration_s (10.0) without overlap "
        "(mixing.overlap: false), found 6"
    )
    check_config(_changed(full_config, "mixing.overlap", True))
    check_config(_changed(full_config, "mixing.events_per_mixture", [5, 5]))
    # Ten tenths are one, and events longer than a mixture are cut.
    mixing |= {"duration_s": 1.0, "max_event_s": 0.1, "events_per_mixture": 10}
    check_config(full_config)
    mixing |= {"max_event_s": 5.0, "events_per_mixture": 1}
    check_config(full_config)


@pytest.mark.parametrize("below", [[], ["mini"], ["esc50", "small"], ["jsc2018"]], ids=str)
def test_the_corrected_recipe_lies_over_other_experiments(experiment, below):
    published, corrected = experiment(*below), experiment(*below, "tfseg2019_corrected")
    check_config(corrected)
    changed = {key for key, *_ in changed_keys(published, corrected)}
    layout = {f"mixing.{key}" for key in ("onsets_s", "overlap", "scene_start", "snr_on")}
    assert changed <= {"run", "compare_with", "split.by"} | layout
    onsets_s = published["mixing"]["onsets_s"]
    n_events = 1 if onsets_s == "centre" else len(onsets_s)
    assert corrected["mixing"]["events_per_mixture"] == n_events  # as many as published


def test_values_on_the_edge_pass(full_config):
    full_config["features"]["fmax_hz"] = full_config["features"]["sample_rate"] / 2
    full_config["mixing"]["snr_db"] = [0, -60, 100, -2.5]
    full_config["mixing"]["onsets_s"] = [0, 9.99]
    full_config["postprocessing"]["low_threshold"] = 0.2
    full_config["pooling"]["gwrp"]["r"] = 1
    full_config["split"]["folds"] = 2
    full_config["figures"]["fold"] = 2
    check_config(full_config)


def test_a_class_that_the_embedded_corpus_lacks_is_named(mini_config):
    mini_config["corpus"]["classes"][1] = "Bark"
    message = _message(mini_config)
    assert message.startswith("config key corpus.classes[1]: expected a class of the embedded")
    assert message.endswith("found 'Bark'")
    assert "Cowbell" in message


def test_other_corpora_may_have_any_class(full_config):
    full_config["corpus"]["classes"] = ["Bark", "My_own-sound"]
    check_config(full_config)


def test_numbers_that_yaml_reads_as_text_come_with_a_hint(full_config):
    text = yaml.safe_load("rate: 1e-3")["rate"]
    assert text == "1e-3"  # the pitfall
    message = _message(_changed(full_config, "training.learning_rate", text))
    assert "found '1e-3' (text); write numbers without quotes, and 1e-3 as 1.0e-3" in message
    assert "\n" not in message


def test_text_that_is_no_number_comes_without_that_hint(full_config):
    message = _message(_changed(full_config, "training.learning_rate", "fast"))
    assert message.endswith("found 'fast' (text)")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize(
    "dotted", ["training.learning_rate", "features.fmax_hz", "metrics.collar_s"]
)
def test_a_number_that_is_not_finite_is_refused(full_config, dotted, value):
    # YAML writes them .nan and .inf; they pass every comparison, and fail hours later.
    assert _message(_changed(full_config, dotted, value)).startswith(
        f"config key {dotted}: expected"
    )


@pytest.mark.parametrize(
    ("dotted", "value"),
    [("mixing.shard_size", 2.5e2), ("features.window_length", 2048.0)],
)
def test_a_whole_number_written_with_a_point_is_refused(full_config, dotted, value):
    # JSON schema takes 2048.0 for an integer; range() and numpy do not.
    message = _message(_changed(full_config, dotted, value))
    assert message.startswith(f"config key {dotted}: expected a value of type integer")


def test_several_problems_are_reported_together(full_config):
    full_config["seed"] = "x"
    full_config["split"]["folds"] = 0
    full_config["mixing"]["snrdb"] = [3]
    lines = _message(full_config).splitlines()
    assert len(lines) == 3
    assert all(line.startswith("config key ") for line in lines)


@pytest.mark.parametrize("value", [None, [], "text", 3])
def test_something_else_than_a_dictionary_is_refused(value):
    assert "(top level): expected a value of type object" in _message(value)


def test_sorted_keys_orders_all_dictionaries_and_no_list():
    value = {"b": [{"z": 1, "y": 2}, 3, 1], "a": {"d": None, "c": {"f": 1, "e": 2}}}
    ordered = sorted_keys(value)
    assert ordered == value
    assert repr(ordered) == (
        "{'a': {'c': {'e': 2, 'f': 1}, 'd': None}, 'b': [{'y': 2, 'z': 1}, 3, 1]}"
    )
    assert list(value) == ["b", "a"]  # a copy


def test_sorted_keys_of_a_reordered_config_are_the_same(full_config):
    def reversed_keys(value):
        if isinstance(value, dict):
            return {k: reversed_keys(v) for k, v in reversed(value.items())}
        return value

    assert repr(reversed_keys(full_config)) != repr(full_config)
    assert repr(sorted_keys(reversed_keys(full_config))) == repr(sorted_keys(full_config))


def _patterns(node):
    """Every node of a schema that has a pattern."""
    if isinstance(node, list):
        return [found for item in node for found in _patterns(item)]
    if not isinstance(node, dict):
        return []
    of_inner = [found for item in node.values() for found in _patterns(item)]
    return of_inner + ([node] if isinstance(node.get("pattern"), str) else [])


def test_no_message_shows_a_regular_expression(repository):
    schema = json.loads((repository / "schemas/config.schema.json").read_text(encoding="utf-8"))
    found = _patterns(schema)
    assert len(found) > 8
    for node in found:
        assert node["in_words"] and "^" not in node["in_words"], node["pattern"]


@pytest.mark.parametrize(
    "label", ["Hühnerhabicht", "Hu\u0308hnerhabicht", "कुत्ता", "สุนัข", "鳥", "Dog 2", "hi-hat"]
)
def test_a_class_may_be_named_in_any_script(full_config, label):
    check_config(_changed(full_config, "corpus.classes", ["Bark", label]))


@pytest.mark.parametrize(
    "label",
    ["/m/06mb1", "Speech, man", "a.b", " a", "a ", "a  b", "\u0301a", "-a", "❤️", "a\u202eb"],
)
def test_what_no_name_of_a_class_may_hold_is_said_in_words(full_config, label):
    message = _message(_changed(full_config, "corpus.classes", ["Bark", label]))
    assert message.startswith("config key corpus.classes[1]: expected a name of letters of any")
    assert repr(label) in message


@pytest.mark.parametrize("dotted", ["data_root", "model", "reference"])
@pytest.mark.parametrize("path", ["~/recordings", "$HOME/recordings", "${HOME}/recordings", "a{b}"])
def test_a_path_that_only_a_shell_understands_is_refused(full_config, dotted, path):
    """Else a folder named ~ is made, and the downloads go there."""
    message = _message(_changed(full_config, dotted, path))
    assert message.startswith(
        f"config key {dotted}: expected a path without {{ and }}, and with ~ and"
    )


def test_classes_that_differ_in_their_normal_form_alone_are_named(full_config):
    classes = ["Hühnerhabicht", "Hu\u0308hnerhabicht"]
    message = _message(_changed(full_config, "corpus.classes", classes))
    assert message.startswith("config key corpus.classes[1]: expected every name once, found")
    assert message.endswith("in another normal form of Unicode than corpus.classes[0]")


@pytest.mark.parametrize(
    ("written", "kind"),
    [("2024_11_28", "a number"), ("007", "a number"), ("2024-11-28", "a date"),
     ("yes", "true or false"), ("off", "true or false")],
)  # fmt: skip
def test_a_name_that_yaml_takes_for_something_else_is_said(full_config, written, kind):
    for dotted, value in (("run", written), ("corpus.classes", f"[Bark, {written}]")):
        message = _message(_changed(full_config, dotted, yaml.safe_load(value)))
        assert f"; YAML takes it for {kind}: write it in quotes" in message
