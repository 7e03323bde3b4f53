"""Checking an experiment's configuration before anything runs."""

import difflib
import functools
import math
from pathlib import Path

import jsonschema
import yaml

from tfseg.datasets.corpora import declared_schema, find_corpora
from tfseg.errors import ConfigError
from tfseg.features.time_grid import TimeGrid
from tfseg.models.registry import NETWORKS, POOLINGS, TRUNKS, declarations, systems
from tfseg.run.recipes import SECTIONS, find_recipe
from tfseg.settings.validation import is_one_line

_LEAST_OFFSET = 1e-30
# Rows of tables that are no system (docs/files.md).
RESERVED_NAMES = ("no_separation", "ibm", "irm")
_ROUNDING = 1e-9  # 0.3 / 0.1 is below 3
_SCHEMA_PATH = Path(__file__).resolve().parents[3] / "schemas" / "config.schema.yaml"


# JSON takes 2000.0 for an integer; Python does not, and a count that arrives as a float breaks later.
_Validator = jsonschema.validators.extend(
    jsonschema.Draft202012Validator,
    type_checker=jsonschema.Draft202012Validator.TYPE_CHECKER.redefine(
        "integer", lambda _, value: isinstance(value, int) and not isinstance(value, bool)
    ),
)


def _dotted(path):
    return "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path).lstrip(".")


def _found(value):
    kind = {str: "text", bool: "true/false", type(None): "null"}.get(
        type(value), type(value).__name__
    )
    return f"{value!r} ({kind})"


def _number_hint(value):
    try:
        float(value)
    except (TypeError, ValueError):
        return ""
    return "; write numbers without quotes, and 1e-3 as 1.0e-3 (YAML 1.1 reads 1e-3 as text)"


def _guess(name, known):
    close = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {close[0]!r}? " if close else ""


def _unknown_key(path, known):
    hint = _guess(path[-1], known)
    return f"config key {_dotted(path)}: {hint}expected one of {', '.join(known) or 'none'}"


def _explain(error):
    """Turn one jsonschema error into: which key, what was expected, what was found."""
    key = _dotted(error.absolute_path) or "(top level)"
    value, rule = error.instance, error.validator_value
    if error.validator == "additionalProperties":
        known = list(error.schema["properties"])
        unknown = sorted(map(str, set(value) - set(known)))
        return [_unknown_key([*error.absolute_path, name], known) for name in unknown]
    if error.validator == "required":
        missing = [name for name in rule if name not in value]
        return [
            f"config key {_dotted([*error.absolute_path, n])}: expected, not found" for n in missing
        ]
    expected = {
        "type": lambda: f"a value of type {rule}",
        "enum": lambda: "one of " + ", ".join("null" if v is None else str(v) for v in rule),
        "minimum": lambda: f"at least {rule}",
        "maximum": lambda: f"at most {rule}",
        "exclusiveMinimum": lambda: f"more than {rule}",
        "exclusiveMaximum": lambda: f"less than {rule}",
        "minItems": lambda: f"at least {rule} item(s)",
        "maxItems": lambda: f"at most {rule} item(s)",
        "uniqueItems": lambda: "every item once",
        "minLength": lambda: "a text that is not empty",
        "maxLength": lambda: f"at most {rule} characters",
        "pattern": lambda: f"a name that matches {rule}",
        "contains": lambda: f"a list with {rule['const']!r} in it",
    }.get(error.validator, lambda: error.message)()
    hint = _number_hint(value) if error.validator == "type" and isinstance(value, str) else ""
    return [f"config key {key}: expected {expected}, found {_found(value)}{hint}"]


def _unfit_values(value, path=()):
    """Name what no key can use, and no limit or pattern of a schema refuses.

    NaN compares with no limit; a pattern's ``$`` lets a line end through, and texts become paths.
    """
    if isinstance(value, dict):
        return [m for key, item in value.items() for m in _unfit_values(item, (*path, key))]
    if isinstance(value, list):
        return [m for index, item in enumerate(value) for m in _unfit_values(item, (*path, index))]
    if isinstance(value, float) and not math.isfinite(value):
        return [f"config key {_dotted(path)}: expected a finite number, found {value}"]
    if isinstance(value, str) and not is_one_line(value):
        return [
            f"config key {_dotted(path)}: expected one line without control characters, found {value!r}"
        ]
    return []


@functools.cache
def _validator():
    schema = yaml.safe_load(_SCHEMA_PATH.read_text(encoding="utf-8"))
    schema = declared_schema(schema)
    schema["properties"] |= _declared_sections()
    return _Validator(schema)


