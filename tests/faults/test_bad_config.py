"""Configs with a bad value for every key: refused with the key's name, or usable."""

import copy
import itertools

import hypothesis
import numpy as np
import pytest
import torch
import yaml
from hypothesis import strategies as st
from workflow_project import TINY, copy_project

from tfseg.datasets.corpus_tables import mixture_labels
from tfseg.errors import ConfigError, TfsegError
from tfseg.features.feature_set import load_features
from tfseg.features.logmel import FeatureSettings, extract_features
from tfseg.inference.events import EventSettings, detect_events
from tfseg.inference.forward import infer
from tfseg.io.files import writing_hdf5
from tfseg.mixing.remixing import StemReader, plan_mixtures, render_stems
from tfseg.models.registry import systems
from tfseg.models.systems import build_network
from tfseg.settings.checks import check_config, check_config_files
from tfseg.training.initial import initial_network, targets_of
from tfseg.training.loop import train
from tfseg.training.settings import read_settings

pytestmark = pytest.mark.full
SPOILED = [
    None, True, "text", "5", "", " ", "a\nb", "../../x", "$(touch x)", "{x}", "x" * 300, "a\0b",
    -1, 0, 1, 2, 0.5, -0.0, 1e-300, 1e300, -1e300, 2**31, 10**40, float("nan"), float("inf"),
    [], {}, [1], ["x"], [["x"]], {"x": 1}, [None, None],
]  # fmt: skip


def leaves(value, path=()):
    """Paths of all values of a config that are not sections."""
    for key, inner in value.items():
        if isinstance(inner, dict):
            yield from leaves(inner, (*path, key))
        else:
            yield (*path, key)


def put(config, path, value):
    *parents, last = path
    for key in parents:
        config = config[key]
    config[last] = value


def get(config, path):
    for key in path:
        config = config[key]
    return config


@pytest.fixture(scope="module")
def small(_full_config):
    """config.yaml so small that the whole experiment takes a fraction of a second."""
    config = copy.deepcopy(_full_config)
    config["corpus"].update(kind="folders", classes=["Bark", "Chime", "Gong"])
    config["split"]["folds"] = 2
    config["mixing"].update(
        mixtures_per_fold=3, duration_s=1.5, onsets_s=[0.1, 0.8], max_event_s=0.5, snr_db=[10, 0]
    )
    config["features"].update(
        sample_rate=8000, window_length=256, hop_length=128, n_mels=8, fmax_hz=4000.0
    )
    config["trunk"]["vgg"]["widths"] = [2]
    config["training"].update(iterations=2, batch_size=2, threads=1)
    config["baselines"]["dnn"]["widths"] = [4]
    config["baselines"]["wldcnn"].update(widths=[2, 2], segment_maps=2)
    config["baselines"]["framecnn"].update(width_factors=[1, 1], dense_units=4)
    config["baselines"]["attention"].update(stages=2, gated_maps=2, output_maps=4, gru_units=2)
    return config


def test_every_value_of_every_key_is_named_when_it_is_refused(small, tally, pytestconfig):
    check_config(small)
    values = SPOILED if pytestconfig.getoption("--long") else SPOILED[::2]
    for path, value in itertools.product(leaves(small), values):
        config = copy.deepcopy(small)
        put(config, path, value)
        _, refused = tally.attempt(
            "config: a key's value", lambda c=config: check_config(c), names=".".join(path)
        )
        # A value of another type than in config.yaml is always wrong, unless that one is null.
        given = get(small, path)
        if type(value) in (dict, bool) and type(value) is not type(given):
            assert refused, f"{path}: {value!r} was accepted"


def test_every_item_of_every_list_is_named_when_it_is_refused(small, tally, pytestconfig):
    lists = [path for path in leaves(small) if isinstance(get(small, path), list)]
    assert len(lists) > 8
    values = SPOILED if pytestconfig.getoption("--long") else SPOILED[1::2]
    for path, value in itertools.product(lists, values):
        config = copy.deepcopy(small)
        put(config, path, [value, *get(config, path)[1:]])
        tally.attempt(
            "config: an item of a list", lambda c=config: check_config(c), names=".".join(path)
        )


