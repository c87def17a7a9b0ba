# SPDX-License-Identifier: BSD-3-Clause
"""What load_keras finds in sound files; the parity suite reads files that Keras wrote."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import specfast
from archives import Array, archive, kernels, small_model, weights_file
from keras_models import (
    Node,
    dense_node,
    functional,
    holder,
    mel_node,
    node,
    sequential,
    stft_node,
)
from makers import SMALL_MEL, same_bits, small_mel, small_stft
from signals import noise
from specfast import MelSpectrogram, STFTSpectrogram, keras_files
from specfast._keras_file import archive as _keras_archive
from specfast.keras_files import KerasFileError, NotSearchedWarning


def same_arrays(actual: list[Array], expected: list[Array]) -> bool:
    return len(actual) == len(expected) and all(map(same_bits, actual, expected))


EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


# ---- What comes out --------------------------------------------------------------------------


def test_trained_weights_and_configuration() -> None:
    layers = specfast.load_keras(small_model())
    assert list(layers) == ["front"]
    layer = layers["front"]
    assert type(layer) is STFTSpectrogram
    assert layer.get_config() == small_stft(name="front").get_config()
    assert same_arrays(layer.get_weights(), kernels(1))
    assert not layer.is_analytic
    expected = small_stft()
    expected.set_weights(kernels(1))
    x = noise(2, 64, 1)
    assert same_bits(layer(x), expected(x))
    assert not np.allclose(layer(x), small_stft()(x))


def test_a_file_that_keras_wrote() -> None:
    """What the layers of examples/trained.keras returned in Keras 3.15.1, on JAX."""
    layers = specfast.load_keras(EXAMPLES / "trained.keras")
    golden = np.load(EXAMPLES / "trained_golden.npz")
    x = golden["x"]
    assert list(layers) == ["levels", "spectrum"]
    assert np.abs(layers["spectrum"](x) - golden["spectrum"]).max() < 1e-5
    assert np.abs(layers["levels"](x[..., 0]) - golden["levels"]).max() < 1e-3
    untrained = STFTSpectrogram.from_config(layers["spectrum"].get_config())
    assert np.abs(untrained(x) - golden["spectrum"]).max() > 1


def test_weights_as_initialised_keep_the_fft() -> None:
    analytic = small_stft().get_weights()
    layers = specfast.load_keras(
        archive(sequential(stft_node()), {"layers/stft_spectrogram": ("front", analytic)})
    )
    assert layers["front"].is_analytic
    x = noise(2, 64, 1)
    assert same_bits(layers["front"](x), small_stft()(x))


@pytest.mark.parametrize("mode", ["real", "imag"])
def test_one_kernel_in_modes_of_one_part(mode: str) -> None:
    model = sequential(stft_node(mode=mode))
    variables = {"layers/stft_spectrogram": ("front", kernels(2, count=1))}
    layer = specfast.load_keras(archive(model, variables))["front"]
    assert same_arrays(layer.get_weights(), kernels(2, count=1))
    assert [weight.name for weight in layer.weights] == [f"{mode}_kernel"]


def test_mel_needs_no_weights_file() -> None:
    layers = specfast.load_keras(archive(sequential(mel_node("m", top_db=None), dense_node())))
    assert list(layers) == ["m"]
    assert layers["m"].get_config() == small_mel(name="m", top_db=None).get_config()
    assert same_bits(layers["m"](noise(2, 300)), small_mel(top_db=None)(noise(2, 300)))


def test_model_without_front_end_is_empty() -> None:
    assert specfast.load_keras(archive(sequential(dense_node()))) == {}
    assert specfast.load_keras(archive(functional(name="MyModel"))) == {}


@pytest.mark.parametrize(
    ("stored", "kept"),
    [(np.float16, np.float16), (np.float64, np.float64), (">f4", np.float32)],
    ids=str,
)
def test_other_precisions(stored: Any, kept: Any) -> None:
    name = np.dtype(kept).name
    given = [kernel.astype(stored) for kernel in kernels(3)]
    layers = specfast.load_keras(
        archive(sequential(stft_node(dtype=name)), {"layers/stft_spectrogram": ("front", given)})
    )
    assert same_arrays(layers["front"].get_weights(), [kernel.astype(kept) for kernel in given])


def test_bfloat16() -> None:
    ml_dtypes = pytest.importorskip("ml_dtypes")
    given = [kernel.astype(ml_dtypes.bfloat16) for kernel in kernels(4)]

    def mark(file: Any) -> None:
        for key in "01":
            file["layers/stft_spectrogram/vars"][key].attrs["dtype"] = "bfloat16"

    weights = weights_file({"layers/stft_spectrogram": ("front", given)}, mark)
    layer = specfast.load_keras(archive(sequential(stft_node()), weights))["front"]
    assert same_arrays(layer.get_weights(), [kernel.astype(np.float32) for kernel in given])


def test_model_saved_before_it_was_built() -> None:
    model = sequential(stft_node(built=False), dense_node())
    for variables in ({}, {"layers/stft_spectrogram": ("front", [])}):
        layer = specfast.load_keras(archive(model, variables))["front"]
        assert layer.is_analytic


def test_arguments_of_training_only_are_left_out() -> None:
    regulariser = node("L2", {"l2": 0.01}, module="keras.regularizers")
    model = sequential(mel_node(activity_regularizer=regulariser))
    assert "activity_regularizer" not in specfast.load_keras(archive(model))["mel"].get_config()


def test_layers_of_our_own_adapters() -> None:
    ours = {"module": "specfast.keras", "registered_name": "specfast>MelSpectrogram"}
    layer = mel_node(top_db_scope="clip", num_threads=3, device="cuda") | ours
    loaded = specfast.load_keras(archive(sequential(layer)))["mel"]
    assert isinstance(loaded, MelSpectrogram)
    assert loaded.top_db_scope == "clip"
    assert loaded.num_threads is None  # a matter of this machine
    assert loaded.device is None


# ---- Where layers and weights are -------------------------------------------------------------


def test_layers_of_one_class_are_numbered() -> None:
    model = functional(stft_node("b"), mel_node("m"), stft_node("a"), stft_node("c", mode="imag"))
    variables = {
        "layers/stft_spectrogram": ("b", kernels(1)),
        "layers/stft_spectrogram_1": ("a", kernels(2)),
        "layers/stft_spectrogram_2": ("c", kernels(3, count=1)),
    }
    layers = specfast.load_keras(archive(model, variables))
    assert list(layers) == ["b", "m", "a", "c"]
    assert same_arrays(layers["b"].get_weights(), kernels(1))
    assert same_arrays(layers["a"].get_weights(), kernels(2))
    assert same_arrays(layers["c"].get_weights(), kernels(3, count=1))


def test_nested_models_and_equal_names() -> None:
    inner = sequential(stft_node("a"), dense_node(), name="inner")
    middle = functional(stft_node("a"), inner, mel_node("m"), name="middle")
    model = functional(stft_node("a"), middle, sequential(stft_node("b"), name="other"))
    variables = {
        "layers/stft_spectrogram": ("a", kernels(1)),
        "layers/functional/layers/stft_spectrogram": ("a", kernels(2)),
        "layers/functional/layers/sequential/layers/stft_spectrogram": ("a", kernels(3)),
        "layers/sequential/layers/stft_spectrogram": ("b", kernels(4)),
    }
    layers = specfast.load_keras(archive(model, variables))
    assert list(layers) == ["a", "middle/a", "middle/inner/a", "m", "b"]
    for seed, key in enumerate(["a", "middle/a", "middle/inner/a", "b"], 1):
        assert same_arrays(layers[key].get_weights(), kernels(seed)), key
        assert layers[key].name == key[-1]


def test_wrappers_and_pipelines() -> None:
    wrapper = node("TimeDistributed", {"name": "each", "layer": stft_node("a")})
    pipeline = node("Pipeline", {"name": "pipe", "layers": [mel_node("b"), stft_node("c")]})
    variables = {
        "layers/time_distributed/layer": ("a", kernels(1)),
        "layers/pipeline/layers/stft_spectrogram": ("c", kernels(2)),
    }
    layers = specfast.load_keras(archive(sequential(wrapper, pipeline), variables))
    assert list(layers) == ["a", "b", "c"]
    assert same_arrays(layers["a"].get_weights(), kernels(1))
    assert same_arrays(layers["c"].get_weights(), kernels(2))


@pytest.mark.parametrize("group", ["front", "_hidden/stft_spectrogram", "deep/in/a/container"])
def test_inside_a_class_of_others_the_saved_name_decides(group: str) -> None:
    model = sequential(holder("front", stft_node("a")), stft_node("b"))
    variables = {
        "layers/holder": ("holder", []),
        f"layers/holder/{group}": ("a", kernels(1)),
        "layers/stft_spectrogram": ("b", kernels(2)),
    }
    layers = specfast.load_keras(archive(model, variables))
    assert same_arrays(layers["a"].get_weights(), kernels(1))
    assert same_arrays(layers["b"].get_weights(), kernels(2))


def test_containers_in_a_class_of_others() -> None:
    model = sequential(holder("parts", [dense_node(), {"x": [stft_node("a")]}, stft_node("a")]))
    variables = {
        "layers/holder/parts/container/container/stft_spectrogram": ("a", kernels(1)),
        "layers/holder/parts/stft_spectrogram": ("other", kernels(2)),
    }
    with pytest.raises(KerasFileError, match="two layers are named 'holder/a'"):
        specfast.load_keras(archive(model, variables))
    model["config"]["layers"][1]["config"]["parts"][2]["config"]["name"] = "other"
    layers = specfast.load_keras(archive(model, variables))
    assert same_arrays(layers["a"].get_weights(), kernels(1))
    assert same_arrays(layers["other"].get_weights(), kernels(2))


@pytest.mark.parametrize("class_name", ["Sequential", "Functional"])
def test_subclassed_containers(class_name: str) -> None:
    make = sequential if class_name == "Sequential" else functional
    model = make(stft_node("a")) | {"class_name": "Mine", "registered_name": "Custom>Mine"}
    variables = {"layers/stft_spectrogram": ("a", kernels(1)), "vars": ("mine", [])}
    layers = specfast.load_keras(archive(model | {"module": None}, variables))
    assert same_arrays(layers["a"].get_weights(), kernels(1))


def test_layers_of_other_packages_and_subclasses_are_not_ours() -> None:
    """They are not returned, and the warning names each with its class."""
    foreign = mel_node("a") | {"module": "kapre", "registered_name": "kapre>MelSpectrogram"}
    unregistered = mel_node("b") | {"module": None, "registered_name": "MelSpectrogram"}
    derived = mel_node("c") | {"class_name": "MyMel", "registered_name": "Custom>MyMel"}
    message = "'a' of class 'kapre>MelSp.*'b' of class 'MelSp.*'c' of class 'Custom>MyMel'"
    with pytest.warns(NotSearchedWarning, match=message):
        assert specfast.load_keras(archive(sequential(foreign, unregistered, derived))) == {}


def test_groups_are_numbered_by_snake_case_of_their_class() -> None:
    # Another's class with the same snake case comes first and takes the plain name.
    other = node("StftSpectrogram", {"name": "x"}, registered_name="Custom>StftSpectrogram")
    model = sequential(other, stft_node("a"))
    variables = {
        "layers/stft_spectrogram": ("x", [np.ones((17, 2), np.float32)]),
        "layers/stft_spectrogram_1": ("a", kernels(2)),
    }
    with pytest.warns(NotSearchedWarning, match="'x' of class 'Custom>StftSpectrogram'"):
        layers = specfast.load_keras(archive(model, variables))
    assert same_arrays(layers["a"].get_weights(), kernels(2))


# ---- Ways to name a file ----------------------------------------------------------------------


def test_path_and_file_object(tmp_path: Path) -> None:
    path = tmp_path / "model of mine.keras"
    path.write_bytes(small_model().getvalue())
    assert list(specfast.load_keras(path)) == ["front"]
    assert list(specfast.load_keras(str(path))) == ["front"]
    with path.open("rb") as stream:
        assert list(specfast.load_keras(stream)) == ["front"]
        assert not stream.closed
        assert list(specfast.load_keras(stream)) == ["front"]


def test_paths_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        specfast.load_keras(tmp_path / "none.keras")
    with pytest.raises(KerasFileError, match="a folder that holds no config.json"):
        specfast.load_keras(tmp_path)
    for wrong in (None, 3, b"model.keras", io.StringIO("text")):
        with pytest.raises(TypeError, match="`path` must be"):
            specfast.load_keras(wrong)  # type: ignore[arg-type]


def test_compressed_and_large_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_keras_archive, "_IN_MEMORY_BYTES", 0)  # a file without a name instead
    stream = io.BytesIO()
    with (
        zipfile.ZipFile(small_model()) as source,
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for name in source.namelist():
            target.writestr(name, source.read(name))
    assert same_arrays(specfast.load_keras(stream)["front"].get_weights(), kernels(1))


def test_limit_of_the_weights_can_be_moved() -> None:
    num_bytes = zipfile.ZipFile(small_model()).getinfo("model.weights.h5").file_size
    assert specfast.load_keras(small_model(), max_weights_bytes=num_bytes)
    with pytest.raises(KerasFileError, match=f"at most {num_bytes - 1} are read"):
        specfast.load_keras(small_model(), max_weights_bytes=num_bytes - 1)
    with pytest.raises(TypeError, match="`max_weights_bytes` must be an integer"):
        specfast.load_keras(small_model(), max_weights_bytes=1e9)  # type: ignore[arg-type]


def test_reading_is_imported_late_and_imports_no_framework(tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    path.write_bytes(small_model().getvalue())
    code = """
