"""A small benchmark of Snakemake's scheduler: it runs with the repair and without."""

import pytest
import scheduler

pytestmark = pytest.mark.workflow


def test_both_ways_run_to_their_end(capsys):
    scheduler.main(n_jobs=3, n_waits=0)
    cells = capsys.readouterr().out.splitlines()[-1].strip("| ").split(" | ")
    assert cells[0] == "3 and 0"
    assert all(0.1 < float(cell.removesuffix(" CPU s")) < 600 for cell in cells[1:3])
