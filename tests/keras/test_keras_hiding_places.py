# SPDX-License-Identifier: BSD-3-Clause
"""Generated models: shapes times hiding places. No spectrogram is missing without a word.

A model is a tree of objects like those in memory. It is saved by rules that were written from
Keras' documentation of its format, apart from the reader: the configuration shows what an object
chooses to show, and the weights file has a group for all that Keras can track.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import specfast
from archives import Array, archive, kernels
from keras_models import Node, mel_node, node, stft_node
from makers import same_bits
from specfast.keras_files import KerasFileError, NotSearchedWarning

SNAKE = {
    "Conv1D": "conv1d", "Dense": "dense", "Functional": "functional", "Lambda": "lambda",
    "MelSpectrogram": "mel_spectrogram", "Own": "own", "OwnWrapper": "own_wrapper",
    "Pipeline": "pipeline", "STFTSpectrogram": "stft_spectrogram", "Sequential": "sequential",
    "TimeDistributed": "time_distributed",
}  # fmt: skip
OWN = ("Own", "OwnWrapper")


@dataclass
class Thing:
    """An object of a model.

    `shown` are the attributes that stand in the configuration. Keras cannot see into what is in
    `untracked`, such as a dataclass of the user's, and saves nothing of it.
    """

    class_name: str
    shown: dict[str, Any] = field(default_factory=dict)
    hidden: dict[str, Any] = field(default_factory=dict)
    untracked: list[Any] = field(default_factory=list)
    arrays: list[Array] = field(default_factory=list)
    tells_name: bool = True
    name: str = ""

    def inside(self) -> Iterator[tuple[str, Any]]:
        """All attributes, as Keras finds them in memory."""
        yield from self.shown.items()
        yield from self.hidden.items()


def things(value: Any) -> Iterator[Thing]:
    """An object, or those in a container, and all inside."""
    if isinstance(value, Thing):
        yield value
        for _, child in value.inside():
            yield from things(child)
        yield from things(value.untracked)
    else:
        for child in value.values() if isinstance(value, dict) else value:
            yield from things(child)


def hidden(value: Any, around: str = "") -> Iterator[tuple[Thing, str]]:
    """The spectrograms that the configuration does not show, with the class that hides them."""
    if not isinstance(value, Thing):
        for child in value.values() if isinstance(value, dict) else value:
            yield from hidden(child, around)
        return
    if around and value.class_name.endswith("Spectrogram"):
        yield value, around
    for child in value.shown.values():
        yield from hidden(child, around)
    for child in [*value.hidden.values(), value.untracked]:
        yield from hidden(child, around or value.name)


# ---- Saving ------------------------------------------------------------------------------------


def configuration(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: configuration(child) for key, child in value.items()}
    if not isinstance(value, Thing):
        return [configuration(child) for child in value]
    if value.class_name == "STFTSpectrogram":
        return stft_node(value.name)
    if value.class_name == "MelSpectrogram":
        return mel_node(value.name)
    config = {key: configuration(child) for key, child in value.shown.items()}
    if value.tells_name:
        config |= {"name": value.name, "trainable": True}
    changes: Node = {}
    if value.class_name in OWN:
        changes = {"module": None, "registered_name": f"mine>{value.class_name}"}
    return node(value.class_name, config, **changes)


def groups(value: Any, path: str) -> Iterator[tuple[str, tuple[str, list[Array]]]]:
    if isinstance(value, Thing):
        yield path, (value.name, value.arrays)
        for attribute, child in value.inside():
            yield from groups(child, f"{path}/{attribute}")
        return
    used: dict[str, int] = {}
    for child in value.values() if isinstance(value, dict) else value:
        name = SNAKE[child.class_name] if isinstance(child, Thing) else "container"
        used[name] = used.get(name, -1) + 1
        yield from groups(child, f"{path}/{name}_{used[name]}" if used[name] else f"{path}/{name}")


def saved(model: Thing) -> io.BytesIO:
    return archive(configuration(model), dict(groups(model, "")))


# ---- Models ------------------------------------------------------------------------------------

front_ends = st.sampled_from(["STFTSpectrogram", "MelSpectrogram"]).map(Thing)
others = st.sampled_from(["Dense", "Conv1D", "Own", "Lambda"]).map(Thing)


def lists(children: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(children, min_size=1, max_size=3)


def containers(children: st.SearchStrategy[Thing]) -> st.SearchStrategy[Any]:
    """What an attribute may hold: a layer, a list, a dictionary, and one in the other."""
    nested = st.tuples(children, lists(children)).map(lambda pair: [pair[0], {"in": pair[1]}])
    return st.one_of(children, lists(children), st.builds(lambda a: {"a": a}, children), nested)


def own(children: st.SearchStrategy[Thing]) -> st.SearchStrategy[Thing]:
    parts = containers(children)
    return st.builds(
        Thing,
        st.sampled_from(OWN),
        shown=st.dictionaries(st.sampled_from(["layer", "front"]), parts, max_size=1),
        hidden=st.dictionaries(st.sampled_from(["inner", "_parts", "box"]), parts, max_size=2),
        untracked=st.one_of(st.just([]), st.lists(children, max_size=1)),
        tells_name=st.booleans(),
    ).map(_tracked_if_it_shows_one)


def _tracked_if_it_shows_one(thing: Thing) -> Thing:
    """What a class keeps from Keras although it shows another spectrogram leaves no trace."""
    if any(inside.class_name.endswith("Spectrogram") for inside in things(thing.shown)):
        thing.untracked = []
    return thing


def bigger(children: st.SearchStrategy[Thing]) -> st.SearchStrategy[Thing]:
    def model(class_name: str, layers: list[Thing]) -> Thing:
        return Thing(class_name, {"layers": layers})

    return st.one_of(
        st.builds(
            model, st.sampled_from(["Sequential", "Functional", "Pipeline"]), lists(children)
        ),
        st.builds(lambda layer: Thing("TimeDistributed", {"layer": layer}), children),
        own(children),
        own(children),
    )


def named(layers: list[Thing]) -> Thing:
    """A model of these layers, each with a name and, if it is built, with variables of its own."""
    model = Thing("Sequential", {"layers": layers})
    for number, thing in enumerate(things(model)):
        thing.name = f"{thing.class_name.lower()[:4]}_{number}"
        if thing.class_name == "STFTSpectrogram":
            thing.arrays = kernels(number)
        elif thing.class_name == "Conv1D":
            thing.arrays = kernels(number, count=1)
            thing.arrays.append(np.zeros(17, np.float32))
        elif thing.class_name == "Dense":
            thing.arrays = [np.zeros((17, 2), np.float32)]
    return model


models = lists(st.recursive(st.one_of(front_ends, others), bigger, max_leaves=6)).map(named)


# ---- The property ------------------------------------------------------------------------------


def told(stream: io.BytesIO) -> tuple[dict[str, Any], str]:
    """The layers that are found, and what was said: a warning, an error, or nothing."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", NotSearchedWarning)
        try:
            layers = specfast.load_keras(stream)
        except KerasFileError as error:
            assert not caught
            return {}, str(error)
    assert len(caught) <= 1
    return dict(layers), "".join(str(warning.message) for warning in caught)


