"""Hook of MkDocs: a notebook is a page of the site, with its text and its code.

The notebooks are stored without outputs: a test runs them (`tests/package/test_notebook.py`).
Links and the navigation name the file ``*.ipynb``, which opens in Jupyter and on GitHub.
"""

import json

from mkdocs.structure.files import File


def markdown_of(notebook):
    """Write the cells of a notebook as Markdown.

    Parameters
    ----------
    notebook : str
        JSON, as Jupyter stores it (format 4).

    Returns
    -------
    text : str
        Text cells as they are, code cells in fences.
    """
    parts = []
    for cell in json.loads(notebook)["cells"]:
        text = "".join(cell["source"])
        parts.append(f"```python\n{text}\n```" if cell["cell_type"] == "code" else text)
    return "\n\n".join(parts) + "\n"


class NotebookPage(File):
    """A notebook that MkDocs treats as a page of Markdown."""

    def is_documentation_page(self):
        """Tell MkDocs to render this file, not to copy it."""
        return True

    @property
    def content_string(self):
        """Markdown of the notebook."""
        return markdown_of(super().content_string)


def on_files(files, config):
    """Replace each notebook by its page."""
    for file in [file for file in files if file.src_uri.endswith(".ipynb")]:
        files.remove(file)
        files.append(
            NotebookPage(file.src_uri, file.src_dir, file.dest_dir, file.use_directory_urls)
        )
    return files
