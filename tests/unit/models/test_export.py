import copy
import json

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from tfseg.errors import ExportError
from tfseg.inference.model_folder import ModelFolder
from tfseg.models.export import INPUT, OUTPUTS, check_onnx, export_model, onnx_model
from tfseg.models.poolings.gap import GlobalAveragePooling
from tfseg.models.registry import systems
from tfseg.models.systems import build_network

MASK_SYSTEMS = [name for name, system in systems().items() if system.has_masks]
N_MELS = 16


@pytest.fixture(scope="module")
def build(_full_config):
    """Return a function that builds a network with all its values moved."""

    def build_moved(system, *, background=False, trunk=None, **pooling):
        torch.manual_seed(3)
        network = build_network(
            system,
            n_classes=3,
            n_mels=N_MELS,
            trunk_settings={
                "kind": "vgg",
                "vgg": {"widths": [6, 8], "dropout": 0.3},
                "background": background,
                "share_energy": False,
            }
            | (trunk or {}),
            pooling_settings=_full_config["pooling"] | pooling,
        )
        network.band_mean.uniform_(-12, -3)
        network.band_std.uniform_(0.5, 4)
        for value in network.pooling.parameters():
            value.data += torch.linspace(-0.5, 0.5, len(value))
        for _ in range(3):
            network.train()(_logmel(4, 40))  # statistics of batch normalisation
        return network.eval()

    return build_moved


def _logmel(n_batch, n_frames):
    return torch.randn(n_batch, n_frames, N_MELS) * 3 - 7


def _largest_differences(network, content, sizes):
    """Of every output, by size."""
    session = onnxruntime.InferenceSession(content)
    found = {}
    for size in sizes:
        logmel = _logmel(*size)
        with torch.inference_mode():
            tags, masks = network(logmel)
        outputs = session.run(list(OUTPUTS), {INPUT: logmel.numpy()})
        expected = (tags, masks.mean(dim=3), masks)
        assert [output.shape for output in outputs] == [tuple(value.shape) for value in expected]
        found[size] = max(
            np.abs(one - two.numpy()).max() for one, two in zip(outputs, expected, strict=True)
        )
    return found


@pytest.mark.full
@pytest.mark.parametrize("background", [False, True])
@pytest.mark.parametrize("system", MASK_SYSTEMS)
def test_every_system_with_masks_computes_the_same_as_onnx(build, system, background):
    network = build(system, background=background)
    content = onnx_model(network, {}).SerializeToString()
    sizes = [(1, 1), (1, 31), (2, 50), (5, 17), (3, 400), (1, 1300)]
    differences = _largest_differences(network, content, sizes)
    assert max(differences.values()) < 1e-5, differences
    # A useful comparison needs varying outputs: masks that vary, and tags within their range.
    with torch.inference_mode():
        tags, masks = network(_logmel(2, 50))
    assert masks.std() > 0.02
    assert tags.std() > 1e-4


UNET = {"widths": [4, 6, 8], "blocks": 1, "dropout": 0.2}
ALL_KEYS = UNET | {
    "mel_only": [1],
    "gate_width": 3,
    "gate_upsampling": True,
    "context": "gru",
    "coarse_tags": True,
    "coarse_pools": 1,
}
# Two of them with masks that share the energy, which takes another way to the tags.
TRUNKS = {
    "unet": ({"unet": UNET}, [False, True]),
    "dilated": ({"dilated": {"width": 4, "dilations": [1, 4], "dropout": 0.2}}, [False, True]),
    "unet with all keys": ({"unet": ALL_KEYS}, [False]),
    "near_far": ({"near_far": {"far_widths": [4, 6, 8], "near_widths": [2, 4]}}, [False]),
    "luunet": ({"luunet": {"widths": [4, 6, 8], "mel_restored": 1}}, [False]),
}


@pytest.mark.full
@pytest.mark.parametrize(
    ("trunk", "share_energy"),
    [
        pytest.param({"kind": next(iter(trunk))} | trunk, share_energy, id=f"{name}-{share_energy}")
        for name, (trunk, shares) in TRUNKS.items()
        for share_energy in shares
    ],
)
def test_every_trunk_computes_the_same_as_onnx(build, trunk, share_energy):
    system = "gwrp" if share_energy else "linear_softmax"
    network = build(system, trunk=trunk | {"share_energy": share_energy})
    content = onnx_model(network, {}).SerializeToString()
    sizes = [(1, 1), (1, 31), (2, 50), (3, 77)]
    differences = _largest_differences(network, content, sizes)
    assert max(differences.values()) < 1e-5, differences


@pytest.mark.parametrize("r", [0.0, 0.5, 0.99, 1.0])
def test_every_decay_of_rank_pooling_is_exported(build, r):
    network = build("gwrp", gwrp={"r": r, "reference_units": 800})
    content = onnx_model(network, {}).SerializeToString()
    differences = _largest_differences(network, content, [(1, 7), (3, 120)])
    assert max(differences.values()) < 1e-5, differences


def test_a_recording_that_the_network_takes_in_stretches_is_one_input(build):
    network = build("gwrp")
    content = onnx_model(network, {}).SerializeToString()
    (difference,) = _largest_differences(network, content, [(1, 9000)]).values()
    assert difference < 1e-5


