"""A repair of how Snakemake starts scripts: Python may lie in a folder with a space in its name."""

import logging
import shlex

import snakemake

# The repair replaces a private method: it is made for this version, and left out with any other.
WRITTEN_FOR = "9.27.1"


def quote_python(script_class, version=snakemake.__version__):
    """Have the path of Python quoted in the shell command of a script.

    Snakemake 9.27 quotes the script and not Python (``PythonScript.execute_script``). ``.venv`` lies
    in the repository: in a clone below ``My Projects/`` the first job would end with "No such file".

    Parameters
    ----------
    script_class : type
        `snakemake.script.PythonScript`, changed in place. With another version than `WRITTEN_FOR`
        it is left as it is, and Snakemake's log says so where it matters.
    version : str
        Of Snakemake.
    """
    if version != WRITTEN_FOR:
        logging.getLogger("snakemake.logging").warning(
            f"Snakemake {version}: scripts are started as it does it. tfseg's repair, for folders with "
            f"spaces in their names, is for {WRITTEN_FOR} only."
        )
        return
    execute = script_class._execute_cmd
    if execute.__module__ == __name__:  # done: a Snakefile can be read twice in one process
        return

    def execute_quoted(self, cmd, *, py_exec, **keywords):
        return execute(self, cmd, py_exec=shlex.quote(py_exec), **keywords)

    script_class._execute_cmd = execute_quoted
