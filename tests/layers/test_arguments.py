# SPDX-License-Identifier: BSD-3-Clause
"""Constructors: every argument that Keras checks, and those that it forgets."""

from __future__ import annotations

import inspect
import warnings
from typing import Any

import numpy as np
import pytest

import specfast
from makers import small_mel, small_stft, stft
from signals import noise
from specfast import MelSpectrogram, STFTSpectrogram, linear_to_mel_weight_matrix

NAN, INFINITY = float("nan"), float("inf")
NO_INTEGERS = [2.5, 256.0, "256", b"256", True, np.True_, np.float32(256), [256], 1j]

# layer arguments, exception, what the message must contain besides the argument's name
BAD_STFT: list[tuple[dict[str, Any], type[Exception], str]] = [
    *[({"frame_length": value}, TypeError, repr(value)) for value in [*NO_INTEGERS, None]],
    *[({"frame_step": value}, TypeError, repr(value)) for value in NO_INTEGERS],
    *[({"fft_length": value}, TypeError, repr(value)) for value in NO_INTEGERS],
    ({"frame_length": 0}, ValueError, "frame_length=0"),
    ({"frame_length": -4}, ValueError, "frame_length=-4"),
    ({"frame_length": 1 << 62}, ValueError, "frame_length=4611686018427387904"),
    ({"frame_length": 10**30}, ValueError, "frame_length=10000"),
    ({"frame_step": 0}, ValueError, "positive integer not greater than `frame_length`"),
    ({"frame_step": -1}, ValueError, "frame_step=-1"),
    ({"frame_step": 257}, ValueError, "frame_step=257, frame_length=256"),
    ({"frame_length": 1}, ValueError, "frame_length=1"),
    ({"frame_length": 1, "frame_step": 1}, ValueError, "fft_length=None, frame_length=1"),
    ({"frame_length": 1, "frame_step": 1, "fft_length": 1}, ValueError, "fft_length=1"),
    ({"fft_length": 0}, ValueError, "fft_length=0, frame_length=256"),
    ({"fft_length": 255}, ValueError, "fft_length=255, frame_length=256"),
    ({"fft_length": -256}, ValueError, "fft_length=-256"),
    ({"fft_length": 1 << 62}, ValueError, "fft_length=4611686018427387904"),
    *[({"mode": value}, ValueError, repr(value)) for value in ["power", "LOG", "", None, 3]],
    ({"mode": ["log"]}, ValueError, "['log']"),
    *[({"scaling": value}, ValueError, repr(value)) for value in ["psd", "", "None", 0, False]],
    *[({"padding": value}, ValueError, repr(value)) for value in ["center", "SAME", None, 1]],
    *[({"periodic": value}, ValueError, repr(value)) for value in [None, 1, "yes", 0.0]],
    *[({"expand_dims": value}, TypeError, repr(value)) for value in ["False", 2, 1.0, []]],
    *[({"data_format": value}, ValueError, "data_format=") for value in ["x", 1, "None", []]],
    *[({"epsilon": value}, ValueError, repr(value)) for value in [-1e-7, NAN, INFINITY]],
    *[({"epsilon": value}, TypeError, repr(value)) for value in ["1e-7", None, True, [1e-7]]],
]