@pytest.mark.parametrize("n_wrong", [2, 5])
@hypothesis.given(data=st.data())
def test_every_one_of_several_faults_is_named(small, tally, data, n_wrong):
    # Changes of variants can be checked only if the changed sections are right.
    paths = sorted(path for path in leaves(small) if path[0] != "variants")
    wrong = data.draw(st.lists(st.sampled_from(paths), min_size=n_wrong, unique=True, max_size=8))
    config = copy.deepcopy(small)
    for path in wrong:
        put(config, path, {"nothing": "of use"})
    _, refused = tally.attempt(
        "config: several keys at once",
        lambda: check_config(config),
        names=[f"config key {'.'.join(path)}: expected" for path in wrong],
    )
    assert refused


def run_experiment(config, corpus, folder):
    """Run the library's stages on a dozen recordings, as the rules do; checks what comes out."""
    mixing, classes = config["mixing"], config["corpus"]["classes"]
    layout = ("duration_s", "onsets_s", "events_per_mixture", "overlap", "max_event_s")
    settings = FeatureSettings(**config["features"])
    per_fold = mixing["mixtures_per_fold"]
    mixtures, events = plan_mixtures(
        corpus.events,
        corpus.scenes,
        folds=[1, 2],
        mixtures_per_fold=per_fold if isinstance(per_fold, list) else [per_fold] * 2,
        seed=config["seed"],
        **{k: mixing[k] for k in (*layout, "kinds", "scene_start")},
    )
    with writing_hdf5(folder / "stems.h5") as file:
        render_stems(
            file,
            mixtures,
            events,
            corpus.events,
            classes=classes,
            sample_rate=settings.sample_rate,
            **{k: mixing[k] for k in ("max_event_s", "snr_db", "snr_on", "resampler")},
        )
    path = folder / "features.h5"
    snr_db = mixing["snr_db"][0]
    with writing_hdf5(path) as file:
        extract_features(
            [file],
            StemReader(folder / "stems.h5"),
            settings,
            mixture_labels(events),
            classes=classes,
            snr_db=[snr_db],
        )
    features = load_features([path])
    assert np.isfinite(np.asarray(features.logmel, dtype=np.float32)).all()
    for system in config["systems"]:

        def build(system=system):
            return build_network(
                system,
                n_classes=len(classes),
                n_mels=settings.n_mels,
                trunk_settings=config["trunk"],
                pooling_settings=config["pooling"],
                baseline_settings=config["baselines"],
            )

        network = initial_network(build, 1, features.logmel)
        network.precision = "float32"
        excerpt_s = config["training"]["excerpt_s"]
        train(
            network,
            features.logmel,
            targets_of(network, features),
            read_settings(config["training"]),
            seed=1,
            state_path=folder / f"{system}.safetensors",
            bound_to=str(config),
            excerpt_frames=features.grid.n_frames_in(excerpt_s) if excerpt_s else None,
            log=lambda text: None,
        )
        network.eval()
        tags, frames, _ = infer(
            network,
            features,
            batch_size=config["inference"]["batch_size"],
            mask_thresholds={"published": config["metrics"]["mask_threshold"]},
            device="cpu",
        )
        for scores in (tags, *frames):
            assert ((scores >= 0) & (scores <= 1)).all()
        found = detect_events(
            features.mixture,
            tags,
            frames,
            classes,
            features.grid,
            EventSettings(**{k: v for k, v in config["postprocessing"].items() if k != "tune"}),
            tag_threshold=config["metrics"]["tag_threshold"],
        )
        for _, onset, offset, _ in found:
            assert onset is None or 0 <= onset < offset


