"""Log-mel spectrograms and ideal masks."""

from tfseg.settings.fields import PositiveInteger, Section, setting


class Features(Section):
    """Section ``features``."""

    sample_rate: int = setting(
        32000, "Sample rate; all audio is resampled to it", unit="Hz", ge=1000, le=1_000_000
    )
    window_length: int = setting(
        2048, "Hamming window, not centred", unit="samples", ge=2, le=1_000_000
    )
    hop_length: PositiveInteger = setting(1024, "Step from frame to frame", unit="samples")
    n_mels: int = setting(64, "Mel bands", unit="bands", ge=2)
    fmin_hz: float = setting(50.0, "Lower end of the lowest band", unit="Hz", ge=0)
    fmax_hz: float = setting(16000.0, "Upper end of the highest band", unit="Hz", gt=0)
    log_offset: float = setting(1.0e-8, "Added to mel magnitudes before the logarithm", gt=0, le=1)
    ibm_criterion_db: float = setting(
        -5.0,
        "Ideal binary mask: the event exceeds the rest by more than this",
        unit="dB",
        ge=-200,
        le=200,
    )
