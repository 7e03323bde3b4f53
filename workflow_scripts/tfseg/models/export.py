"""A trained model as one ONNX graph: log-mel in; tags, frame scores and masks out."""

import contextlib
import copy
import json
import logging
import math
import warnings
from dataclasses import asdict
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from torch import nn

from tfseg import __version__
from tfseg.errors import ExportError
from tfseg.io.files import whole_file
from tfseg.models.poolings.gmp import GlobalMaxPooling
from tfseg.models.poolings.gwrp import GlobalWeightedRankPooling
from tfseg.models.poolings.gwrp_learned import LearnedRankPooling
from tfseg.models.poolings.log_sum_exp import LogSumExpPooling
from tfseg.models.poolings.units import LEAST
from tfseg.models.systems import MaskNetwork
from tfseg.models.trunks.blocks import RecurrentContext

INPUT, OUTPUTS = "logmel", ("tags", "frames", "masks")
TOLERANCE = 1e-4
# (batch, frames): the sizes used to trace the graph, and then those used to check it.
_TRACED = (2, 50)
_CHECKED = ((1, 31), (3, 120))


class _RankPooling(nn.Module):
    """GWRP of any number of units in one graph: weights exp(decay x rank / units), normalised.

    The poolings' own code computes the decay in Python from the number of units. A traced graph
    would keep the number it was traced with.

    Parameters
    ----------
    decay : torch.Tensor [shape=(1,) or (n_masks,)]
        ln r times the number of units that r was chosen for.
    """

    def __init__(self, decay):
        super().__init__()
        self.register_buffer("decay", decay)

    def forward(self, masks, logits=None):
        ranked = masks.flatten(2).sort(dim=-1, descending=True).values
        counted = torch.ones_like(ranked[:1, :1]).cumsum(dim=-1)  # 1, 2, ... units
        shares = (counted - 1) / counted[..., -1:]
        decay = self.decay[: ranked.shape[1], None]
        return (torch.softmax(decay * shares, dim=-1) * ranked).sum(dim=-1)


class _LogSumExpPooling(nn.Module):
    """`tfseg.models.poolings.log_sum_exp.LogSumExpPooling` of any number of units in one graph."""

    def __init__(self, sharpness):
        super().__init__()
        self.sharpness = sharpness

    def forward(self, masks, logits):
        scores = torch.logit(masks, eps=LEAST) if logits is None else logits
        scores = self.sharpness * scores.flatten(2)
        n_units = torch.ones_like(scores[:1, :1]).sum(dim=-1)
        total = torch.logsumexp(scores, dim=-1) - n_units.log()
        return torch.sigmoid(total / self.sharpness)


def _exportable(pooling):
    """Return an equivalent pooling that accepts any number of units once traced."""
    if isinstance(pooling, GlobalWeightedRankPooling):
        if pooling.r == 0:
            return GlobalMaxPooling()
        return _RankPooling(torch.tensor([math.log(pooling.r) * pooling.reference_units]))
    if isinstance(pooling, LearnedRankPooling):
        return _RankPooling(-pooling.log_decay.detach().exp() * pooling.reference_units)
    if isinstance(pooling, LogSumExpPooling):
        return _LogSumExpPooling(pooling.sharpness)
    return pooling


class _Gru(nn.Module):
    """A one-layer GRU in both directions as ONNX's own operator, for any number of steps.

    The exporter would write torch's GRU as one step after the other.

    Parameters
    ----------
    gru : torch.nn.GRU
    """

    def __init__(self, gru):
        super().__init__()
        self.n_units = gru.hidden_size
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
            both = [getattr(gru, f"{name}_l0{ending}") for ending in ("", "_reverse")]
            self.register_buffer(name, torch.stack([self._reordered(one) for one in both]))

    @staticmethod
    def _reordered(value):
        """Torch's gates are reset, update, new; those of ONNX update, reset, new."""
        reset, update, new = value.detach().chunk(3)
        return torch.cat([update, reset, new])

    def forward(self, sequence):
        """Take (batch, step, feature); return (batch, step, unit) and None, as torch's GRU does."""
        n_batch, n_steps, _ = sequence.shape
        outputs = torch.onnx.ops.symbolic(
            "GRU",
            (
                sequence.transpose(0, 1),
                self.weight_ih,
                self.weight_hh,
                torch.cat([self.bias_ih, self.bias_hh], dim=1),
            ),
            attrs={
                "hidden_size": self.n_units,
                "direction": "bidirectional",
                "linear_before_reset": 1,
            },
            dtype=sequence.dtype,
            shape=(n_steps, 2, n_batch, self.n_units),
            version=14,
        )
        return outputs.permute(2, 0, 1, 3).flatten(2), None


def _exportable_trunk(trunk):
    """Return an equivalent trunk that accepts any number of frames once traced."""
    trunk = copy.deepcopy(trunk)
    for module in list(trunk.modules()):
        if isinstance(module, RecurrentContext):
            module.gru = _Gru(module.gru)
    return trunk


