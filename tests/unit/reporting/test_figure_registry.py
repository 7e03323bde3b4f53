import pytest

from tfseg.reporting.figures.registry import SECTIONS, find_figures, load_draw

DECLARED = 'DECLARATION = {"order": 1, "section": "figures", "label": "mine", "needs": ["metrics"], "caption": "Seed {config[seed]}."}\n'


def test_the_figures_of_a_run_in_the_order_of_the_report(full_config):
    found = find_figures()
    assert list(found) == [
        "example_mixture",
        "example_masks",
        "example_frames",
        "training",
        "metrics_by_snr",
        "masks_by_class",
        "f1_by_threshold",
    ]
    assert len({figure.label for figure in found.values()}) == len(found)
    assert {figure.section for figure in found.values()} == set(SECTIONS)
    for figure in found.values():
        assert figure.caption_of(full_config).endswith(".")
        assert callable(load_draw(figure.name))


def test_a_module_that_declares_itself_is_a_figure_and_no_other_is(tmp_path):
    (tmp_path / "mine.py").write_text(f"import nothing_of_that_name\n\n{DECLARED}")
    (tmp_path / "helpers.py").write_text("OTHER = 1\n")
    (figure,) = find_figures(tmp_path).values()
    assert (figure.name, figure.needs) == ("mine", ["metrics"])
    assert figure.caption_of({"seed": 7}) == "Seed 7."


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"metrics"', '"metric"', r"mine\.py: expected needs .*metrics, scores, found 'metric'"),
        ('"figures"', '"figure"', r"mine\.py: expected section .*training, found 'figure'"),
        ('"label": "mine", ', "", r"mine\.py: expected DECLARATION with the keys caption, label"),
        ('"order"', '"place"', r"found caption, label, needs, place, section"),
    ],
)
def test_a_wrong_declaration_is_named(tmp_path, old, new, message):
    assert old in DECLARED
    (tmp_path / "mine.py").write_text(DECLARED.replace(old, new))
    with pytest.raises(ValueError, match=message):
        find_figures(tmp_path)
