import dataclasses
import re

from tfseg.run.paths import paths_of_run

PATHS = paths_of_run("mine", example_snr=-5.0, example_fold=2)


def test_no_two_kinds_of_files_share_a_path_and_all_lie_in_the_run():
    found = dataclasses.asdict(PATHS)
    assert len(set(found.values())) == len(found)
    assert found.pop("results") == "results/mine"
    assert all(path.startswith("results/mine/") for path in found.values())


def test_every_wildcard_is_one_of_the_workflow():
    known = {"snr", "system", "fold", "repeat", "shard", "table", "figure", "ending"}
    for name, path in dataclasses.asdict(PATHS).items():
        assert set(re.findall(r"{(\w*)}", path)) <= known, name


def test_examples_say_of_which_mixture_they_are():
    assert PATHS.example == "results/mine/examples/snr-5-fold2.h5"
    as_recorded = paths_of_run("mine", example_snr=None, example_fold=1)
    assert as_recorded.listening == "results/mine/examples/listening-snrnone-fold1.h5"


def test_what_comes_of_a_training_lies_under_its_keys():
    keys = {"snr": "0", "system": "gwrp", "fold": 1, "repeat": 0}
    assert PATHS.scores.format(**keys) == "results/mine/scores/snr0/gwrp/fold1/seed0/scores.h5"
    assert PATHS.events.format(**keys) == "results/mine/events/snr0/gwrp/fold1/seed0.tsv"
