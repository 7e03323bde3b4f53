"""Every system of a figure is distinguishable from the others."""

from tfseg.models.registry import systems
from tfseg.reporting.plot_style import system_styles


def _distinct(styles):
    return len({(style["color"], style["linestyle"]) for style in styles.values()}) == len(styles)


def test_a_registered_system_looks_the_same_in_every_run_and_like_no_other():
    everything = system_styles(list(systems()))
    assert _distinct(everything)
    some = ["gwrp", "dnn", "mine", "gap"]
    styles = system_styles(some)
    assert list(styles) != [] and set(styles) == set(some)
    assert all(styles[name] == everything[name] for name in some if name in systems())


def test_a_variant_has_a_colour_of_its_own_while_there_is_one():
    systems = ["gmp", "gap", "gwrp", "unet", "one", "two", "three"]
    styles = system_styles(systems)
    assert len({style["color"] for style in styles.values()}) == len(systems)
    assert styles["unet"] == system_styles(["unet", "gwrp"])["unet"]


def test_variants_behind_the_last_colour_differ_in_dashes():
    registered = list(systems())
    variants = [f"variant_{i}" for i in range(28 - len(registered))]
    assert _distinct(system_styles([*registered, *variants]))
    many = [*registered, *variants, "one_too_many"]
    assert set(system_styles(many)) == set(many)