def _relations(config):
    """Check what a schema cannot say: keys that must fit each other."""
    features, mixing = config["features"], config["mixing"]
    reference = config["comparison"]["reference"]
    if reference is not None and reference not in config["systems"]:
        yield (
            f"config key comparison.reference: expected one of systems "
            f"({', '.join(config['systems'])}), found {reference!r}"
        )
    nyquist = features["sample_rate"] / 2
    if features["fmax_hz"] > nyquist:
        yield (
            f"config key features.fmax_hz: expected at most half of features.sample_rate "
            f"({nyquist:g}), found {features['fmax_hz']}"
        )
    if features["fmin_hz"] >= features["fmax_hz"]:
        yield (
            f"config key features.fmin_hz: expected less than features.fmax_hz "
            f"({features['fmax_hz']}), found {features['fmin_hz']}"
        )
    grid = TimeGrid(features["sample_rate"], features["window_length"], features["hop_length"])
    if grid.n_samples(mixing["duration_s"]) < features["window_length"]:
        yield (
            f"config key mixing.duration_s: expected at least one window "
            f"({features['window_length'] / features['sample_rate']:g} s), "
            f"found {mixing['duration_s']}"
        )
    if grid.n_samples(mixing["max_event_s"]) < 1:
        yield (
            "config key mixing.max_event_s: expected at least one sample "
            f"({1 / features['sample_rate']:g} s), found {mixing['max_event_s']}"
        )
    if features["log_offset"] < _LEAST_OFFSET:
        yield (
            f"config key features.log_offset: expected at least {_LEAST_OFFSET:g}, which float32 "
            f"holds, found {features['log_offset']}"
        )
    n_bins = features["window_length"] // 2 + 1
    if features["n_mels"] > n_bins:
        yield (
            f"config key features.n_mels: expected at most the {n_bins} frequencies of "
            f"features.window_length, found {features['n_mels']}"
        )
    for index, snr_db in enumerate(mixing["snr_db"]):
        # Paths hold an SNR as text, and a job reads it back from there.
        text = f"{snr_db:g}"
        if float(text) != snr_db or text == "-0":
            yield (
                f"config key mixing.snr_db[{index}]: expected a number of at most six digits, "
                f"found {snr_db}"
            )
    for index, label in enumerate(config["corpus"]["classes"]):
        if label == "macro":
            yield (
                f"config key corpus.classes[{index}]: expected another name than 'macro', which "
                "stands for the mean over classes in metrics.csv"
            )
    yield from _layout_relations(mixing, grid)
    if config["postprocessing"]["low_threshold"] > config["postprocessing"]["high_threshold"]:
        yield (
            "config key postprocessing.low_threshold: expected at most "
            f"postprocessing.high_threshold ({config['postprocessing']['high_threshold']}), "
            f"found {config['postprocessing']['low_threshold']}"
        )
    if config["postprocessing"]["median_frames"] % 2 == 0:
        yield (
            "config key postprocessing.median_frames: expected an odd number, found "
            f"{config['postprocessing']['median_frames']}"
        )
    if config["postprocessing"]["tune"] and not config["split"]["validation"]:
        yield (
            "config key postprocessing.tune: expected false without a part to choose on, found true; "
            "give the config key split.validation a share above 0, e.g. 0.15"
        )
    kind = config["corpus"]["kind"]
    if kind != "clips":
        for key, value in (
            ("tables.by_class_snr_db", config["tables"]["by_class_snr_db"]),
            ("figures.snr_db", config["figures"]["snr_db"]),
        ):
            if value not in mixing["snr_db"]:
                yield (
                    f"config key {key}: expected one of mixing.snr_db {mixing['snr_db']}, "
                    f"found {value}"
                )
    yield from _split_relations(config)
    messages = list(_training_relations(config, config["training"]))
    yield from messages
    for name in config["variants"]:
        # What is wrong with the experiment's own section is said once.
        for message in _training_relations(config, find_recipe(config, name).training):
            if message not in messages:
                yield message.replace("config key ", f"config key variants.{name}.", 1)
    if config["corpus"]["kind"] == "embedded":
        from tfseg.datasets.instruments import INSTRUMENTS

        for index, label in enumerate(config["corpus"]["classes"]):
            if label not in INSTRUMENTS:
                yield (
                    f"config key corpus.classes[{index}]: expected a class of the embedded corpus "
                    f"({', '.join(INSTRUMENTS)}), found {label!r}"
                )


