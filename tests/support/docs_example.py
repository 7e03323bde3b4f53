"""Follows a page of the docs that shows how to add something: new files, and changed lines."""

import re

_BLOCK = re.compile(r"```(\w+)\n(.*?)```\n", re.DOTALL)


def follow(page, root):
    """Apply the changes of a page of the docs to a copy of the repository.

    A paragraph that ends with a colon names the file of the blocks behind it. A ``python`` block is a
    new file; in a ``diff`` block lines with + and - change the one place where the others stand.

    Parameters
    ----------
    page : str
    root : Path

    Returns
    -------
    touched : set of str
        Paths as the page names them.
    """
    touched, name, end = set(), None, 0
    for block in _BLOCK.finditer(page):
        named = re.findall(r"`([\w./]+)`:\n", page[end : block.start()])
        name, end = (named or [name])[-1], block.end()
        touched.add(name)
        path, (language, text) = root / name, block.groups()
        if language == "python":
            assert not path.exists(), name
            path.write_text(text, encoding="utf-8")
            continue
        lines = text.splitlines()
        old = "".join(f"{line[1:]}\n" for line in lines if line[0] != "+")
        new = "".join(f"{line[1:]}\n" for line in lines if line[0] != "-")
        before = path.read_text(encoding="utf-8")
        assert before.count(old) == 1, f"{name}: {old}"
        path.write_text(before.replace(old, new), encoding="utf-8")
    return touched