BAD_MEL: list[tuple[dict[str, Any], type[Exception], str]] = [
    *[({"fft_length": value}, TypeError, repr(value)) for value in [*NO_INTEGERS, None]],
    *[({"sequence_stride": value}, TypeError, repr(value)) for value in [*NO_INTEGERS, None]],
    *[({"sequence_length": value}, TypeError, repr(value)) for value in NO_INTEGERS],
    *[({"num_mel_bins": value}, TypeError, repr(value)) for value in [*NO_INTEGERS, None]],
    *[({"fft_length": value}, ValueError, str(value)) for value in [0, -8, 1 << 40]],
    *[({"sequence_stride": value}, ValueError, str(value)) for value in [0, -8, 1 << 62]],
    *[({"num_mel_bins": value}, ValueError, str(value)) for value in [0, -1, 1 << 40]],
    ({"sequence_length": -1}, ValueError, "sequence_length=-1"),
    ({"sequence_length": 65}, ValueError, "`sequence_length`=65, `fft_length`=64"),
    *[({"window": value}, ValueError, repr(value)) for value in ["blackman", "", "HANN"]],
    *[
        ({name: value}, TypeError, repr(value))
        for name in ["sampling_rate", "min_freq", "max_freq", "mag_exp", "min_power", "ref_power"]
        for value in ["8000", True, [100.0], 1j]
    ],
    *[
        ({name: None}, TypeError, "None")
        for name in ["sampling_rate", "min_freq", "mag_exp", "min_power", "ref_power"]
    ],
    *[
        ({name: value}, ValueError, repr(value))
        for name in ["sampling_rate", "min_freq", "max_freq", "mag_exp", "min_power", "ref_power"]
        for value in [NAN, INFINITY, -INFINITY]
    ],
    *[({"sampling_rate": value}, ValueError, str(value)) for value in [0, -1, -8000.0]],
    ({"sampling_rate": 1}, ValueError, "max_freq=0 from sampling_rate=1, min_freq=20.0"),
    ({"min_freq": -1.0}, ValueError, "min_freq=-1.0"),
    ({"min_freq": 4000.0}, ValueError, "max_freq=4000 from sampling_rate=8000, min_freq=4000.0"),
    ({"min_freq": 300.0, "max_freq": 200.0}, ValueError, "max_freq=200.0, min_freq=300.0"),
    ({"max_freq": -5.0}, ValueError, "max_freq=-5.0"),
    *[({"power_to_db": value}, TypeError, repr(value)) for value in ["True", 2, 1.0]],
    *[({"top_db": value}, TypeError, repr(value)) for value in ["80", True, [80.0]]],
    *[({"top_db": value}, ValueError, repr(value)) for value in [-1.0, NAN, -INFINITY]],
    ({"min_power": -1e-10}, ValueError, "min_power=-1e-10"),
    ({"min_power": 0.0, "ref_power": 0.0}, ValueError, "ref_power=0.0, min_power=0.0"),
    *[({"top_db_scope": value}, ValueError, repr(value)) for value in ["all", None, 1]],
    ({"ref_power": np.max}, TypeError, "ref_power=<function"),
]

BAD_BASE: list[tuple[dict[str, Any], type[Exception], str]] = [
    *[({"num_threads": value}, TypeError, repr(value)) for value in [1.0, "1", True]],
    *[({"num_threads": value}, ValueError, str(value)) for value in [0, -1, 1 << 40]],
    *[({"name": value}, ValueError, repr(value)) for value in ["a/b", 3, b"a", ["a"]]],
    *[({"trainable": value}, ValueError, repr(value)) for value in [None, 1, "True"]],
    *[
        ({"dtype": value}, ValueError, repr(value))
        for value in [
            *["half", "f4", "double", "", "int32", "complex64", "mixed_float32", "float8_e4m3fn"],
            *["int8_from_float32", 3, np.int16, np.dtype("c8"), int, {"a": 1}, ["float32"]],
            {"class_name": "DTypePolicyMap", "config": {"policy_map": {}}},
            {"class_name": "DTypePolicy", "config": {"name": None}},
        ]
    ],
]


