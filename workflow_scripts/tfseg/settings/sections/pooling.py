"""From masks to tags."""

from tfseg.settings.fields import PositiveInteger, Section, setting


class Gwrp(Section):
    """Global weighted rank pooling."""

    r: float = setting(0.9998, "Decay per rank (released code)", ge=0, le=1)
    reference_units: PositiveInteger = setting(
        19904, "T-F units that r is meant for; rescaled for others", unit="T-F units"
    )


class Power(Section):
    """Power pooling."""

    exponent: float = setting(1.0, "n of the weights h^n; learned from here", gt=0, le=1000)


class Auto(Section):
    """Auto-pooling."""

    alpha: float = setting(5.0, "Of the weights exp(alpha h); learned from here", ge=-1000, le=1000)


class LogSumExp(Section):
    """A smooth maximum."""

    sharpness: float = setting(5.0, "s of the smooth maximum of logits; not learned", gt=0, le=1000)


class GwrpLearned(Section):
    """Global weighted rank pooling with a decay for each class."""

    r: float = setting(0.9998, "Decay per rank; learned from here", gt=0, lt=1)
    reference_units: PositiveInteger = setting(
        19904, "T-F units that r is meant for; rescaled for others", unit="T-F units"
    )


class Pooling(Section):
    """Section ``pooling``."""

    gwrp: Gwrp = setting(Gwrp, "Of the system gwrp")
    power: Power = setting(Power, "Of the system power")
    auto: Auto = setting(Auto, "Of the system auto")
    log_sum_exp: LogSumExp = setting(LogSumExp, "Of the system log_sum_exp")
    gwrp_learned: GwrpLearned = setting(GwrpLearned, "Of the system gwrp_learned")
