"""Separated sounds as files to listen to, beside the true ones."""

from tfseg.io.audio import write_wav


def write_sounds(folder, separation, sample_rate):
    """Write the waveforms of one mixture: itself, and each class true and as every system has it.

    Parameters
    ----------
    folder : path-like
        Gets a folder of the mixture's name.
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
    """Pass separations on, and write the sounds of some mixtures on the way.

    Parameters
    ----------
    separations : iterable of tfseg.evaluation.separation_scores.Separation
    mixtures : collection of str
        Those to write.
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