@pytest.mark.parametrize(("arguments", "error", "text"), [*BAD_STFT, *BAD_BASE], ids=str)
def test_stft_refuses(arguments: dict[str, Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error) as caught:
        stft(**arguments)
    assert type(caught.value) is error
    assert next(iter(arguments)) in str(caught.value)
    assert text in str(caught.value)


@pytest.mark.parametrize(("arguments", "error", "text"), [*BAD_MEL, *BAD_BASE], ids=str)
def test_mel_refuses(arguments: dict[str, Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error) as caught:
        small_mel(**arguments)
    assert type(caught.value) is error
    assert next(iter(arguments)) in str(caught.value)
    assert text in str(caught.value)


@pytest.mark.parametrize("layer", [STFTSpectrogram, MelSpectrogram])
def test_unknown_keywords_are_named(layer: Any) -> None:
    with pytest.raises(ValueError, match=rf"{layer.__name__}: {{'hop': 3}}.*Accepted.*fft_length"):
        layer(hop=3)


# ---- What Keras accepts ----------------------------------------------------------------------


def test_signature_is_that_of_keras() -> None:
    stft_defaults = {
        "mode": "log",
        "frame_length": 256,
        "frame_step": None,
        "fft_length": None,
        "window": "hann",
        "periodic": False,
        "scaling": "density",
        "padding": "valid",
        "expand_dims": False,
        "data_format": None,
    }
    mel_defaults = {
        "fft_length": 2048,
        "sequence_stride": 512,
        "sequence_length": None,
        "window": "hann",
        "sampling_rate": 16000,
        "num_mel_bins": 128,
        "min_freq": 20.0,
        "max_freq": None,
        "power_to_db": True,
        "top_db": 80.0,
        "mag_exp": 2.0,
        "min_power": 1e-10,
        "ref_power": 1.0,
    }
    matrix_defaults = {
        "num_mel_bins": 20,
        "num_spectrogram_bins": 129,
        "sampling_rate": 8000,
        "lower_edge_hertz": 125.0,
        "upper_edge_hertz": 3800.0,
        "dtype": "float32",
    }
    for function, expected in [
        (STFTSpectrogram, stft_defaults),
        (MelSpectrogram, mel_defaults),
        (linear_to_mel_weight_matrix, matrix_defaults),
        (small_mel().linear_to_mel_weight_matrix, matrix_defaults),
    ]:
        parameters = inspect.signature(function).parameters.values()
        positional = {p.name: p.default for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD}
        assert list(positional.items()) == list(expected.items())


def test_arguments_can_be_positional() -> None:
    layer = stft("psd", 20, 5, 24, "hamming", True, None, "same", True, "channels_first")
    assert layer.compute_output_shape((2, 3, 50)) == (2, 3, 10, 13)
    assert (layer.mode, layer.window, layer.scaling) == ("psd", "hamming", None)
    mel = MelSpectrogram(64, 16, 32, None, 8000, 5, 0.0, 3000.0, False, None, 1.0, 1e-5, 2.0)
    assert mel(noise(100)).shape == (5, 7)


def test_defaults_are_resolved_as_in_keras() -> None:
    layer = STFTSpectrogram(frame_length=100)
    assert (layer.frame_step, layer.fft_length) == (None, None)
    assert layer.compute_output_shape((1, 200, 1)) == (1, 3, 65)  # step 50, fft_length 128
    assert layer.data_format == "channels_last"
    mel = MelSpectrogram(fft_length=512, sampling_rate=22051)
    assert (mel.sequence_length, mel.max_freq) == (512, 11025)


@pytest.mark.parametrize("max_freq", [None, 0, 0.0])
def test_no_max_freq_means_half_the_rate(max_freq: Any) -> None:
    assert small_mel(sampling_rate=8001, max_freq=max_freq).max_freq == 4000


@pytest.mark.parametrize("sequence_length", [None, 0])
def test_no_sequence_length_means_fft_length(sequence_length: Any) -> None:
    assert small_mel(sequence_length=sequence_length).sequence_length == 64


def test_numpy_numbers_become_python_numbers() -> None:
    layer = stft(
        frame_length=np.int64(16),
        frame_step=np.uint8(4),
        fft_length=np.int16(32),
        epsilon=np.float32(0.5),
        expand_dims=np.True_,
        periodic=np.bool_(False),
        num_threads=np.int32(1),
    )
    mel = small_mel(
        sampling_rate=np.float64(8000),
        num_mel_bins=np.int8(8),
        top_db=np.array(70.0),
        min_freq=np.int32(20),
    )
    for config in (layer.get_config(), mel.get_config()):
        assert {type(value) for value in config.values()} <= {
            int,
            float,
            bool,
            str,
            dict,
            type(None),
        }
    assert mel.top_db == 70.0


@pytest.mark.parametrize("value", ["channels_first", "CHANNELS_FIRST", "Channels_First"])
def test_data_format_in_any_case(value: str) -> None:
    assert stft(data_format=value).data_format == "channels_first"


@pytest.mark.parametrize(
    "arguments",
    [
        {"sequence_stride": 5000},  # beyond the frame: samples between frames are left out
        {"sampling_rate": 22050.5},
        {"max_freq": 9000},  # above half the rate: the top bands are empty
        {"min_freq": 0},
        {"mag_exp": 0},
        {"mag_exp": -1.0},
        {"mag_exp": 0.5},
        {"top_db": 0},
        {"top_db": INFINITY},
        {"ref_power": -4.0},
        {"ref_power": 0},
        {"fft_length": 1, "num_mel_bins": 2},
        {"fft_length": 63},
        {"sequence_length": 1},
        {"window": None, "sequence_length": 10},
        {"num_mel_bins": 1000},
    ],
    ids=str,
)
def test_mel_takes_what_keras_takes(arguments: dict[str, Any]) -> None:
    assert np.isfinite(small_mel(**arguments)(noise(300))).all()


def test_top_db_of_infinity_is_none() -> None:
    x = np.concatenate([noise(200), np.zeros(200, np.float32)])
    assert np.array_equal(small_mel(top_db=INFINITY)(x), small_mel(top_db=None)(x))


# ---- The warning -----------------------------------------------------------------------------


def test_warning_points_at_the_caller() -> None:
    with pytest.warns(UserWarning, match="power of two. Received fft_length=300") as record:
        STFTSpectrogram(fft_length=300)
    assert len(record) == 1
    assert record[0].filename == __file__


@pytest.mark.parametrize("arguments", [{}, {"fft_length": 512}, {"frame_length": 300}], ids=str)
def test_no_warning_for_powers_of_two(arguments: dict[str, Any]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        STFTSpectrogram(**arguments)
        MelSpectrogram(fft_length=300, num_mel_bins=20)


# ---- Name, dtype, trainable ------------------------------------------------------------------


def test_automatic_names_count_on() -> None:
    class VeryOwnMelSTFTLayer2(MelSpectrogram):
        pass

    first, second, third = (VeryOwnMelSTFTLayer2(fft_length=16) for _ in range(3))
    assert first.name == "very_own_mel_stft_layer2"
    assert (second.name, third.name) == (f"{first.name}_1", f"{first.name}_2")
    assert small_stft().name.startswith("stft_spectrogram")
    assert small_mel().name.startswith("mel_spectrogram")
    assert small_mel(name="mine").name == "mine"
    assert type(small_mel(name=np.str_("mine")).name) is str


class _KerasPolicy:
    """Looks like keras.DTypePolicy."""

    name = "mixed_float16"
    compute_dtype = "float16"


@pytest.mark.parametrize(
    ("dtype", "weights", "computed"),
    [
        (None, "float32", "float32"),
        ("float32", "float32", "float32"),
        ("float64", "float64", "float64"),
        ("float16", "float16", "float16"),
        ("mixed_float16", "float32", "float16"),
        ("bfloat16", "bfloat16", "bfloat16"),
        ("mixed_bfloat16", "float32", "bfloat16"),
        (float, "float32", "float32"),  # as in Keras
        (np.float64, "float64", "float64"),
        (np.dtype(np.float16), "float16", "float16"),
        (np.dtype(">f8"), "float64", "float64"),
        (_KerasPolicy(), "float32", "float16"),
        ({"class_name": "DTypePolicy", "config": {"name": "float64"}}, "float64", "float64"),
        (
            {
                "module": "keras",
                "class_name": "FloatDTypePolicy",
                "config": {"name": "mixed_float16"},
                "registered_name": None,
            },
            "float32",
            "float16",
        ),
    ],
    ids=str,
)
def test_dtype_policies(dtype: Any, weights: str, computed: str) -> None:
    layer = small_stft(dtype=dtype)
    assert (layer.dtype, layer.compute_dtype) == (weights, computed)
    if computed != "bfloat16":
        assert layer(noise(1, 40, 1)).dtype == computed


def test_layers_do_not_change() -> None:
    layer = small_mel()
    for name in ("fft_length", "num_mel_bins", "name", "window", "top_db_scope", "num_threads"):
        with pytest.raises(AttributeError, match=rf"MelSpectrogram\.{name} is fixed.*{name}=8"):
            setattr(layer, name, 8)
        with pytest.raises(AttributeError, match=rf"MelSpectrogram\.{name} is fixed.*del {name}"):
            delattr(layer, name)
        assert hasattr(layer, name)
    layer.trainable = False
    assert layer.get_config()["trainable"] is False
    with pytest.raises(ValueError, match="trainable"):
        layer.trainable = 0  # type: ignore[assignment]
    with pytest.raises(AttributeError):
        layer.dtype = "float16"  # type: ignore[misc]


def test_subclasses_may_have_attributes_of_their_own() -> None:
    class Tagged(STFTSpectrogram):
        def __init__(self, *, tag: str, **arguments: Any) -> None:
            super().__init__(**arguments)
            self.tag = tag

    assert Tagged(tag="x", frame_length=16).tag == "x"


def test_a_window_array_is_copied() -> None:
    window = np.hanning(16)
    layer = small_stft(window=window, mode="magnitude")
    x = noise(1, 40, 1)
    before = layer(x)
    window[:] = 0.0
    assert np.array_equal(layer(x), before)
    with pytest.raises(ValueError, match="read-only"):
        layer.window[0] = 1.0  # type: ignore[index,call-overload]


# ---- The filterbank --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"num_mel_bins": 0}, ValueError),
        ({"num_mel_bins": 2.0}, TypeError),
        ({"num_mel_bins": 1 << 62}, ValueError),
        ({"num_spectrogram_bins": 0}, ValueError),
        ({"num_spectrogram_bins": 1 << 62}, ValueError),
        ({"num_spectrogram_bins": True}, TypeError),
        ({"sampling_rate": 0}, ValueError),
        ({"sampling_rate": "8000"}, TypeError),
        ({"lower_edge_hertz": 4000.0}, ValueError),
        ({"lower_edge_hertz": None}, TypeError),
        ({"upper_edge_hertz": 125.0}, ValueError),
        ({"upper_edge_hertz": NAN}, ValueError),
        ({"dtype": "int32"}, ValueError),
        ({"dtype": "mixed_float16"}, ValueError),
    ],
    ids=str,
)
def test_filterbank_refuses(arguments: dict[str, Any], error: type[Exception]) -> None:
    for function in (linear_to_mel_weight_matrix, small_mel().linear_to_mel_weight_matrix):
        with pytest.raises(error, match=next(iter(arguments))):
            function(**arguments)


def test_filterbank_beyond_the_memory() -> None:
    with pytest.raises(MemoryError, match="num_mel_bins=1048576, num_spectrogram_bins=134217728"):
        linear_to_mel_weight_matrix(1 << 20, 1 << 27)


def test_filterbank_dtypes() -> None:
    exact = linear_to_mel_weight_matrix(dtype="float64")
    assert exact.shape == (129, 20)
    assert exact.dtype == np.float64
    for dtype in ("float32", np.float16):
        rounded = linear_to_mel_weight_matrix(dtype=dtype)
        assert np.array_equal(rounded, exact.astype(dtype))


# ---- The module ------------------------------------------------------------------------------


def test_all_names_are_there() -> None:
    for name in specfast.__all__:
        assert hasattr(specfast, name)


def test_threads_setting() -> None:
    before = specfast.get_num_threads()
    try:
        specfast.set_num_threads(3)
        assert specfast.get_num_threads() == (3 if specfast.build_info()["openmp"] else 1)
    finally:
        specfast.set_num_threads(0)
    assert specfast.get_num_threads() == before
    for value in (-1, 1 << 40):
        with pytest.raises(ValueError, match=f"num_threads.*{value}"):
            specfast.set_num_threads(value)
    for value in (1.5, "2", None, True):
        with pytest.raises(TypeError, match="num_threads"):
            specfast.set_num_threads(value)  # type: ignore[arg-type]


def test_build_info() -> None:
    info = specfast.build_info()
    assert set(info) >= {
        *("version", "isa", "available_isas", "lanes_float32", "lanes_float64"),
        *("num_threads", "openmp", "compiler", "pocketfft"),
    }
    assert info["isa"] in info["available_isas"]
    assert info["num_threads"] == specfast.get_num_threads()
