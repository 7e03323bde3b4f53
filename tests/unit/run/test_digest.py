import ast
import importlib
import importlib.util
import inspect
import os
import re
import shutil

import pytest

from tfseg.run import digest

MODULES = sorted(digest.LIBRARY.rglob("*.py"))


@pytest.fixture
def library(tmp_path):
    """A copy of the library's folder that a test may edit."""
    copy = tmp_path / "tfseg"
    shutil.copytree(digest.LIBRARY, copy, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


@pytest.fixture
def measure(library):
    """Digest a script with the copy's own digest.py, loaded anew (it caches parsed files)."""

    def fresh():
        spec = importlib.util.spec_from_file_location("copied_digest", library / "run/digest.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        assert library == module.LIBRARY
        return module

    return lambda *scripts, **options: fresh().code_digest(*scripts, **options)


@pytest.fixture
def script(tmp_path):
    """A script that imports one module, which imports others."""
    path = tmp_path / "plan_mixtures.py"
    path.write_text("from tfseg.mixing import remixing\n\nremixing.plan_mixtures(1, 2)\n")
    return path


def _replace(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_the_digest_is_16_hexadecimal_digits_and_repeats(measure, script):
    assert re.fullmatch("[0-9a-f]{16}", measure(script))
    assert measure(script) == measure(script)


def test_the_copy_has_the_digest_of_the_original(measure, script):
    assert measure(script) == digest.code_digest(script)


@pytest.mark.parametrize(
    "text",
    [
        "from tfseg.mixing import remixing\nremixing.plan_mixtures(1, 2)  # a comment\n",
        '"""A docstring."""\nfrom tfseg.mixing import remixing\n\n\nremixing.plan_mixtures(\n    1,\n    2,\n)',
        "from tfseg.mixing import (\n    remixing,\n)\nremixing.plan_mixtures(1, (2))\n",
        "from tfseg.mixing import remixing; remixing.plan_mixtures(1, 0x2)\r\n",
    ],
)
def test_comments_docstrings_and_layout_of_the_script_do_not_count(measure, script, text):
    before = measure(script)
    script.write_text(text)
    assert measure(script) == before


@pytest.mark.parametrize(
    "text",
    [
        "from tfseg.mixing import remixing\n\nremixing.plan_mixtures(1, 3)\n",
        "from tfseg.mixing import remixing\n\nremixing.plan_mixtures(2, 1)\n",
        "from tfseg.mixing import remixing\n\nremixing.render_stems(1, 2)\n",
        "from tfseg.mixing import remixing, soundscape\n\nremixing.plan_mixtures(1, 2)\n",
        "from tfseg.mixing import remixing\n\nremixing.plan_mixtures(1, '2')\n",
    ],
)
def test_the_meaning_of_the_script_counts(measure, script, text):
    before = measure(script)
    script.write_text(text)
    assert measure(script) != before


def test_comments_and_layout_of_the_whole_library_do_not_count(measure, script, library):
    before = measure(script)
    for path in library.rglob("*.py"):
        text = path.read_text()
        path.write_text(ast.unparse(ast.parse(text)) + "\n# a comment\n")
        assert path.read_text() != text
    assert measure(script) == before


def test_docstrings_of_a_module_a_class_and_a_function_do_not_count(measure, script, library):
    before = measure(script)
    path = library / "mixing/remixing.py"
    tree = ast.parse(path.read_text())
    changed = 0
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(
            node
        ):
            node.body[0] = ast.Expr(ast.Constant("Something else."))
            changed += 1
    assert changed > 5
    path.write_text(ast.unparse(ast.fix_missing_locations(tree)))
    assert measure(script) == before


def test_modification_times_do_not_count(measure, script, library):
    before = measure(script)
    for path in [script, *library.rglob("*.py")]:
        os.utime(path, (1, 1))
    assert measure(script) == before


@pytest.fixture
def rendering(tmp_path):
    """A script that names another function of the same module as `script`."""
    path = tmp_path / "render_stems.py"
    path.write_text("from tfseg.mixing import remixing\n\nremixing.render_stems(1, 2)\n")
    return path


def test_a_constant_that_a_named_function_uses_counts(measure, script, rendering, library):
    before = measure(rendering), measure(script)
    _replace(library / "mixing/remixing.py", "_INT16_PEAK = 32767", "_INT16_PEAK = 32766")
    assert measure(rendering) != before[0]
    assert measure(script) == before[1]  # planning uses it nowhere


def test_what_a_named_function_calls_in_another_module_counts(measure, script, library):
    before = measure(script)
    _replace(library / "job/seeding.py", "[:8]", "[:7]")  # mixing draws with it
    assert measure(script) != before


def test_a_function_that_nothing_names_does_not_count(measure, script, library):
    before = measure(script)
    path = library / "mixing/remixing.py"
    path.write_text(path.read_text() + "\n\ndef brand_new():\n    return 1\n")
    assert measure(script) == before


def test_a_module_that_is_handed_on_counts_whole(measure, tmp_path, library):
    script = tmp_path / "all_of_it.py"
    script.write_text(
        "from tfseg.mixing import remixing\n\nprint(vars(remixing))\nx = vars(remixing)\n"
    )
    before = measure(script)
    path = library / "mixing/remixing.py"
    path.write_text(path.read_text() + "\n\ndef brand_new():\n    return 1\n")
    assert measure(script) != before


def test_a_name_that_a_module_hands_on_is_followed(measure, tmp_path, library):
    (library / "egg.py").write_text("from tfseg.hen import lay\n")
    (library / "hen.py").write_text("def lay():\n    return 1\n\n\ndef sit():\n    return 1\n")
    script = tmp_path / "breakfast.py"
    script.write_text("from tfseg.egg import lay\n\nx = lay()\n")
    before = measure(script)
    _replace(library / "hen.py", "def sit():\n    return 1", "def sit():\n    return 2")
    assert measure(script) == before
    _replace(library / "hen.py", "def lay():\n    return 1", "def lay():\n    return 2")
    assert measure(script) != before


def test_what_is_printed_and_what_an_error_says_do_not_count(measure, tmp_path):
    script = tmp_path / "say.py"
    text = """from tfseg.errors import DataError
from tfseg.job.progress import bars
for item in bars([1, 2], "items"):
    print("one", item)
    if item > 2:
        raise DataError(f"too large: {item}")
"""
    script.write_text(text)
    before = measure(script)
    for old, new in (
        ('"items"', '"things"'),
        ('    print("one", item)\n', ""),
        ("too large: {item}", "{item} is too large"),
    ):
        script.write_text(text.replace(old, new))
        assert measure(script) == before
    for old, new in (
        ("[1, 2]", "[1, 3]"),
        ("item > 2", "item > 1"),
        ("raise DataError", "raise ValueError"),
    ):
        script.write_text(text.replace(old, new))
        assert measure(script) != before


def test_a_new_error_class_and_progress_do_not_count(measure, script, rendering, library):
    before = measure(script), measure(rendering)
    errors = library / "errors.py"
    errors.write_text(errors.read_text() + '\n\nclass NewError(TfsegError):\n    """New."""\n')
    progress = library / "job/progress.py"
    progress.write_text(progress.read_text() + "\nMESSAGE = 1\n")
    assert (measure(script), measure(rendering)) == before


def test_a_root_that_names_nothing_is_refused():
    with pytest.raises(ValueError, match=r"tfseg.mixing.remixing:nothing: expected a module"):
        digest.code_digest("tfseg.mixing.remixing:nothing")


# Trainings


@pytest.fixture
def trainings(library):
    """Digest the trainings of some poolings on the papers' trunk, and of one network, by the copy."""
    script = library.parent / "train_model.py"
    shutil.copy(digest.LIBRARY.parent / "train_model.py", script)

    def digests():
        spec = importlib.util.spec_from_file_location("copied_digest", library / "run/digest.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        trunk = "tfseg.models.trunks.vgg:build"
        return {
            "gap": module.training_digest(script, trunk, "tfseg.models.poolings.gap:build"),
            "gwrp": module.training_digest(script, trunk, "tfseg.models.poolings.gwrp:build"),
            "dnn": module.training_digest(script, "tfseg.models.networks.dnn:build"),
        }

    return digests


def _changed(before, after):
    return {name for name in before if before[name] != after[name]}


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        ("models/poolings/gwrp.py", "powers.sum()", "powers.sum() / 1", {"gwrp"}),
        ("models/poolings/gwrp.py", "109 << 7", "108 << 7", {"gwrp"}),
        ("models/poolings/gap.py", "mean(dim=(2, 3))", "mean(dim=(3, 2))", {"gap"}),
        ("models/poolings/units.py", "ndim != 4", "ndim == 3", {"gap", "gwrp"}),
        ("models/trunks/vgg.py", "index % 2", "index % 3", {"gap", "gwrp"}),
        ("models/networks/dnn.py", "amax(dim=2)", "amax(dim=-1)", {"dnn"}),
        ("training/initial.py", "0.0, 0.0, 0", "0.0, 0.0, 0.0", {"gap", "gwrp", "dnn"}),
        (
            "training/augmentation.py",
            "_FILTER_NODES = ",
            "_FILTER_NODES = 1 + ",
            {"gap", "gwrp", "dnn"},
        ),
        (
            "features/feature_set.py",
            "np.concatenate(parts)",
            "np.vstack(parts)",
            {"gap", "gwrp", "dnn"},
        ),
        ("job/seeding.py", "[:8]", "[:7]", {"gap", "gwrp", "dnn"}),
        # None of these affects weights.
        (
            "training/batches.py",
            "expected one length, or a ",
            "expected equal lengths, or a ",
            set(),
        ),
        (
            "training/loop.py",
            "    if bar:\n        bar.close()",
            '    log("done")\n    if bar:\n        bar.close()',
            set(),
        ),
        ("job/progress.py", "import", "import math\nimport", set()),
        ("errors.py", "class", "class Unheard(Exception):\n    pass\n\n\nclass", set()),
        ("io/files.py", "import", "import math\nimport", set()),
        ("datasets/licences.py", "def ", "NOBODY = 1\n\n\ndef ", set()),
        ("inference/model_card.py", ":.4g}", ":.5g}", set()),
        ("settings/detection_keys.py", '"tag",', '"the tag",', set()),
        ("models/registry.py", "import functools", "import math\nimport functools", set()),
        ("models/trunks/unet.py", "self.pools = ", "self.pools = 1 and ", set()),
        ("inference/forward.py", "_BATCH_FRAMES = ", "_BATCH_FRAMES = 1 + ", set()),
        ("__init__.py", '__version__ = "', '__version__ = "9', set()),
    ],
)
def test_a_change_retrains_whom_it_concerns(trainings, library, file, old, new, expected):
    before = trainings()
    _replace(library / file, old, new)
    assert _changed(before, trainings()) == expected


@pytest.mark.parametrize("kind", ["poolings", "trunks", "networks"])
def test_a_new_pooling_trunk_or_network_retrains_nothing(trainings, library, kind):
    before = trainings()
    known = next(
        path
        for path in sorted((library / "models" / kind).glob("*.py"))
        if "DECLARATION" in path.read_text()
    )
    shutil.copy(known, known.with_name("brand_new.py"))
    assert trainings() == before


def test_the_teachers_network_counts(library):
    script = digest.LIBRARY.parent / "train_model.py"
    alone = digest.training_digest(script, "tfseg.models.poolings.gap:build")
    taught = digest.training_digest(
        script, "tfseg.models.poolings.gap:build", "tfseg.models.poolings.gwrp:build"
    )
    assert alone != taught


def test_an_import_inside_a_function_counts(measure, tmp_path, library):
    script = tmp_path / "check.py"
    script.write_text(
        "def main():\n    from tfseg.settings.checks import check_config\n    check_config({})\n"
    )
    before = measure(script)
    # checks.py imports this one inside a function, too.
    _replace(library / "datasets" / "instruments.py", "(73, 60, 96)", "(73, 60, 95)")
    assert measure(script) != before


def test_bare_statements_of_a_packages_init_file_count(measure, tmp_path, library):
    script = tmp_path / "folds.py"
    script.write_text("from tfseg.datasets.folds import deal_groups\n\nx = deal_groups\n")
    before = measure(script)
    (library / "datasets" / "__init__.py").write_text("import os\n\nos.umask(0o22)\n")
    assert measure(script) != before


def test_a_module_that_is_not_imported_does_not_count(measure, script, library):
    before = measure(script)
    _replace(library / "training/loop.py", "import", "import sys\nimport")
    (library / "brand_new.py").write_text("VALUE = 1\n")
    assert measure(script) == before


def test_a_script_without_library_has_a_digest_of_its_own(measure, tmp_path, library):
    script = tmp_path / "alone.py"
    script.write_text("import json\n\nprint(json.dumps(1))\n")
    before = measure(script)
    _replace(library / "__init__.py", "__version__ = ", "__version__ = 'x' + ")
    assert measure(script) == before


def test_a_digest_of_two_scripts_covers_both(measure, script, tmp_path, library):
    other = tmp_path / "other.py"
    other.write_text("from tfseg.io import audio\n\naudio.duration_s('a.wav')\n")
    before = measure(script, other)
    assert before == measure(other, script)
    assert before not in (measure(script), measure(other))
    other.write_text("from tfseg.io import audio\n\naudio.duration_s('b.wav')\n")
    changed = measure(script, other)
    assert changed != before
    _replace(library / "job/seeding.py", "[:8]", "[:7]")
    assert measure(script, other) != changed


def test_modules_that_import_each_other_are_followed_once(measure, tmp_path, library):
    (library / "hen.py").write_text("from tfseg import egg\nVALUE = 1\n")
    (library / "egg.py").write_text("from tfseg import hen\nlaid = hen.VALUE\n")
    script = tmp_path / "cycle.py"
    script.write_text("import tfseg.egg as e\nx = e.laid\n")
    before = measure(script)
    (library / "hen.py").write_text("from tfseg import egg\nVALUE = 2\n")
    assert measure(script) != before


def _dotted(path):
    parts = path.relative_to(digest.LIBRARY.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@pytest.mark.parametrize("path", MODULES, ids=_dotted)
def test_all_that_a_module_really_holds_of_the_library_is_found(path):
    module = importlib.import_module(_dotted(path))
    held = {
        value.__name__ if inspect.ismodule(value) else getattr(value, "__module__", None) or ""
        for value in vars(module).values()
        # Calls that only print messages are left out.
        if getattr(value, "__name__", None) not in digest._SAYING
    }
    sources = {
        digest.LIBRARY.parent.joinpath(*name.split(".")).with_suffix(".py")
        for name in held
        # A package has its modules as attributes after their import.
        if name.startswith("tfseg.") and not name.startswith(f"{module.__name__}.")
    }
    silent = {
        digest.LIBRARY.parent.joinpath(*n.split(".")).with_suffix(".py") for n in digest.NEUTRAL
    }
    found = set(digest.modules_of(path))
    assert {source for source in sources - silent if source.is_file()} <= found
    assert path in found


@pytest.mark.parametrize("path", MODULES, ids=_dotted)
def test_the_library_has_no_relative_import(path):
    # They are not followed (tfseg.run.digest), so a change behind one would go unnoticed.
    tree = ast.parse(path.read_text())
    assert not [n.lineno for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.level]
