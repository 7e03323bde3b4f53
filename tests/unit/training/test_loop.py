import dataclasses
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from sklearn.metrics import log_loss

from tfseg.errors import DamagedFileError, DataError, TfsegError
from tfseg.io.tensors import load_tensors
from tfseg.training.augmentation import AugmentationSettings
from tfseg.training.loop import (
    Excerpts,
    Interrupted,
    TrainingSettings,
    band_statistics,
    batch_indices,
    binding,
    cross_entropy,
    distillation,
    idle_classes,
    initial_network,
    targets_of,
    train,
)

UNCHANGED = AugmentationSettings(0, False, 0, 0, 0)
SETTINGS = TrainingSettings(
    iterations=10,
    batch_size=4,
    learning_rate=0.01,
    learning_rate_decay=0.5,
    decay_every=3,
    kinds=None,
    augmentation=UNCHANGED,
    average_weights=0.0,
    teacher_weight=1.0,
    excerpt_s=None,
    threads=1,
    compile=False,
    history_every=4,
    state_every=3,
)


def _changed(**changes):
    return dataclasses.replace(SETTINGS, **changes)


@pytest.fixture
def toy():
    """Ten clips: the classes are steady tones, clicks, and holes in the noise."""
    rng = np.random.default_rng(0)
    target = (rng.random((10, 3)) < 0.5).astype(np.uint8)
    target[:2] = [[1, 1, 1], [0, 0, 0]]
    logmel = rng.normal(-8, 0.5, (10, 12, 13))
    logmel[:, :, 2::4] += 4 * target[:, 0, None, None]
    logmel[:, 1::3, :] += 4 * target[:, 1, None, None]
    logmel[:, 5:9, 4:9] -= 8 * target[:, 2, None, None]
    return logmel.astype(np.float16), target


@pytest.fixture
def run(toy, tmp_path, build_tiny):
    """Return a function that trains a fresh network, with its state in a file of a given name."""

    def run_training(
        settings=SETTINGS, *, state="state", bound_to="this", data=toy, stop_in=None, **arguments
    ):
        messages, passes = [], []
        network = initial_network(lambda: build_tiny("gap"), 3, data[0])

        def stop(*_):
            passes.append(None)
            if len(passes) == stop_in:
                os.kill(os.getpid(), signal.SIGTERM)

        network.register_forward_hook(stop)
        history = train(
            network,
            *data,
            settings,
            seed=3,
            state_path=tmp_path / f"{state}.safetensors",
            bound_to=bound_to,
            log=messages.append,
            **arguments,
        )
        return SimpleNamespace(network=network, history=history, messages=messages)

    run_training.initial = lambda: initial_network(lambda: build_tiny("gap"), 3, toy[0])
    return run_training


def _bits(network):
    return {name: value.numpy().tobytes() for name, value in network.state_dict().items()}


def _iteration(path):
    return load_tensors(path)[1]["iteration"]


class _Bar:
    """A progress bar that requests a stop after some iterations."""

    def __init__(self, stop_after=None):
        self.updates, self.stop_after, self.closed = 0, stop_after, False
        self.total = self.initial = None

    def __call__(self, total, initial):
        self.total, self.initial = total, initial
        return self

    def update(self):
        self.updates += 1
        if self.updates == self.stop_after:
            os.kill(os.getpid(), signal.SIGTERM)

    def set_postfix(self, **_):
        pass

    def close(self):
        self.closed = True


# Batches


