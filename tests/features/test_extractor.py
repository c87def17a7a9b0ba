# SPDX-License-Identifier: BSD-3-Clause
"""FeatureExtractor against the float64 oracle, and bit for bit against itself."""

from __future__ import annotations

import pickle
import warnings
from typing import Any

import numpy as np
import pytest

import feature_oracle
from specfast import (
    EmptyBandsWarning,
    FeatureExtractor,
    FeatureSpec,
    MelSpectrogram,
    STFTSpectrogram,
    presets,
)
from specfast.layers.specs import spec_of_layer
from specs import FRAMINGS, SCOPES, STEPS, clip, made

LENGTHS = (0, 1, 2, 100, 255, 256, 257, 999, 5000)
# Relative to the largest value: float32 leaves about 1e-5 of levels 60 dB below the loudest.
TOLERANCES = {"float32": 3e-4, "float64": 1e-8}


def assert_near(
    result: np.ndarray[Any, Any], wanted: np.ndarray[Any, Any], precision: str
) -> None:
    assert result.shape == wanted.shape
    if wanted.size:
        scale = max(1.0, float(np.abs(wanted).max()))
        assert float(np.abs(result - wanted).max()) <= TOLERANCES[precision] * scale


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("steps", [*STEPS, *SCOPES], ids=str)
@pytest.mark.parametrize("framing", FRAMINGS, ids=str)
def test_numbers_are_those_of_the_oracle(
    framing: dict[str, Any], steps: dict[str, Any], precision: str
) -> None:
    spec = made(framing, steps, precision=precision, dtype=precision)
    extractor = FeatureExtractor(spec)
    for num_samples in LENGTHS:
        x = clip(num_samples, num_samples)
        result = extractor(x)
        assert result.dtype == precision
        assert result.shape == extractor.compute_output_shape(x.shape)
        if num_samples == 0:
            assert result.shape == (spec.num_rows, 0)
        else:
            assert_near(result, feature_oracle.features(spec, x), precision)


@pytest.mark.parametrize("steps", [*STEPS, *SCOPES], ids=str)
def test_layout_batch_threads_and_strides_change_no_bit(steps: dict[str, Any]) -> None:
    spec = made({"padding": "center"}, steps)
    x = np.stack([clip(7000, seed) for seed in range(3)])
    want = np.stack([FeatureExtractor(spec, num_threads=1)(row) for row in x])
    wide = np.zeros((3, 2, 14000), np.float32)
    wide[:, 1, ::2] = x
    by_frame = FeatureExtractor(spec.replace(layout="frames_first"))
    for threads in (1, 2, 3):
        extractor = FeatureExtractor(spec, num_threads=threads)
        for samples in (x, wide[:, 1, ::2], x[:, ::-1].copy()[:, ::-1]):
            np.testing.assert_array_equal(extractor(samples), want)
        out = np.full(want.shape, np.nan, np.float32)
        assert extractor(x, out=out) is out
        np.testing.assert_array_equal(out, want)
    np.testing.assert_array_equal(by_frame(x).swapaxes(1, 2), want)


def test_a_batch_can_have_one_maximum() -> None:
    spec = made(level="decibel", dynamic_range=10.0, dynamic_range_scope="batch")
    x = np.stack([clip(3000), 0.01 * clip(3000, 1)])
    together = FeatureExtractor(spec)(x)
    wanted = feature_oracle.features(spec.replace(dynamic_range=None), x[0]).max() - 10
    assert together[1].max() == pytest.approx(wanted, abs=1e-4)
    assert FeatureExtractor(spec)(x[1]).max() < wanted - 1


def test_samples_of_other_types() -> None:
    extractor = FeatureExtractor(made(level="ln"))
    pcm = (clip(4000) * 8000).astype(np.int16)
    want = extractor(pcm.astype(np.float32) * np.float32(1 / 32768))
    np.testing.assert_array_equal(extractor(pcm, scale=1 / 32768), want)
    np.testing.assert_array_equal(extractor(pcm), extractor(pcm.astype(np.float32)))
    np.testing.assert_array_equal(extractor(pcm.tolist()), extractor(pcm))


