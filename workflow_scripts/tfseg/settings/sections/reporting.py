"""Tables and figures."""

from tfseg.settings.fields import PositiveInteger, Section, setting


class Tables(Section):
    """Section ``tables``."""

    by_class_snr_db: float = setting(0, "SNR of the tables by class", unit="dB")


class Figures(Section):
    """Section ``figures``."""

    snr_db: float = setting(
        0, "SNR of the example mixture, the audio examples and the class confusion", unit="dB"
    )
    fold: PositiveInteger = setting(
        1, "Fold of the example mixture, the audio examples and the class confusion"
    )
