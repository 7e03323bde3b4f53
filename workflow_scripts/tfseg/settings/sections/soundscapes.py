"""Long recordings to try a model on."""

from typing import Annotated

from pydantic import Field

from tfseg.settings.fields import EachOnce, PositiveNumber, Section, SnrDb, setting


class Soundscape(Section):
    """An entry of ``soundscapes``."""

    name: str = setting(
        ...,
        "File name with the ending of a format",
        pattern=r"^\w[\w-]*\.(wav|flac|aiff)$",
        json={"in_words": "letters, digits, _ and -, then .wav, .flac or .aiff"},
    )
    duration_s: PositiveNumber = setting(..., "Length of the recording", unit="s")
    snr_db: SnrDb = setting(..., "Level of each event relative to the scene", unit="dB")
    sample_rate: Annotated[int, Field(ge=1000, le=192_000)] = setting(
        ..., "Sample rate of the file", unit="Hz"
    )
    channels: Annotated[int, Field(ge=1, le=8)] = setting(
        ..., "With more than one, events are panned between the first two", unit="channels"
    )


Soundscapes = EachOnce[Soundscape]
