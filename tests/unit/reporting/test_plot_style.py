"""Every system of a figure is distinguishable from the others."""

from tfseg.models.registry import systems
from tfseg.reporting.plot_style import system_looks


def _distinct(looks):
    return len({(look["color"], look["linestyle"]) for look in looks.values()}) == len(looks)


def test_a_registered_system_looks_the_same_in_every_run_and_like_no_other():
    everything = system_looks(list(systems()))
    assert _distinct(everything)
    some = ["gwrp", "dnn", "mine", "gap"]
    looks = system_looks(some)
    assert list(looks) != [] and set(looks) == set(some)
    assert all(looks[name] == everything[name] for name in some if name in systems())


def test_a_variant_has_a_colour_of_its_own_while_there_is_one():
    systems = ["gmp", "gap", "gwrp", "unet", "one", "two", "three"]
    looks = system_looks(systems)
    assert len({look["color"] for look in looks.values()}) == len(systems)
    assert looks["unet"] == system_looks(["unet", "gwrp"])["unet"]


def test_variants_behind_the_last_colour_differ_in_dashes():
    registered = list(systems())
    variants = [f"variant_{i}" for i in range(28 - len(registered))]
    assert _distinct(system_looks([*registered, *variants]))
    many = [*registered, *variants, "one_too_many"]
    assert set(system_looks(many)) == set(many)
