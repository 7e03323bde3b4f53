import contextlib
import dataclasses

import h5py
import librosa
import numpy as np
import pytest
import scipy.signal

from tfseg.datasets.corpus_tables import mixture_labels
from tfseg.features.logmel import MixtureSpectra, Spectrograms, extract_features
from tfseg.features.time_grid import TimeGrid
from tfseg.mixing.remixing import StemReader, Stems

RATE = 8000


def _magnitude(settings, samples):
    """Spectrogram of the released code [shape=(n_frames, n_bins)]."""
    _, _, magnitude = scipy.signal.spectrogram(
        samples.astype(np.float64),
        window=np.hamming(settings.window_length),
        nperseg=settings.window_length,
        noverlap=settings.window_length - settings.hop_length,
        detrend=False,
        mode="magnitude",
    )
    return magnitude.T


def _mel(settings, samples):
    # librosa.feature.melspectrogram gives the same, but first compiles for 20 s.
    filters = librosa.filters.mel(
        sr=settings.sample_rate,
        n_fft=settings.window_length,
        n_mels=settings.n_mels,
        fmin=settings.fmin_hz,
        fmax=settings.fmax_hz,
        dtype=np.float64,
    )
    return _magnitude(settings, samples) @ filters.T


@pytest.fixture(scope="module")
def spectrograms(tiny_settings):
    return Spectrograms(tiny_settings)


@pytest.fixture
def noise():
    return np.random.default_rng(0).standard_normal(5000).astype(np.float32)


def _stems(events, scene, snrs=(20, 0, -5)):
    return Stems("m", 1, np.float32(scene), events, {snr: 0.1 + 0.01 * snr / 20 for snr in snrs})


@pytest.fixture
def crowded():
    """One mixture with two overlapping classes, and a class with two events."""
    rng = np.random.default_rng(1)

    def event(n_samples):
        rumble = scipy.signal.lfilter([0.6], [1, -0.9], rng.standard_normal(n_samples))
        return (rumble * np.hanning(n_samples)).astype(np.float32)

    return _stems(
        [(0, 1000, event(3000)), (2, 2500, event(4000)), (0, 9000, event(1000))],
        rng.standard_normal(12000),
    )


