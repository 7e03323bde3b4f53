"""Separated and reference sounds as audio files."""

from tfseg.io.audio import write_wav


def write_sounds(folder, separation, sample_rate):
    """Write the mixture's waveform, and each class's reference and estimates by every system.

    Parameters
    ----------
    folder : path-like
        A folder with the mixture's name is created in it.
    separation : tfseg.evaluation.separation_scores.Separation
    sample_rate : int
    """
    waveforms = {"mixture": separation.waveform}
    for label, reference in separation.references.items():
        waveforms[f"{label}-reference"] = reference
        for system, estimate in separation.estimates[label].items():
            if system != "no_separation":
                waveforms[f"{label}-{system}"] = estimate
    for name, samples in waveforms.items():
        write_wav(f"{folder}/{separation.mixture}/{name}.wav", samples, sample_rate, "FLOAT")


def writing_sounds(separations, mixtures, folder, sample_rate):
    """Yield the separations unchanged, and write the sounds of some mixtures.

    Parameters
    ----------
    separations : iterable of tfseg.evaluation.separation_scores.Separation
    mixtures : collection of str
        The mixtures to write.
    folder : path-like
    sample_rate : int

    Yields
    ------
    separation : tfseg.evaluation.separation_scores.Separation
    """
    for separation in separations:
        if separation.mixture in mixtures:
            write_sounds(folder, separation, sample_rate)
        yield separation