@pytest.mark.parametrize(("n_clips", "batch_size"), [(10, 4), (12, 4), (3, 8), (1, 1), (7, 1)])
def test_every_pass_covers_every_clip_once(n_clips, batch_size):
    per_pass = -(-n_clips // batch_size)
    orders = []
    for first in range(0, 5 * per_pass, per_pass):
        batches = [batch_indices(first + i, n_clips, batch_size, 1) for i in range(per_pass)]
        assert [len(batch) for batch in batches[:-1]] == [batch_size] * (per_pass - 1)
        orders.append(np.concatenate(batches).tolist())
        assert sorted(orders[-1]) == list(range(n_clips))
    if n_clips > 6:
        assert len({tuple(order) for order in orders}) == 5  # freshly shuffled


def test_batches_are_a_function_of_iteration_and_seed():
    one = [batch_indices(i, 10, 4, 1).tolist() for i in range(9)]
    assert one == [batch_indices(i, 10, 4, 1).tolist() for i in range(9)]
    assert one != [batch_indices(i, 10, 4, 2).tolist() for i in range(9)]


# Standardisation, initial weights, binding


def test_band_statistics_are_numpys():
    logmel = np.random.default_rng(0).normal(-7, [[[1, 3, 0.1]]], (20, 15, 3)).astype(np.float16)
    mean, std = band_statistics(logmel)
    flat = logmel.reshape(-1, 3).astype(np.float64)
    np.testing.assert_allclose(mean, flat.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(std, flat.std(axis=0), rtol=1e-9)


def test_a_constant_band_is_standardised_to_zero():
    logmel = np.random.default_rng(0).normal(size=(500, 40, 3)).astype(np.float16)
    logmel[:, :, 1] = np.log(1e-8)  # what silence gives
    mean, std = band_statistics(logmel)
    assert std[1] == 1
    assert mean[1] == pytest.approx(float(np.float16(np.log(1e-8))), rel=1e-12)
    assert (std[[0, 2]] != 1).all()


def test_the_initial_network_is_seeded_and_standardised(toy, build_tiny):
    def weights(seed):
        return initial_network(build_tiny, seed, toy[0]).state_dict()

    torch.manual_seed(1)
    state = torch.get_rng_state()
    one = weights(3)
    assert torch.equal(torch.get_rng_state(), state)  # no other random numbers depend on it
    torch.manual_seed(2)
    assert all(torch.equal(a, b) for a, b in zip(one.values(), weights(3).values(), strict=True))
    assert not torch.equal(one["trunk.head.weight"], weights(4)["trunk.head.weight"])
    mean, std = band_statistics(toy[0])
    np.testing.assert_allclose(one["band_mean"], mean, rtol=1e-6)
    np.testing.assert_allclose(one["band_std"], std, rtol=1e-6)


def test_classes_whose_tags_teach_nothing_are_named():
    classes = ("Bark", "Chime", "Gong")
    data = SimpleNamespace(classes=classes, target=np.array([[1, 0, 0], [1, 1, 0]], np.uint8))
    always, never = idle_classes(data)
    assert "Bark: sounds in every clip" in always and "Gong: sounds in no clip" in never
    data.target = np.array([[1, 0, 1], [0, 1, 0]], np.uint8)
    assert idle_classes(data) == []


def test_binding_depends_on_everything():
    description = {"training": dataclasses.asdict(SETTINGS), "system": "gap"}
    one = binding("data", "code", description, 3)
    assert one == binding("data", "code", dict(reversed(description.items())), 3)
    every = {
        one,
        binding("other", "code", description, 3),
        binding("data", "other", description, 3),
        binding("data", "code", description | {"system": "gmp"}, 3),
        binding("data", "code", description | {"training": {"threads": 2}}, 3),
        binding("data", "code", description, 4),
    }
    assert len(every) == 6


# The loss


def test_the_loss_is_scikit_learns_log_loss():
    generator = torch.Generator().manual_seed(0)
    tags = torch.rand(50, 3, generator=generator)
    target = (torch.rand(50, 3, generator=generator) < 0.4).float()
    expected = log_loss(target.flatten(), tags.flatten().double())
    assert cross_entropy(tags, target).item() == pytest.approx(expected, rel=1e-5)


def test_the_gradient_of_the_loss_is_that_of_its_formula():
    tags = torch.rand(5, 3, generator=torch.Generator().manual_seed(0)).requires_grad_()
    target = (torch.arange(15).view(5, 3) % 2).float()
    cross_entropy(tags, target).backward()
    p = tags.detach()
    np.testing.assert_allclose(tags.grad, (p - target) / (p * (1 - p)) / 15, rtol=1e-4)


def test_tags_of_zero_and_one_have_a_finite_loss():
    tags = torch.tensor([[0.0, 1.0]])
    assert cross_entropy(tags, tags).item() == 0
    assert 0 < cross_entropy(tags, 1 - tags).item() < float("inf")


def test_a_tag_that_is_not_a_number_reaches_the_loss():
    tags = torch.full((2, 2), 0.5)
    tags[1, 0] = float("nan")
    assert torch.isnan(cross_entropy(tags, torch.zeros(2, 2)))


# Training


def test_one_step_is_adams_on_the_full_cross_entropy(run, toy, build_tiny):
    network = initial_network(lambda: build_tiny("gap"), 3, toy[0]).train()
    batch = batch_indices(0, 10, 4, 3)
    tags, _ = network(torch.from_numpy(toy[0][batch]).float())
    y = torch.from_numpy(toy[1][batch]).float()
    loss = -(y * tags.log() + (1 - y) * (1 - tags).log()).mean()
    loss.backward()
    trained = run(_changed(iterations=1, history_every=1))
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


def test_the_learning_rate_falls_as_the_settings_say(run):
    history = run(_changed(history_every=1)).history
    assert [row[0] for row in history] == list(range(1, 11))
    assert [row[2] for row in history] == pytest.approx(
        [0.01] * 3 + [0.005] * 3 + [0.0025] * 3 + [0.00125]
    )


def test_history_holds_the_mean_loss_since_the_last_row(run):
    every = [row[1] for row in run(_changed(history_every=1), state="every").history]
    history = run(state="some").history
    assert [row[0] for row in history] == [4, 8, 10]
    means = [np.mean(every[0:4]), np.mean(every[4:8]), np.mean(every[8:10])]
    assert [row[1] for row in history] == pytest.approx(means, rel=1e-12)


def test_training_repeats_bit_for_bit(run):
    one, two = run(state="one"), run(state="two")
    assert _bits(one.network) == _bits(two.network)
    assert one.history == two.history
    assert one.messages == []


def test_a_separable_toy_set_is_learned(run, toy):
    settings = _changed(iterations=200, batch_size=10, learning_rate=0.02, learning_rate_decay=1.0)
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
    bar = _Bar()
    run(progress=bar)
    assert (bar.total, bar.initial, bar.updates, bar.closed) == (10, 0, 10, True)


# Stopping and resuming


@pytest.mark.parametrize("stops", [[5], [1, 1], [2, 3, 4], [9], [4], [3]])
def test_a_stopped_training_resumes_bit_for_bit(run, tmp_path, stops):
    whole = run(state="whole")
    done = 0
    for stop_in in stops:
        bar = _Bar()
        with pytest.raises(Interrupted, match=f"stopped at iteration {done + stop_in};"):
            run(stop_in=stop_in, progress=bar)
        assert bar.initial == done
        done += stop_in
        assert _iteration(tmp_path / "state.safetensors") == done
    resumed = run()
    assert resumed.messages == [f"resuming at iteration {done} of 10"]
    assert _bits(resumed.network) == _bits(whole.network)
    assert resumed.history == whole.history


@pytest.mark.parametrize("stop_after", [1, 4, 5])
def test_the_state_is_saved_whenever_the_stop_is_asked_for(run, tmp_path, stop_after):
    # The signal arrives at the end of an iteration, while the bar is drawn.
    with pytest.raises(Interrupted) as caught:
        run(progress=_Bar(stop_after))
    said = int(str(caught.value).split()[3].rstrip(";"))
    assert said in (stop_after, stop_after + 1)
    assert _iteration(tmp_path / "state.safetensors") == said


def test_a_stop_in_the_last_iteration_is_no_stop(run):
    assert run(stop_in=10).history == run(state="whole").history


def test_a_finished_training_is_not_trained_further(run):
    one = run()
    bar = _Bar()
    two = run(progress=bar)
    assert bar.updates == 0
    assert two.messages == ["resuming at iteration 10 of 10"]
    assert _bits(one.network) == _bits(two.network)
    assert one.history == two.history


def test_the_handler_of_the_signal_is_put_back(run):
    before = signal.getsignal(signal.SIGTERM)
    run()
    assert signal.getsignal(signal.SIGTERM) is before
    with pytest.raises(Interrupted):
        run(state="stopped", stop_in=2)
    assert signal.getsignal(signal.SIGTERM) is before


def test_training_runs_in_a_thread_where_no_signal_can_be_caught(run):
    results = []
    thread = threading.Thread(target=lambda: results.append(run(state="thread")))
    thread.start()
    thread.join()
    assert _bits(results[0].network) == _bits(run(state="main").network)


_KILLED = """
import sys
import numpy as np
from tfseg.models.systems import build_network
from tfseg.training.loop import initial_network, read_settings, train

def build():
    return build_network("gap", n_classes=3, n_mels=13,
                         trunk_settings={"kind": "vgg", "vgg": {"widths": [4, 4], "dropout": 0.0}, "background": False, "share_energy": False}, pooling_settings={})

toy = np.load(sys.argv[1])
settings = read_settings({**eval(sys.argv[3]), "iterations": 10**6})
train(initial_network(build, 3, toy["logmel"]), toy["logmel"], toy["target"], settings, seed=3,
      state_path=sys.argv[2], bound_to="this")
"""


def test_a_killed_training_resumes_bit_for_bit(run, toy, tmp_path, repository):
    settings = _changed(learning_rate_decay=0.99, state_every=2)
    np.savez(tmp_path / "toy.npz", logmel=toy[0], target=toy[1])
    state = tmp_path / "killed" / "state.safetensors"
    command = [sys.executable, "-c", _KILLED, tmp_path / "toy.npz", state]
    process = subprocess.Popen(
        [*map(str, command), repr(dataclasses.asdict(settings))],
        env=os.environ | {"PYTHONPATH": str(repository / "workflow_scripts")},
    )
    try:
        deadline = time.monotonic() + 60
        while not (state.exists() and _iteration(state) >= 10):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)
    finally:
        process.kill()  # always: it would train forever
        process.wait()
    assert process.returncode == -signal.SIGKILL
    done = _iteration(state)
    settings = dataclasses.replace(settings, iterations=done + 5)
    resumed = run(settings, state="killed/state")
    assert resumed.messages == [f"resuming at iteration {done} of {done + 5}"]
    whole = run(settings, state="whole")
    assert _bits(resumed.network) == _bits(whole.network)
    assert resumed.history == whole.history


def test_a_state_of_another_binding_is_not_used(run):
    whole = run(state="whole")
    with pytest.raises(Interrupted):
        run(bound_to="other data", stop_in=6)
    again = run()
    assert again.messages == ["found a saved state of other data or parameters: starting anew"]
    assert _bits(again.network) == _bits(whole.network)
    assert again.history == whole.history


def test_saving_leaves_no_litter(run, tmp_path):
    run()
    assert [path.name for path in tmp_path.iterdir()] == ["state.safetensors"]


# Damage


@pytest.fixture
def state(run, tmp_path):
    """The state of a training that was stopped."""
    with pytest.raises(Interrupted):
        run(stop_in=6)
    return tmp_path / "state.safetensors"


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.999])
def test_a_truncated_state_is_refused_by_name(run, state, share):
    content = state.read_bytes()
    state.write_bytes(content[: int(share * len(content))])
    with pytest.raises(DamagedFileError, match=r"state\.safetensors: .*damaged.*Delete the file"):
        run()


