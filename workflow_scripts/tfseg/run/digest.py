"""A digest of the code that can change what a rule makes.

Snakemake compares scripts by modification time and does not look into imported modules. Rules have
this digest as a parameter instead. So a job runs again when the code behind its outputs changes its
meaning, and not when a file is touched, reformatted or commented.

The digest follows names, not files. It covers a script, the functions, classes and constants of the
library that the script names, all that those name, and so on. A function that none of them names
does not count, even in the same file. The following do not count either:

- comments, docstrings, layout and modification times;
- messages: the arguments of a ``raise``, and texts that are printed or logged;
- the modules in `NEUTRAL`, with the texts that are passed to them.

Bare statements of a module (a call, an ``if``) count wherever something of that module counts.
Modules whose name is known only when a job runs (poolings, trunks, networks, data sets) have to be
given as roots.
"""

import ast
import functools
import hashlib
from pathlib import Path

LIBRARY = Path(__file__).resolve().parents[1]
_PACKAGE = LIBRARY.name

# These modules change no result: they report, time, lock, look up names, or raise errors.
NEUTRAL = (
    "tfseg",  # its version and exports
    "tfseg.errors",
    "tfseg.models.registry",
    "tfseg.run.digest",
    "tfseg.job.runner",
    "tfseg.job.progress",
    "tfseg.run.scheduler",
)
# A model's weights do not depend on how files are written, on attributions or on what is shown of a
# training. Damaged files are refused on reading.
NEUTRAL_OF_TRAINING = (
    *NEUTRAL,
    "tfseg.datasets.licences",
    "tfseg.io.files",
    "tfseg.io.tensors",
    "tfseg.training.tensorboard",
)
# Statements that call these functions only report progress.
_SAYING = frozenset({"print", "log", "announce"})
_EVERYTHING = "*"


@functools.cache
def _module_path(name):
    """Return the path of a dotted module of the library, or None if there is no such module."""
    base = LIBRARY.joinpath(*name.split(".")[1:])
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.is_file():
            return path
    return None


def _is_text(node):
    return isinstance(node, ast.JoinedStr) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def _is_said(statement, has_docstring=False):
    """Whether a statement is only a message: a docstring, or a call of `_SAYING`."""
    if not isinstance(statement, ast.Expr):
        return False
    value = statement.value
    if isinstance(value, ast.Call):
        return isinstance(value.func, ast.Name) and value.func.id in _SAYING
    return has_docstring and isinstance(value, ast.Constant) and isinstance(value.value, str)


class _Reader:
    """Write the meaning of statements as text, and collect the names in them.

    Parameters
    ----------
    neutral_names : set of str
        Functions whose texts do not count.

    Attributes
    ----------
    used : set of (str, tuple of str)
        Names, each with the attributes that are accessed on it.
    """

    def __init__(self, neutral_names):
        self.used = set()
        self._neutral_names = neutral_names
        self._words = []

    def read(self, statements):
        """Return the meaning of statements as text."""
        for statement in statements:
            self._node(statement)
        return " ".join(self._words)

    def _block(self, statements, has_docstring):
        for index, statement in enumerate(statements):
            if not _is_said(statement, has_docstring and index == 0):
                self._node(statement)

    def _node(self, node):
        words = self._words
        words.append(f"({type(node).__name__}")
        has_docstring = isinstance(
            node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Module
        )
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            self._node(node.exc.func)
        elif isinstance(node, ast.Name | ast.Attribute) and (chain := _chain(node)):
            self.used.add(chain)
            words.append(f"{'.'.join((chain[0], *chain[1]))} {type(node.ctx).__name__}")
        else:
            drops_texts = (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in self._neutral_names
            )
            for field in node._fields:
                value = getattr(node, field, None)
                if isinstance(value, list):
                    words.append(f"{field}[")
                    if value and isinstance(value[0], ast.stmt):
                        self._block(value, has_docstring)
                    else:
                        self._values(value, drops_texts)
                    words.append("]")
                elif value is not None or field == "value":
                    words.append(field)
                    self._values([value], False)
        words.append(")")

    def _values(self, values, drops_texts):
        for value in values:
            if not isinstance(value, ast.AST):
                self._words.append(repr(value))
            elif not drops_texts or not _is_text(
                getattr(value, "value", value) if isinstance(value, ast.keyword) else value
            ):
                self._node(value)