@settings(max_examples=200, deadline=None)
@given(models)
def test_no_spectrogram_is_missing_without_a_word(model: Thing) -> None:
    found, words = told(saved(model))
    missing = {thing.name: around for thing, around in hidden(model)}
    everything = list(things(model))
    is_error = words.startswith("cannot read")
    # An error says that a spectrogram is hidden, and it is no false alarm.
    assert not is_error or missing
    for thing in everything:
        if is_error or not thing.class_name.endswith("Spectrogram"):
            continue
        if thing.name in missing:
            assert thing.name not in found
            assert "mine>Own" in words
        else:
            pairs = zip(found[thing.name].get_weights(), thing.arrays, strict=True)
            assert all(same_bits(actual, expected) for actual, expected in pairs)
    # Kernels in the weights file are never given up with a mere warning.
    tracked = dict(groups(model, "")).values()
    assert is_error or not [name for name, arrays in tracked if name in missing and arrays]
    # Nothing is said of models whose classes are all known.
    assert not words or any(t.class_name in (*OWN, "Lambda") for t in everything)


@settings(max_examples=50, deadline=None)
@given(
    st.one_of(front_ends, bigger(front_ends)), st.sampled_from(["inner", "_parts", "untracked"])
)
def test_the_one_that_hides_it_is_named(spectrogram: Thing, attribute: str) -> None:
    """One class of the user's at a known place: the words have its path and its class."""
    secret = {"untracked": [spectrogram]} if attribute == "untracked" else {
        "hidden": {attribute: spectrogram}
    }  # fmt: skip
    inner = Thing("Sequential", {"layers": [Thing("Own", **secret)]})
    model = named([inner, Thing("MelSpectrogram")])
    found, words = told(saved(model))
    assert f"'{inner.name}/{inner.shown['layers'][0].name}' of class 'mine>Own'" in words
    assert words.startswith("cannot read") or len(found) == 1
