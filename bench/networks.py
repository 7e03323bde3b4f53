"""Training step, GWRP and inference of the full mask network, and of the straightforward way."""

import statistics

import numpy as np
import torch
from harness import Row, alternate, median_s, read_config, timed
from plain_network import PlainNetwork, score_masks
from torch.nn import functional

from tfseg.evaluation.scoring import precision_recall_f1
from tfseg.features.feature_set import FeatureSet
from tfseg.features.logmel import FeatureSettings
from tfseg.inference.forward import MaskCounter, infer, prepare_for_inference
from tfseg.models.systems import build_network
from tfseg.training.losses import cross_entropy
from tfseg.training.optimiser import Adam

N_SOUNDING = 3


class FullNetwork:
    """The paper's network sizes, with random inputs.

    Parameters
    ----------
    device : str
    precision : {"float32", "bfloat16"}
    n_clips : int
    scale : dict
        Sizes that differ from the paper's: ``n_frames``, ``widths``, ``n_classes``.
    """

    def __init__(self, device, precision, n_clips, **scale):
        config = read_config()
        self.device, self.precision, self.n_clips = device, precision, n_clips
        self.settings = config["features"]
        n_samples = int(config["mixing"]["duration_s"] * self.settings["sample_rate"])
        grid = FeatureSettings(**self.settings).grid
        self.n_frames = scale.get("n_frames", grid.n_frames(n_samples))
        self.widths = scale.get("widths", config["trunk"]["vgg"]["widths"])
        self.n_classes = scale.get("n_classes", len(config["corpus"]["classes"]))
        self.thresholds = {"published": config["metrics"]["mask_threshold"]}
        self._pooling = config["pooling"]
        generator = torch.Generator().manual_seed(0)
        shape = (n_clips, self.n_frames, self.settings["n_mels"])
        self.inputs = torch.randn(shape, generator=generator).half().to(device)
        self.target = (torch.rand(n_clips, self.n_classes, generator=generator) < 0.07).float()
        self.target = self.target.to(device)

    @property
    def macs(self):
        """Multiplications of one clip in a forward pass."""
        units = self.n_frames * self.settings["n_mels"]
        pairs = zip([1, *self.widths[:-1]], self.widths, strict=True)
        return units * (sum(9 * a * b for a, b in pairs) + self.widths[-1] * self.n_classes)

    def ours(self, precision=None):
        """An untrained network, prepared as in the workflow's jobs."""
        torch.manual_seed(0)
        network = build_network(
            "gwrp",
            n_classes=self.n_classes,
            n_mels=self.settings["n_mels"],
            trunk_settings={
                "kind": "vgg",
                "vgg": {"widths": self.widths, "dropout": 0.0},
                "background": False,
                "share_energy": False,
            },
            pooling_settings=self._pooling,
        )
        network.precision = precision or self.precision
        return network.to(self.device, memory_format=torch.channels_last)

    def plain(self):
        """The same weights in the straightforward network."""
        r = self._pooling["gwrp"]["r"]
        units = self.n_frames * self.settings["n_mels"]
        decay = r ** (self._pooling["gwrp"]["reference_units"] / units)
        return PlainNetwork(self.n_classes, self.widths, decay).load(self.ours()).to(self.device)

    def step(self, network, run=None):
        """Return one training step of tfseg as a callable; `run` is the compiled network, if any."""
        optimiser = Adam(network.parameters())
        run = network.train() if run is None else run

        def step():
            cross_entropy(run(self.inputs.float())[0], self.target).backward()
            optimiser.step(1e-3)

        return step

    def plain_step(self, network):
        """Return one training step of the straightforward way as a callable."""
        network.train()
        optimiser = torch.optim.Adam(network.parameters(), lr=1e-3)

        def step():
            tags, _ = network(self.inputs.float())
            loss = functional.binary_cross_entropy(tags.clamp(0, 1), self.target)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()

        return step

    def features(self):
        """The same inputs as a feature set, with ideal masks of three classes per clip."""
        rng = np.random.default_rng(0)
        shape = (self.n_frames, self.settings["n_mels"])
        rows = np.repeat(np.arange(self.n_clips), N_SOUNDING)
        # Every class is in some clip, so that every class has scores.
        classes = np.arange(len(rows)) % self.n_classes
        masks = rng.random((len(rows), *shape)) < 0.05
        target = np.zeros((self.n_clips, self.n_classes), dtype=np.uint8)
        target[rows, classes] = 1
        return FeatureSet(
            logmel=self.inputs.cpu().numpy(),
            target=target,
            mixture=[f"m{i}" for i in range(self.n_clips)],
            kind=["mixture"] * self.n_clips,
            part=["train"] * self.n_clips,
            mask_mixture=rows,
            mask_class=classes.astype(np.int64),
            mask_bits=np.packbits(masks.reshape(len(rows), -1), axis=1),
            classes=tuple(map(str, range(self.n_classes))),
            settings=self.settings,
        )


def _same(name, ours, plain, tolerance):
    difference = float(torch.as_tensor(ours - plain).abs().max())
    if not difference <= tolerance:
        raise SystemExit(f"bench: the two ways of {name} differ by {difference}")


def _rate(full, rates):
    return rates[full.precision]