@pytest.mark.parametrize(("window", "hop"), [(2048, 1024), (1024, 528), (256, 256), (511, 100)])
def test_magnitude_is_that_of_scipys_spectrogram(tiny_settings, window, hop):
    settings = dataclasses.replace(tiny_settings, window_length=window, hop_length=hop)
    samples = np.random.default_rng(0).standard_normal(9000)
    expected = _magnitude(settings, samples)
    spectrum = Spectrograms(settings).complex(samples)
    assert spectrum.dtype == np.complex64
    assert spectrum.shape == expected.shape == (settings.grid.n_frames(9000), window // 2 + 1)
    np.testing.assert_allclose(np.abs(spectrum), expected, rtol=1e-3, atol=1e-5)


def test_only_the_frames_that_are_asked_for(spectrograms, noise):
    whole = spectrograms.complex(noise)
    for frames in (slice(0, 5), slice(7, 8), slice(30, None), slice(4, 4)):
        np.testing.assert_array_equal(spectrograms.complex(noise, frames), whole[frames])


def test_the_spectrum_is_linear(spectrograms, noise):
    one, two = noise[:3000], noise[2000:]
    total = spectrograms.complex(2 * one - 3 * two)
    parts = 2 * spectrograms.complex(one) - 3 * spectrograms.complex(two)
    np.testing.assert_allclose(total, parts, atol=1e-4)


@pytest.mark.parametrize(
    ("rate", "window", "n_mels", "fmin_hz", "fmax_hz"),
    [
        (32000, 2048, 64, 50.0, 16000.0),
        (16000, 1024, 64, 0.0, 8000.0),
        (8000, 512, 13, 50.0, 3000.0),
    ],
)
def test_mel_filters_are_slaneys(tiny_settings, rate, window, n_mels, fmin_hz, fmax_hz):
    settings = dataclasses.replace(
        tiny_settings,
        sample_rate=rate,
        window_length=window,
        n_mels=n_mels,
        fmin_hz=fmin_hz,
        fmax_hz=fmax_hz,
    )
    filters = Spectrograms(settings).mel_filters
    np.testing.assert_allclose(
        filters,
        librosa.filters.mel(
            sr=rate,
            n_fft=window,
            n_mels=n_mels,
            fmin=fmin_hz,
            fmax=fmax_hz,
            htk=False,
            norm="slaney",
        ),
        rtol=1e-6,
    )
    # Triangles between neighbouring centres, each of unit area in Hz.
    edges = librosa.mel_frequencies(n_mels + 2, fmin=fmin_hz, fmax=fmax_hz, htk=False)
    frequency = np.arange(window // 2 + 1) * rate / window
    for band, weights in enumerate(filters):
        assert np.all((weights > 0) <= ((frequency > edges[band]) & (frequency < edges[band + 2])))
        wide = edges[band + 2] - edges[band] > 20 * rate / window
        if wide:
            assert weights.sum() * rate / window == pytest.approx(1, abs=0.02)


def test_mel_and_logmel_agree_with_librosa_and_their_definition(tiny_settings, spectrograms, noise):
    spectrum = spectrograms.complex(noise)
    expected = _mel(tiny_settings, noise)
    np.testing.assert_allclose(spectrograms.mel(spectrum), expected, rtol=1e-3)
    logmel = spectrograms.logmel(spectrum)
    assert logmel.dtype == np.float32
    assert logmel.shape == (tiny_settings.grid.n_frames(5000), 13)
    np.testing.assert_allclose(logmel, np.log(expected + 1e-8), atol=1e-3)


@pytest.mark.parametrize(
    ("window", "n_mels", "fmin_hz", "fmax_hz"),
    [
        (2048, 64, 50.0, 4000.0),
        (256, 13, 50.0, 4000.0),
        (256, 1, 0.0, 4000.0),
        (64, 40, 50.0, 2000.0),  # bands between two bins, which weigh none
    ],
)
@pytest.mark.filterwarnings("ignore:Empty filters detected")
def test_mel_is_the_product_with_all_filters(
    tiny_settings, noise, window, n_mels, fmin_hz, fmax_hz
):
    settings = dataclasses.replace(
        tiny_settings, window_length=window, n_mels=n_mels, fmin_hz=fmin_hz, fmax_hz=fmax_hz
    )
    spectrograms = Spectrograms(settings)
    spectrum = spectrograms.complex(noise)
    expected = np.abs(spectrum).astype(np.float64) @ spectrograms.mel_filters.T.astype(np.float64)
    np.testing.assert_allclose(spectrograms.mel(spectrum), expected, rtol=1e-5)
    assert (window == 64) == (spectrograms.mel_filters.sum(axis=1) == 0).any()


def test_logmel_of_silence_is_the_offset(spectrograms):
    logmel = spectrograms.logmel(spectrograms.complex(np.zeros(1000)))
    np.testing.assert_allclose(logmel, np.log(1e-8), rtol=1e-6)


def test_touched_frames_are_those_whose_window_reaches_the_event(spectrograms, tiny_settings):
    window, hop = tiny_settings.window_length, tiny_settings.hop_length
    rng = np.random.default_rng(0)
    n_frames = 20
    for _ in range(300):
        onset, n_event = int(rng.integers(0, 3500)), int(rng.integers(1, 900))
        expected = [
            i for i in range(n_frames) if i * hop < onset + n_event and i * hop + window > onset
        ]
        found = np.arange(n_frames)[spectrograms.touched_frames(onset, n_event, n_frames)]
        assert found.tolist() == expected


@pytest.mark.parametrize("snr_db", [20, 0, -5])
def test_the_spectrum_of_a_mixture_is_that_of_its_waveform(spectrograms, crowded, snr_db):
    spectrum = MixtureSpectra(spectrograms, crowded).mixture(snr_db)
    expected = spectrograms.complex(crowded.mixture_at(snr_db))
    np.testing.assert_allclose(spectrum, expected, atol=1e-5)


def test_the_spectra_of_real_stems_are_those_of_their_waveforms(spectrograms, tiny_stems):
    for stems in StemReader(tiny_stems):
        spectra = MixtureSpectra(spectrograms, stems)
        for snr_db in stems.mix_gain:
            expected = spectrograms.complex(stems.mixture_at(snr_db))
            np.testing.assert_allclose(spectra.mixture(snr_db), expected, atol=1e-5)


@pytest.mark.parametrize("snr_db", [20, 0, -5])
def test_the_logmel_of_a_mixture_is_that_of_its_spectrum(spectrograms, crowded, snr_db):
    spectra = MixtureSpectra(spectrograms, crowded)
    expected = spectrograms.logmel(spectra.mixture(snr_db))
    logmel = spectra.logmel(snr_db)
    assert logmel.dtype == np.float32
    np.testing.assert_allclose(logmel, expected, atol=1e-4)


@pytest.mark.parametrize("snr_db", [20, 0, -5])
def test_frames_that_no_event_reaches_are_the_scenes(spectrograms, crowded, snr_db):
    window, hop = spectrograms.settings.window_length, spectrograms.settings.hop_length
    spectra = MixtureSpectra(spectrograms, crowded)
    starts = hop * np.arange(spectra.n_frames)
    untouched = np.ones(spectra.n_frames, dtype=bool)
    for _, onset, samples in crowded.events:
        untouched &= (starts + window <= onset) | (starts >= onset + len(samples))
    assert 10 < untouched.sum() < spectra.n_frames - 10
    scene = spectrograms.logmel(spectrograms.complex(crowded.mix_gain[snr_db] * crowded.scene))
    equal = np.isclose(spectra.logmel(snr_db), scene, atol=1e-4).all(axis=1)
    assert equal[untouched].all()
    assert equal[~untouched].mean() < 0.1  # a window's end may reach an event's first samples


def test_asking_for_one_snr_does_not_change_another(spectrograms, crowded):
    spectra = MixtureSpectra(spectrograms, crowded)
    before = spectra.mixture(0)
    spectra.mixture(20), spectra.logmel(20)
    spectra.ideal_binary_mask(0, 20, np.ones(spectra.n_frames, dtype=bool))
    np.testing.assert_array_equal(spectra.mixture(0), before)


def _ratio_db(settings, stems, k, snr_db):
    """Event against the rest in dB, from the waveforms, in float64."""
    gain = 10 ** (snr_db / 20)
    event = gain * stems.event_track(k).astype(np.float64)
    others = [stems.event_track(j) for j in {j for j, _, _ in stems.events} if j != k]
    rest = stems.scene + gain * np.sum([np.zeros_like(stems.scene), *others], axis=0)
    with np.errstate(divide="ignore"):
        return 20 * np.log10(_mel(settings, event) / _mel(settings, rest))


@pytest.mark.parametrize("criterion_db", [-5.0, 0.0, 6.0])
@pytest.mark.parametrize("snr_db", [20, 0, -5])
@pytest.mark.parametrize("k", [0, 2])
def test_the_ideal_binary_mask_is_that_of_the_waveforms(
    tiny_settings, crowded, k, snr_db, criterion_db
):
    settings = dataclasses.replace(tiny_settings, ibm_criterion_db=criterion_db)
    spectra = MixtureSpectra(Spectrograms(settings), crowded)
    active = np.zeros(spectra.n_frames, dtype=bool)
    active[10:60] = True
    mask = spectra.ideal_binary_mask(k, snr_db, active)
    ratio_db = _ratio_db(settings, crowded, k, snr_db)
    expected = (ratio_db > criterion_db) & active[:, None]
    clear = np.abs(ratio_db - criterion_db) > 0.01  # float32 may decide the rest either way
    assert clear.mean() > 0.99
    assert mask.dtype == bool
    np.testing.assert_array_equal(mask[clear], expected[clear])
    assert 0 < mask[active].mean() < 1


def _hum(hz, n_samples):
    return np.sin(2 * np.pi * hz * np.arange(n_samples) / RATE).astype(np.float32)


def test_the_rest_of_an_event_is_the_scene_and_the_other_classes_events(
    tiny_settings, spectrograms
):
    # Two classes hum in one band at the same time, the second 10 dB louder; the scene is silent.
    level = np.float32(10 ** (10 / 20))
    quiet, loud = (0, 4000, _hum(1000, 4000)), (1, 4000, level * _hum(1000, 4000))
    band = int(np.argmin(np.abs(spectrograms.mel_hz - 1000)))
    frames = slice(32, 60)  # whose windows lie inside both
    everywhere = np.ones(92, dtype=bool)

    def units(events, k, criterion_db):
        settings = dataclasses.replace(tiny_settings, ibm_criterion_db=criterion_db)
        spectra = MixtureSpectra(Spectrograms(settings), _stems(events, np.full(12000, 1e-9)))
        mask = spectra.ideal_binary_mask(k, 0, everywhere)[frames, band]
        return mask, spectra.ideal_ratio_mask(k, 0)[frames, band]

    for k, ratio_db in ((0, -10), (1, 10)):
        share = 10 ** (ratio_db / 20)
        for criterion_db in (ratio_db - 0.1, ratio_db + 0.1):
            mask, ratio_mask = units([quiet, loud], k, criterion_db)
            assert (mask == (criterion_db < ratio_db)).all()
            np.testing.assert_allclose(ratio_mask, share / (1 + share), rtol=1e-3)
    mask, ratio_mask = units([quiet], 0, 100)  # alone, it exceeds what is left by far
    assert mask.all()
    np.testing.assert_allclose(ratio_mask, 1, atol=1e-3)


def test_two_overlapping_events_of_one_class_are_one_source(spectrograms):
    # They are not part of each other's rest: with a silent scene all their units are theirs.
    first, second = (0, 3000, _hum(1000, 4000)), (0, 5000, _hum(1000, 4000))
    stems = _stems([first, second], np.full(12000, 1e-9))
    spectra = MixtureSpectra(spectrograms, stems)
    labels = [("Bark", 3000 / RATE, 7000 / RATE), ("Bark", 5000 / RATE, 9000 / RATE)]
    strong = spectrograms.grid.strong_labels(labels, ["Bark"], spectra.n_frames)[:, 0]
    np.testing.assert_array_equal(np.flatnonzero(strong), np.arange(3000 // 128, 9000 // 128 + 1))
    band = int(np.argmin(np.abs(spectrograms.mel_hz - 1000)))
    mask = spectra.ideal_binary_mask(0, 0, strong)
    np.testing.assert_array_equal(mask[24:70, band], True)
    assert not mask[~strong].any()
    assert spectra.classes == [0]
    both = np.zeros(12000)
    both[3000:7000] += first[2]
    both[5000:9000] += second[2]
    np.testing.assert_allclose(stems.event_track(0), both, atol=1e-6)


def test_the_ideal_binary_mask_is_empty_outside_the_strong_label(spectrograms, crowded):
    spectra = MixtureSpectra(spectrograms, crowded)
    assert not spectra.ideal_binary_mask(0, 20, np.zeros(spectra.n_frames, dtype=bool)).any()


def test_the_ideal_binary_mask_grows_with_the_snr(spectrograms):
    rng = np.random.default_rng(2)
    stems = _stems(
        [(1, 2000, rng.standard_normal(5000).astype(np.float32))], rng.normal(size=12000)
    )
    spectra = MixtureSpectra(spectrograms, stems)
    everywhere = np.ones(spectra.n_frames, dtype=bool)
    masks = [spectra.ideal_binary_mask(1, snr_db, everywhere) for snr_db in (-5, 0, 20)]
    assert masks[0].sum() < masks[1].sum() < masks[2].sum()
    assert not (masks[0] & ~masks[1]).any()
    assert not (masks[1] & ~masks[2]).any()


@pytest.mark.parametrize("snr_db", [20, 0])
def test_the_ideal_ratio_mask_is_that_of_the_waveforms(
    tiny_settings, spectrograms, crowded, snr_db
):
    spectra = MixtureSpectra(spectrograms, crowded)
    for k in (0, 2):
        mask = spectra.ideal_ratio_mask(k, snr_db)
        assert ((mask >= 0) & (mask <= 1)).all()
        ratio = 10 ** (_ratio_db(tiny_settings, crowded, k, snr_db) / 20)
        np.testing.assert_allclose(mask, ratio / (1 + ratio), atol=1e-3)


def test_the_ideal_ratio_mask_is_one_where_only_the_event_sounds(spectrograms):
    rng = np.random.default_rng(2)
    event = (0, 3000, rng.standard_normal(3000).astype(np.float32))
    for scene_level in (0.0, 1e-12):
        stems = _stems([event], scene_level * rng.standard_normal(12000))
        mask = MixtureSpectra(spectrograms, stems).ideal_ratio_mask(0, 0)
        np.testing.assert_allclose(mask[25:45], 1, atol=1e-6)
        assert not mask[:20].any()
        assert np.isfinite(mask).all()


def test_an_event_in_the_last_samples_that_no_frame_covers(spectrograms, tiny_settings):
    rng = np.random.default_rng(2)
    n_samples = tiny_settings.window_length + 10 * tiny_settings.hop_length + 100
    event = (1, n_samples - 90, rng.standard_normal(90).astype(np.float32))
    stems = _stems([event], rng.standard_normal(n_samples))
    spectra = MixtureSpectra(spectrograms, stems)
    np.testing.assert_allclose(
        spectra.mixture(0), spectrograms.complex(stems.mixture_at(0)), atol=1e-5
    )
    assert not spectra.ideal_binary_mask(1, 0, np.ones(11, dtype=bool)).any()


def _extract(folder, stems, settings, events, classes, snr_db):
    """Features as stored: by SNR, name of the dataset to its values."""
    paths = [folder / f"{snr}.h5" for snr in snr_db]
    with contextlib.ExitStack() as stack:
        files = [stack.enter_context(h5py.File(path, "w")) for path in paths]
        extract_features(
            files,
            StemReader(stems),
            settings,
            mixture_labels(events),
            classes=classes,
            snr_db=snr_db,
        )
    features = {}
    for snr, path in zip(snr_db, paths, strict=True):
        with h5py.File(path) as file:
            features[snr] = {name: file[name][:] for name in file}
    return features


@pytest.fixture(scope="module")
def extracted(tiny_stems, tiny_plan, tiny_settings, tiny_corpus, tmp_path_factory):
    return _extract(
        tmp_path_factory.mktemp("features"),
        tiny_stems,
        tiny_settings,
        tiny_plan.events,
        tiny_corpus.classes,
        [10, 0],
    )


def test_features_of_every_mixture_are_those_of_its_waveform(
    extracted, tiny_stems, tiny_settings, tiny_plan
):
    for snr_db, features in extracted.items():
        assert [name.decode() for name in features["mixture"]] == list(
            tiny_plan.mixtures["mixture"]
        )
        assert features["fold"].tolist() == list(tiny_plan.mixtures["fold"])
        assert features["logmel"].dtype == np.float16
        for logmel, stems in zip(features["logmel"], StemReader(tiny_stems), strict=True):
            expected = np.log(_mel(tiny_settings, stems.mixture_at(snr_db)) + 1e-8)
            np.testing.assert_allclose(logmel, expected, atol=0.01)


def test_targets_are_the_labels_of_the_plan(extracted, tiny_plan, tiny_corpus):
    expected = [
        [int(label in set(rows["label"])) for label in tiny_corpus.classes]
        for _, rows in tiny_plan.events.groupby("mixture", sort=False)
    ]
    for features in extracted.values():
        assert features["target"].dtype == np.uint8
        assert features["target"].tolist() == expected
    assert {tuple(row) for row in expected} == {(1, 0, 0), (0, 1, 0), (1, 1, 0)}


def test_there_is_one_mask_for_each_class_that_sounds(
    extracted, tiny_stems, tiny_settings, tiny_plan, tiny_corpus
):
    labels = mixture_labels(tiny_plan.events)
    grid = TimeGrid(RATE, 256, 128)
    spectrograms = Spectrograms(tiny_settings)
    everything = list(StemReader(tiny_stems))
    for snr_db, features in extracted.items():
        rows = list(zip(features["mask_mixture"], features["mask_class"], strict=True))
        assert rows == [tuple(pair) for pair in np.argwhere(features["target"])]
        for (index, k), bits in zip(rows, features["mask_bits"], strict=True):
            stems = everything[index]
            strong = grid.strong_labels(labels[stems.mixture], tiny_corpus.classes, 92)[:, k]
            mask = MixtureSpectra(spectrograms, stems).ideal_binary_mask(k, snr_db, strong)
            assert mask.shape == (92, 13)
            np.testing.assert_array_equal(np.unpackbits(bits, count=92 * 13), mask.reshape(-1))
            assert mask.any()


@pytest.mark.parametrize("masks_at_once", [1, 2, 1000])
def test_how_many_masks_are_written_together_changes_nothing(
    extracted,
    tiny_stems,
    tiny_plan,
    tiny_settings,
    tiny_corpus,
    tmp_path,
    monkeypatch,
    masks_at_once,
):
    monkeypatch.setattr("tfseg.features.logmel._MASKS_AT_ONCE", masks_at_once)
    again = _extract(
        tmp_path, tiny_stems, tiny_settings, tiny_plan.events, tiny_corpus.classes, [10, 0]
    )
    for snr_db, features in extracted.items():
        assert features.keys() == again[snr_db].keys()
        for name, values in features.items():
            np.testing.assert_array_equal(again[snr_db][name], values)


def test_all_snrs_together_are_each_alone(
    extracted, tiny_stems, tiny_plan, tiny_settings, tiny_corpus, tmp_path
):
    for snr_db, features in extracted.items():
        alone = _extract(
            tmp_path, tiny_stems, tiny_settings, tiny_plan.events, tiny_corpus.classes, [snr_db]
        )[snr_db]
        for name, values in features.items():
            np.testing.assert_array_equal(alone[name], values)


def test_a_mixture_without_events_has_features_and_no_mask(
    render, tiny_plan, tiny_settings, tiny_corpus, tmp_path
):
    # The plan may hold mixtures without events; render_stems takes them.
    some = tiny_plan.events["mixture"] != tiny_plan.mixtures["mixture"].iloc[1]
    events = tiny_plan.events[some]
    path = render(tmp_path / "stems.h5", tiny_plan.mixtures[:3], events)
    features = _extract(tmp_path, path, tiny_settings, events, tiny_corpus.classes, [0])[0]
    assert len(features["logmel"]) == 3
    assert features["target"][1].tolist() == [0, 0, 0]
    assert 1 not in features["mask_mixture"]


def test_settings_know_their_grid_and_their_values(tiny_settings):
    assert tiny_settings.grid == TimeGrid(RATE, 256, 128)
    assert type(tiny_settings)(**tiny_settings.as_dict()) == tiny_settings
