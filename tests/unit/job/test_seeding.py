import itertools

import numpy as np

from tfseg.job.seeding import derive_seed, generator


def test_seeds_fit_63_bits_and_use_them():
    seeds = [derive_seed(1, "train", k) for k in range(500)]
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert max(seeds) > 2**62  # not from a smaller range
    assert min(seeds) < 2**60


def test_a_seed_depends_on_base_names_and_their_order_and_borders():
    arguments = [
        (1,),
        (2,),
        (12,),
        (1, "train"),
        (1, "train", 1),
        (1, "train", 2),
        (1, "train", 1, 2),
        (1, "train", 2, 1),
        (1, "train", 12),
        (1, "train1", 2),
        (1, 1, "train"),
        (11, "train"),
    ]
    seeds = {derive_seed(*each) for each in arguments}
    assert len(seeds) == len(arguments)


def test_no_collision_among_the_tasks_of_a_large_experiment():
    stages, systems = ("plan", "train", "batches"), ("gmp", "gap", "gwrp")
    tasks = list(itertools.product(range(3), stages, systems, range(20), range(20)))
    assert len({derive_seed(*task) for task in tasks}) == len(tasks)


def test_numpy_integers_name_the_same_task_as_python_integers():
    assert derive_seed(np.int64(3), "fold", np.int32(2)) == derive_seed(3, "fold", 2)


def test_generators_repeat_and_do_not_touch_the_global_one():
    np.random.seed(0)
    state = np.random.get_state()[1].copy()
    first = generator(1, "a").random(1000)
    assert np.array_equal(first, generator(1, "a").random(1000))
    assert np.array_equal(np.random.get_state()[1], state)


def test_neighbouring_tasks_have_unrelated_streams():
    streams = np.stack([generator(1, "task", k).standard_normal(2000) for k in range(6)])
    correlation = np.corrcoef(streams) - np.eye(6)
    assert np.abs(correlation).max() < 0.12  # five standard errors
