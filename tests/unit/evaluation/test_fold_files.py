"""Files are found by their keys."""

import pytest

from tfseg.evaluation.fold_files import FoldFiles, fold_files, keys_of_files, paths_by_keys


def test_each_file_has_its_keys_in_the_order_of_the_values():
    found = keys_of_files(["{snr}/{system}-{fold}.h5"], {"snr": "0"}, system=["a", "b"], fold=[1])
    assert found == {"0/a-1.h5": ["a", 1], "0/b-1.h5": ["b", 1]}


def test_files_of_a_fold_come_together_in_any_order():
    keys = keys_of_files(["s{fold}.h5", "c{fold}.h5", "e{fold}.tsv"], fold=[1, 2])
    files = {
        "scores": ["s2.h5", "s1.h5"],
        "counts": ["c1.h5", "c2.h5"],
        "events": ["e2.tsv", "e1.tsv"],
    }
    found = fold_files(keys, **files, tuned_events=[], detections=[])
    assert found == {
        (1,): FoldFiles("s1.h5", "c1.h5", "e1.tsv"),
        (2,): FoldFiles("s2.h5", "c2.h5", "e2.tsv"),
    }


def test_two_files_of_one_fold_are_refused():
    with pytest.raises(ValueError, match=r"expected one file of \(1,\), found a and b"):
        paths_by_keys(["a", "b"], {"a": [1], "b": [1]})
