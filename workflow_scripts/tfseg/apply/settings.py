"""How recordings are analysed."""

import importlib.util
from dataclasses import dataclass

from tfseg.apply.scores import AS_RECORDED, AS_TRAINED
from tfseg.errors import ConfigError

_DRAWING = ("matplotlib", "PIL")  # imported by `tfseg.apply.page` alone


def missing_for_pages():
    """Libraries that draw pages and pictures and are not installed."""
    return [name for name in _DRAWING if importlib.util.find_spec(name) is None]


@dataclass(frozen=True)
class ApplySettings:
    """How recordings are analysed; fields are the keys of ``apply`` in the config.

    The command's defaults are those below; a test holds them equal to the config's.

    Parameters
    ----------
    window_s : float or None
        Length of the windows; None: that of the clips the model was trained on.
    batch_size : int
        Windows that the network takes at once.
    block_s : float
        What is read at once; no effect on any value.
    level : {"as_trained", "as_recorded"}
        ``as_trained``: the recording's loud stretches are brought to the peak of the mixtures that
        the model was trained on (`tfseg.apply.scores`). ``as_recorded``: levels are left alone.
    sounds : bool
        Write separated sounds.
    page : bool
        Write the page and the picture.
    """

    window_s: float | None = None
    batch_size: int = 8
    block_s: float = 60.0
    level: str = AS_TRAINED
    sounds: bool = True
    page: bool = True

    def __post_init__(self):
        """Refuse values that cannot be (the command's; the config's were checked before)."""
        for name in ("window_s", "batch_size", "block_s"):
            value = getattr(self, name)
            if value is not None and not 0 < value < float("inf"):
                raise ConfigError(f"{name}: expected a number above 0, found {value}")
        if self.level not in (AS_TRAINED, AS_RECORDED):
            raise ConfigError(
                f"level: expected {AS_TRAINED} or {AS_RECORDED}, found {self.level!r}"
            )
        if self.page and missing_for_pages():
            raise ConfigError(
                f"pages and pictures need {' and '.join(missing_for_pages())}: expected that, found "
                "it not installed. Run pip install 'tfseg[pages]', or do without pages (--no-page)"
            )
