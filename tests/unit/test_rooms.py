"""The library's folders depend on each other in one direction only."""

import ast

import pytest

from tfseg.run.digest import LIBRARY

# Each may import those before it; `errors`, `snr` and the version are in no folder.
ROOMS = [
    "io",
    "job",
    "features",  # the time grid, which mixing counts in, is there
    "datasets",
    "annotations",
    "mixing",
    "models",
    "settings",
    "training",
    "inference",
    "separation",
    "evaluation",
    "reporting",
    "apply",
    "review",
    "run",
    "cli",
]
SHARED = {"errors", "snr"}


def _room(path):
    parts = path.relative_to(LIBRARY).with_suffix("").parts
    return parts[0]


def _imported_rooms(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            parts = node.module.split(".")
            if parts[0] == "tfseg":
                yield from [parts[1]] if len(parts) > 1 else [alias.name for alias in node.names]
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith("tfseg."):
                    yield alias.name.split(".")[1]


def test_every_folder_has_a_place():
    folders = {path.name for path in LIBRARY.iterdir() if (path / "__init__.py").is_file()}
    assert folders == set(ROOMS)


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_rooms_before_it(room):
    allowed = {*ROOMS[: ROOMS.index(room) + 1], *SHARED, "__version__"}
    wrong = {
        (str(path.relative_to(LIBRARY)), imported)
        for path in (LIBRARY / room).rglob("*.py")
        for imported in _imported_rooms(path)
        if imported not in allowed
    }
    assert not wrong