import sys, specfast
before = set(sys.modules)
assert {"load_keras", "from_keras"} <= set(dir(specfast))
specfast.load_keras(sys.argv[1])["front"]
print(*sorted(before)), print(*sorted(set(sys.modules) - before))
"""
    command = [sys.executable, "-c", code, str(path)]
    result = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    before, after = (set(line.split()) for line in result.stdout.splitlines())
    assert "specfast.keras_files" in after
    assert not {"h5py", "keras", "tensorflow", "torch", "jax"} & (before | after)


# ---- Live layers and configurations -----------------------------------------------------------


def keras_class(name: str, arguments: Node) -> type:
    """A class that stands where Keras' own would, and looks as it does from outside."""

    def get_config(self: Any) -> Node:
        return {"name": "live", "trainable": True, "dtype": "float32", **self.arguments}

    def get_weights(self: Any) -> list[Array]:
        return list(self.values)

    def init(self: Any, *values: Array, **changes: Any) -> None:
        self.values, self.arguments = values, arguments | changes

    def call(_self: Any, x: Array) -> Array:
        return x

    layer = type("Layer", (), {"__module__": "keras.src.layers.layer", "get_weights": get_weights})
    body: Node = {"__init__": init, "get_config": get_config, "call": call}
    module = f"keras.src.layers.preprocessing.{name.lower()}"
    return type(name, (layer,), {"__module__": module, **body})


