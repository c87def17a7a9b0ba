# SPDX-License-Identifier: BSD-3-Clause
"""What the two Keras layers really compute, point by point; some of it is not in their text.

Expected values are the formula written out here, the float64 oracle, or numbers that Keras 3.15.1
gave. The comparison with Keras itself, over many configurations, is the parity suite.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from scipy.signal import get_window

import oracle
import signals
from makers import Array, relative_l2, same_bits, small_mel, small_stft, stft
from signals import noise
from specfast import (
    EmptyBandsWarning,
    MelSpectrogram,
    STFTSpectrogram,
    linear_to_mel_weight_matrix,
)


def spectrum(layer: STFTSpectrogram, x: Array) -> Array:
    """complex [batch, frames, channels, bins] of a channels_last layer in mode "stft"."""
    y = layer(x)
    parts = y.reshape(*y.shape[:2], x.shape[2], 2, -1)
    return np.asarray(parts[..., 0, :] + 1j * parts[..., 1, :])


# ---- STFTSpectrogram -------------------------------------------------------------------------


def test_01_an_odd_fft_length_runs_as_one_less() -> None:
    layer = stft("stft", 715, 100, 715, window=None, dtype="float64")
    x = noise(1, 1500, 1, dtype=np.float64)
    y = spectrum(layer, x)
    assert y.shape == (1, 8, 1, 358)
    frame = x[0, 100:815, 0]
    n, k = np.arange(715), np.arange(358)
    expected = np.exp(-2j * np.pi * np.outer(k, n) / 714) @ frame
    np.testing.assert_allclose(y[0, 1, 0], expected, rtol=0, atol=1e-10)
    # The last sample lies on the first one, it is not cut off.
    folded = frame[:714].copy()
    folded[0] += frame[714]
    np.testing.assert_allclose(y[0, 1, 0], np.fft.rfft(folded), rtol=0, atol=1e-10)
    assert np.abs(y[0, 1, 0] - np.fft.rfft(frame, 714)).max() > 1e-3


def test_02_float32_is_better_than_keras_own() -> None:
    """Keras measured 6e-6 here."""
    x = noise(1, 20000, 1)
    arguments = {"mode": "stft", "frame_length": 256, "frame_step": 128, "fft_length": 512}
    expected = oracle.stft_spectrogram(x, **arguments)
    assert relative_l2(stft(**arguments)(x), expected) <= 5e-7
    assert relative_l2(stft(**arguments, dtype="float64")(x), expected) <= 1e-14


def test_03_dc_and_nyquist_are_real() -> None:
    """In Keras nearly so: there the angle at Nyquist may flip by 2 pi."""
    x = noise(1, 200, 2)
    for dtype in ("float32", "float64"):
        imag = small_stft(mode="imag", dtype=dtype, expand_dims=True)(x)
        assert not imag[:, :, [0, -1]].any()
        angle = small_stft(mode="angle", dtype=dtype, expand_dims=True)(x)
        flat = np.abs(angle[:, :, [0, -1]])
        assert np.isin(flat, np.array([0.0, np.pi], dtype)).all()


def test_04_windows() -> None:
    x = noise(1, 200, 1)
    for name in ("hann", "hamming", "blackman", "tukey"):
        for periodic in (False, True):
            values = get_window(name, 16, fftbins=periodic)
            by_name = small_stft(mode="stft", window=name, periodic=periodic)
            by_value = small_stft(mode="stft", window=values)
            assert relative_l2(by_name(x), by_value(x)) < 1e-6
    assert small_stft().periodic is False
    with pytest.raises(ValueError, match="window='nonsense'"):
        small_stft(window="nonsense")
    with pytest.raises(ValueError, match=r"shape.*\(17,\)"):
        small_stft(window=np.ones(17))


@pytest.mark.parametrize("scaling", ["density", "spectrum", None])
def test_05_scaling(scaling: str | None) -> None:
    window = np.hanning(16) - 0.1  # of both signs
    divisor = {
        "density": math.sqrt(np.sum(window**2)),
        "spectrum": np.sum(np.abs(window)),
        None: 1.0,
    }[scaling]
    x = noise(1, 16, 1, dtype=np.float64)
    layer = small_stft(mode="stft", window=window, scaling=scaling, dtype="float64")
    expected = np.fft.rfft(x[0, :, 0] * window / divisor, 32)
    np.testing.assert_allclose(spectrum(layer, x)[0, 0, 0], expected, rtol=0, atol=1e-14)
    # Without a window there is no scaling either.
    bare = small_stft(mode="stft", window=None, scaling=scaling, dtype="float64")
    expected = np.fft.rfft(x[0, :, 0], 32)
    np.testing.assert_allclose(spectrum(bare, x)[0, 0, 0], expected, rtol=0, atol=1e-14)


def test_06_psd_magnitude_and_log() -> None:
    x = noise(1, 100, 1, dtype=np.float64)
    x[:, :40] = 0.0
    results = {
        mode: small_stft(mode=mode, dtype="float64")(x) for mode in ("psd", "magnitude", "log")
    }
    power = np.abs(spectrum(small_stft(mode="stft", dtype="float64"), x)[:, :, 0]) ** 2
    doubled = power * np.r_[1.0, np.full(15, 2.0), 1.0]
    np.testing.assert_allclose(results["psd"], doubled, rtol=1e-13, atol=1e-30)
    assert not results["psd"][0, 0].any()
    magnitude = np.sqrt(np.maximum(power, 1e-7))
    np.testing.assert_allclose(results["magnitude"], magnitude, rtol=1e-13)
    np.testing.assert_allclose(results["log"], np.log(magnitude), rtol=1e-12, atol=1e-14)
    # The floors, as Keras prints them.
    silence = np.zeros((1, 16, 1), np.float32)
    assert small_stft(mode="magnitude")(silence)[0, 0] == pytest.approx(3.1622776e-4, rel=3e-7)
    assert small_stft(mode="log")(silence)[0, 0] == pytest.approx(-8.0590477, rel=3e-7)
    # With few bins there are none to double.
    two_bins = stft("psd", 2, 1, 2, window=None)(np.ones((1, 2, 1), np.float32))
    assert two_bins.tolist() == [[[4.0, 0.0]]]


def test_07_padding_same() -> None:
    for frame_length, frame_step, num_samples in [
        (16, 4, 41),
        (15, 7, 40),
        (16, 16, 20),
        (9, 9, 5),
    ]:
        frames = -(-num_samples // frame_step)
        total = max((frames - 1) * frame_step + frame_length - num_samples, 0)
        x = noise(1, num_samples, 1)
        padded = np.pad(x, ((0, 0), (total // 2, total - total // 2), (0, 0)))
        same, valid = (
            stft("stft", frame_length, frame_step, 32, padding=p) for p in ("same", "valid")
        )
        assert same_bits(same(x), valid(padded)[:, :frames])
    # A frame stands at the left of the DFT: an impulse at its start has phase 0 everywhere.
    impulse = np.zeros((1, 16, 1), np.float32)
    impulse[0, 0] = 1.0
    y = spectrum(small_stft(mode="stft", window=None), impulse)
    np.testing.assert_allclose(y, np.ones((1, 1, 1, 17)), atol=1e-7)


def test_08_real_then_imaginary_channel_by_channel() -> None:
    x = noise(2, 40, 3)
    real, imag = (small_stft(mode=mode, expand_dims=True)(x) for mode in ("real", "imag"))
    both = small_stft(mode="stft", expand_dims=True)(x)
    assert same_bits(both, np.concatenate([real, imag], axis=2))
    flat = small_stft(mode="stft")(x)
    assert same_bits(flat, np.concatenate([both[..., c] for c in range(3)], axis=-1))
    first = small_stft(mode="stft", data_format="channels_first")(x.swapaxes(1, 2))
    assert same_bits(np.ascontiguousarray(first.swapaxes(1, 2)), flat)
    image = small_stft(mode="stft", data_format="channels_first", expand_dims=True)(
        x.swapaxes(1, 2)
    )
    assert same_bits(np.ascontiguousarray(np.moveaxis(image, 1, -1)), both)


def test_09_real_and_imag_are_keras_convolutions() -> None:
    """Keras' weights real_kernel and imag_kernel, [frame_length, 1, bins], applied by hand."""
    n, k = np.arange(16)[:, None], np.arange(17)[None, :]
    window = np.hanning(16)[:, None] / np.linalg.norm(np.hanning(16))
    x = noise(1, 40, 1, dtype=np.float64)
    frames = np.lib.stride_tricks.sliding_window_view(x[0, :, 0], 16)[::4]
    for mode, wave in (("real", np.cos), ("imag", np.sin)):
        kernel = wave(-2.0 * np.pi * n * k / 32) * window
        y = small_stft(mode=mode, dtype="float64")(x)
        np.testing.assert_allclose(y[0], frames @ kernel, rtol=0, atol=1e-13)
    assert small_stft().trainable is True


