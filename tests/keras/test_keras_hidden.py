# SPDX-License-Identifier: BSD-3-Clause
"""Layers that a model has and its configuration does not show: an error or a warning, no silence.

The parity suite proves on models that Keras wrote that files look as they are made here.
"""

from __future__ import annotations

import io
import warnings
from typing import Any

import numpy as np
import pytest

import specfast
from archives import Variables, archive, kernels, weights_file
from keras_models import (
    Node,
    dense_node,
    functional,
    mel_node,
    node,
    sequential,
    stft_node,
)
from makers import same_bits
from specfast.keras_files import KerasFileError, NotSearchedWarning
from specfast.layers.catalogue import names_in_keras


def own_node(name: str = "own", class_name: str = "Own", **config: Any) -> Node:
    """A layer of a user's registered class, whose configuration shows what is in `config`."""
    changes = {"module": None, "registered_name": f"mine>{class_name}"}
    return node(class_name, {"name": name, "trainable": True, **config}, **changes)


def warned(stream: io.BytesIO, *texts: str) -> list[str]:
    """Returns the keys that are found; the one warning must have all texts."""
    with pytest.warns(NotSearchedWarning) as caught:
        layers = specfast.load_keras(stream)
    (warning,) = caught
    assert warning.filename == __file__
    for text in texts:
        assert text in str(warning.message)
    assert len(str(warning.message)) < 1000
    return list(layers)


def refused(stream: io.BytesIO, *texts: str) -> None:
    with pytest.raises(KerasFileError) as caught:
        specfast.load_keras(stream)
    for text in ("cannot read ", *texts, "specfast.from_keras"):
        assert text in str(caught.value)
    assert len(str(caught.value)) < 700


TRAINED = kernels(1)
HALF = kernels(1, count=1)


# ---- Kernels that the weights file has and no layer accounts for ------------------------------


@pytest.mark.parametrize(
    ("path", "name", "arrays"),
    [
        ("layers/own/stft", "inner", TRAINED),
        ("layers/own/stft", None, TRAINED),
        ("layers/own", "own", TRAINED),  # a class that has the kernels itself
        ("layers/own/parts/container/stft_spectrogram", "a", HALF),
        ("layers/own/box", "box", kernels(1, 2, (10, 1, 6))),  # a length that is no power of two
        ("layers/own/box", "box", [*TRAINED, np.zeros(3, np.float32)]),
        ("layers/own/mel_spectrogram", "x", []),
        ("layers/own/deep/down", "mel_spectrogram_3", []),
        ("layers/own/front", "MySTFTSpectrogram", []),
    ],
)
def test_a_spectrogram_in_the_weights_that_no_layer_accounts_for(
    path: str, name: str | None, arrays: list[Any]
) -> None:
    model = sequential(own_node(), mel_node())
    refused(archive(model, {path: (name, arrays)}), path, "'own' of class 'mine>Own'")


def test_variables_under_the_kernels_own_names() -> None:
    def save(file: Any) -> None:
        file["layers/own/x/vars/real_kernel"] = np.zeros(3, np.float32)

    data = weights_file({"layers/own": ("own", [])}, save)
    refused(archive(sequential(own_node()), data), "layers/own/x", "'own' of class 'mine>Own'")


def test_a_layer_attached_to_a_model_from_outside() -> None:
    for model in (sequential(dense_node()), functional(stft_node("used"), dense_node())):
        variables = {"layers/stft_spectrogram": ("used", TRAINED), "extra": ("extra", TRAINED)}
        if model["class_name"] == "Sequential":
            del variables["layers/stft_spectrogram"]
        refused(archive(model, variables), "extra holds the kernels of a spectrogram")