def training_rows(full, rates, rounds, compiled=True):
    """Yield rows of the training step."""
    network, plain = full.ours(), full.plain()
    with torch.no_grad():
        inputs = full.inputs.float()
        _same("training", network.train()(inputs)[0], plain.train()(inputs)[0], 0.02)
    step, plain_step = full.step(network), full.plain_step(plain)
    step(), plain_step()
    limit = 3 * 2 * full.macs * full.n_clips / _rate(full, rates)
    ours_s, plain_s = alternate(step, plain_step, rounds)
    size = f"batch {full.n_clips}"
    yield Row(f"training step, GWRP, {size}", ours_s, plain_s, limit)
    if full.precision == "bfloat16":
        other = full.step(full.ours("float32"))
        other()
        yield Row(f"training step in float32, {size}", median_s(other, rounds), plain_s)
    if compiled:
        network = full.ours()
        compiled_step = full.step(network, torch.compile(network.train()))
        first_s = timed(compiled_step)
        compiled_step()
        pairs = [(timed(compiled_step), timed(step)) for _ in range(rounds)]
        compiled_s, eager_s = (statistics.median(times) for times in zip(*pairs, strict=True))
        yield Row(
            f"training step, compiled, beside not compiled, {size}", compiled_s, eager_s, limit
        )
        yield Row("compiling, once a job", first_s)
    yield from pooling_rows(full, network, ours_s, rates, rounds)


def pooling_rows(full, network, step_s, rates, rounds):
    """Yield rows of GWRP, forward and backward, by counting and by sorting."""
    shape = (full.n_clips, full.n_classes, full.n_frames, full.settings["n_mels"])
    logits = (torch.randn(shape, device=full.device) * 2 - 3).bfloat16()
    pooling = network.pooling

    def pool(keys):
        masks = torch.sigmoid(logits.float()).requires_grad_()
        pooling(masks, keys).sum().backward()
        return masks.grad

    _same("GWRP", pool(logits).sum(), pool(None).sum(), 1e-2)
    count_s, sort_s = alternate(lambda: pool(logits), lambda: pool(None), rounds)
    # The lower bound: read logits, write and read masks and their gradient.
    limit = logits.numel() * (2 + 4 * 4) / rates["bandwidth"]
    size = f"batch {full.n_clips}"
    yield Row(f"GWRP with its gradient, counted : sorted, {size}", count_s, sort_s, limit)
    if full.precision == "bfloat16":
        yield Row("GWRP's share of the training step", 100 * count_s / step_s, unit="%")


def inference_rows(full, rates, batch_size, plain_too=True, rounds=2):
    """Yield rows of inference to tags, frame scores and mask F1, AUC and AP."""
    features = full.features()
    plain = full.plain().eval()
    network = full.ours().eval()
    prepare_for_inference(network, full.precision)

    def ours():
        tags, _, counter = infer(
            network,
            features,
            batch_size=batch_size,
            mask_thresholds=full.thresholds,
            device=full.device,
        )
        histogram, predicted, hit = counter.result()
        _, _, f1 = precision_recall_f1(predicted, histogram.n_positive, hit)
        return tags, np.stack([f1, histogram.auc(), histogram.average_precision()])

    def straightforward():
        tags, masks = [], []
        with torch.inference_mode():
            for start in range(0, full.n_clips, batch_size):
                found = plain(full.inputs[start : start + batch_size].float())
                tags.append(found[0].cpu().numpy())
                masks.append(found[1].cpu().numpy())
        masks, ideal = np.concatenate(masks), np.zeros((full.n_clips, *masks[0].shape[1:]), bool)
        ideal[features.mask_mixture, features.mask_class] = features.ideal_masks(slice(None))
        masks.mean(axis=3)  # frame scores
        return np.concatenate(tags), score_masks(masks, ideal, full.thresholds["published"])

    limit = 2 * full.macs * full.n_clips / _rate(full, rates)
    name = f"inference with all scores, {full.n_clips} mixtures"
    if not plain_too:
        ours()
        yield Row(name, timed(ours), None, limit)
        return
    found, expected = ours(), straightforward()
    _same("tags", found[0], expected[0], 0.02)
    _same("mask scores", np.nan_to_num(found[1]), np.nan_to_num(expected[1]), 0.02)
    yield Row(name, *alternate(ours, straightforward, rounds), limit)


def counting_rows(full, rates, rounds):
    """Yield rows of mask F1, AUC and AP alone, on masks of the same distribution."""
    features = full.features()
    generator = torch.Generator().manual_seed(1)
    shape = (full.n_clips, full.n_classes, full.n_frames, full.settings["n_mels"])
    # Rounded to float16, so that scikit-learn gets the values that are counted.
    masks = (torch.rand(shape, generator=generator) ** 8).half().float()
    ideal = np.zeros(shape, bool)
    ideal[features.mask_mixture, features.mask_class] = features.ideal_masks(slice(None))

    def ours():
        counter = MaskCounter(full.n_classes, full.thresholds)
        for start in range(0, full.n_clips, 8):
            rows = np.flatnonzero(
                (features.mask_mixture >= start) & (features.mask_mixture < start + 8)
            )
            counter.add(
                masks[start : start + 8],
                torch.from_numpy(features.ideal_masks(rows)),
                torch.from_numpy(features.mask_mixture[rows] - start),
                torch.from_numpy(features.mask_class[rows]),
            )
        histogram, predicted, hit = counter.result()
        _, _, f1 = precision_recall_f1(predicted, histogram.n_positive, hit)
        return np.stack([f1, histogram.auc(), histogram.average_precision()])

    def plain():
        return score_masks(masks.numpy(), ideal, full.thresholds["published"])

    _same("mask scores", np.nan_to_num(ours()), np.nan_to_num(plain()), 1e-6)
    name = f"mask F1, AUC and AP, {full.n_clips} mixtures x {full.n_classes} classes"
    yield Row(name, *alternate(ours, plain, rounds), masks.numel() * 4 / rates["bandwidth"])