def test_precision_and_dtype_are_apart() -> None:
    x = clip(4000)
    full = FeatureExtractor(made(level="ln", precision="float64", dtype="float64"))(x)
    rounded = FeatureExtractor(made(level="ln", precision="float64"))
    assert rounded(x).dtype == np.float32
    np.testing.assert_array_equal(rounded(x), full.astype(np.float32))
    out = np.empty(full.shape, np.float32)
    assert rounded(x, out=out) is out
    np.testing.assert_array_equal(out, rounded(x))


@pytest.mark.parametrize("frames", [5, 200])
@pytest.mark.parametrize("steps", SCOPES, ids=str)
def test_a_fixed_number_of_frames(steps: dict[str, Any], frames: int) -> None:
    spec = made(steps, num_frames=frames, pad_value=-3.0)
    x = np.stack([clip(5000), clip(5000, 1)])
    want = np.stack([feature_oracle.features(spec, row) for row in x])
    assert_near(FeatureExtractor(spec)(x), want, "float32")


@pytest.mark.parametrize("num_samples", [1, 4999, 5000, 12000])
@pytest.mark.parametrize("padding", ["zeros", "repeat"])
def test_a_fixed_number_of_samples(padding: str, num_samples: int) -> None:
    spec = made(level="ln", num_samples=5000, sample_padding=padding)
    x = np.stack([clip(num_samples), clip(num_samples, 1)])
    want = np.stack([feature_oracle.features(spec, row) for row in x])
    assert_near(FeatureExtractor(spec)(x), want, "float32")


@pytest.mark.parametrize("multiple", [1, 2, 16])
@pytest.mark.parametrize("join", [1, 2, 3])
def test_joined_frames(join: int, multiple: int) -> None:
    spec = made(
        level="ln",
        layout="frames_first",
        join_frames=join,
        frames_multiple=multiple,
        pad_value=2.0,
    )
    x = np.stack([clip(5000), clip(5000, 1)])
    want = np.stack([feature_oracle.features(spec, row) for row in x])
    extractor = FeatureExtractor(spec)
    assert_near(extractor(x), want, "float32")
    assert extractor.compute_output_shape(x.shape) == want.shape
    out = np.empty(want.shape, np.float32)
    assert extractor(x, out=out) is out
    np.testing.assert_array_equal(out, extractor(x))


def test_an_explicit_matrix() -> None:
    matrix = np.abs(np.random.default_rng(0).standard_normal((129, 12)))
    matrix[:5] = matrix[-3:] = 0
    spec = made(level="ln", mel_matrix=matrix)
    assert_near(
        FeatureExtractor(spec)(clip(3000)), feature_oracle.features(spec, clip(3000)), "float32"
    )


def test_a_nan_stays_in_its_clip() -> None:
    for steps in SCOPES:
        extractor = FeatureExtractor(made(steps))
        x = np.stack([clip(3000), clip(3000, 1)])
        want = extractor(x)[1]
        x[0, 1500] = np.nan
        result = extractor(x)
        assert np.isnan(result[0]).any(), steps
        np.testing.assert_array_equal(result[1], want)


def test_silence_is_finite() -> None:
    for steps in (*STEPS, *SCOPES):
        assert np.isfinite(FeatureExtractor(made(steps))(np.zeros(3000, np.float32))).all(), steps


# ---- As a value --------------------------------------------------------------------------------


def test_it_is_a_value() -> None:
    spec = made(level="ln")
    extractor = FeatureExtractor(spec, num_threads=2)
    again = pickle.loads(pickle.dumps(extractor))
    assert again == extractor
    assert hash(again) == hash(extractor)
    assert repr(again) == repr(extractor) == f"FeatureExtractor({spec!r}, num_threads=2)"
    assert again.spec == spec
    assert extractor != FeatureExtractor(spec.replace(level="energy"))
    assert extractor != spec