def _chain(node):
    """Split a dotted name into (name, attributes); None if it does not begin with a name."""
    attributes = []
    while isinstance(node, ast.Attribute):
        attributes.append(node.attr)
        node = node.value
    return (node.id, tuple(reversed(attributes))) if isinstance(node, ast.Name) else None


def _statements(body, *, inside=False):
    """Yield statements and those nested in them, by default not those of functions and classes."""
    waiting = list(body)
    while waiting:
        node = waiting.pop()
        yield node
        closed = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        if inside or not closed:
            for field in ("body", "orelse", "finalbody", "handlers", "cases"):
                waiting += getattr(node, field, ())


def _names_in(target):
    return {node.id for node in ast.walk(target) if isinstance(node, ast.Name)}


def _bound_by(statement):
    """Return the names that one statement binds (not those inside it)."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {statement.name}
    if isinstance(statement, ast.Import):
        return {alias.asname or alias.name.split(".")[0] for alias in statement.names}
    if isinstance(statement, ast.ImportFrom):
        return {alias.asname or alias.name for alias in statement.names}
    targets = list(getattr(statement, "targets", ()))
    if isinstance(statement, ast.AnnAssign | ast.AugAssign | ast.For):
        targets.append(statement.target)
    if isinstance(statement, ast.With):
        targets += [item.optional_vars for item in statement.items if item.optional_vars]
    return {name for target in targets for name in _names_in(target)}


def _imports_of(tree):
    """Find what the imported names of a syntax tree refer to in the library.

    Returns
    -------
    imports : dict of str to set of (str, str or None)
        Name to module, and the symbol of that module; None for the module itself.
    """
    imports = {}
    for node in _statements(tree.body, inside=True):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == _PACKAGE:
                    whole = alias.name if alias.asname else _PACKAGE
                    imports.setdefault(alias.asname or _PACKAGE, set()).add((whole, None))
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            if node.module.split(".")[0] != _PACKAGE:
                continue
            for alias in node.names:
                dotted = f"{node.module}.{alias.name}"
                meaning = (dotted, None) if _module_path(dotted) else (node.module, alias.name)
                imports.setdefault(alias.asname or alias.name, set()).add(meaning)
    return imports


class _Module:
    """A parsed file: the statements that bind each of its names, and its bare statements."""

    def __init__(self, path):
        tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
        self.imports = _imports_of(tree)
        self.neutral_names = {
            name
            for name, meanings in self.imports.items()
            if any(module in NEUTRAL for module, _ in meanings)
        }
        self.bindings, self.bare = {}, []
        for index, statement in enumerate(tree.body):
            bound = set()
            for inner in _statements([statement]):
                bound |= _bound_by(inner)
            for name in bound:
                self.bindings.setdefault(name, []).append(statement)
            if not bound and not _is_said(statement, has_docstring=index == 0):
                self.bare.append(statement)


@functools.cache
def _parsed(path):
    return _Module(path)


@functools.cache
def _meaning(path, name):
    """Return the meaning of one name of a file.

    Parameters
    ----------
    path : Path
    name : str
        ``*`` for all statements.

    Returns
    -------
    text : str
        Meaning of the statements that bind it, or of the bare ones for an empty name.
    used : frozenset of (str, tuple of str)
        Names in these statements, each with the attributes that are accessed on it.
    """
    module = _parsed(path)
    if name == _EVERYTHING:
        statements = [s for bound in module.bindings.values() for s in bound] + module.bare
        statements = sorted(set(statements), key=lambda s: (s.lineno, s.col_offset))
    else:
        statements = module.bindings.get(name, []) if name else module.bare
    reader = _Reader(module.neutral_names)
    text = reader.read(statements)
    return text, frozenset(reader.used)


def _resolve(module, attributes):
    """Follow attributes from a package into its modules; return (module, symbol)."""
    for depth, attribute in enumerate(attributes):
        inner = f"{module}.{attribute}"
        if _module_path(inner) is None:
            return module, attributes[depth]
        module = inner
    return module, _EVERYTHING


def _targets(path, symbol):
    """Yield the symbols of the library that one symbol uses: (module path, symbol)."""
    module, used = _parsed(path), _meaning(path, symbol)[1]
    if symbol in module.imports:
        used = used | {(symbol, ())}  # requested here, imported from elsewhere
    elif symbol == _EVERYTHING and path.is_relative_to(LIBRARY):
        # A module re-exports what it imports and does not use.
        used = used | {(name, ()) for name in module.imports.keys() - {name for name, _ in used}}
    for name, attributes in used:
        # A function may import a name that the module also binds.
        bound = module.bindings.get(name, ())
        if not all(isinstance(statement, ast.Import | ast.ImportFrom) for statement in bound):
            yield path, name
        for dotted, inner in module.imports.get(name, ()):
            if inner is None:
                dotted, inner = _resolve(dotted, attributes)
            yield _module_path(dotted), inner


def _root(root):
    """Return a root as (path, symbol): a script counts whole, ``tfseg.a.b:name`` by its name."""
    if isinstance(root, str) and ":" in root and not Path(root).exists():
        dotted, symbol = root.split(":")
        path = _module_path(dotted)
        if path is None or symbol not in _parsed(path).bindings:
            raise ValueError(f"{root}: expected a module of the library and a name in it")
        return path, symbol
    return Path(root).resolve(), _EVERYTHING


def symbols_of(*roots, neutral=NEUTRAL):
    """Find all code that determines what scripts and functions do.

    Parameters
    ----------
    *roots : path-like or str
        Scripts, which count whole, and names in the library, written ``tfseg.module:name``.
    neutral : sequence of str
        Dotted modules that do not count; a root in them does count.

    Returns
    -------
    symbols : list of (Path, str)
        File and name in it, in an order that does not depend on the repository's location. The name
        is ``*`` for a whole file and empty for a module's bare statements.

    Raises
    ------
    ValueError
        When a root names nothing in the library.
    """
    silent = {_module_path(name) for name in neutral}
    waiting = [_root(root) for root in roots]
    found = set(waiting)
    while waiting:
        path, symbol = waiting.pop()
        new = set(_targets(path, symbol))
        # Importing a.b runs the bare statements of a's __init__ and of b.
        new |= {(file, "") for file in _with_packages(path)}
        new = {(file, name) for file, name in new if file is not None and file not in silent}
        waiting += new - found
        found |= new
    return sorted(found, key=lambda item: (_place(item[0]), item[1]))


@functools.cache
def _with_packages(path):
    """Return a module of the library and the packages around it; nothing for a script."""
    if not path.is_relative_to(LIBRARY):
        return ()
    packages = [folder / "__init__.py" for folder in path.parents if folder.is_relative_to(LIBRARY)]
    return (path, *(package for package in packages if package.is_file()))


def modules_of(*roots):
    """Find the files whose code determines what `roots` do, in a fixed order: list of Path."""
    files = {path for path, symbol in symbols_of(*roots) if symbol}
    return sorted(files, key=_place)


def _place(path):
    """Sort key that does not depend on the repository's location."""
    beside = LIBRARY.parent
    return path.relative_to(beside).parts if path.is_relative_to(beside) else (path.name,)


def code_digest(*roots, neutral=NEUTRAL):
    """Digest the meaning of scripts and functions, and of all library code that they use.

    Parameters
    ----------
    *roots : path-like or str
        As `symbols_of` takes them.
    neutral : sequence of str
        Dotted modules that do not count.

    Returns
    -------
    digest : str
        16 hexadecimal digits.
    """
    digest = hashlib.sha256()
    for path, symbol in symbols_of(*roots, neutral=neutral):
        text = _meaning(path, symbol)[0]
        if text:
            place = "/".join(_place(path))
            digest.update(f"{place}\x1f{symbol}\x1f{text}\x1f".encode())
    return digest.hexdigest()[:16]


def training_digest(script, *builders):
    """Digest the code that determines a training; a state with another digest is not resumed.

    Parameters
    ----------
    script : path-like
        The rule's script.
    *builders : str
        Builders of the networks that take part (`tfseg.settings.recipes.Recipe.builders`).
    """
    return code_digest(script, *builders, neutral=NEUTRAL_OF_TRAINING)