def test_batch_and_time_have_names_and_nothing_else_is_free(build):
    session = onnxruntime.InferenceSession(onnx_model(build("gwrp"), {}).SerializeToString())
    ((name, shape, kind),) = [(i.name, i.shape, i.type) for i in session.get_inputs()]
    assert (name, shape, kind) == ("logmel", ["batch", "time", N_MELS], "tensor(float)")
    assert [(o.name, o.shape) for o in session.get_outputs()] == [
        ("tags", ["batch", 3]),
        ("frames", ["batch", 3, "time"]),
        ("masks", ["batch", 3, "time", N_MELS]),
    ]


def test_equal_networks_give_equal_bytes_without_a_trace_of_the_machine(build, repository):
    one, two = (
        onnx_model(build("gwrp"), {"b": 1, "a": ["x"]}).SerializeToString(deterministic=True)
        for _ in range(2)
    )
    assert one == two
    assert str(repository).encode() not in one
    assert b"site-packages" not in one


def test_a_system_without_masks_is_refused(build_narrow):
    with pytest.raises(ExportError, match="only systems with masks"):
        onnx_model(build_narrow("wldcnn").eval(), {})


# The check


@pytest.fixture(scope="module")
def _exported(build):
    network = build("gap")
    model = onnx_model(network, {})
    check_onnx(model.SerializeToString(), network)
    return network, model


@pytest.fixture
def graph(_exported):
    """A network and its graph, to be altered."""
    return copy.deepcopy(_exported)


def test_a_graph_with_another_weight_is_refused(graph):
    network, model = graph
    head = network.trunk.head.weight.detach().numpy()
    arrays = {item.name: onnx.numpy_helper.to_array(item) for item in model.graph.initializer}
    (name,) = [name for name, values in arrays.items() if np.array_equal(values, head)]
    (stored,) = [item for item in model.graph.initializer if item.name == name]
    stored.CopyFrom(onnx.numpy_helper.from_array(1.01 * head, name))
    with pytest.raises(ExportError, match=r"(?s)within 0\.0001 for 1 clips of 31 .*tags"):
        check_onnx(model.SerializeToString(), network)


def test_a_graph_of_a_fixed_number_of_frames_is_refused(graph):
    network, model = graph
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 50
    with pytest.raises(ExportError, match="onnxruntime cannot run the graph"):
        check_onnx(model.SerializeToString(), network)


def test_a_graph_with_outputs_in_another_order_of_classes_is_refused(graph, build):
    network, model = graph
    with torch.no_grad():
        network.trunk.head.weight.copy_(network.trunk.head.weight.flip(0))
        network.trunk.head.bias.copy_(network.trunk.head.bias.flip(0))
    with pytest.raises(ExportError, match="expected the graph's outputs"):
        check_onnx(model.SerializeToString(), network)


def test_a_network_that_gives_no_numbers_is_refused(graph):
    network, _ = graph
    with torch.no_grad():
        network.trunk.head.bias[0] = float("nan")
    content = onnx_model(network, {}).SerializeToString()
    with pytest.raises(ExportError, match="expected the graph's outputs"):
        check_onnx(content, network)


def test_what_is_no_valid_graph_is_refused(graph):
    network, model = graph
    model.graph.node[0].op_type = "Convolute"
    with pytest.raises(ExportError, match="expected a valid ONNX graph"):
        check_onnx(model.SerializeToString(), network)


# The file


@pytest.fixture
def folder(build, tmp_path, tiny_settings):
    from tfseg.inference.events import EventSettings
    from tfseg.inference.operating_point import DetectionSettings

    detection = DetectionSettings(0.1, True, 0.1, 0.1, EventSettings(0.2, 0.1, 10, 10))
    description = {
        "system": "gwrp",
        "network": "gwrp",
        "classes": ["Bark", "Chime", "Gong"],
        "features": tiny_settings.as_dict(),
        "duration_s": 1.5,
        "resampler": "soxr_hq",
        "weights_sha256": "0" * 64,
        "restricted": ["CC BY-NC"],
    }
    return ModelFolder(tmp_path / "a model", build("gwrp"), description, detection)


def test_the_file_tells_what_it_is(folder, tmp_path, tiny_settings):
    path = tmp_path / "out" / "model.onnx"
    export_model(folder, path)
    told = onnxruntime.InferenceSession(path).get_modelmeta().custom_metadata_map
    assert json.loads(told["classes"]) == ["Bark", "Chime", "Gong"]
    assert json.loads(told["features"]) == tiny_settings.as_dict()
    assert json.loads(told["restricted"]) == ["CC BY-NC"]
    assert json.loads(told["detection"])["postprocessing"]["join_gap_frames"] == 10
    assert (told["system"], told["duration_s"]) == ("gwrp", "1.5")
    assert list(path.parent.iterdir()) == [path]


def test_nothing_is_written_when_the_graph_is_wrong(folder, tmp_path, monkeypatch):
    # As if the poolings were traced as they are: the mean in place of the ranks.
    monkeypatch.setattr("tfseg.models.export._exportable", lambda _: GlobalAveragePooling())
    path = tmp_path / "model.onnx"
    with pytest.raises(ExportError, match="a model: no ONNX file was written"):
        export_model(folder, path)
    assert list(tmp_path.iterdir()) == []