KerasSTFT: Any = keras_class("STFTSpectrogram", stft_node()["config"])
KerasMel: Any = keras_class("MelSpectrogram", mel_node()["config"])


def test_live_layers() -> None:
    layer = specfast.from_keras(KerasSTFT(*kernels(1), window=np.hanning(16)))
    assert isinstance(layer, STFTSpectrogram)
    assert same_arrays(layer.get_weights(), kernels(1))
    assert isinstance(layer.window, np.ndarray)
    assert specfast.from_keras(KerasSTFT()).is_analytic  # not built yet
    mel = specfast.from_keras(KerasMel(top_db=60, activity_regularizer=None))
    assert isinstance(mel, MelSpectrogram)
    assert mel.top_db == 60
    with pytest.raises(ValueError, match="must have shape"):
        specfast.from_keras(KerasSTFT(*kernels(1), frame_length=15))


def test_our_own_layers_pass_through() -> None:
    ours = small_stft(name="x", epsilon=1e-5)
    ours.set_weights(kernels(1))
    copy = specfast.from_keras(ours)
    assert copy.get_config() == ours.get_config()
    assert same_arrays(copy.get_weights(), ours.get_weights())


def test_subclasses_of_live_layers() -> None:
    class Renamed(KerasSTFT):  # type: ignore[misc]
        def __init__(self, *values: Any) -> None:
            super().__init__(*values)

        def get_config(self) -> Node:
            return {**super().get_config(), "extra": 1}

    class Louder(KerasSTFT):  # type: ignore[misc]
        def call(self, x: Any) -> Any:
            return 2 * x

    class Louder2(Louder):
        pass

    class Called(KerasMel):  # type: ignore[misc]
        def __call__(self, x: Any) -> Any:
            return x

    assert same_arrays(specfast.from_keras(Renamed(*kernels(1))).get_weights(), kernels(1))
    for layer, method in [(Louder(), "call"), (Louder2(), "call"), (Called(), "__call__")]:
        with pytest.raises(ValueError, match=f"which redefines {method} of"):
            specfast.from_keras(layer)


