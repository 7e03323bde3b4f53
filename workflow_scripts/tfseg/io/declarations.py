"""What a module declares of itself, read from its text: nothing is imported to know what there is."""

import ast

from tfseg.errors import ConfigError

NAME = "DECLARATION"


def read_declaration(path):
    """Read the literal that a module assigns to ``DECLARATION`` at its top level.

    Parameters
    ----------
    path : Path

    Returns
    -------
    declared : object or None
        None where the module declares nothing.

    Raises
    ------
    ConfigError
        When it is an expression and no literal.
    """
    text = path.read_text(encoding="utf-8")
    # A file without one is not parsed: every job of a cluster reads all of them.
    if f"\n{NAME} = " not in f"\n{text}":
        return None
    for statement in ast.parse(text, filename=str(path)).body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == NAME:
            try:
                return ast.literal_eval(statement.value)
            except ValueError as error:
                raise ConfigError(
                    f"{path}: {NAME}: expected a literal, which is read and not run: {error}"
                ) from None
    return None
