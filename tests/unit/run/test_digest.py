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

    return lambda *scripts: fresh().code_digest(*scripts)


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


def test_a_constant_of_an_imported_module_counts(measure, script, library):
    before = measure(script)
    _replace(library / "mixing/remixing.py", "_INT16_PEAK = 32767", "_INT16_PEAK = 32766")
    assert measure(script) != before


def test_a_constant_of_an_indirectly_imported_module_counts(measure, script, library):
    before = measure(script)
    _replace(library / "run/seeding.py", "[:8]", "[:7]")  # mixing imports seeding
    assert measure(script) != before


def test_an_import_inside_a_function_counts(measure, tmp_path, library):
    script = tmp_path / "check.py"
    script.write_text(
        "def main():\n    from tfseg.settings.checks import check_config\n    check_config({})\n"
    )
    before = measure(script)
    # config.py imports this one inside a function, too.
    _replace(library / "datasets" / "instruments.py", "(73, 60, 96)", "(73, 60, 95)")
    assert measure(script) != before


def test_the_init_file_of_a_package_counts(measure, tmp_path, library):
    script = tmp_path / "folds.py"
    script.write_text("from tfseg.datasets.folds import deal_groups\n")
    before = measure(script)
    (library / "datasets" / "__init__.py").write_text("SIDE_EFFECT = 1\n")
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
    other.write_text("from tfseg import audio\n\naudio.duration_s('a.wav')\n")
    before = measure(script, other)
    assert before == measure(other, script)
    assert before not in (measure(script), measure(other))
    other.write_text("from tfseg import audio\n\naudio.duration_s('b.wav')\n")
    changed = measure(script, other)
    assert changed != before
    _replace(library / "mixing/remixing.py", "_INT16_PEAK = 32767", "_INT16_PEAK = 32766")
    assert measure(script, other) != changed


def test_modules_that_import_each_other_are_followed_once(measure, tmp_path, library):
    (library / "hen.py").write_text("from tfseg import egg\nVALUE = 1\n")
    (library / "egg.py").write_text("import tfseg.hen\n")
    script = tmp_path / "cycle.py"
    script.write_text("import tfseg.egg as e\n")
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
    }
    sources = {
        digest.LIBRARY.parent.joinpath(*name.split(".")).with_suffix(".py")
        for name in held
        # A package holds its own modules once somebody has imported them.
        if name.startswith("tfseg.") and not name.startswith(f"{module.__name__}.")
    }
    found = set(digest.modules_of(path))
    assert {source for source in sources if source.is_file()} <= found
    assert path in found


@pytest.mark.parametrize("path", MODULES, ids=_dotted)
def test_the_library_has_no_relative_import(path):
    # They are not followed (tfseg.run.digest), so a change behind one would go unnoticed.
    tree = ast.parse(path.read_text())
    assert not [n.lineno for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.level]


# Files


@pytest.fixture
def recordings(tmp_path):
    for name in ("a.wav", "b/c.wav"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    return [tmp_path / "a.wav", tmp_path / "b/c.wav"]


def test_files_that_stay_keep_their_digest_in_any_order(recordings):
    assert digest.files_digest(recordings) == digest.files_digest(reversed(recordings))
    assert digest.files_digest(recordings) == digest.files_digest(
        [*recordings, recordings[1].parent]
    )


def test_a_changed_touched_missing_or_further_file_changes_the_digest(recordings, tmp_path):
    digests = [
        digest.files_digest(recordings),
        digest.files_digest([*recordings, tmp_path / "new.wav"]),
    ]
    recordings[0].write_bytes(b"longer than before")
    digests.append(digest.files_digest(recordings))
    os.utime(recordings[0], ns=(1, 1))
    digests.append(digest.files_digest(recordings))
    recordings[0].unlink()
    digests.append(digest.files_digest(recordings))
    assert len(set(digests)) == 5


def test_contents_count_by_name_and_bytes_not_by_time(tmp_path):
    first, second = tmp_path / "a.html", tmp_path / "b.css"
    first.write_text("one")
    second.write_text("two")
    before = digest.contents_digest([first, second])
    os.utime(first, (1, 1))
    assert digest.contents_digest([second, first]) == before
    second.write_text("two!")
    assert digest.contents_digest([first, second]) != before