@pytest.mark.parametrize(
    "part", [b'"tfseg"', b"sha256", b"iteration", b"history", b"binding", b"network.band_mean"]
)
def test_a_flipped_bit_in_the_header_of_a_state_is_noticed(run, state, flip, part):
    flip(state, state.read_bytes().index(part) + 2, 0x01)
    with pytest.raises(DamagedFileError, match=r"state\.safetensors"):
        run()


def test_a_flipped_bit_in_the_weights_of_a_state_is_noticed(run, state, flip):
    weights = load_tensors(state)[0]["network.trunk.head.weight"].numpy().tobytes()
    content = state.read_bytes()
    assert content.count(weights) == 1
    flip(state, content.index(weights) + 2)
    with pytest.raises(DamagedFileError, match=r"state\.safetensors"):
        run()


def test_a_state_without_description_is_refused_by_name(run, state):
    save_file(load_tensors(state)[0], state)
    with pytest.raises(DamagedFileError, match=r"state\.safetensors"):
        run()


def test_weights_that_explode_are_reported(run):
    with pytest.raises(
        TfsegError, match=r"expected a finite number; try a smaller training\.learn"
    ):
        run(_changed(learning_rate=1e30))


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_features_that_are_not_finite_are_reported(run, toy, value):
    logmel, target = toy[0].copy(), toy[1]
    logmel[3, 2, 1] = value
    with pytest.raises(TfsegError, match="finite"):
        run(data=(logmel, target))


