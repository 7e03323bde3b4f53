"""Hook of MkDocs: pages may link to any text file of the repository.

On GitHub or in an editor the link opens the file itself. In the site it opens a page made here, which
shows the file's text under ``repository/``. A link to a file that does not exist stays as it is, and
MkDocs warns about it.
"""

import posixpath
import re
from pathlib import Path

from mkdocs.structure.files import File

REPOSITORY = Path(__file__).resolve().parents[2]
# A relative link that leaves the page's folder; addresses with a scheme have a colon.
_LINK = re.compile(r"\]\((\.\./[^)\s:#]+)\)")
_LANGUAGES = {
    "": "text",
    ".py": "python",
    ".toml": "toml",
    ".yaml": "yaml",
    ".yml": "yaml",
}


def targets(text, folder):
    """Find links to files of the repository outside of ``docs/``.

    Parameters
    ----------
    text : str
        Markdown of a page.
    folder : str
        Of the page, in the repository, with ``/`` between its parts.

    Returns
    -------
    targets : dict of str to str
        Link as written, to the path of a file in the repository.
    """
    found = {}
    for link in _LINK.findall(text):
        path = posixpath.normpath(posixpath.join(folder, link))
        if not path.startswith(("docs/", "..")) and (REPOSITORY / path).is_file():
            found[link] = path
    return found


def _page_of(path):
    return f"repository/{path}.md"


def _shown(path):
    """Make the page that shows a file of the repository."""
    text = (REPOSITORY / path).read_text(encoding="utf-8")
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    language = _LANGUAGES.get(Path(path).suffix, "text")
    return (
        f"---\ntitle: {path}\nsearch:\n  exclude: true\n---\n\n"
        f"# {path}\n\n{fence}{language}\n{text.rstrip()}\n{fence}\n"
    )


def on_files(files, config):
    """Add a page for each file of the repository that a page links to."""
    linked = set()
    for page in files.documentation_pages():
        folder = posixpath.dirname(f"docs/{page.src_uri}")
        linked |= set(targets(page.content_string, folder).values())
    for path in sorted(linked):
        files.append(File.generated(config, _page_of(path), content=_shown(path)))
    return files


def on_page_markdown(markdown, page, config, files):
    """Let such links open the page made for the file."""
    folder = posixpath.dirname(page.file.src_uri)
    for link, path in targets(markdown, posixpath.join("docs", folder)).items():
        own = posixpath.relpath(_page_of(path), folder or ".")
        markdown = markdown.replace(f"]({link})", f"]({own})")
    return markdown


def on_page_content(html, **_):
    """Write the type ``path-like`` as docstrings have it: mkdocstrings reads it as a subtraction."""
    return html.replace("<code>path - like</code>", "<code>path-like</code>")
