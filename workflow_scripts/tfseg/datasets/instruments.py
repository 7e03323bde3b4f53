"""Programs and keys of the General MIDI sound font for each class.

Plain data: the check of a config reads it before other imports.
"""

from dataclasses import dataclass

PARTS = ("demo", "development")


@dataclass(frozen=True)
class Instrument:
    """Sounds of a class: programs and keys of the General MIDI bank, or drum kits.

    Parameters
    ----------
    voices : tuple of (program, first_key, last_key)
        Every key of the range is a pitch. For drums the range is one key, and the pitches come from
        `tunings`.
    tunings : tuple of float
        Semitones.
    drum : bool
        Whether programs are kits of the drum bank.
    struck : bool
        Whether a take is a rhythm of several strokes; else it is one held note.
    """

    voices: tuple
    tunings: tuple = (0.0,)
    drum: bool = False
    struck: bool = False


def _drum(*kits_and_keys):
    voices = tuple((kit, key, key) for kit, key in kits_and_keys)
    return Instrument(voices, tunings=tuple(map(float, range(-6, 7))), drum=True, struck=True)


# Labels are FSDKaggle2018's. Kits are listed once per distinct sample (most kits share theirs); the
# alto saxophone's key 64 is silent in the font.
INSTRUMENTS = {
    "Acoustic_guitar": Instrument(((24, 40, 76), (25, 40, 76))),
    "Applause": Instrument(((126, 36, 84),)),
    "Bass_drum": _drum((0, 35), (16, 35), (48, 35), (8, 36), (24, 36), (25, 36)),
    "Cello": Instrument(((42, 36, 69),)),
    "Clarinet": Instrument(((71, 50, 86),)),
    "Cowbell": _drum((0, 56), (25, 56)),
    "Double_bass": Instrument(((32, 28, 55), (43, 28, 55))),
    "Electric_piano": Instrument(((4, 36, 84), (5, 36, 84))),
    "Flute": Instrument(((73, 60, 96),)),
    "Glockenspiel": Instrument(((9, 67, 103),), struck=True),
    "Gunshot_or_gunfire": Instrument(((127, 40, 84),), struck=True),
    "Harmonica": Instrument(((22, 55, 88),)),
    "Hi-hat": _drum((0, 42), (25, 42), (0, 46), (25, 46), (16, 46)),
    "Oboe": Instrument(((68, 58, 91),)),
    "Saxophone": Instrument(((64, 56, 84), (65, 49, 63), (65, 65, 80), (66, 44, 75), (67, 36, 68))),
    "Snare_drum": _drum((0, 38), (8, 38), (16, 38), (24, 38), (25, 38), (0, 40), (40, 40)),
    "Tambourine": _drum((0, 54), (48, 54)),
    "Telephone": Instrument(((124, 36, 84),)),
    "Trumpet": Instrument(((56, 52, 84), (59, 52, 84))),
    "Violin_or_fiddle": Instrument(((40, 55, 93), (110, 55, 93))),
}


def pitches(label, part):
    """List the pitches (groups) of a class that belong to one part of the corpus.

    Returns
    -------
    pitches : list of (program, key, tuning)
        In a fixed order. Every second pitch of the class belongs to the other part.
    """
    instrument = INSTRUMENTS[label]
    every = [
        (program, key, tuning)
        for program, first, last in instrument.voices
        for key in range(first, last + 1)
        for tuning in instrument.tunings
    ]
    return every[PARTS.index(part) :: 2]