# Excerpts of clips of different length


def test_whole_clips_come_as_they_are(toy):
    excerpts = Excerpts(toy[0], None, 3)
    clips = np.array([4, 0, 9])
    np.testing.assert_array_equal(excerpts.batch(clips, 5).numpy(), toy[0][clips])


def test_an_excerpt_is_a_stretch_of_its_clip_and_a_short_clip_goes_round():
    clips = [np.arange(n, dtype=np.float16)[:, None] + 100 * i for i, n in enumerate((40, 3, 10))]
    excerpts = Excerpts(clips, 10, 3)
    firsts = set()
    for iteration in range(200):
        long, short, equal = excerpts.batch(np.array([0, 1, 2]), iteration)[..., 0].numpy()
        assert (np.diff(long) == 1).all()
        assert long[0] >= 0
        assert long[-1] <= 39
        np.testing.assert_array_equal(short, 100 + (short[0] - 100 + np.arange(10)) % 3)
        np.testing.assert_array_equal(equal, 200 + (equal[0] - 200 + np.arange(10)) % 10)
        firsts.add(float(long[0]))
    assert firsts == set(map(float, range(31)))  # every place is reached


def test_excerpts_are_a_function_of_seed_and_iteration():
    clips = [np.arange(n, dtype=np.float16)[:, None] for n in (40, 30)]
    one, same, other = Excerpts(clips, 10, 3), Excerpts(clips, 10, 3), Excerpts(clips, 10, 4)
    both = np.array([0, 1])
    same.batch(both, 6)
    np.testing.assert_array_equal(one.batch(both, 7), same.batch(both, 7))
    assert not all((one.batch(both, i) == other.batch(both, i)).all() for i in range(5))


