"""Which code the digest of a job follows."""

from types import SimpleNamespace

import pytest

from tfseg.datasets.corpora import find_corpora
from tfseg.reporting.figures.registry import find_figures
from tfseg.run.digest import LIBRARY
from tfseg.run.experiment import Experiment
from tfseg.run.rule_code import RuleCode


@pytest.fixture
def code(full_config):
    """Digests of an experiment with a chain of teachers."""
    full_config["variants"] |= {
        "pupil": {"system": "gap", "teacher": "gwrp"},
        "pupils_pupil": {"system": "gap", "teacher": "pupil"},
        "twin": {"system": "gap"},
    }
    full_config["systems"] = ["gap", "gmp", "gwrp", "twin", "pupil", "pupils_pupil", "dnn"]
    return RuleCode(Experiment(full_config).recipes)


def _trainings(code):
    return {name: code.of_training(SimpleNamespace(system=name)) for name in code.recipes}


def test_a_training_follows_the_networks_of_all_its_teachers(code):
    digests = _trainings(code)
    assert digests["gap"] == digests["twin"]  # a variant's name is no code
    # A pupil and its pupil have the same two networks; each pupil has one more than `gap`.
    assert digests["pupil"] == digests["pupils_pupil"] != digests["gap"]
    assert len(set(digests.values())) == 5


def test_each_system_has_the_code_of_its_own_network(code):
    digests = {name: code.of_system(name) for name in code.recipes}
    assert digests["gap"] == digests["twin"] == digests["pupil"]
    assert len({digests[name] for name in ("gap", "gmp", "gwrp", "dnn")}) == 4
    assert code.of_model(SimpleNamespace(system="gwrp")) == digests["gwrp"]


def test_every_figure_and_every_rule_has_its_own_code(code):
    figures = {code.of_figure(SimpleNamespace(figure=name)) for name in find_figures()}
    assert len(figures) == len(find_figures())
    scripts = [path.stem for path in LIBRARY.parent.glob("*.py")]
    assert len({code.of_rule(name) for name in scripts}) == len(scripts) > 30


def test_every_corpus_has_its_own_code(code):
    corpora = find_corpora().values()
    assert len({code.of_corpus(corpus) for corpus in corpora}) == len(corpora)


def test_a_changed_template_is_noticed(code, monkeypatch, tmp_path):
    templates = tmp_path / "reporting/pages/templates"
    templates.mkdir(parents=True)
    (templates / "report.html").write_text("one")
    monkeypatch.setattr("tfseg.run.rule_code.LIBRARY", tmp_path)
    before = code.of_templates()
    (templates / "report.html").write_text("two")
    assert code.of_templates() != before
