import pandas as pd
import pytest

from tfseg.datasets import dcase2018, tut_rare2017
from tfseg.datasets.licences import announce, licence_terms


def _terms(*licences):
    return licence_terms(pd.DataFrame({"licence": list(licences)}))


def test_every_licence_is_counted_in_order_of_its_text():
    terms = _terms("MIT", "CC0", "CC BY 4.0", "CC0", "CC BY-NC 3.0", "CC0")
    assert list(terms["licences"].items()) == [
        ("CC BY 4.0", 1),
        ("CC BY-NC 3.0", 1),
        ("CC0", 3),
        ("MIT", 1),
    ]
    assert all(type(n) is int for n in terms["licences"].values())  # to be written as JSON
    assert terms["restricted"] == ["CC BY-NC 3.0"]


def test_no_recordings_have_no_terms():
    assert _terms() == {"licences": {}, "restricted": []}


@pytest.mark.parametrize(
    "text",
    [
        dcase2018.SCENE_LICENCE,
        tut_rare2017.BACKGROUND_LICENCE,
        "CC BY-NC-SA 4.0",
        "cc-by-nc",
        "CC BY NC 3.0",
        "cc_by_nc_4.0",
        "http://creativecommons.org/licenses/by-nc/3.0/",
        "http://creativecommons.org/licenses/sampling+/1.0/",
        "Attribution Noncommercial",
        "Attribution-NonCommercial 4.0 International",
        "for non-commercial use",
        "not for commercial use",
        "Non commercial",
        "academic use only",
        "CC0; CC BY-NC 3.0 (ESC-50 as a whole)",
    ],
)
def test_terms_that_restrict_commercial_use_are_restricted(text):
    assert _terms("CC0", text)["restricted"] == [text]


@pytest.mark.parametrize(
    "text",
    [
        "CC0",
        "CC BY 4.0",
        "CC BY-SA 3.0",
        "CC BY 3.0 (ESC-10 as a whole)",
        "Attribution",
        "Creative Commons 0",
        "http://creativecommons.org/publicdomain/zero/1.0/",
        "http://creativecommons.org/licenses/by/3.0/",
        "MIT",
        "GPL-2.0",
        "not stated",
        "sync licence of Franco Inc.",  # "nc" inside of words
    ],
)
def test_other_terms_are_not_restricted(text):
    assert _terms(text)["restricted"] == []


def test_restrictions_are_said_once_with_at_most_three_licences():
    said = []
    announce(_terms(*(f"CC BY-NC {i}.0" for i in (1, 2, 3, 4))), "mixtures", log=said.append)
    assert len(said) == 1
    assert said[0].startswith("LICENCE: mixtures derive from recordings whose licences restrict")
    assert "(CC BY-NC 1.0; CC BY-NC 2.0; CC BY-NC 3.0)" in said[0]


def test_nothing_is_said_without_restrictions():
    said = []
    announce(_terms("CC0", "MIT"), "mixtures", log=said.append)
    assert said == []
