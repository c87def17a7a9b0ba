# SPDX-License-Identifier: BSD-3-Clause
"""Layers on a device: the numbers of the CPU, the same errors, the same bits for each signal."""

from __future__ import annotations

import itertools
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import specfast
from device_arrays import Dlpack, Interface
from makers import Array, perturb, relative_l2, same_bits, small_mel, small_stft, stft
from signals import noise, speech_like
from specfast import ISTFT, DeviceArray, GriffinLim

pytestmark = pytest.mark.usefixtures("gpu")

MAX_ERROR = 1e-6
MAX_DB = 2e-3
MODES = ("real", "imag", "stft", "angle", "magnitude", "log", "psd")
LAYOUTS = list(itertools.product(("channels_last", "channels_first"), (False, True)))


def on_device(layer: Any, x: Any, **arguments: Any) -> Array:
    """Returns the layer's result for an array on the device, from there."""
    result = layer(Interface(x), **arguments)
    assert isinstance(result, DeviceArray)
    values = result.copy_to_host()
    assert values.shape == result.shape == layer.compute_output_shape(x.shape)
    assert values.dtype == result.dtype
    return values


def assert_close(actual: Array, expected: Array, mode: str) -> None:
    assert actual.shape == expected.shape
    assert actual.dtype == expected.dtype
    if mode == "angle":
        turned = np.exp(1j * actual.astype(np.float64)) - np.exp(1j * expected.astype(np.float64))
        assert np.linalg.norm(turned) <= MAX_ERROR * np.sqrt(turned.size)
    elif mode == "mel":
        assert np.abs(actual - expected).max() <= MAX_DB
    else:
        assert relative_l2(actual, expected) <= MAX_ERROR


# ---- Numbers ---------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("padding", ["valid", "same"])
def test_modes(mode: str, padding: str) -> None:
    layer = stft(mode=mode, frame_length=200, frame_step=80, fft_length=256, padding=padding)
    x = noise(2, 1000, 2)
    assert_close(on_device(layer, x), layer(x), mode)


@pytest.mark.parametrize(("data_format", "expand_dims"), LAYOUTS)
def test_layouts(data_format: str, expand_dims: bool) -> None:
    layer = small_stft(mode="stft", data_format=data_format, expand_dims=expand_dims)
    x = noise(2, 90, 3) if data_format == "channels_last" else noise(2, 3, 90)
    assert_close(on_device(layer, x), layer(x), "stft")