def test_clips_of_different_length_need_an_excerpts_length():
    clips = [np.zeros((n, 2), dtype=np.float16) for n in (40, 30)]
    with pytest.raises(DataError, match=r"clips of 30 to 40 frames: .*training\.excerpt_s"):
        Excerpts(clips, None, 3)


def test_training_on_excerpts_resumes_to_the_same_weights(run, toy):
    clips = [clip[: 12 - i % 3] for i, clip in enumerate(toy[0])], toy[1]
    whole = run(state="whole", data=clips, excerpt_frames=8)
    with pytest.raises(Interrupted):
        run(state="cut", data=clips, excerpt_frames=8, stop_in=5)
    assert _bits(run(state="cut", data=clips, excerpt_frames=8).network) == _bits(whole.network)


def test_the_background_sounds_in_everything_but_events_alone():
    data = SimpleNamespace(target=np.eye(3, dtype=np.uint8), kind=["mixture", "events", "scene"])
    network = SimpleNamespace(has_background=False)
    assert targets_of(network, data) is data.target
    network.has_background = True
    assert targets_of(network, data)[:, 3].tolist() == [1, 0, 1]
    assert (targets_of(network, data)[:, :3] == data.target).all()


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
            _changed(compile=compiled, iterations=6, history_every=1),
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
            _changed(iterations=40, learning_rate_decay=1.0),
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


def _noisy(build_tiny):
    """A network with dropout, whose weights depend on dropout's random values."""
    from tfseg.models.systems import build_network

    return build_network(
        "gap",
        n_classes=3,
        n_mels=13,
        trunk_settings={
            "kind": "vgg",
            "vgg": {"widths": [4, 4], "dropout": 0.5},
            "background": False,
            "share_energy": False,
        },
        pooling_settings={},
    )