def _training_relations(config, training):
    """Check a section ``training``: the experiment's, or a variant's."""
    features, kind = config["features"], config["corpus"]["kind"]
    grid = TimeGrid(features["sample_rate"], features["window_length"], features["hop_length"])
    excerpt_s = training["excerpt_s"]
    if kind == "clips" and excerpt_s is None:
        yield "config key training.excerpt_s: expected a number of seconds with corpus.kind clips"
    if excerpt_s is not None and grid.n_samples(excerpt_s) < features["window_length"]:
        yield (
            f"config key training.excerpt_s: expected at least one window "
            f"({features['window_length'] / features['sample_rate']:g} s), found {excerpt_s}"
        )
    if training["kinds"] is None:
        return
    if kind == "clips":
        yield (
            f"config key training.kinds: expected null with corpus.kind clips, which are not "
            f"mixed, found {training['kinds']}"
        )
    for wanted in training["kinds"]:
        if wanted not in config["mixing"]["kinds"]:
            yield (
                f"config key training.kinds: expected kinds of mixing.kinds "
                f"{config['mixing']['kinds']}, found {wanted!r}"
            )


def _variant_relations(config):
    """Check names of systems, and that each variant is one that can be built."""
    variants = config["variants"]
    known = [*systems(), *variants]
    for index, system in enumerate(config["systems"]):
        if system not in known:
            yield (
                f"config key systems[{index}]: {_guess(system, known)}"
                f"expected one of {', '.join(known)}, found {system!r}"
            )
    for name, variant in variants.items():
        place = f"config key variants.{name}"
        if name in systems() or name in RESERVED_NAMES:
            yield (
                f"{place}: expected another name, this one is taken: "
                f"{', '.join([*systems(), *RESERVED_NAMES])} are"
            )
            continue
        network = variant["system"]
        if network not in systems():
            hint = _guess(network, systems())
            if network in variants:
                hint = "a variant builds on a registered system and repeats what it shares with another variant; "
            yield f"{place}.system: {hint}expected one of {', '.join(systems())}, found {network!r}"
            continue
        yield from _idle_relations(place, variant)
        recipe = find_recipe(config, name)
        errors = _validator().iter_errors(
            config | {section: getattr(recipe, section) for section in SECTIONS}
        )
        for error in errors:
            yield from (
                message.replace("config key ", f"{place}.", 1) for message in _explain(error)
            )
        yield from _teacher_relations(config, name)


def _idle_relations(place, variant):
    """Name what a variant changes and its network does not have."""
    network = variant["system"]
    facts = systems()[network]
    for section in ("trunk", "pooling"):
        if variant.get(section) and not facts.has_masks:
            yield f"{place}.{section}: expected none, {network} is a network without one"
    for pooling in variant.get("pooling", {}) if facts.has_masks else ():
        if pooling != facts.pooling:
            yield f"{place}.pooling.{pooling}: expected {network}'s own pooling, {facts.pooling}"


def _teacher_relations(config, name):
    """Check that a variant's teacher is a system of this experiment that can teach it."""
    place = f"config key variants.{name}.teacher"
    variants, seen, teacher = config["variants"], [name], config["variants"][name].get("teacher")
    if teacher is None:
        return
    if teacher not in config["systems"]:
        yield (
            f"{place}: expected one of systems ({', '.join(config['systems'])}), which are "
            f"trained, found {teacher!r}"
        )
        return
    for system in (name, teacher):
        network = variants.get(system, {}).get("system", system)
        if network in systems() and not systems()[network].has_masks:
            yield f"{place}: expected systems with masks on both sides, found {system}, which has none"
    while teacher is not None:
        if teacher in seen:
            yield f"{place}: expected a teacher that is trained before, found a circle: {teacher}"
            return
        seen.append(teacher)
        teacher = variants.get(teacher, {}).get("teacher")


def _layout_relations(mixing, grid):
    """Check when the events of a mixture begin."""
    duration_s, onsets_s = mixing["duration_s"], mixing["onsets_s"]
    if isinstance(onsets_s, list):
        for index, onset_s in enumerate(onsets_s):
            if grid.n_samples(onset_s) >= grid.n_samples(duration_s):
                yield (
                    f"config key mixing.onsets_s[{index}]: expected less than mixing.duration_s "
                    f"({duration_s}), found {onset_s}"
                )
    given = mixing["events_per_mixture"]
    least, most = given if isinstance(given, list) else (given, given)
    if least > most:
        yield (
            f"config key mixing.events_per_mixture[0]: expected at most the second number ({most}), "
            f"found {least}"
        )
    longest_s = min(mixing["max_event_s"], duration_s)
    n_fitting = int(duration_s / longest_s + _ROUNDING)
    if onsets_s == "random" and not mixing["overlap"] and most > n_fitting:
        yield (
            f"config key mixing.events_per_mixture: expected at most {n_fitting}, as many events of "
            f"mixing.max_event_s ({mixing['max_event_s']}) as mixing.duration_s ({duration_s}) holds "
            f"without overlap (mixing.overlap: false), found {most}"
        )


