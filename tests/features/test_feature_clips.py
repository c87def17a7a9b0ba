# SPDX-License-Identifier: BSD-3-Clause
"""FeatureExtractor for clips of different lengths: each gives what it gives alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import feature_oracle
from makers import same_bits
from signals import noise
from specfast import FeatureExtractor, Features, FeatureSpec

Array = np.ndarray[Any, Any]

LENGTHS = [4000, 30, 2600, 1000]
BASE: dict[str, Any] = {"frame_length": 200, "hop_length": 80, "num_mel_bins": 10}
# What becomes of clips that depends on where they end.
SPECS: dict[str, dict[str, Any]] = {
    "valid": {},
    "center": {"padding": "center", "level": "ln"},
    "end": {"padding": "end", "level": "log10", "pad_value": -7.0},
    "hops": {"padding": "hops", "energy": "raw", "remove_dc": True, "preemphasis": 0.97},
    "same": {"padding": "same"},
    "modes": {"mode": "stft", "padding": "sides"},
    "signal": {"padding": "center", "preemphasis": 0.97, "preemphasis_rule": "signal"},
    "dropped": {"padding": "center", "drop_frames": 1},
    "masked": {
        "padding": "center",
        "masked_frames": 1,
        "level": "ln",
        "normalization": "per_band",
    },
    "normal": {"level": "ln", "normalization": "per_band", "normalization_epsilon_in": "variance"},
    "range": {"padding": "center", "level": "log10", "dynamic_range": 0.5, "gain": 0.25},
    "cepstra": {"level": "decibel", "num_cepstra": 5, "dynamic_range": 20.0, "delta_order": 2},
    "pcen": {"padding": "center", "pcen": True, "pcen_time_constant": 0.05},
    "multiple": {"frames_multiple": 16, "level": "ln", "pad_value": 3.0},
    "frames": {"num_frames": 20, "level": "ln", "pad_value": 3.0},
    "samples": {"num_samples": 2000, "padding": "center", "level": "ln"},
    "repeated": {"num_samples": 2100, "sample_padding": "repeat", "level": "ln"},
    "joined": {"layout": "frames_first", "join_frames": 3, "frames_multiple": 2, "level": "ln"},
    "double": {"precision": "float64", "level": "ln", "padding": "center"},
}
# Behind the valid frames of these are some that padding of samples or of joined frames made.
PARTLY = ("samples", "repeated", "joined")
LAYOUTS = ("bands_first", "frames_first")

each_spec = pytest.mark.parametrize("name", SPECS)


def extractor_of(name: str, **more: Any) -> FeatureExtractor:
    return FeatureExtractor(FeatureSpec(**{**BASE, **SPECS[name], **more}))


def clips_of() -> list[Array]:
    return [noise(length, seed=length) for length in LENGTHS]


def padded(clips: list[Array], rest: float) -> Array:
    longest = max(len(clip) for clip in clips)
    return np.stack([np.pad(c, (0, longest - len(c)), constant_values=rest) for c in clips])


def by_frame(values: Array, extractor: FeatureExtractor) -> Array:
    return values if extractor.spec.layout == "frames_first" else values.swapaxes(-1, -2)


def check_clips(name: str, extractor: FeatureExtractor, clips: list[Array], got: Features) -> None:
    """Each clip has the bits of a call of its own, and the value of padding behind them."""
    values = by_frame(got.values, extractor)
    for number, clip in enumerate(clips):
        alone = by_frame(extractor(clip), extractor)
        shown = values[number, : len(alone)]
        assert same_bits(shown.copy(), alone.copy()), number
        assert (values[number, len(alone) :] == extractor.spec.pad_value).all(), number
        count = got.num_frames[number]
        if name not in PARTLY:
            assert (values[number, count:] == extractor.spec.pad_value).all(), number
        assert got.mask[number].tolist() == [t < count for t in range(values.shape[1])]


@pytest.mark.parametrize("layout", LAYOUTS)
@each_spec
def test_each_clip_gives_what_it_gives_alone(name: str, layout: str) -> None:
    extractor = extractor_of(name, **{"layout": layout, **SPECS[name]})
    clips = clips_of()
    listed = extractor(clips)
    check_clips(name, extractor, clips, listed)
    assert same_bits(extractor([clip.tolist() for clip in clips]).values, listed.values)
    # NaN behind a clip would be seen: it is never read.
    for got in (extractor(padded(clips, np.nan), lengths=LENGTHS), extractor(tuple(clips))):
        assert same_bits(got.values, listed.values)
        assert got.num_frames.tolist() == listed.num_frames.tolist()


@each_spec
def test_numbers_of_the_oracle(name: str) -> None:
    extractor = extractor_of(name)
    clips = clips_of()
    got = extractor(clips).values
    wanted = feature_oracle.features(extractor.spec, clips)
    np.testing.assert_allclose(got, wanted, rtol=0, atol=3e-4 * max(1, np.abs(wanted).max()))


def test_a_maximum_of_the_batch() -> None:
    """Levels are counted from the loudest valid frame of all clips."""
    fields = {"level": "log10", "dynamic_range": 0.5, "dynamic_range_scope": "batch"}
    extractor = extractor_of("center", **fields)
    clips = clips_of()
    clips[3] *= 100.0
    free = extractor_of("center", level="log10")(clips)
    values = free.values.swapaxes(1, 2)
    floor = values[free.mask].max() - np.float32(0.5)
    wanted = np.where(free.mask[..., None], np.maximum(values, floor), 0.0).swapaxes(1, 2)
    got = extractor(clips)
    assert same_bits(got.values, np.ascontiguousarray(wanted.astype(np.float32)))
    loud = padded(clips, 1e6)  # behind the clips, and so not heard
    assert same_bits(extractor(loud, lengths=LENGTHS).values, got.values)


def test_masked_frames_are_not_valid() -> None:
    for masked in (0, 1, 100):
        got = extractor_of("center", masked_frames=masked)(clips_of())
        frames = [1 + length // 80 for length in LENGTHS]
        assert got.num_frames.tolist() == [max(count - masked, 0) for count in frames]


def test_statistics_see_valid_frames_only() -> None:
    got = extractor_of("masked")(clips_of())
    for values, count in zip(got.values, got.num_frames, strict=True):
        if count > 1:
            np.testing.assert_allclose(values[:, :count].mean(axis=1), 0, atol=1e-4)
            np.testing.assert_allclose(values[:, :count].std(axis=1, ddof=1), 1, atol=1e-3)


@each_spec
def test_nan_stays_in_its_clip(name: str) -> None:
    extractor = extractor_of(name)
    clips = clips_of()
    clean = extractor(clips).values
    clips[2][700] = np.nan
    values = extractor(clips).values
    assert np.isnan(values[2]).any()
    for number in (0, 1, 3):
        assert same_bits(values[number].copy(), clean[number].copy()), number


@each_spec
def test_threads_change_no_bit(name: str) -> None:
    spec = extractor_of(name).spec
    clips = clips_of() * 5
    one, *others = (FeatureExtractor(spec, num_threads=n)(clips).values for n in (1, 2, 3))
    for other in others:
        assert same_bits(one, other)


@pytest.mark.parametrize("name", ["center", "joined", "repeated", "double", "samples"])
def test_samples_of_any_kind(name: str) -> None:
    extractor = extractor_of(name)
    plain = [np.round(1000 * clip) for clip in clips_of()]
    changes = [
        lambda clip: clip.astype(np.float64),
        lambda clip: np.repeat(clip, 2, axis=0)[::2],
        lambda clip: np.ascontiguousarray(clip[::-1])[::-1],
        lambda clip: clip.astype(">f4"),
        lambda clip: np.asfortranarray(clip),
    ]
    wanted = extractor(plain, scale=0.5).values
    for change in changes:
        assert same_bits(extractor([change(clip) for clip in plain], scale=0.5).values, wanted)
        whole = change(padded(plain, np.nan))
        assert same_bits(extractor(whole, lengths=LENGTHS, scale=0.5).values, wanted)
    integers = [clip.astype(np.int16) for clip in plain]
    assert same_bits(extractor(integers, scale=0.5).values, wanted)
    assert same_bits(extractor(padded(integers, 1), lengths=LENGTHS, scale=0.5).values, wanted)
    kinds = [*changes[:2], np.int16, np.int32]
    mixed = [change(clip) for change, clip in zip(kinds, plain, strict=True)]
    assert same_bits(extractor(mixed, scale=0.5).values, wanted)


@each_spec
def test_out(name: str) -> None:
    extractor = extractor_of(name)
    clips = clips_of()
    wanted = extractor(clips).values
    for given in ({"x": clips}, {"x": padded(clips, 0), "lengths": LENGTHS}):
        out = np.full_like(wanted, np.nan)
        assert extractor(out=out, **given).values is out
        assert same_bits(out, wanted)
        for wrong in (wanted[:1].copy(), wanted[..., :1].copy(), wanted[0].copy()):
            with pytest.raises(ValueError, match=r"`out` must have shape"):
                extractor(out=wrong, **given)
    with pytest.raises(TypeError, match="`out` must have dtype"):
        extractor(clips, out=wanted.astype(np.float16))
    with pytest.raises(ValueError, match="`out` must not share memory"):
        extractor([wanted.reshape(-1)], out=wanted[:1])


@each_spec
def test_clips_without_samples(name: str) -> None:
    """Alone they have no frame, or as many as each clip is given."""
    extractor = extractor_of(name)
    clips = [noise(1000), np.zeros(0, np.float32)]
    got = extractor(clips)
    check_clips(name, extractor, clips, got)
    assert got.num_frames[1] == 0
    again = extractor(np.stack([clips[0], clips[0]]), lengths=[1000, 0])
    assert same_bits(again.values, got.values)
    none = np.zeros((2, 0), np.float32)
    assert same_bits(extractor(none, lengths=[0, 0]).values, extractor(none))


def test_more_axes_of_a_batch() -> None:
    x = noise(2, 3, 1000)
    lengths = np.array([[1000, 1, 500], [20, 999, 640]], np.uint64)
    for layout in LAYOUTS:
        extractor = extractor_of("center", layout=layout)
        got = extractor(x, lengths=lengths)
        assert got.num_frames.shape == (2, 3)
        assert got.mask.shape == (2, 3, 13)
        flat = extractor([x[i, j, : int(lengths[i, j])] for i in range(2) for j in range(3)])
        assert same_bits(got.values.reshape(6, *got.values.shape[2:]), flat.values)
        one = extractor(x[0, 0], lengths=20)
        assert same_bits(one.values, extractor(x[0, 0, :20]))


X = np.zeros((2, 500), np.float32)
CLIP = X[0]
WRONG: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"x": []}, ValueError, r"`x` given as a list must hold a clip.*x=\[\]"),
    ({"x": [], "lengths": []}, ValueError, "shape"),
    ({"x": X, "lengths": [50, 501]}, ValueError, "between 0 and the 500 samples.*: 501"),
    ({"x": X, "lengths": [50, -1]}, ValueError, "between 0 and the 500 samples.*: -1"),
    ({"x": X, "lengths": [50]}, ValueError, r"shape \(2,\).* of shape \(1,\)"),
    ({"x": X, "lengths": [50.0, 60.0]}, TypeError, "`lengths` must be integers.*50.0"),
    ({"x": X, "lengths": object()}, TypeError, "`lengths` must be integers"),
    ({"x": [CLIP, CLIP], "lengths": [1, 2]}, ValueError, "`lengths` must be None for a list"),
    ({"x": [CLIP, X]}, ValueError, r"clips of shape \(samples,\).*x\[1\] of shape \(2, 500\)"),
    ({"x": [[[1.0]], [2.0]]}, ValueError, r"clips of shape \(samples,\).*x\[0\]"),
    ({"x": [[1.0], [[2.0], 3.0]]}, ValueError, r"`x\[1\]` is no clip"),
    ({"x": [CLIP, CLIP.astype(complex)]}, TypeError, r"`x\[1\]` is no clip: .*complex"),
    ({"x": [CLIP, b"RIFF"]}, TypeError, r"`x\[1\]` is no clip"),
    ({"x": [CLIP], "scale": float("nan")}, ValueError, "`scale` must"),
    ({"x": [CLIP], "out": [1.0]}, TypeError, "`out` must be a NumPy array"),
]


@pytest.mark.parametrize(("call", "kind", "message"), WRONG)
def test_misuse(call: dict[str, Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        extractor_of("center")(**call)
