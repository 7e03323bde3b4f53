"""Synthesised acoustic scenes for the embedded corpus.

Real scenes cannot be included, so these are synthesised: five kinds, each with places (fixed
timbre) and takes (different times at a place). Every kind contains sounds like those of events:
steady and gliding harmonics, pitched voices and short clicks, over coloured noise. So events cannot
be recognised by their spectral envelope alone.
"""

import numpy as np

from tfseg.features.time_grid import samples_in
from tfseg.job.seeding import generator


def _coloured_noise(rng, n_samples, sample_rate, exponent, low_hz, high_hz):
    """Gaussian noise with a power spectrum of 1/f**exponent between two corner frequencies."""
    spectrum = np.fft.rfft(rng.standard_normal(n_samples))
    frequency = np.fft.rfftfreq(n_samples, 1 / sample_rate)
    gain = np.maximum(frequency, 20.0) ** (-exponent / 2)
    gain *= 1 / np.sqrt(1 + (low_hz / np.maximum(frequency, 1.0)) ** 4)
    gain *= 1 / np.sqrt(1 + (frequency / high_hz) ** 4)
    noise = np.fft.irfft(spectrum * gain, n_samples)
    return noise / noise.std()


def _slow_curve(rng, n_samples, sample_rate, knots_per_s):
    """A smooth positive curve with mean about one, for the level over time."""
    n_knots = max(int(n_samples / sample_rate * knots_per_s), 2) + 2
    knots = rng.lognormal(0.0, 0.6, n_knots)
    return np.interp(np.linspace(0, n_knots - 1, n_samples), np.arange(n_knots), knots)


def _harmonics(frequency_hz, sample_rate, n_partials, slope, rng):
    """A harmonic tone whose fundamental follows `frequency_hz` (one value per sample)."""
    phase = 2 * np.pi * np.cumsum(frequency_hz) / sample_rate
    tone = np.zeros(len(frequency_hz))
    for partial in range(1, n_partials + 1):
        audible = frequency_hz * partial < 0.45 * sample_rate
        tone += audible * np.sin(partial * phase + rng.uniform(0, 2 * np.pi)) / partial**slope
    return tone


def _voices(rng, place, n_samples, sample_rate, n_voices):
    """Babble: voices that speak in syllables, each around its own pitch."""
    babble = np.zeros(n_samples)
    for _ in range(n_voices):
        base_hz = place.uniform(90, 260)
        pitch = base_hz * _slow_curve(rng, n_samples, sample_rate, 4.0) ** 0.15
        syllables = _slow_curve(rng, n_samples, sample_rate, 8.0) ** 2
        babble += syllables * _harmonics(pitch, sample_rate, 14, 1.0, rng)
    return babble / babble.std()


def _clicks(rng, n_samples, sample_rate, rate_hz, centre_hz, decay_s):
    """Decaying, slightly pitched clicks at random times."""
    track = np.zeros(n_samples)
    for _ in range(rng.poisson(rate_hz * n_samples / sample_rate)):
        start = rng.integers(n_samples)
        length = min(int(8 * decay_s * sample_rate), n_samples - start)
        time = np.arange(length) / sample_rate
        pitch = centre_hz * rng.lognormal(0.0, 0.4)
        click = rng.standard_normal(length) * 0.5 + np.sin(2 * np.pi * pitch * time)
        track[start : start + length] += rng.lognormal(0, 0.5) * click * np.exp(-time / decay_s)
    return track / max(track.std(), 1e-9)


def _street(rng, place, n, rate):
    rumble = _coloured_noise(rng, n, rate, place.uniform(1.2, 2.0), 30, place.uniform(2e3, 6e3))
    engine_hz = place.uniform(35, 90) * _slow_curve(rng, n, rate, 0.6) ** 0.3
    engine = _harmonics(engine_hz, rate, 20, 0.8, rng)
    horn = _harmonics(np.full(n, place.uniform(300, 500)), rate, 8, 0.7, rng)
    beeping = (_slow_curve(rng, n, rate, 1.5) > 2.2).astype(float)
    return (
        rumble * _slow_curve(rng, n, rate, 0.5) + 0.5 * engine / engine.std() + 0.3 * beeping * horn
    )


def _cafe(rng, place, n, rate):
    room = _coloured_noise(rng, n, rate, place.uniform(0.8, 1.4), 80, 8e3)
    dishes = _clicks(rng, n, rate, place.uniform(1, 3), place.uniform(1.5e3, 4e3), 0.03)
    return 0.6 * room + _voices(rng, place, n, rate, 6) + 0.5 * dishes


def _rain(rng, place, n, rate):
    wash = _coloured_noise(rng, n, rate, place.uniform(0.0, 0.6), place.uniform(200, 800), 12e3)
    drops = _clicks(rng, n, rate, place.uniform(20, 60), place.uniform(800, 3e3), 0.006)
    gutter = _clicks(rng, n, rate, place.uniform(2, 6), place.uniform(300, 700), 0.05)
    return wash * _slow_curve(rng, n, rate, 0.7) ** 0.5 + 0.7 * drops + 0.4 * gutter


def _workshop(rng, place, n, rate):
    hum_hz = np.full(n, place.choice([50.0, 60.0, 100.0]) * place.uniform(0.98, 1.02))
    hum = _harmonics(hum_hz, rate, 24, place.uniform(0.4, 0.9), rng)
    air = _coloured_noise(rng, n, rate, place.uniform(0.3, 1.0), 100, place.uniform(4e3, 1e4))
    blows = _clicks(rng, n, rate, place.uniform(0.8, 2.5), place.uniform(200, 1.2e3), 0.08)
    return 0.6 * hum / hum.std() + 0.6 * air + 0.8 * blows * _slow_curve(rng, n, rate, 0.4)


def _park(rng, place, n, rate):
    wind = _coloured_noise(rng, n, rate, place.uniform(1.0, 1.8), 40, place.uniform(1e3, 3e3))
    song = np.zeros(n)
    for _ in range(2):
        base_hz = place.uniform(1.8e3, 4.5e3)
        glide = base_hz * _slow_curve(rng, n, rate, 6.0) ** 0.2
        sings = _slow_curve(rng, n, rate, 3.0) > 1.3
        song += sings * _slow_curve(rng, n, rate, 10.0) * _harmonics(glide, rate, 2, 1.5, rng)
    steps = _clicks(rng, n, rate, place.uniform(1, 2.5), place.uniform(150, 500), 0.02)
    return (
        wind * _slow_curve(rng, n, rate, 0.6)
        + 0.6 * song / max(song.std(), 1e-9)
        + 0.4 * steps
        + 0.2 * _voices(rng, place, n, rate, 2)
    )


_KIND = {"cafe": _cafe, "park": _park, "rain": _rain, "street": _street, "workshop": _workshop}
KINDS = tuple(_KIND)


def synthesise(kind, place_names, take, sample_rate, duration_s):
    """Synthesise one scene recording.

    Parameters
    ----------
    kind : str
        One of `KINDS`.
    place_names : tuple
        ``(seed, part, place)``: fixes the place's timbre.
    take : int
        Number of the recording at that place.
    sample_rate : int
        Hz.
    duration_s : float

    Returns
    -------
    samples : np.ndarray [shape=(n,), dtype=float32, peak 0.5]
    """
    seed, *names = place_names
    place = generator(seed, "place", kind, *names)
    rng = generator(seed, "scene", kind, *names, take)
    samples = _KIND[kind](rng, place, samples_in(duration_s, sample_rate), sample_rate)
    return (0.5 * samples / np.abs(samples).max()).astype(np.float32)