class _Graph(MaskNetwork):
    """A network in one piece, with the frame scores among its outputs."""

    def __init__(self, network):
        super().__init__(
            _exportable_trunk(network.trunk),
            _exportable(network.pooling),
            network.n_classes,
            len(network.band_mean),
            has_background=network.has_background,
            shares_energy=network.shares_energy,
        )
        self.band_mean, self.band_std = network.band_mean, network.band_std

    def _logits(self, logmel):
        return self.trunk(logmel)  # in one piece: tracing would fix the number of pieces

    def forward(self, logmel):
        tags, masks = super().forward(logmel)
        return tags, masks.mean(dim=3), masks


@contextlib.contextmanager
def _quiet():
    """Silence the exporter's messages about its internals and about torchvision."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def _without_traces(graph):
    """Remove the source paths and stack traces that the exporter stores."""
    for item in (*graph.node, *graph.value_info, *graph.input, *graph.output, *graph.initializer):
        item.doc_string = ""
        del item.metadata_props[:]
    graph.doc_string = ""
    del graph.metadata_props[:]


def onnx_model(network, metadata):
    """Trace a network.

    Parameters
    ----------
    network : tfseg.models.systems.MaskNetwork
        In evaluation mode, on the CPU.
    metadata : dict of str to JSON value
        For the file's ``metadata_props``: strings unchanged, all else as JSON.

    Returns
    -------
    model : onnx.ModelProto
        Equal networks give equal bytes. Batch size and number of frames are free.

    Raises
    ------
    ExportError
        When the network has no masks.
    """
    if not network.has_masks:
        raise ExportError("only systems with masks can be exported, found one without")
    with _quiet():
        program = torch.onnx.export(
            _Graph(network).eval(),
            (torch.zeros(*_TRACED, len(network.band_mean)),),
            dynamo=True,
            input_names=[INPUT],
            output_names=list(OUTPUTS),
            dynamic_shapes={"logmel": {0: torch.export.Dim("batch"), 1: torch.export.Dim("time")}},
            verbose=False,
        )
    model = program.model_proto
    _without_traces(model.graph)
    model.producer_name, model.producer_version = "tfseg", __version__
    texts = {k: v if isinstance(v, str) else json.dumps(v) for k, v in sorted(metadata.items())}
    onnx.helper.set_model_props(model, texts)
    return model


def check_onnx(content, network):
    """Compare a graph with its network in float32, also at sizes it was not traced with.

    Parameters
    ----------
    content : bytes
        Content of the ONNX file.
    network : tfseg.models.systems.MaskNetwork
        In evaluation mode, on the CPU.

    Raises
    ------
    ExportError
        When the graph is invalid or cannot be run, or an output differs by more than `TOLERANCE`.
    """
    try:
        onnx.checker.check_model(onnx.load_from_string(content), full_check=True)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4  # errors are raised instead
        session = onnxruntime.InferenceSession(content, options, ["CPUExecutionProvider"])
        rng = np.random.default_rng(0)
        for n_batch, n_frames in _CHECKED:
            # Mostly within the range of the training data, partly outside it.
            noise = rng.standard_normal((n_batch, n_frames, len(network.band_mean))) * 2
            logmel = torch.from_numpy(noise).float() * network.band_std + network.band_mean
            with torch.inference_mode():
                tags, masks = network(logmel)
            expected = (tags, masks.mean(dim=3), masks)
            found = session.run(list(OUTPUTS), {INPUT: logmel.numpy()})
            for name, one, two in zip(OUTPUTS, expected, found, strict=True):
                # This also fails for different shapes and for NaN.
                np.testing.assert_allclose(
                    two, one.numpy(), rtol=0, atol=TOLERANCE, equal_nan=False, err_msg=name
                )
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise ExportError(f"expected a valid ONNX graph, found an invalid one: {error}") from error
    except AssertionError as error:
        raise ExportError(
            f"expected the graph's outputs to equal the network's within {TOLERANCE} for "
            f"{n_batch} clips of {n_frames} frames: {error}"
        ) from error
    except Exception as error:  # onnxruntime's errors have no common class
        raise ExportError(f"onnxruntime cannot run the graph: {error}") from error


def export_model(model, path):
    """Write a trained model as ONNX, if the graph's outputs equal the model's.

    Parameters
    ----------
    model : tfseg.inference.model_folder.ModelFolder
        A system with masks, on the CPU.
    path : path-like

    Raises
    ------
    ExportError
    """
    keys = ("system", "features", "duration_s", "resampler", "weights_sha256", "restricted")
    metadata = {key: model.description[key] for key in keys} | {
        "classes": list(model.classes),
        "detection": asdict(model.detection),
        "tfseg_version": __version__,
    }
    try:
        content = onnx_model(model.network, metadata).SerializeToString(deterministic=True)
        check_onnx(content, model.network)
    except ExportError as error:
        raise ExportError(f"{model.folder}: no ONNX file was written: {error}") from error
    with whole_file(path) as temporary_path:
        Path(temporary_path).write_bytes(content)