@pytest.mark.parametrize("length", [64, 75, 512, 600, 2048])
def test_mel(length: int) -> None:
    layer = specfast.MelSpectrogram(fft_length=length, sequence_stride=length // 4)
    x = np.stack([speech_like(9000), speech_like(9000, seed=1) / 100])
    assert_close(on_device(layer, x), layer(x), "mel")


@pytest.mark.parametrize("scope", ["batch", "clip"])
def test_top_db(scope: str) -> None:
    layer = small_mel(top_db=20.0, top_db_scope=scope)
    x = noise(2, 3, 300) * np.array([1.0, 1e-4, 1e-2], np.float32)[:, None]
    assert_close(on_device(layer, x), layer(x), "mel")


def test_energies() -> None:
    layer = small_mel(power_to_db=False, mag_exp=1.3)
    x = noise(3, 300)
    assert_close(on_device(layer, x), layer(x), "energy")


def test_float64() -> None:
    x = noise(2, 400, 1, dtype=np.float64)
    layer = small_stft(mode="magnitude", dtype="float64")
    assert relative_l2(on_device(layer, x), layer(x)) <= 1e-14


@pytest.mark.parametrize("dtype", [np.float16, np.float64, np.int16, ml_dtypes.bfloat16])
def test_dtypes_of_samples(dtype: Any) -> None:
    x = (noise(2, 400) * (1000 if dtype == np.int16 else 1)).astype(dtype)
    layer = small_mel()
    # The array interface has no bfloat16.
    result = layer(Dlpack(x)) if dtype is ml_dtypes.bfloat16 else layer(Interface(x))
    assert_close(result.copy_to_host(), layer(x), "mel")
    if dtype in (np.float16, np.float64):
        spectrum = small_stft(mode="stft")
        assert_close(on_device(spectrum, x[..., None]), spectrum(x[..., None]), "stft")


@pytest.mark.parametrize("name", ["float16", "mixed_float16", "bfloat16"])
def test_half_precision(name: str) -> None:
    layer = small_mel(dtype=name)
    x = noise(2, 400)
    actual, expected = on_device(layer, x).astype("f4"), layer(x).astype("f4")
    spacing = 2.0**-10 if "float16" in name and name != "bfloat16" else 2.0**-7
    assert np.abs(actual - expected).max() <= 100 * spacing
    assert np.mean(actual == expected) > 0.9


def test_scale() -> None:
    x = (noise(2, 400) * 3000).astype(np.int16)
    for layer, samples in ((small_mel(), x), (small_stft(mode="psd"), x[..., None])):
        mode = "mel" if layer.name.startswith("mel") else "psd"
        expected = layer(samples, scale=1 / 32768)
        assert_close(on_device(layer, samples, scale=1 / 32768), expected, mode)


def test_strides() -> None:
    x = noise(6, 800, 4)
    layer = small_stft(mode="stft")
    transposed = noise(6, 4, 800).swapaxes(1, 2)
    for view in (x[::2, ::-1], x[:, 10:700:3, ::-2], transposed):
        assert same_bits(on_device(layer, view), on_device(layer, view.copy()))
        assert_close(layer(Dlpack(view)).copy_to_host(), layer(view), "stft")
    mel = small_mel(top_db_scope="clip")
    y = noise(3, 4, 5, 300)
    for view in (
        y[:, ::2, ::-1],
        y.swapaxes(0, 2),
        y[:, :, :, ::-2],
        np.broadcast_to(y[:1], y.shape),
    ):
        assert same_bits(on_device(mel, view), on_device(mel, view.copy()))


def test_axes_without_a_common_stride() -> None:
    y = noise(4, 4, 5, 300)[::2, ::3, ::-1]
    assert_close(on_device(small_mel(top_db=None), y), small_mel(top_db=None)(y), "mel")
    with pytest.raises(ValueError, match="x must have at most 2 leading axes.*contiguous copy"):
        small_mel()(Interface(y))


def test_a_frame_does_not_depend_on_its_neighbours() -> None:
    x = noise(7, 700)
    layer = small_mel(top_db_scope="clip", top_db=20.0)
    whole = on_device(layer, x)
    for index in range(7):
        assert same_bits(on_device(layer, x[index]), whole[index])
    spectrum = small_stft(mode="stft")
    frames = on_device(spectrum, x[..., None])
    later = on_device(spectrum, x[:, 40:, None])
    assert same_bits(np.ascontiguousarray(frames[:, 10:]), later)


@pytest.mark.parametrize("shape", [(0, 300, 2), (2, 300, 0), (0, 300, 0)])
def test_empty_batches(shape: tuple[int, ...]) -> None:
    layer = small_stft()
    assert on_device(layer, np.zeros(shape, np.float32)).size == 0
    assert same_bits(
        layer(np.zeros(shape, "f4")), small_stft(device="cuda")(np.zeros(shape, "f4"))
    )


# ---- Arrays in CPU memory --------------------------------------------------------------------


@pytest.mark.parametrize("name", ["cuda", "cuda:0"])
def test_arrays_of_the_cpu_are_copied(name: str) -> None:
    x = noise(2, 600)
    layer = small_mel(device=name)
    result = layer(x)
    assert type(result) is np.ndarray
    assert same_bits(result, on_device(small_mel(), x))
    assert same_bits(layer(x[:, ::-1]), layer(x[:, ::-1].copy()))
    assert same_bits(layer(x.tolist()), layer(x.astype("f8").astype("f4")))
    out = np.empty_like(result)
    assert layer(x, out=out) is out
    assert same_bits(out, result)
    half = small_mel(device=name, dtype="bfloat16")(x)
    assert half.dtype == ml_dtypes.bfloat16


def test_errors_for_arrays_of_the_cpu() -> None:
    layer = small_mel(device="cuda")
    x = noise(2, 600)
    shape = layer.compute_output_shape(x.shape)
    for out, error in [
        (np.empty(shape, "f8"), TypeError),
        (np.empty(shape[1:], "f4"), ValueError),
        (np.empty(shape, "f4")[:, :, ::-1], ValueError),
        (Interface(np.empty(shape, "f4")), TypeError),
    ]:
        with pytest.raises(error, match="`out` must"):
            layer(x, out=out)
    with pytest.raises(TypeError, match="Invalid input type"):
        small_stft(device="cuda")(np.zeros((1, 99, 1), np.int32))
    with pytest.raises(ValueError, match="at least one sample"):
        layer(np.zeros((2, 0), "f4"))


def test_a_layer_of_the_cpu() -> None:
    layer = small_mel(device="cpu")
    x = noise(2, 600)
    assert same_bits(layer(x), small_mel()(x))
    with pytest.raises(ValueError, match="`x` must be in CPU memory with.*Received: x on cuda:0"):
        layer(Interface(x))


# ---- The caller's own array for a result -----------------------------------------------------


@pytest.mark.parametrize("wrap", [Interface, Dlpack])
def test_out(wrap: Any) -> None:
    x = noise(2, 600)
    layer = small_mel()
    values = np.full(layer.compute_output_shape(x.shape), np.nan, np.float32)
    out = wrap(values)
    assert layer(Interface(x), out=out) is out
    assert same_bits(values, on_device(layer, x))


def test_an_unfit_out() -> None:
    layer = small_mel()
    x = noise(2, 600)
    shape = layer.compute_output_shape(x.shape)
    one = np.zeros(shape, np.float32)
    bytes_ = np.zeros(one.nbytes + 4, np.uint8)
    large = np.zeros((2, 4000), np.float32)
    inside = large[:, :600]
    overlapping = large.reshape(-1)[: one.size].reshape(shape)
    for samples, out, error, message in [
        (x, one, TypeError, "must be an array on cuda:0"),
        (x, Interface(one.astype("f8")), TypeError, "must have dtype float32.*float64"),
        (x, Interface(one[:1]), ValueError, "must have shape"),
        (x, Interface(one, read_only=True), ValueError, "must be writable"),
        (x, Interface(one.swapaxes(0, 1).copy().swapaxes(0, 1)), ValueError, "C-contiguous"),
        (x, Interface(bytes_[1:-3].view("f4").reshape(shape)), ValueError, "aligned"),
        (x, Dlpack(one, device=(2, 1)), ValueError, "must be on cuda:0.*out on cuda:1"),
        (inside, Interface(overlapping), ValueError, "must not share memory"),
    ]:
        with pytest.raises(error, match=f"`out`.*{message}"):
            layer(Interface(samples), out=out)


# ---- Errors ----------------------------------------------------------------------------------


def test_shapes_are_refused_as_on_the_cpu() -> None:
    for layer, shape in [
        (small_stft(), (2, 10, 1)),
        (small_stft(), (200, 1)),
        (small_mel(), ()),
        (small_mel(), (3, 0)),
    ]:
        x = np.zeros(shape, np.float32)
        with pytest.raises(ValueError, match="`x`") as expected:
            layer(x)
        with pytest.raises(ValueError, match="`x`") as received:
            layer(Interface(x))
        assert str(received.value) == str(expected.value)
    with pytest.warns(UserWarning, match=r"pass x\.T"):
        small_mel()(Interface(np.zeros((300, 2), np.float32)))


def test_dtypes_are_refused_in_words() -> None:
    for layer, dtype, message in [
        (small_stft(), "i2", "int16.*scale=1 / 32768"),
        (small_stft(), "c8", "Expected float16, float32 or float64.*complex64"),
        (small_mel(), "i4", "On a device samples must be.*int32"),
        (small_mel(), ">f4", "On a device samples must be.*>f4"),
        (small_stft(dtype="bfloat16"), "f4", "the input would be bfloat16"),
    ]:
        x = np.zeros((1, 200, 1), dtype)
        with pytest.raises(TypeError, match=f"Invalid input type.*{message}"):
            layer(Interface(x))
    with pytest.raises(TypeError, match="bfloat16.*pass x as float32"):
        small_stft()(Dlpack(np.zeros((1, 200, 1), ml_dtypes.bfloat16)))


def test_another_device() -> None:
    x = noise(2, 600)
    with pytest.raises(ValueError, match="`x` must be on cuda:1.*Received: x on cuda:0"):
        small_mel(device="cuda:1")(Dlpack(x))
    with pytest.raises(RuntimeError, match="'cuda:1'.*device must be 0"):
        small_mel(device="cuda:1")(Interface(x))  # which does not say where it is
    with pytest.raises(RuntimeError, match="'cuda:3'.*device must be 0"):
        small_mel(device="cuda:3")(x)
    with pytest.raises(RuntimeError, match="'cuda:1'.*device must be 0"):
        small_mel()(Dlpack(x, device=(2, 1)))


@pytest.mark.parametrize(("kind", "maker"), [(10, "ROCm"), (8, "Metal"), (99, "another maker")])
def test_devices_of_other_makers(kind: int, maker: str) -> None:
    with pytest.raises(TypeError, match=f"GPU of NVIDIA.*on a device of {maker}"):
        small_mel()(Dlpack(noise(2, 300), device=(kind, 0)))


def test_what_the_cpu_alone_computes() -> None:
    x = noise(1, 300, 1)
    layer, there = small_stft(), small_stft(device="cuda")
    for call in (
        lambda: perturb(small_stft())(Interface(x)),
        lambda: perturb(small_stft(device="cuda"))(x),
        lambda: layer.vjp(Interface(x)),
        lambda: there.vjp(x),
        lambda: there.stream(),
        lambda: ISTFT(padding="center")(Interface(noise(1, 4, 258))),
        lambda: GriffinLim(ISTFT(padding="center"))(Interface(noise(1, 4, 129))),
    ):
        with pytest.raises(NotImplementedError, match="are computed on the CPU alone"):
            call()


def test_misaligned_samples() -> None:
    x = np.zeros(4 * 600 + 2, np.uint8)[2:].view("f4")
    with pytest.raises(ValueError, match="`x` must be aligned.*that is 2 modulo 4"):
        small_mel()(Interface(x))


def test_masks_are_refused() -> None:
    x = noise(2, 300)
    with pytest.raises(TypeError, match="`x` has a mask"):
        small_mel()(Interface(x, mask=Interface(x > 0)))


@pytest.mark.parametrize("name", ["whisper", "kaldi_fbank", "librosa_mel_db"])
def test_front_ends_are_of_the_cpu(name: str) -> None:
    extractor, x = specfast.presets.get(name), noise(2, 4000)
    for array in (Interface(x), Dlpack(x)):
        for arguments in ({}, {"lengths": [2000, 4000]}):
            with pytest.raises(NotImplementedError, match="are computed on the CPU alone"):
                extractor(array, **arguments)
        with pytest.raises(NotImplementedError, match="are computed on the CPU alone"):
            extractor.vjp(array)