def test_configurations() -> None:
    for config in (stft_node()["config"], stft_node(), json.loads(json.dumps(stft_node()))):
        layer = specfast.from_keras(config)
        assert layer.get_config() == small_stft(name="front").get_config()
    assert isinstance(specfast.from_keras(mel_node()), MelSpectrogram)
    assert isinstance(specfast.from_keras({"num_mel_bins": 4}), MelSpectrogram)
    assert isinstance(specfast.from_keras({"class_name": "MelSpectrogram", "config": SMALL_MEL}),
                      MelSpectrogram)  # fmt: skip


@pytest.mark.parametrize(
    ("wrong", "error", "text"),
    [
        (None, TypeError, "NoneType"),
        ("model.keras", TypeError, "specfast.load_keras"),
        (Path("model.keras"), TypeError, "specfast.load_keras"),
        (KerasSTFT, TypeError, "type"),
        (type("MelSpectrogram", (), {})(), TypeError, "MelSpectrogram"),
        ({}, ValueError, "{}"),
        ({"name": "a", "fft_length": 512}, ValueError, "fft_length"),
        ({"mode": "log", "num_mel_bins": 4}, ValueError, "either"),
        ({"mode": "log", "hop": 4}, ValueError, "'hop'"),
        (dense_node(), ValueError, "Dense"),
        (sequential(), ValueError, "a whole model is read by specfast.load_keras"),
        (mel_node() | {"module": "kapre"}, ValueError, "MelSpectrogram"),
        (mel_node() | {"registered_name": "a>b"}, ValueError, "a>b"),
        (mel_node(fft_length="64"), TypeError, "'64'"),
    ],
    ids=str,
)
def test_neither_layer_nor_configuration(wrong: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error) as caught:
        specfast.from_keras(wrong)
    assert text in str(caught.value)
    assert not isinstance(caught.value, KerasFileError)


def test_public_names() -> None:
    assert specfast.load_keras is keras_files.load_keras
    assert specfast.from_keras is keras_files.from_keras
    assert issubclass(KerasFileError, ValueError)
    with pytest.raises(AttributeError, match="no attribute 'load_torch'"):
        _ = specfast.load_torch  # type: ignore[attr-defined]
