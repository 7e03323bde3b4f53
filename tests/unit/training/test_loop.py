"""Training."""

import shutil

import numpy as np
import pytest
import torch
from toy_training import SETTINGS, Bar, bits, changed, train_quietly

from tfseg.errors import TfsegError
from tfseg.io.tensors import load_tensors
from tfseg.training.batches import Batches
from tfseg.training.initial import band_statistics, initial_network
from tfseg.training.loop import train
from tfseg.training.losses import distillation
from tfseg.training.state import Interrupted


def test_one_step_is_adams_on_the_full_cross_entropy(run, toy, build_tiny):
    network = initial_network(lambda: build_tiny("gap"), 3, toy[0]).train()
    batches = Batches(*toy, SETTINGS, seed=3)
    batch, y, _ = batches.gather(next(batches.inputs(0, 1)))
    tags, _ = network(batch)
    loss = -(y * tags.log() + (1 - y) * (1 - tags).log()).mean()
    loss.backward()
    trained = run(changed(iterations=1, history_every=1))
    assert trained.history == [[1, pytest.approx(loss.item(), rel=1e-5), 0.01]]
    after = dict(trained.network.named_parameters())
    clear = 0
    for name, before in network.named_parameters():
        # Adam's first step is the rate times the negative sign of the gradient.
        sure = before.grad.abs() > 1e-5
        clear += int(sure.sum())
        expected = before - 0.01 * before.grad.sign()
        np.testing.assert_allclose(
            after[name][sure].detach(), expected[sure].detach(), atol=2e-5, err_msg=name
        )
    assert clear > 100


def test_a_networks_own_loss_is_added_for_the_tags_of_the_batch(toy, tmp_path, build_tiny):
    network = initial_network(lambda: build_tiny("gap"), 3, toy[0])
    network.mean_tag = torch.nn.Parameter(torch.tensor(0.0))
    targets = []

    def own_loss(target, counted):
        assert counted is None
        targets.append(target)
        return 5 + (network.mean_tag - target.mean()).square()

    network.own_loss = own_loss
    history = train_quietly(
        network, toy, tmp_path / "state", changed(iterations=40, decay_every=100, history_every=40)
    )
    assert history[0][1] > 5
    batches = Batches(*toy, SETTINGS, seed=3)
    _, wanted, _ = batches.gather(next(batches.inputs(0, 1)))
    assert torch.equal(targets[0], wanted)
    assert float(network.mean_tag.detach()) == pytest.approx(toy[1].mean(), abs=0.15)


def test_the_learning_rate_falls_as_the_settings_say(run):
    history = run(changed(history_every=1)).history
    assert [row[0] for row in history] == list(range(1, 11))
    assert [row[2] for row in history] == pytest.approx(
        [0.01] * 3 + [0.005] * 3 + [0.0025] * 3 + [0.00125]
    )


def test_history_holds_the_mean_loss_since_the_last_row(run):
    every = [row[1] for row in run(changed(history_every=1), state="every").history]
    history = run(state="some").history
    assert [row[0] for row in history] == [4, 8, 10]
    means = [np.mean(every[0:4]), np.mean(every[4:8]), np.mean(every[8:10])]
    assert [row[1] for row in history] == pytest.approx(means, rel=1e-12)


def test_each_row_of_the_history_is_told_once(run, tmp_path):
    told = []

    def tell(iteration, loss, rate, network):
        told.append([iteration, loss, rate])
        assert network.training

    with pytest.raises(Interrupted):
        run(on_history=tell, stop_in=5)
    assert run(on_history=tell).history == told


def test_training_repeats_bit_for_bit(run):
    one, two = run(state="one"), run(state="two")
    assert bits(one.network) == bits(two.network)
    assert one.history == two.history
    assert one.messages == []


def test_a_separable_toy_set_is_learned(run, toy):
    settings = changed(iterations=200, batch_size=10, learning_rate=0.02, learning_rate_decay=1.0)
    trained = run(settings)
    assert trained.history[0][1] > 0.4
    assert trained.history[-1][1] < 0.5 * trained.history[0][1]
    network = trained.network.eval()
    with torch.inference_mode():
        tags, _ = network(torch.from_numpy(toy[0]).float())
    tags = tags.numpy()
    for k in range(3):
        assert tags[toy[1][:, k] == 1, k].mean() > tags[toy[1][:, k] == 0, k].mean() + 0.3


def test_the_standardisation_is_not_trained(run, toy):
    mean, _ = band_statistics(toy[0])
    np.testing.assert_allclose(run().network.band_mean, mean, rtol=1e-6)


def test_a_bar_is_told_where_training_stands(run):
    bar = Bar()
    run(progress=bar)
    assert (bar.total, bar.initial, bar.updates, bar.closed) == (10, 0, 10, True)