# Values on both sides of every limit, for the keys used in the library's arithmetic.
MUTATIONS = {
    ("seed",): st.integers(-1, 2**70),
    ("systems",): st.lists(st.sampled_from(list(systems())), min_size=1, max_size=2, unique=True),
    ("mixing", "mixtures_per_fold"): st.sampled_from([0, 1, 2, [1, 3], [2], [1, 2, 3]]),
    ("mixing", "duration_s"): st.sampled_from([0, 1e-4, 0.031, 0.032, 0.05, 0.9, 1.5, 2]),
    ("mixing", "onsets_s"): st.one_of(
        st.sampled_from(["centre", "random"]),
        st.lists(st.sampled_from([0, 0.1, 0.8, 1.4999, 1.5]), max_size=3),
    ),
    ("mixing", "events_per_mixture"): st.sampled_from([0, 1, 3, 4, [1, 3], [3, 1], [2]]),
    ("mixing", "overlap"): st.booleans(),
    ("mixing", "max_event_s"): st.sampled_from([0, 1e-7, 1 / 8000, 1e-3, 0.5, 10]),
    ("mixing", "kinds"): st.lists(
        st.sampled_from(["mixture", "events", "scene"]), max_size=3, unique=True
    ),
    ("mixing", "scene_start"): st.sampled_from(["beginning", "random", "end"]),
    ("mixing", "snr_db"): st.lists(
        st.sampled_from([-61, -60, -0.5, 0, 10, 100, 101, 10.1234567, -0.0]), min_size=1, max_size=2
    ),
    ("mixing", "snr_on"): st.sampled_from(["file", "segment"]),
    ("features", "sample_rate"): st.sampled_from([999, 1000, 8000, 11025, 16000]),
    ("features", "window_length"): st.sampled_from([1, 2, 3, 255, 256, 300, 20000]),
    ("features", "hop_length"): st.sampled_from([0, 1, 7, 128, 256, 5000]),
    ("features", "n_mels"): st.sampled_from([0, 1, 2, 3, 8, 129, 130]),
    ("features", "fmin_hz"): st.sampled_from([-1, 0, 50.0, 3999.0, 4000.0]),
    ("features", "fmax_hz"): st.sampled_from([0, 1.0, 51.0, 500.0, 4000.0, 4001.0]),
    ("features", "log_offset"): st.sampled_from([0, 1e-300, 1e-30, 1e-8, 1.0, 2.0]),
    ("features", "ibm_criterion_db"): st.sampled_from([-1e5, -200, -5, 0, 200, 1e5]),
    ("trunk", "vgg", "widths"): st.lists(st.integers(0, 4), max_size=3),
    ("trunk", "vgg", "dropout"): st.sampled_from([-0.1, 0, 0.5, 1]),
    ("trunk", "background"): st.booleans(),
    ("pooling", "gwrp", "r"): st.sampled_from([-0.1, 0, 0.5, 1, 1.1]),
    ("pooling", "gwrp", "reference_units"): st.sampled_from([0, 1, 100, 10**9, 10**10]),
    ("pooling", "gwrp_learned", "r"): st.sampled_from([0, 1e-6, 0.5, 0.999999, 1]),
    ("pooling", "power", "exponent"): st.sampled_from([0, 1e-6, 1.0, 50, 1000]),
    ("pooling", "auto", "alpha"): st.sampled_from([-1000, 0, 5, 1000, 1e4]),
    ("pooling", "log_sum_exp", "sharpness"): st.sampled_from([0, 1e-6, 5, 1000]),
    ("training", "iterations"): st.sampled_from([0, 1, 3]),
    ("training", "batch_size"): st.sampled_from([0, 1, 2, 5, 1000]),
    ("training", "learning_rate"): st.sampled_from([0, 1e-30, 1e-3, 1.0, 1000]),
    ("training", "excerpt_s"): st.sampled_from([None, 0, 0.01, 0.032, 0.5, 1.5, 10]),
    ("training", "history_every"): st.sampled_from([1, 2, 10**9]),
    ("inference", "batch_size"): st.sampled_from([0, 1, 3, 10**9]),
    ("postprocessing", "high_threshold"): st.sampled_from([-0.1, 0, 0.2, 0.999, 1]),
    ("postprocessing", "low_threshold"): st.sampled_from([0, 0.1, 0.5, 1]),
    ("postprocessing", "join_gap_frames"): st.sampled_from([-1, 0, 10**9]),
    ("postprocessing", "drop_frames"): st.sampled_from([-1, 0, 10**9]),
}


@hypothesis.given(data=st.data())
@hypothesis.settings(
    suppress_health_check=[hypothesis.HealthCheck.too_slow, hypothesis.HealthCheck.data_too_large]
)
def test_a_config_that_is_accepted_can_be_run(small, tiny_corpus, tally, tmp_path_factory, data):
    torch.set_num_threads(1)
    config = copy.deepcopy(small)
    config["systems"] = [data.draw(st.sampled_from(list(systems())))]
    chosen = data.draw(st.lists(st.sampled_from(sorted(MUTATIONS)), max_size=3, unique=True))
    for path in chosen:
        put(config, path, data.draw(MUTATIONS[path]))
    _, refused = tally.attempt(
        "config: keys that must fit, then a run", lambda: check_config(config), names="config key "
    )
    if refused:
        return
    try:
        run_experiment(config, tiny_corpus, tmp_path_factory.mktemp("run"))
    except TfsegError as error:
        # Errors that only the data can show, with a clear message.
        assert "the loss became" in str(error) or "cannot train on a batch" in str(error), chosen