@pytest.mark.parametrize(
    ("path", "name", "arrays"),
    [
        ("layers/own/conv", "conv1d", [*HALF, np.zeros(17, np.float32)]),
        ("layers/own/conv", "conv1d", kernels(1, 1, (16, 1, 24))),
        ("layers/own/attention/query", "query", [HALF[0], np.zeros((1, 17), np.float32)]),
        ("layers/own/dense", "dense", [np.zeros((17, 2), np.float32)]),
        ("layers/own/embedding", "many", [np.zeros(1, np.float32)] * 40),
        ("layers/own", "own", []),
        ("optimizer", "adam", TRAINED),
    ],
)
def test_other_variables_are_no_error(path: str, name: str, arrays: list[Any]) -> None:
    model = sequential(own_node(), mel_node())
    assert warned(archive(model, {path: (name, arrays)}), "'own' of class 'mine>Own'") == ["mel"]


def test_variables_of_keras_own_layers_are_known() -> None:
    convolution = node("Conv1D", {"name": "stft_spectrogram", "filters": 17})
    attention = node("MultiHeadAttention", {"name": "attention", "num_heads": 1})
    variables = {
        "layers/conv1d": ("stft_spectrogram", HALF),
        "layers/multi_head_attention/query": ("query", TRAINED),
        "layers/stft_spectrogram": ("front", TRAINED),
    }
    layers = specfast.load_keras(
        archive(sequential(convolution, attention, stft_node()), variables)
    )
    assert list(layers) == ["front"]


# ---- What may hide without leaving a trace -----------------------------------------------------


def lambda_node(function: Any) -> Node:
    return node("Lambda", {"name": "code", "function": function})


CODE = {"class_name": "__lambda__", "config": {"code": "4wEA", "defaults": None, "closure": None}}
FUNCTION = {"module": "builtins", "class_name": "function", "config": "relu",
            "registered_name": "function"}  # fmt: skip


@pytest.mark.parametrize(
    ("layer", "text"),
    [
        (own_node(), "'own' of class 'mine>Own'"),
        (own_node(units=3), "'own' of class 'mine>Own'"),
        (own_node() | {"config": {"trainable": True}}, "'own' of class 'mine>Own'"),
        (own_node(fft_length=512, num_mel_bins=80), "'own' of class 'mine>Own'"),
        (sequential(own_node(), name="inner"), "'inner/own' of class 'mine>Own'"),
        (functional(own_node(), name="inner"), "'inner/own' of class 'mine>Own'"),
        (node("TimeDistributed", {"name": "each", "layer": own_node()}), "'each/own' of"),
        (node("Bidirectional", {"name": "both", "layer": own_node()}), "'both/own' of"),
        (node("Pipeline", {"name": "pipe", "layers": [own_node()]}), "'pipe/own' of"),
        (own_node("outer", inner=own_node()), "'outer/own' of class 'mine>Own', 'outer' of"),
        (own_node("model", "Model", layers=[]), "'model' of class 'mine>Model'"),
        (lambda_node(CODE), "'code' of class 'Lambda'"),
        (lambda_node(FUNCTION), "'code' of class 'Lambda'"),
        (node("TorchModuleWrapper", {"name": "torch", "module": {}}), "'torch' of class 'Torch"),
        (node("TFSMLayer", {"name": "tf", "filepath": "x"}), "'tf' of class 'TFSMLayer'"),
        (mel_node("a") | {"class_name": "MyMel", "registered_name": "mine>MyMel"},
         "'a' of class 'mine>MyMel'"),
        (mel_node("a") | {"module": "kapre"}, "'a' of class 'MelSpectrogram'"),
    ],
)  # fmt: skip
def test_what_was_not_searched_is_named(layer: Node, text: str) -> None:
    for others in ([], [mel_node()]):
        for weights in (None, {}, {"layers/dense": ("dense", [])}, b"broken"):
            model = sequential(layer, *others)
            keys = ["mel"] if others else []
            assert warned(archive(model, weights), text) == keys


def test_the_class_of_the_whole_model() -> None:
    """Its layers are shown; what else its code makes is not."""
    model = functional(dense_node(), name="ear", registered_name="mine>Ear")
    assert warned(archive(model), "the model, of class 'mine>Ear'") == []
    model["config"]["layers"] = 5  # an argument of the user's own
    refused(archive(model), "the layers of class 'Functional' are made by its own code")