def test_10_input_dtypes() -> None:
    x = noise(1, 40, 1)
    for dtype in (np.int16, np.int32, np.uint8, np.int64, bool, ml_dtypes.bfloat16, np.complex64):
        with pytest.raises(TypeError, match="Invalid input type. Expected .*float16, float32"):
            small_stft()(x.astype(dtype))
    for dtype in ("bfloat16", "mixed_bfloat16"):
        with pytest.raises(TypeError, match="Invalid input type"):
            small_stft(dtype=dtype)(x)
    assert small_stft()(x.astype(np.float64)).dtype == np.float32
    assert small_stft()(x.astype(np.float16)).dtype == np.float32
    for dtype in ("float16", "mixed_float16"):
        y = small_stft(dtype=dtype, mode="stft")(x)
        assert same_bits(y, small_stft(mode="stft")(x).astype(np.float16))


def test_11_defaults_and_errors() -> None:
    for frame_length, fft_length in [(256, 256), (257, 512), (2, 2), (3, 4), (1000, 1024)]:
        layer = stft(frame_length=frame_length, window="hamming")
        x = np.zeros((1, 2 * frame_length, 1), np.float32)
        frames = 1 + frame_length // (frame_length // 2)
        assert layer(x).shape == (1, frames, fft_length // 2 + 1)
    with pytest.warns(UserWarning, match="`fft_length` is recommended to be a power of two"):
        STFTSpectrogram(frame_length=200, fft_length=300)
    with pytest.raises(ValueError, match="`frame_step` should be a positive integer not greater"):
        STFTSpectrogram(frame_step=257)
    with pytest.raises(ValueError, match="`fft_length` should be not less than `frame_length`"):
        STFTSpectrogram(fft_length=128)
    with pytest.raises(ValueError, match="invalid, it must be one of 'real', 'imag', 'stft'"):
        STFTSpectrogram(mode="power")
    with pytest.raises(
        ValueError, match="invalid, it must be one of 'density', 'spectrum' or None"
    ):
        STFTSpectrogram(scaling="l2")
    with pytest.raises(ValueError, match="invalid, it must be one of 'valid', 'same'"):
        STFTSpectrogram(padding="causal")
    with pytest.raises(ValueError, match="Unrecognized keyword arguments"):
        STFTSpectrogram(hop_length=1)


# ---- MelSpectrogram --------------------------------------------------------------------------


def test_12_frames() -> None:
    layer = MelSpectrogram(fft_length=1024, sequence_stride=512)
    # Keras' compute_output_shape says 2 for 511.
    for num_samples, frames in [(511, 1), (512, 2), (1023, 2), (1024, 3), (1535, 3)]:
        x = noise(num_samples)
        assert layer(x).shape == (128, frames)
        assert layer.compute_output_shape((num_samples,)) == (128, frames)
    # Keras' own example, where its text says 125.
    example = MelSpectrogram(num_mel_bins=80, sampling_rate=8000, sequence_stride=128)
    assert example(noise(2, 16000)).shape == (2, 80, 126)


def test_13_reflection_of_short_clips() -> None:
    layer = small_mel(power_to_db=False, dtype="float64", window=None)
    for num_samples in (1, 2, 3, 10, 32, 33, 64, 65):
        x = noise(num_samples, dtype=np.float64)
        # numpy.pad reflects as often as it takes, and repeats a single sample.
        padded = np.pad(x, 32, mode="reflect")
        frames = np.lib.stride_tricks.sliding_window_view(padded, 64)[::16]
        power = np.abs(np.fft.rfft(frames)) ** 2
        matrix = linear_to_mel_weight_matrix(8, 33, 8000, 20.0, 4000, "float64")
        np.testing.assert_allclose(layer(x), (power @ matrix).T, rtol=1e-10, atol=1e-20)


def test_14_windows_of_mel() -> None:
    x = noise(200, dtype=np.float64)

    def mel(**arguments: Any) -> Array:
        return small_mel(power_to_db=False, dtype="float64", **arguments)(x)

    for name in ("hann", "hamming"):
        for length in (64, 40, 41):
            left = (64 - length) // 2
            values = np.zeros(64)
            values[left : left + length] = get_window(name, length, fftbins=True)
            ours = mel(window=name, sequence_length=length)
            np.testing.assert_allclose(ours, mel(window=values), rtol=1e-10, atol=1e-20)
    with pytest.raises(ValueError, match=r"'hann', 'hamming'.*window='blackman'"):
        small_mel(window="blackman")
    # No window means ones over the whole frame, not over sequence_length.
    assert same_bits(mel(window=None, sequence_length=20), mel(window=np.ones(64)))


def test_15_the_filterbank() -> None:
    matrix = linear_to_mel_weight_matrix(20, 1025, 8000, 125.0, 3800.0, "float64")
    assert not matrix[0].any()
    assert matrix.max() <= 1.0
    frequency = np.linspace(0.0, 4000.0, 1025)
    mel = 2595.0 * np.log10(1.0 + frequency / 700.0)
    edges = np.linspace(*2595.0 * np.log10(1.0 + np.array([125.0, 3800.0]) / 700.0), 22)
    for band in range(20):
        triangle = np.interp(mel, edges[band : band + 3], [0.0, 1.0, 0.0])
        triangle[0] = 0.0
        # 1127 ln 10 is 2594.99...: Keras' constants agree to five digits only.
        np.testing.assert_allclose(matrix[:, band], triangle, rtol=0, atol=2e-3)
    np.testing.assert_allclose(
        matrix, oracle.mel_matrix(20, 1025, 8000, 125.0, 3800.0), rtol=0, atol=1e-12
    )
    # What Keras gave in float32.
    few = linear_to_mel_weight_matrix()
    assert few.shape == (129, 20)
    assert few.max() == pytest.approx(0.99553448, abs=1e-4)
    assert small_mel(sampling_rate=11025).max_freq == 5512
    # More bands than bins: some lie between two bins and stay empty, silently.
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", EmptyBandsWarning)
        narrow = small_mel(num_mel_bins=100, power_to_db=False)(noise(300))
    empty = ~linear_to_mel_weight_matrix(100, 33, 8000, 20.0, 4000, "float64").any(axis=0)
    assert 10 < empty.sum() < 100
    assert not narrow[empty].any()
    assert narrow[~empty].any(axis=1).all()


def test_16_levels() -> None:
    clips = signals.quiet_and_loud(4000)
    clips[0] *= 1e-2  # 110 dB below its neighbour
    energy = small_mel(power_to_db=False, dtype="float64")
    for mag_exp in (1.0, 2.0, 0.7):
        spectrum = np.abs(oracle.mel_complex(clips, fft_length=64, sequence_stride=16))
        matrix = oracle.mel_matrix(8, 33, 8000, 20.0, 4000.0)
        expected = np.swapaxes(spectrum**mag_exp @ matrix, -1, -2)
        y = small_mel(power_to_db=False, mag_exp=mag_exp, dtype="float64")(clips)
        np.testing.assert_allclose(y, expected, rtol=1e-11)
    for min_power, ref_power in [(1e-10, 1.0), (1e-3, 0.0), (1e-8, -4.0), (2.0, 0.5)]:
        y = small_mel(top_db=None, min_power=min_power, ref_power=ref_power, dtype="float64")(
            clips
        )
        expected = 10.0 * np.log10(np.maximum(energy(clips), min_power))
        expected -= 10.0 * np.log10(max(abs(ref_power), min_power))
        np.testing.assert_allclose(y, expected, rtol=0, atol=1e-10)
    # The floor follows the loudest value of the whole batch: a clip depends on its neighbours.
    together = small_mel()(clips)
    assert (together[0] == together.max() - np.float32(80.0)).all()
    alone = small_mel()(clips[0])
    assert alone.min() < together[0].min()
    assert same_bits(small_mel(top_db_scope="clip")(clips)[0], alone)
    poisoned = clips.copy()
    poisoned[1, 1000] = np.nan
    assert np.isnan(small_mel()(poisoned)).all()
    assert same_bits(small_mel(top_db_scope="clip")(poisoned)[0], alone)


def test_17_any_rank_int16_and_half_precision() -> None:
    x = noise(2, 3, 300)
    layer = small_mel(top_db=None)
    y = layer(x)
    assert y.shape == (2, 3, 8, 19)
    for i, j in np.ndindex(2, 3):
        assert same_bits(layer(x[i, j]), y[i, j])
    pcm = (x * 3000).astype(np.int16)
    assert same_bits(layer(pcm), layer(pcm.astype(np.float32)))
    for name, dtype in [
        ("float16", np.float16),
        ("mixed_float16", np.float16),
        ("bfloat16", ml_dtypes.bfloat16),
        ("mixed_bfloat16", ml_dtypes.bfloat16),
    ]:
        half = small_mel(top_db=None, dtype=name)(x)
        assert half.dtype == dtype
        assert same_bits(half, y.astype(dtype))


# A bound on the largest error, and the root mean square error of Keras on these samples, in dB
# (JAX, float32). The largest error is in a single band some 60 dB below the loudest, and whose is
# larger there is chance: Keras has 1.5e-4, 5.8e-4 and 1.2e-3.
KERAS_LEVELS = {
    "noise": (1.5e-4, 1.5e-5),
    "speech": (1.2e-3, 3.18e-5),
    "jfk": (1.2e-3, 3.07e-5),
}


@pytest.mark.parametrize("name", ["noise", *(path.stem for path in signals.RECORDINGS)])
def test_18_levels_are_better_than_keras_own_on_average(name: str) -> None:
    paths = {path.stem: path for path in signals.RECORDINGS}
    x = signals.read_wav(paths[name]) if name in paths else noise(50000)
    arguments = {"fft_length": 512, "sequence_stride": 160, "num_mel_bins": 80}
    expected = oracle.mel_spectrogram(x, **arguments)
    error = np.abs(MelSpectrogram(**arguments)(x) - expected)
    largest, mean = KERAS_LEVELS[name]
    assert error.max() <= largest
    assert np.sqrt(np.mean(error**2)) <= mean
    double = MelSpectrogram(**arguments, dtype="float64")(x)
    assert np.abs(double - expected).max() <= 1e-9
