"""Paths of downloads: beside the folders if the user put them there, else in archives/."""

import pytest

from tfseg.datasets.downloads import Downloads
from tfseg.datasets.registry import Dataset


def dataset(name, folders):
    return Dataset(
        name=name, title="", host="zenodo", record="1", licence="", citation="", folders=folders
    )


@pytest.fixture
def downloads(tmp_path):
    facts = {"bytes": 1, "md5": "0" * 32}
    datasets = {
        "birds": dataset("birds", {"calls": {"c1.zip": facts, "c2.zip": facts}}),
        "places": dataset("places", {"meadows": {"m.zip": None}, "lists": {"l.zip": facts}}),
    }
    return Downloads(datasets, str(tmp_path))


def test_folders_and_archives_know_their_data_set(downloads):
    assert downloads.folders == {"calls": "birds", "meadows": "places", "lists": "places"}
    assert downloads.archives == {
        "c1.zip": "birds",
        "c2.zip": "birds",
        "m.zip": "places",
        "l.zip": "places",
    }


def test_a_folder_that_is_there_is_never_made(downloads, tmp_path):
    (tmp_path / "meadows").mkdir()
    assert downloads.absent_folders == ["calls", "lists"]


def test_an_archive_beside_the_folders_is_used_as_it_is(downloads, tmp_path):
    (tmp_path / "c2.zip").touch()
    received = f"{tmp_path}/archives/c1.zip"
    assert downloads.archives_of("calls") == [received, f"{tmp_path}/c2.zip"]
    assert downloads.arrivals_of("calls") == [f"{received}.verified.json", f"{tmp_path}/c2.zip"]


def test_a_host_is_asked_only_for_what_is_not_known(downloads, tmp_path):
    assert downloads.record_of("birds") == []
    assert downloads.record_of("places") == [f"{tmp_path}/archives/places.record.json"]