def test_weights_that_explode_are_reported(run):
    with pytest.raises(
        TfsegError, match=r"expected a finite number; try a smaller training\.learn"
    ):
        run(changed(learning_rate=1e30))


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_features_that_are_not_finite_are_reported(run, toy, value):
    logmel, target = toy[0].copy(), toy[1]
    logmel[3, 2, 1] = value
    with pytest.raises(TfsegError, match="finite"):
        run(data=(logmel, target))


def test_a_system_with_background_is_trained(run, toy, build_tiny, tmp_path):
    network = initial_network(lambda: build_tiny("gap", background=True), 3, toy[0])
    target = np.hstack([toy[1], 1 - toy[1][:, :1]])
    history = train(
        network, toy[0], target, SETTINGS, seed=3, state_path=tmp_path / "s", bound_to="x"
    )
    assert np.isfinite(history[-1][1])


@pytest.mark.full
@pytest.mark.skipif(not shutil.which("g++"), reason="no C++ compiler here")
def test_a_compiled_network_learns_the_same(toy, tmp_path, build_tiny):
    found = {}
    for compiled in (False, True):
        network = initial_network(lambda: build_tiny("gwrp"), 3, toy[0])
        history = train(
            network,
            *toy,
            changed(compile=compiled, iterations=6, history_every=1),
            seed=3,
            state_path=tmp_path / f"{compiled}.safetensors",
            bound_to="this",
            log=lambda text: None,
        )
        found[compiled] = [loss for _, loss, _ in history]
        assert not any("_orig_mod" in name for name in network.state_dict())
    np.testing.assert_allclose(found[True], found[False], rtol=1e-4)


def test_in_bfloat16_weights_and_moments_stay_float32(toy, tmp_path, build_tiny):
    losses = {}
    for precision in ("float32", "bfloat16"):
        network = initial_network(lambda: build_tiny("gwrp"), 3, toy[0])
        network.precision = precision
        history = train(
            network,
            *toy,
            changed(iterations=40, learning_rate_decay=1.0),
            seed=3,
            state_path=tmp_path / f"{precision}.safetensors",
            bound_to="this",
            log=lambda text: None,
        )
        losses[precision] = [loss for _, loss, _ in history]
        tensors, _ = load_tensors(tmp_path / f"{precision}.safetensors")
        kinds = {value.dtype for value in tensors.values() if value.is_floating_point()}
        assert kinds == {torch.float32}
    assert losses["bfloat16"] != losses["float32"]
    np.testing.assert_allclose(losses["bfloat16"], losses["float32"], rtol=0.05)
    assert losses["bfloat16"][-1] < 0.95 * losses["bfloat16"][0]


def test_the_average_of_the_weights_is_that_of_all_iterations(run):
    last = [run(changed(iterations=n), state=f"to{n}").network for n in range(1, 7)]
    averaged = run(changed(iterations=6, average_weights=0.5), state="average").network
    expected = {name: value.clone() for name, value in run.initial().state_dict().items()}
    for t, network in enumerate(last, start=1):
        keep = min(0.5, t / (t + 9))
        for name, value in network.state_dict().items():
            if value.is_floating_point():
                expected[name] = keep * expected[name] + (1 - keep) * value
    for name, value in averaged.state_dict().items():
        if value.is_floating_point():
            np.testing.assert_allclose(value, expected[name], rtol=1e-4, atol=1e-6, err_msg=name)
    assert not torch.equal(averaged.trunk.head.weight, last[-1].trunk.head.weight)


def test_no_average_is_the_last_weights(run):
    one, two = run(state="one"), run(changed(average_weights=0.0), state="two")
    assert bits(one.network) == bits(two.network)


def test_a_student_comes_nearer_to_its_teacher(tmp_path, toy, build_tiny):
    teacher = initial_network(lambda: build_tiny("gmp"), 11, toy[0]).eval()
    logmel, target = (torch.from_numpy(part).float() for part in toy)

    def distance(weight):
        student = initial_network(lambda: build_tiny("gap"), 3, toy[0])
        settings = changed(iterations=60, learning_rate_decay=1.0, teacher_weight=weight)
        train_quietly(student, toy, tmp_path / f"state{weight}", settings, teacher=teacher)
        student.eval()
        with torch.no_grad():
            return float(distillation(student(logmel)[1], teacher(logmel)[1], target))

    assert distance(10.0) < 0.9 * distance(0.0)


def test_a_teacher_learns_nothing(tmp_path, toy, build_tiny):
    teacher = initial_network(lambda: build_tiny("gmp"), 11, toy[0]).eval()
    before = bits(teacher)
    student = initial_network(lambda: build_tiny("gap"), 3, toy[0])
    train_quietly(student, toy, tmp_path / "state", teacher=teacher)
    assert bits(teacher) == before
    assert all(parameter.grad is None for parameter in teacher.parameters())