def _train(network, data, state_path, settings=SETTINGS, **arguments):
    return train(
        network,
        *data,
        settings,
        seed=3,
        state_path=state_path,
        bound_to="this",
        log=lambda text: None,
        **arguments,
    )


AUGMENTED = AugmentationSettings(
    mixup=0.5, time_shift=True, gain_db=6.0, band_gain_db=6.0, mel_shift=2
)


@pytest.mark.parametrize(
    "changes",
    [{}, {"augmentation": AUGMENTED}, {"average_weights": 0.9}],
    ids=["dropout", "augmentation", "average"],
)
def test_all_that_is_drawn_or_averaged_survives_a_stop(tmp_path, toy, build_tiny, changes):
    settings = _changed(**changes)
    whole = initial_network(lambda: _noisy(build_tiny), 3, toy[0])
    _train(whole, toy, tmp_path / "whole", settings)
    torch.randn(7)  # other random draws do not matter
    stopped = initial_network(lambda: _noisy(build_tiny), 3, toy[0])
    with pytest.raises(Interrupted):
        _train(stopped, toy, tmp_path / "stopped", settings, progress=_Bar(stop_after=4))
    resumed = initial_network(lambda: _noisy(build_tiny), 3, toy[0])
    _train(resumed, toy, tmp_path / "stopped", settings)
    assert _bits(resumed) == _bits(whole)


def test_the_average_of_the_weights_is_that_of_all_iterations(run):
    last = [run(_changed(iterations=n), state=f"to{n}").network for n in range(1, 7)]
    averaged = run(_changed(iterations=6, average_weights=0.5), state="average").network
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
    one, two = run(state="one"), run(_changed(average_weights=0.0), state="two")
    assert _bits(one.network) == _bits(two.network)


def test_distillation_is_zero_for_a_teacher_that_says_the_same_of_what_is_there():
    masks = torch.tensor([0.0, 1.0]).view(1, 2, 1, 1).expand(1, 2, 3, 4)
    assert distillation(masks, masks, torch.tensor([[1.0, 1.0]])) == 0
    # The teacher's masks of absent classes are set to zero.
    heard = torch.ones(1, 2, 3, 4)
    assert distillation(masks, heard, torch.tensor([[0.0, 1.0]])) == 0
    assert distillation(masks, heard, torch.tensor([[1.0, 1.0]])) > 1


def test_distillation_is_the_mean_cross_entropy():
    rng = np.random.default_rng(0)
    masks, teacher = (rng.uniform(0.01, 0.99, (2, 3, 4, 5)) for _ in range(2))
    target = np.array([[1, 0, 1], [0, 1, 1]], dtype=float)
    wanted = teacher * target[:, :, None, None]
    expected = -(wanted * np.log(masks) + (1 - wanted) * np.log(1 - masks)).mean()
    found = distillation(*(torch.from_numpy(a) for a in (masks, teacher, target)))
    assert float(found) == pytest.approx(expected)


def test_a_student_comes_nearer_to_its_teacher(tmp_path, toy, build_tiny):
    teacher = initial_network(lambda: build_tiny("gmp"), 11, toy[0]).eval()
    logmel, target = (torch.from_numpy(part).float() for part in toy)

    def distance(weight):
        student = initial_network(lambda: build_tiny("gap"), 3, toy[0])
        settings = _changed(iterations=60, learning_rate_decay=1.0, teacher_weight=weight)
        _train(student, toy, tmp_path / f"state{weight}", settings, teacher=teacher)
        student.eval()
        with torch.no_grad():
            return float(distillation(student(logmel)[1], teacher(logmel)[1], target))

    assert distance(10.0) < 0.9 * distance(0.0)


def test_a_teacher_learns_nothing(tmp_path, toy, build_tiny):
    teacher = initial_network(lambda: build_tiny("gmp"), 11, toy[0]).eval()
    before = _bits(teacher)
    student = initial_network(lambda: build_tiny("gap"), 3, toy[0])
    _train(student, toy, tmp_path / "state", teacher=teacher)
    assert _bits(teacher) == before
    assert all(parameter.grad is None for parameter in teacher.parameters())