def _declared_sections():
    """JSON schema of the sections whose keys poolings, trunks and networks declare."""
    poolings, trunks = declarations(POOLINGS), declarations(TRUNKS)
    own = {
        "pooling": {name: d.schema() for name, d in poolings.items() if d.settings},
        "baselines": {name: d.schema() for name, d in declarations(NETWORKS).items()},
        "trunk": {
            "kind": {"enum": list(trunks)},
            **{name: d.schema() for name, d in trunks.items()},
            "background": {"type": "boolean"},
            "share_energy": {"type": "boolean"},
        },
    }
    return {
        section: {
            "type": "object",
            "additionalProperties": False,
            # One without settings needs no entry.
            "required": [name for name, of in properties.items() if of.get("required", True)],
            "properties": properties,
        }
        for section, properties in own.items()
    }


def _split_relations(config):
    """Check how recordings are dealt to folds, and what each fold gets."""
    kind, split = config["corpus"]["kind"], config["split"]
    fixed = split["kind"] == "fixed"
    has_own = find_corpora()[kind].has_own_split(split["kind"])
    if (fixed or split["by"] == "corpus") and not has_own:
        key = "split.kind" if fixed else "split.by"
        yield (
            f"config key {key}: expected a way to deal recordings that the corpus {kind} has, "
            f"found {split['kind'] if fixed else split['by']!r}: it has no such folds of its own"
        )
    n_folds = 2 if fixed else split["folds"]
    counts = config["mixing"]["mixtures_per_fold"]
    if isinstance(counts, list) and len(counts) != n_folds:
        yield (
            f"config key mixing.mixtures_per_fold: expected one number, or {n_folds} (one for each "
            f"fold), found {len(counts)}"
        )
    fewest = min(counts) if isinstance(counts, list) else counts
    if split["validation"] and kind != "clips" and fewest < 2:
        yield (
            "config key mixing.mixtures_per_fold: expected at least 2 with split.validation (some to "
            f"train on, some to choose thresholds on), found {fewest}"
        )
    n_held_out = 1 if fixed else n_folds
    if config["figures"]["fold"] > n_held_out:
        yield (
            f"config key figures.fold: expected a fold that is held out, at most {n_held_out}, "
            f"found {config['figures']['fold']}"
        )


def check_config(config):
    """Check a merged configuration.

    Parameters
    ----------
    config : dict

    Raises
    ------
    ConfigError
        One message with a line per problem: the key, what was expected, what was found.
    """
    errors = sorted(_validator().iter_errors(config), key=lambda e: list(map(str, e.absolute_path)))
    # jsonschema reports a section once for each of its missing keys.
    messages = list(dict.fromkeys(message for error in errors for message in _explain(error)))
    messages += _unfit_values(config)
    if not messages:
        messages = list(_variant_relations(config))
    if not messages:
        messages = list(_relations(config))
    if messages:
        raise ConfigError("\n".join(messages))


def _keys_twice(node, path=()):
    """Yield the keys of a YAML node that stand there more than once: path, first and second line."""
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _keys_twice(item, (*path, index))
    if isinstance(node, yaml.MappingNode):
        lines = {}
        for key, value in node.value:
            here = (*path, str(key.value))
            line = key.start_mark.line + 1
            if here in lines:
                yield here, lines[here], line
            lines[here] = line
            yield from _keys_twice(value, here)


def check_config_files(paths):
    """Check that no file names a key twice: YAML would use the last and drop the rest in silence.

    Parameters
    ----------
    paths : sequence of path-like

    Raises
    ------
    ConfigError
        With a line per key.
    """
    messages = []
    for path in paths:
        node = yaml.compose(Path(path).read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
        messages += [
            f"{path}, line {line}: config key {_dotted(key)}: expected once, found also on line {first}"
            for key, first, line in _keys_twice(node)
        ]
    if messages:
        raise ConfigError("\n".join(messages))


def sorted_keys(value):
    """Copy a config value with all keys sorted, so that their order re-runs nothing."""
    if isinstance(value, dict):
        return {key: sorted_keys(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return [sorted_keys(item) for item in value]
    return value


def changed_keys(defaults, config):
    """Keys whose value is not the default.

    Parameters
    ----------
    defaults, config : dict
        Of the same sections.

    Returns
    -------
    changed : list of [key, default, value]
        Dotted keys, in the order of `defaults`; a list is one value.
    """
    changed = []
    for key, default in defaults.items():
        value = config[key]
        if isinstance(default, dict) and isinstance(value, dict):
            changed += [[f"{key}.{k}", *rest] for k, *rest in changed_keys(default, value)]
        elif value != default:
            changed.append([key, default, value])
    return changed