def test_presets_by_name() -> None:
    assert presets.get("whisper").spec == presets.spec("whisper")
    assert presets.get("whisper", num_mel_bins=128).spec.num_mel_bins == 128
    with pytest.raises(ValueError, match="mean 'whisper'"):
        presets.get("wisper")
    with pytest.raises(TypeError, match="no field 'num_mels'"):
        presets.get("whisper", num_mels=128)
    with pytest.raises(ValueError, match="`hop_length`"):
        presets.get("whisper", hop_length=0)


# ---- Coordinates -------------------------------------------------------------------------------


def test_times_and_frequencies() -> None:
    whisper = presets.get("whisper")
    np.testing.assert_allclose(whisper.times(3), [0, 0.01, 0.02])
    fbank = presets.get("kaldi_fbank")
    np.testing.assert_allclose(fbank.times(2), [0.0125, 0.0225])
    odd = FeatureExtractor(made({"padding": "center", "frame_length": 401}))
    np.testing.assert_allclose(odd.times(1), [-0.5 / 16000])
    with pytest.raises(ValueError, match="by `mel_matrix` are not known"):
        FeatureExtractor(made(mel_matrix=np.ones((129, 12)))).frequencies()
    hops = presets.get("kaldi_fbank", padding="hops")
    np.testing.assert_allclose(hops.times(2), [0.005, 0.015])
    hifigan = presets.get("hifigan")
    np.testing.assert_allclose(hifigan.times(1), [(512 - 384) / 22050])
    joined = presets.get("seamless_m4t")
    np.testing.assert_allclose(joined.times(2), [0.0175, 0.0375])
    assert whisper.frequencies().shape == (80,)
    assert np.all(np.diff(whisper.frequencies()) > 0)
    energy = presets.get("kaldi_fbank", energy="raw", delta_order=1).frequencies()
    assert energy.shape == (162,)
    assert np.flatnonzero(np.isnan(energy)).tolist() == [0, 81]
    assert joined.frequencies().shape == (160,)
    with pytest.raises(ValueError, match="no frequency"):
        presets.get("kaldi_mfcc").frequencies()
    same = FeatureExtractor(made(padding="same", hop_length=128))
    with pytest.raises(ValueError, match="`num_samples` must be the length of the clip"):
        same.times(3)
    keras = STFTSpectrogram(frame_length=256, frame_step=128, padding="same")
    for num_samples in (1, 255, 256, 1000, 1024):
        frames = -(-num_samples // 128)
        times = same.times(frames, num_samples=num_samples)
        np.testing.assert_allclose(times, keras.times(frames, 16000, num_samples=num_samples))
    with pytest.raises(ValueError, match="num_frames"):
        whisper.times(-1)


# ---- Errors and warnings -----------------------------------------------------------------------


def test_dead_bands_are_named_once() -> None:
    with pytest.warns(EmptyBandsWarning, match=r"of 128 mel bands .*band") as seen:
        extractor = presets.get("kaldi_fbank", num_mel_bins=128)
    assert len(seen) == 1
    assert seen[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pickle.loads(pickle.dumps(extractor))
    with pytest.warns(EmptyBandsWarning, match="take a lower `max_freq`"):
        FeatureExtractor(FeatureSpec(sampling_rate=8000.0, max_freq=9000.0, num_cepstra=3))
    matrix = np.ones((129, 3))
    matrix[:, 1] = 0
    with pytest.warns(EmptyBandsWarning, match="1 of 3 .*band 1, of which `mel_matrix`"):
        FeatureExtractor(FeatureSpec(frame_length=256, num_mel_bins=3, mel_matrix=matrix))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda e: e(np.float32(3)), ValueError, "dimensions"),
        (lambda e: e(np.zeros(9, complex)), TypeError, "Invalid input type"),
        (lambda e: e(np.zeros(900), scale=0), ValueError, "`scale`"),
        (
            lambda e: e(np.zeros(900, np.float32), out=np.zeros(3)),
            TypeError,
            "out must have dtype",
        ),
        (lambda e: e(np.zeros(900, np.float32), out=[0]), TypeError, "`out`"),
        (lambda e: e.compute_output_shape((-1,)), ValueError, "input_shape"),
        (lambda e: e.stream(max_level=3), ValueError, "`max_level` .*`dynamic_range`"),
        (lambda e: e.vjp(np.zeros(900, np.float32))[1](np.zeros(3)), ValueError, "cotangent"),
    ],
)
def test_wrong_calls(call: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call(FeatureExtractor(made(level="ln")))


def test_wrong_extractors() -> None:
    with pytest.raises(TypeError, match="`spec` must be a FeatureSpec"):
        FeatureExtractor({"hop_length": 160})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="num_threads"):
        FeatureExtractor(made(), num_threads=0)