@pytest.mark.parametrize("class_name", ["STFTSpectrogram", "MelSpectrogram"])
def test_a_subclass_with_all_arguments_is_an_error(class_name: str) -> None:
    arguments = dict.fromkeys(names_in_keras(class_name))
    refused(
        archive(sequential(own_node("a", "Loud", **arguments, label="tenor"))),
        f"'a' of class 'mine>Loud' has all arguments of {class_name}",
    )


def test_many_are_counted() -> None:
    model = sequential(*[own_node(f"own_{i}") for i in range(1203)])
    warned(archive(model), "'own_0' of class", "'own_4' of class 'mine>Own' and 1198 more")


# ---- What shows all it has, and what hides nothing ----------------------------------------------


def quiet(stream: io.BytesIO) -> list[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return list(specfast.load_keras(stream))


def test_a_class_of_ones_own_that_shows_all_its_layers_gives_no_warning() -> None:
    model = sequential(own_node(layer=stft_node("a"), head=[dense_node()]), dense_node("last"))
    variables: dict[str, Any] = {
        "layers/own": ("own", []),
        "layers/own/_hidden": ("a", TRAINED),
        "layers/own/head/dense": ("dense", [np.zeros((17, 2), np.float32)]),
        "layers/dense": ("last", []),
    }
    assert quiet(archive(model, variables)) == ["a"]
    for hidden, error in [(("mel", []), False), (("dense", []), False), (("b", TRAINED), True)]:
        more = archive(model, {**variables, "layers/own/other": hidden})
        if error:
            refused(more, "layers/own/other", "'own' of class 'mine>Own'")
        else:
            assert warned(more, "'own' of class 'mine>Own'") == ["a"]


def test_without_weights_it_cannot_be_known_whether_all_is_shown() -> None:
    assert warned(archive(sequential(own_node(layer=mel_node()))), "'own' of class") == ["mel"]


def test_a_subclass_of_sequential_that_is_trained_gives_no_warning() -> None:
    both = node("Bidirectional", {"name": "both", "layer": node("LSTM", {"name": "lstm"})})
    model = sequential(stft_node(), both, registered_name="mine>Chain") | {"class_name": "Chain"}
    variables: Variables = {
        "": ("sequential", []),
        "layers/stft_spectrogram": ("front", TRAINED),
        "layers/bidirectional": ("both", []),
        "layers/bidirectional/forward_layer/cell": ("lstm_cell", [np.zeros((3, 4), np.float32)]),
        "optimizer": ("adam", TRAINED * 3),
    }
    assert quiet(archive(model, variables)) == ["front"]


HELPER = {
    "module": None,
    "class_name": "Mine",
    "config": {"scale": 1},
    "registered_name": "a>Mine",
}


@pytest.mark.parametrize(
    "key",
    ["kernel_initializer", "bias_regularizer", "activation", "recurrent_activation", "dtype"],
)
def test_helpers_of_layers_hide_nothing(key: str) -> None:
    layer = node("Dense", {"name": "dense", key: HELPER})
    assert quiet(archive(sequential(layer, mel_node()))) == ["mel"]
    layer["config"][key] = own_node()  # but a layer may stand there
    assert warned(archive(sequential(layer)), "'dense/own' of class 'mine>Own'") == []


def test_a_layer_as_the_function_of_a_lambda() -> None:
    variables = {"layers/lambda/function": ("a", TRAINED)}
    model = sequential(lambda_node(stft_node("a")))
    layers = specfast.load_keras(archive(model, variables))
    assert same_bits(layers["a"].get_weights()[0], TRAINED[0])


def test_weights_beyond_the_limit_are_not_searched_and_not_required() -> None:
    variables = {"layers/own/stft": ("inner", TRAINED)}
    stream = archive(sequential(own_node(), mel_node()), variables)
    with pytest.warns(NotSearchedWarning, match="'own' of class 'mine>Own'"):
        assert list(specfast.load_keras(stream, max_weights_bytes=0)) == ["mel"]


def test_the_warning_is_public_and_a_user_warning() -> None:
    assert issubclass(NotSearchedWarning, UserWarning)
    assert NotSearchedWarning.__module__ == "specfast.keras_files"
