"""A digest of the code behind a rule: its script and every library module that it imports.

Snakemake compares scripts by modification time and does not look into imported modules. Rules
carry this digest as a parameter instead, so that a job runs again when the code that it executes
means something else, and not when a file was touched, laid out anew or commented.
"""

import ast
import functools
import hashlib
from pathlib import Path

LIBRARY = Path(__file__).resolve().parents[1]
_PACKAGE = LIBRARY.name


def _module_path(name):
    """Path of a dotted module of the library, or None when there is none of that name."""
    base = LIBRARY.joinpath(*name.split(".")[1:])
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.is_file():
            return path
    return None


def _statements(tree):
    """Yield a module and all statements in it; expressions, which are most of a tree, hold none."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        for field in ("body", "orelse", "finalbody", "handlers", "cases"):
            waiting += getattr(node, field, ())


def _imported(statement):
    """Dotted names of the library's modules that a statement imports, and of all around them."""
    if isinstance(statement, ast.Import):
        names = [alias.name for alias in statement.names]
    elif isinstance(statement, ast.ImportFrom) and statement.module and not statement.level:
        names = [f"{statement.module}.{alias.name}" for alias in statement.names]
    else:
        return set()
    parts = [name.split(".") for name in names]
    # Importing a.b runs a's __init__ too.
    return {
        ".".join(part[:depth])
        for part in parts
        if part[0] == _PACKAGE
        for depth in range(1, len(part) + 1)
    }


@functools.cache
def _parsed(path):
    """A file's meaning as text, and the paths of the library's modules that it imports itself."""
    tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    imported = set()
    for statement in _statements(tree):
        imported |= _imported(statement)
        if (
            isinstance(statement, ast.Module | ast.ClassDef | ast.FunctionDef)
            and ast.get_docstring(statement, clean=False) is not None
        ):
            statement.body = statement.body[1:] or [ast.Pass()]
    modules = {_module_path(name) for name in imported}
    return ast.dump(tree), modules - {None}


def modules_of(*scripts):
    """Find the files whose meaning decides what `scripts` do.

    Parameters
    ----------
    *scripts : path-like

    Returns
    -------
    paths : list of Path
        The scripts and all library modules that they import, directly or not, in a fixed order.
    """
    waiting = [Path(script).resolve() for script in scripts]
    found = set(waiting)
    while waiting:
        new = _parsed(waiting.pop())[1] - found
        found |= new
        waiting += new
    return sorted(found, key=_place)


def _place(path):
    """Sort key that does not depend on where the repository lies."""
    beside = LIBRARY.parent
    return path.relative_to(beside).parts if path.is_relative_to(beside) else (path.name,)


def code_digest(*scripts):
    """Digest the meaning of scripts and of the library modules behind them.

    Comments, docstrings, layout and modification times do not count.

    Parameters
    ----------
    *scripts : path-like

    Returns
    -------
    digest : str
        16 hexadecimal digits.
    """
    digest = hashlib.sha256()
    for path in modules_of(*scripts):
        digest.update(f"{path.name}\x1f{_parsed(path)[0]}\x1f".encode())
    return digest.hexdigest()[:16]


def contents_digest(paths):
    """Digest the names and contents of files that are no Python, such as templates.

    Parameters
    ----------
    paths : iterable of path-like

    Returns
    -------
    digest : str
        16 hexadecimal digits.
    """
    digest = hashlib.sha256()
    for path in sorted(map(Path, paths), key=lambda path: path.name):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{path.name}\0{content}\n".encode())
    return digest.hexdigest()[:16]


def files_digest(paths):
    """Digest of the names, sizes and modification times of files.

    Parameters
    ----------
    paths : iterable of path-like
        Folders do not count, and a file that is missing counts by its name.
    """
    digest = hashlib.sha256()
    for path in sorted(map(Path, paths)):
        if path.is_dir():
            continue
        entry = f"{path}\0"
        if path.exists():
            entry += f"{path.stat().st_size}\0{path.stat().st_mtime_ns}"
        digest.update(f"{entry}\n".encode(errors="surrogateescape"))
    return digest.hexdigest()
