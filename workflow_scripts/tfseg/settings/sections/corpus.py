"""The recordings, and the classes to detect in them."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from tfseg.settings.fields import Declared, EachOnce, Section, Text, named, setting

# The classes of TASLP 2019, in the paper's order.
CLASSES = [
    "Acoustic_guitar",
    "Applause",
    "Bark",
    "Bass_drum",
    "Burping_or_eructation",
    "Bus",
    "Cello",
    "Chime",
    "Clarinet",
    "Computer_keyboard",
    "Cough",
    "Cowbell",
    "Double_bass",
    "Drawer_open_or_close",
    "Electric_piano",
    "Fart",
    "Finger_snapping",
    "Fireworks",
    "Flute",
    "Glockenspiel",
    "Gong",
    "Gunshot_or_gunfire",
    "Harmonica",
    "Hi-hat",
    "Keys_jangling",
    "Knock",
    "Laughter",
    "Meow",
    "Microwave_oven",
    "Oboe",
    "Saxophone",
    "Scissors",
    "Shatter",
    "Snare_drum",
    "Squeak",
    "Tambourine",
    "Tearing",
    "Telephone",
    "Trumpet",
    "Violin_or_fiddle",
    "Writing",
]

ClassName = Annotated[
    str,
    named(
        r"^\w[\w-]*( [\w-]+)*$",
        "a name of letters of any script, digits, _ and -, with single spaces between them",
        "a class name",
        max_length=50,
    ),
]


class Corpus(Section):
    """Section ``corpus``; kinds, and keys of a kind's own, are those that corpora declare."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Declared]

    kind: str = setting("dcase2018", "Source of the recordings")
    on_bad_audio: Literal["error", "skip"] = setting(
        "error", "Unusable recordings: stop and list them, or skip them"
    )
    other_labels: Literal["error", "ignore"] = setting(
        "error", "Labels of your own recordings that classes does not name: stop, or ignore them"
    )
    label_excess_s: Annotated[float, Field(ge=0, le=1)] = setting(
        0.05,
        "Labels that reach this far out of their clip, or less, are cut and reported",
        unit="s",
    )
    trim_silence: bool = setting(False, "Remove digital silence at both ends of an event")
    scenes: Annotated[EachOnce[Text], Field(min_length=1)] | None = setting(
        None, "Kinds of scene to use; null: all of the corpus"
    )
    classes: Annotated[EachOnce[ClassName], Field(min_length=2)] = setting(
        CLASSES, "Classes, in score order"
    )
