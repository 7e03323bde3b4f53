"""Items in processes of their own: their order, and what a dead process costs."""

import functools
import os

import pytest
from worker_tasks import careful, dead_on_arrival, dead_the_first_time

from tfseg.apply.workers import WorkerDiedError, in_processes


def died(item, error):
    return item, str(error)


def test_results_come_in_the_order_of_the_items_and_a_death_costs_one():
    items = ["wait", "b", "die", "d", "e", "die", "g"]
    results = list(in_processes(careful, items, 2, died=died))
    assert [item for item, _ in results] == items
    deaths = [what for item, what in results if item == "die"]
    assert all("was killed (SIGKILL)" in what and "--workers" in what for what in deaths)
    processes = {what for item, what in results if item != "die"}
    assert len(processes) >= 2 and os.getpid() not in processes


def test_a_fault_that_is_no_items_ends_the_work():
    with pytest.raises(ValueError, match="told to"):
        list(in_processes(careful, ["a", "fail", "c"], 1, died=died))


def test_others_go_on_when_a_process_dies_before_it_begins(tmp_path):
    prepare = functools.partial(dead_the_first_time, tmp_path / "begun")
    results = list(in_processes(prepare, ["a", "b", "c"], 2, died=died))
    assert [item for item, _ in results] == ["a", "b", "c"]


def test_processes_that_die_before_they_begin_are_not_started_again():
    with pytest.raises(WorkerDiedError, match="exit code 3"):
        list(in_processes(dead_on_arrival, ["a", "b"], 1, died=died))
