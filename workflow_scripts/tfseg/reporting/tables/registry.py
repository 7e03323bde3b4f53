"""All tables of a run, in the order of the report (standard library only)."""

from tfseg.reporting.tables import by_task, frame_eer, separation, time_index, tuned
from tfseg.reporting.tables.declaration import ENDINGS

TABLES = {
    table.name: table
    for table in (
        *by_task.TABLES,
        separation.TABLE,
        frame_eer.TABLE,
        time_index.TABLE,
        tuned.TABLE,
    )
}


def table_files(folder, *, tunes):
    """Files of a run's tables.

    Parameters
    ----------
    folder : str
        Folder of the tables.
    tunes : bool
        Whether thresholds are tuned.

    Returns
    -------
    files : dict of str to str
        ``{table}_{ending}`` to path, table by table.
    """
    return {
        f"{name}_{ending}": f"{folder}/{name}.{ending}"
        for name, table in TABLES.items()
        if tunes or not table.needs_tuning
        for ending in ENDINGS
    }
