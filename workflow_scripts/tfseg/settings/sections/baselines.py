"""The compared systems, which have no masks."""

from typing import Any

from pydantic import ConfigDict

from tfseg.settings.fields import PositiveInteger, Section, ShareBelowOne, Widths, setting


class Dnn(Section):
    """A fully connected network."""

    widths: Widths = setting([500, 500, 500], "Units of each hidden layer", unit="units")
    dropout: ShareBelowOne = setting(0.2, "After each hidden layer")


class Wldcnn(Section):
    """Segments by convolution."""

    widths: Widths = setting(
        [16, 32, 64, 128, 256, 512],
        "Feature maps of each stage (two 3x3 layers; the last has one)",
        unit="maps",
    )
    segment_maps: PositiveInteger = setting(
        1024, "Feature maps of the 2x2 layer that makes segments", unit="maps"
    )


class Framecnn(Section):
    """Frames by convolution."""

    width_factors: Widths = setting(
        [1, 2, 3, 3], "Channels of the first convolution and each block, in multiples of n_mels"
    )
    dense_units: PositiveInteger = setting(
        1024, "Both fully connected layers of the classification branch", unit="units"
    )
    dropout: ShareBelowOne = setting(0.5, "Before each fully connected layer and before detection")


class Attention(Section):
    """Gated convolutions and attention over frames."""

    stages: PositiveInteger = setting(
        4, "Each two gated blocks and a pool over mel by 2", unit="stages"
    )
    gated_maps: PositiveInteger = setting(
        64, "Feature maps after gating (the convolutions have twice as many)", unit="maps"
    )
    output_maps: PositiveInteger = setting(256, "Feature maps of the last convolution", unit="maps")
    gru_units: PositiveInteger = setting(
        128, "Of each direction of each of the two GRUs", unit="units"
    )


class Baselines(Section):
    """Section ``baselines``; of a further system, the arguments of its ``build()``."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, dict[str, Any]]

    dnn: Dnn = setting(Dnn, "Of the system dnn")
    wldcnn: Wldcnn = setting(Wldcnn, "Of the system wldcnn")
    framecnn: Framecnn = setting(Framecnn, "Of the system framecnn")
    attention: Attention = setting(Attention, "Of the system attention")