# ---- Keras' layers as specifications -----------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"fft_length": 512, "sequence_length": 400, "sequence_stride": 160, "window": "hamming"},
        {"fft_length": 405, "sequence_stride": 100, "window": None, "power_to_db": False},
        {"mag_exp": 1.0, "top_db": None, "dtype": "float64", "min_freq": 0.0, "ref_power": -2.0},
        {"window": np.hanning(2048), "top_db_scope": "clip", "num_mel_bins": 40},
    ],
    ids=str,
)
def test_mel_layers_are_specifications(arguments: dict[str, Any]) -> None:
    layer = MelSpectrogram(**arguments)
    extractor = FeatureExtractor(spec_of_layer(layer))
    x = np.stack([clip(6000), clip(6000, 1)])
    np.testing.assert_array_equal(extractor(x), layer(x))
    np.testing.assert_array_equal(extractor.frequencies(), layer.frequencies())


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("mode", ["real", "imag", "stft", "angle", "magnitude", "log", "psd"])
def test_stft_layers_are_specifications(mode: str, padding: str) -> None:
    layer = STFTSpectrogram(
        mode=mode, frame_length=200, frame_step=70, fft_length=256, padding=padding
    )
    x = np.stack([clip(6000), clip(6000, 1)])
    extractor = FeatureExtractor(spec_of_layer(layer))
    np.testing.assert_array_equal(extractor(x), layer(x[..., None]))


def test_layers_that_are_no_specification() -> None:
    with pytest.raises(ValueError, match="float32 or float64"):
        spec_of_layer(MelSpectrogram(dtype="float16"))
    trained = STFTSpectrogram()
    trained.set_weights([1.5 * values for values in trained.get_weights()])
    with pytest.raises(ValueError, match="trained weights"):
        spec_of_layer(trained)
    with pytest.raises(TypeError, match="`layer`"):
        spec_of_layer(3)  # type: ignore[arg-type]


@pytest.mark.parametrize("num_frames", [1 << 45, 1 << 62])
def test_times_of_more_frames_than_there_is_memory(num_frames: int) -> None:
    for layer in (FeatureExtractor(FeatureSpec()), MelSpectrogram()):
        with pytest.raises(MemoryError, match=f"Received: num_frames={num_frames}"):
            layer.times(num_frames)
    with pytest.raises(MemoryError, match=f"Received: num_frames={num_frames}"):
        STFTSpectrogram().times(num_frames, 16000)


def test_no_memory_for_a_clip_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    extractor, clip = FeatureExtractor(made(num_samples=1 << 40)), np.ones(900, np.float32)

    def zeros(*args: Any, **kwargs: Any) -> None:
        del args, kwargs
        raise MemoryError  # some systems promise any amount

    monkeypatch.setattr(np, "zeros", zeros)
    with pytest.raises(MemoryError, match="Received: num_samples=1099511627776"):
        extractor(clip)
