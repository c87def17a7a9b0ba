# SPDX-License-Identifier: BSD-3-Clause
"""Folders, files of other formats, and dtype policies that stand in a map."""

from __future__ import annotations

import io
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import specfast
from archives import archive, kernels, small_model, weights_file
from keras_models import Node, mel_node, node, sequential, stft_node
from makers import same_bits
from specfast._keras_file import archive as _keras_archive
from specfast.keras_files import KerasFileError

# ---- Folders ---------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What `model.save(path, zipped=False)` writes."""
    path = tmp_path / "model.keras"
    with zipfile.ZipFile(small_model()) as file:
        file.extractall(path)
    return path


def test_a_folder_is_read_like_the_file(folder: Path) -> None:
    for path in (folder, str(folder)):
        (layer,) = specfast.load_keras(path).values()
        assert same_bits(layer.get_weights()[0], kernels(1)[0])
    # Model hubs keep files elsewhere and link to them.
    weights = folder / "model.weights.h5"
    weights.rename(folder.parent / "blob")
    weights.symlink_to(folder.parent / "blob")
    assert list(specfast.load_keras(folder)) == ["front"]


def refused(path: Path, *texts: str, **arguments: Any) -> None:
    with pytest.raises(KerasFileError) as caught:
        specfast.load_keras(path, **arguments)
    for text in (f"cannot read {str(path)!r}: ", *texts):
        assert text in str(caught.value)


def test_broken_folders(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    num_bytes = (folder / "model.weights.h5").stat().st_size
    refused(folder, f"{num_bytes} bytes, at most 5 are read", max_weights_bytes=5)
    (folder / "model.weights.h5").unlink()
    refused(folder, "the folder has no file model.weights.h5")
    (folder / "model.weights.h5").mkdir()
    refused(folder, "the folder has no file model.weights.h5")
    monkeypatch.setattr("specfast._keras_file.folder.MAX_CONFIG_BYTES", 100)
    refused(folder, "config.json: it has", "at most 100 are read")
    (folder / "config.json").unlink()
    refused(folder, "a folder that holds no config.json is no Keras model")
    (folder / "one.keras").touch()
    refused(folder, "pass a .keras file, such as 'one.keras' in it")
    (folder / "saved_model.pb").touch()
    refused(folder, "a SavedModel of TensorFlow", "model.save('name.keras')")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
@pytest.mark.parametrize("name", ["config.json", "model.weights.h5"])
def test_a_pipe_in_a_folder_is_not_waited_for(folder: Path, name: str) -> None:
    (folder / name).unlink()
    os.mkfifo(folder / name)
    refused(folder, f"the folder has no file {name}")


# ---- Other formats ---------------------------------------------------------------------------


def legacy_model() -> bytes:
    """A whole model as Keras 2 wrote it into HDF5."""

    def fill(file: h5py.File) -> None:
        file.attrs["keras_version"] = "2.15.0"
        file.attrs["model_config"] = json.dumps(sequential(stft_node(), *[mel_node()] * 20))
        file["model_weights/stft_spectrogram/kernel:0"] = np.zeros(3)

    return weights_file({}, fill)


@pytest.mark.parametrize(
    ("data", "texts"),
    [
        (legacy_model(), ["a model in the HDF5 format from before Keras 3", "keras.models.load_"]),
        (weights_file({"layers/dense": ("dense", [])}), ["a model's weights alone, which do not"]),
        (weights_file({"": ("model", [])}), ["a model's weights alone, which do not say what"]),
        (weights_file({"other": ("x", [])}), ["HDF5, a model's weights alone or the format bef"]),
        (weights_file({}, libver="latest"), ["HDF5, a model's weights alone or the format bef"]),
        (json.dumps(sequential()).encode(), ["not a .keras file but JSON", "has no weights"]),
        (b'\xef\xbb\xbf [{"a": 1}]', ["not a .keras file but JSON"]),
    ],
)
def test_files_that_are_taken_for_models(data: bytes, texts: list[str], tmp_path: Path) -> None:
    path = tmp_path / "model.h5"
    path.write_bytes(data)
    refused(path, *texts, "model.save('name.keras')")
    with pytest.raises(KerasFileError, match="not a .keras file but"):
        specfast.load_keras(io.BytesIO(data))


def test_a_compression_that_is_not_read_stays_an_error(tmp_path: Path) -> None:
    path = tmp_path / "packed.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as file:
        file.writestr(_keras_archive.CONFIG, json.dumps(sequential()))
    refused(path, "config.json: compression method 14 is not read")


# ---- Maps of dtype policies --------------------------------------------------------------------


def policy(name: str | None) -> Node:
    return node("DTypePolicy", {"name": name}, module="keras", built=False)


def policy_map(default: Any = None, **policies: Any) -> Node:
    config = {"default_policy": default, "policy_map": policies}
    return node("DTypePolicyMap", config, module="keras.dtype_policies", built=False)


INT8 = node("QuantizedDTypePolicy", {"mode": "int8", "source_name": None}, built=False)


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [
        (policy_map(), "float32"),
        (policy_map("float16"), "float16"),
        (policy_map(policy("mixed_float16")), "mixed_float16"),
        (policy_map("float64", other=policy("float16")), "float64"),
        (policy_map("float32", front=policy("float64")), "float64"),
        (policy_map("float32", front=policy("float64"), **{"a/front": "float64"}), "float64"),
        (policy_map(None, front=policy(None)), "float32"),
        (policy_map("float16", **{"model/dense": INT8, "model/front_1": INT8}), "float16"),
        (policy_map("float16", **{".*front": policy("float16")}), "float16"),
    ],
)  # fmt: skip
def test_the_policy_that_keras_takes_from_a_map(dtype: Node, expected: str) -> None:
    layer = specfast.from_keras(stft_node(dtype=dtype))
    assert layer.get_config()["dtype"]["config"]["name"] == expected
    alone = specfast.from_keras(mel_node("front", dtype=dtype)["config"])
    assert alone.get_config()["dtype"]["config"]["name"] == expected


@pytest.mark.parametrize(
    ("dtype", "text"),
    [
        (policy_map("float16", **{"model/front": policy("float64")}), "'model/front'"),
        (policy_map("float16", **{".*front": policy("float64")}), "by its key '.*front'"),
        (policy_map("float16", **{"(a+)+$": policy("float64")}), "or 'float64' by its key"),
        (policy_map("float16", front=policy("int8")), "`dtype` must be one of"),
        (policy_map(INT8), "`dtype` given as a dictionary"),
        (policy_map() | {"config": {"policy_map": []}}, "a dictionary as policy_map"),
    ],
)
def test_maps_that_do_not_say_which_policy(dtype: Node, text: str) -> None:
    with pytest.raises(KerasFileError, match="config.json: layer 'front': ") as caught:
        specfast.load_keras(archive(sequential(stft_node(dtype=dtype))))
    assert text in str(caught.value)
    with pytest.raises(ValueError, match="`dtype`") as alone:
        specfast.from_keras(stft_node(dtype=dtype))
    assert text in str(alone.value)


def test_a_map_for_a_layer_without_a_name() -> None:
    config = stft_node(dtype=policy_map("float16", other=policy("float64")))["config"]
    del config["name"]
    with pytest.raises(ValueError, match="which of them depends on how the model was built"):
        specfast.from_keras(config)
