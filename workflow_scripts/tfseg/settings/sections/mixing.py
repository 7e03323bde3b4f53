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
        setting(2000, "Mixtures of each fold, or a number per fold", unit="mixtures")
    )
    shard_size: PositiveInteger = setting(
        250, "Mixtures per job and stems file; no effect on results", unit="mixtures"
    )
    duration_s: Seconds = setting(10.0, "Length of a mixture", unit="s")
    onsets_s: (
        Annotated[EachOnce[Onset], Field(min_length=1)]
        | Annotated[
            str, named("^(centre|random)$", "a list of times, centre or random", "centre or random")
        ]
    ) = setting(
        [0.5, 3.0, 5.5],
        "Onsets of events; centre: JSC",
        unit="s",
    )
    events_per_mixture: (
        CountOfEach | Annotated[list[PositiveInteger], Field(min_length=2, max_length=2)]
    ) = setting(
        3,
        "With random onsets: number of events, or its range",
        unit="events",
    )
    overlap: bool = setting(
        False, "With random onsets: events may overlap, also those of one class"
    )
    max_event_s: Seconds = setting(2.0, "Longer recordings are cut (TASLP V-A)", unit="s")
    kinds: Kinds = setting(
        ["mixture"],
        "Clips of each draw (JSC: all three)",
    )
    scene_start: Literal["beginning", "random"] = setting(
        "beginning", "Where a scene is cut from a longer recording"
    )
    snr_db: Annotated[EachOnce[SnrDb], Field(min_length=1)] = setting(
        [20, 10, 0], "Level of each event relative to the scene", unit="dB"
    )
    snr_on: Literal["file", "segment"] = setting(
        "file",
        "Level of an event: of its whole recording (released), or of the part in the mixture",
    )
    resampler: Literal["soxr_hq", "soxr_vhq"] = setting("soxr_hq", "Quality of resampling")