def test_a_batch_of_one_frame_that_cannot_be_normalised_is_named(small, tiny_corpus, tmp_path):
    config = copy.deepcopy(small)
    config["systems"] = ["framecnn"]
    config["training"].update(batch_size=1, excerpt_s=0.032)
    check_config(config)
    with pytest.raises(TfsegError, match=r"1 clips of 1 frames .*training\.batch_size"):
        run_experiment(config, tiny_corpus, tmp_path)


def test_a_registry_that_is_none_is_named(tmp_path, tally):
    from tfseg.datasets.registry import load_registry

    path = tmp_path / "registry.yaml"
    for content in (None, b"", b"text", b"[1]", b"a: 5", b"a: {b: 1}", b"a: {", b"\xff\xfe\x00"):
        if content is not None:
            path.write_bytes(content)
        _, refused = tally.attempt(
            "config: another file in the registry's place",
            lambda: load_registry(path),
            names=["config key download.registry", "registry.yaml"],
        )
        assert refused


@pytest.mark.parametrize(
    ("text", "key", "lines"),
    [
        ("run: a\nseed: 1\nrun: b\n", "run", (3, 1)),
        ("training:\n  iterations: 5\n  batch_size: 2\n  iterations: 6\n", "training.iterations", (4, 2)),
        ("corpus:\n  embedded: {part: demo, part: demo}\n", "corpus.embedded.part", (2, 2)),
        ("systems:\n  - {a: 1,\n     a: 2}\n", "systems[0].a", (3, 2)),
    ],
)  # fmt: skip
def test_a_key_that_a_file_names_twice_is_refused(tmp_path, tally, text, key, lines):
    path = tmp_path / "overlay.yaml"
    path.write_text(text)
    _, refused = tally.attempt(
        "config: a key twice in a file",
        lambda: check_config_files([path]),
        names=f"overlay.yaml, line {lines[0]}: config key {key}: expected once, found also on line "
        f"{lines[1]}",
    )
    assert refused


@pytest.mark.workflow
@pytest.mark.parametrize(
    ("overlay", "says"),
    [
        ("run: a\nrun: b\n", "line 2: config key run: expected once, found also on line 1"),
        ("download: {registry: nothing.yaml}\n", "config key download.registry: expected a regis"),
        ("corpus: [\n", "Config file is not valid JSON or YAML"),
    ],
)
def test_snakemake_says_so_and_starts_nothing(tmp_path, overlay, says):
    path = tmp_path / "overlay.yaml"
    path.write_text(overlay)
    result = copy_project(tmp_path / "workflow", [*TINY, path]).snakemake("-n", check=False)
    assert result.returncode != 0
    assert says in result.text
    assert "Traceback" not in result.text
    assert "Job stats" not in result.text


def test_files_of_this_repository_name_every_key_once(repository):
    check_config_files([repository / "config.yaml", *(repository / "experiments").glob("*.yaml")])


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("mixing.snr_db", [0, 10.1234567], "mixing.snr_db[1]: expected a number of at most six"),
        ("mixing.snr_db", [0, 10.0000001, 10.0000002], "mixing.snr_db[1]"),
        ("corpus.classes", ["Bark\n", "Chime"], "corpus.classes[0]: expected one line"),
        ("corpus.classes", ["Bark", "macro"], "corpus.classes[1]: expected another name"),
        ("run", "x\n", "config key run: expected one line"),
        ("data_root", "data{x}", "config key data_root"),
    ],
)
def test_values_that_would_change_a_number_or_a_path_are_refused(small, path, value, says):
    put(small := copy.deepcopy(small), path.split("."), value)
    with pytest.raises(ConfigError) as caught:
        check_config(small)
    assert says in str(caught.value)


def test_the_long_list_of_spoiled_values_survives_yaml(tmp_path):
    # Only values that a file can contain are tried.
    path = tmp_path / "values.yaml"
    path.write_text(yaml.safe_dump(SPOILED))
    assert str(yaml.safe_load(path.read_text())) == str(SPOILED)
