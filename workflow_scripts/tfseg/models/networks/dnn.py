"""DNN baseline of TASLP 2019: frames are classified independently; the tag is their maximum.

Layers from the authors' earlier code (github.com/qiuqiangkong/sed_from_wekaly_labelled_data,
``tmp04.py``). Our choice: initialisation.
"""

from torch import nn

DECLARATION = {
    "summary": "frames are classified independently; the tag is the largest frame score",
    "order": 10,
    "settings": {
        "widths": {
            "type": "array",
            "minItems": 1,
            "items": {"type": "integer", "minimum": 1, "maximum": 1000000000},
            "default": [500, 500, 500],
            "description": "units of each hidden layer",
        },
        "dropout": {
            "type": "number",
            "minimum": 0,
            "exclusiveMaximum": 1,
            "default": 0.2,
            "description": "dropout after each hidden layer",
        },
    },
}


class Dnn(nn.Module):
    """Fully connected layers on single frames.

    Initial weights are Kaiming uniform, and Xavier uniform in the output layer. Biases start at
    zero.

    Parameters
    ----------
    n_classes, n_mels : int
    widths : sequence of int
        Units of each hidden layer.
    dropout : float in [0, 1)
        After each hidden layer.
    """

    def __init__(self, n_classes, n_mels, *, widths, dropout):
        super().__init__()
        layers = []
        for n_inputs, n_units in zip([n_mels, *widths[:-1]], widths, strict=True):
            dense = nn.Linear(n_inputs, n_units)
            nn.init.kaiming_uniform_(dense.weight, nonlinearity="relu")
            nn.init.zeros_(dense.bias)
            layers += [dense, nn.ReLU(inplace=True), nn.Dropout(dropout)]
        self.hidden = nn.Sequential(*layers)
        self.output = nn.Linear(widths[-1], n_classes)
        nn.init.xavier_uniform_(self.output.weight)
        nn.init.zeros_(self.output.bias)

    def forward(self, logmel):
        """Compute tags and frame scores.

        Parameters
        ----------
        logmel : torch.Tensor [shape=(batch, time, mel)]
            Standardised per band.

        Returns
        -------
        tags : torch.Tensor [shape=(batch, class), in [0, 1]]
            The largest frame score.
        frames : torch.Tensor [shape=(batch, class, time), in [0, 1]]
        """
        frames = self.output(self.hidden(logmel)).float().sigmoid().transpose(1, 2)
        return frames.amax(dim=2), frames


def build(n_classes, n_mels, **settings):
    """Build an untrained `Dnn` from its settings."""
    return Dnn(n_classes, n_mels, **settings)
