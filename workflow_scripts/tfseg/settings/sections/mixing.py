"""Mixing of clips from events and scenes."""

from typing import Annotated, Literal

from pydantic import Field

from tfseg.settings.fields import (
    EACH_ONCE,
    EachOnce,
    PositiveInteger,
    Seconds,
    Section,
    SnrDb,
    holding,
    named,
    setting,
)

CountOfEach = Annotated[int, Field(ge=1)]
Onset = Annotated[float, Field(ge=0)]
Kinds = Annotated[
    list[Literal["mixture", "events", "scene"]],
    Field(min_length=1),
    EACH_ONCE,
    holding("mixture"),
]


class Mixing(Section):
    """Section ``mixing``."""

    mixtures_per_fold: CountOfEach | Annotated[list[PositiveInteger], Field(min_length=2)] = (
        setting(2000, "Mixtures per fold: one number, or a list with one per fold", unit="mixtures")
    )
    shard_size: PositiveInteger = setting(
        250, "Mixtures per job and stems file; no effect on results", unit="mixtures"
    )
    duration_s: Seconds = setting(10.0, "Length of a mixture", unit="s")
    onsets_s: (
        Annotated[EachOnce[Onset], Field(min_length=1)]
        | Annotated[str, named("^(centre|random)$", "a list of times, centre or random")]
    ) = setting(
        [0.5, 3.0, 5.5],
        "Onsets of one event each, without overlap (released code); or centre (JSC), or random",
        unit="s",
    )
    events_per_mixture: (
        CountOfEach | Annotated[list[PositiveInteger], Field(min_length=2, max_length=2)]
    ) = setting(
        3,
        "With random onsets: a number of events, or [least, most] to draw it from",
        unit="events",
    )
    overlap: bool = setting(
        False, "With random onsets: events may overlap, also events of one class"
    )
    max_event_s: Seconds = setting(2.0, "Longer recordings are cut (TASLP V-A)", unit="s")
    kinds: Kinds = setting(
        ["mixture"],
        "Clips from each draw: the mixture, its events alone, its scene alone (JSC)",
    )
    scene_start: Literal["beginning", "random"] = setting(
        "beginning", "Where the scene is cut from a longer one"
    )
    snr_db: Annotated[EachOnce[SnrDb], Field(min_length=1)] = setting(
        [20, 10, 0], "Event against scene", unit="dB"
    )
    snr_on: Literal["file", "segment"] = setting(
        "file",
        "Level of an event: of the whole recording (released), or of the part in the mixture",
    )
    resampler: Literal["soxr_hq", "soxr_vhq"] = setting("soxr_hq", "Quality of resampling")
