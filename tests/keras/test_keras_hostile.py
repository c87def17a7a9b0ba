# SPDX-License-Identifier: BSD-3-Clause
"""Forged and broken .keras files: each gets a KerasFileError that says what is wrong and where."""

from __future__ import annotations

import io
import json
import random
import struct
import sys
import time
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import specfast
from archives import KERNEL_SHAPE, archive, kernels, small_model, weights_file
from keras_models import Node, functional, holder, mel_node, node, sequential, stft_node
from specfast.keras_files import KerasFileError, NotSearchedWarning

LAYER = "layers/stft_spectrogram"


def refused(stream: io.BytesIO, *texts: str) -> None:
    with pytest.raises(KerasFileError) as caught:
        specfast.load_keras(stream)
    for text in ("cannot read ", *texts):
        assert text in str(caught.value)
    assert len(str(caught.value)) < 700


# ---- The archive -----------------------------------------------------------------------------


def patched(stream: io.BytesIO, member: str, **fields: int) -> io.BytesIO:
    """An archive with other numbers in both headers of a member."""
    data = bytearray(stream.getvalue())
    for signature, offsets in [
        (b"PK\1\2", {"flags": (8, "H"), "method": (10, "H"), "size": (24, "I"), "name": 46}),
        (b"PK\3\4", {"flags": (6, "H"), "method": (8, "H"), "size": (22, "I"), "name": 30}),
    ]:
        at = data.find(signature)
        while data[at + offsets["name"] :][: len(member)] != member.encode():  # type: ignore[operator]
            at = data.index(signature, at + 1)
        for field, value in fields.items():
            offset, code = offsets[field]  # type: ignore[misc]
            struct.pack_into(f"<{code}", data, at + offset, value)
    return io.BytesIO(bytes(data))


def with_flags(member: str, flags: int) -> io.BytesIO:
    return patched(small_model(), member, flags=flags)


def bomb(member: str, num_bytes: int) -> io.BytesIO:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as file:
        if member != "config.json":
            file.writestr("config.json", json.dumps(sequential(stft_node())))
        file.writestr(member, b" " * num_bytes)
    return stream


def twice(member: str) -> io.BytesIO:
    stream = small_model()
    with zipfile.ZipFile(stream, "a") as file, pytest.warns(UserWarning, match="Duplicate"):
        file.writestr(member, b"{}")
    return stream


def large_directory() -> io.BytesIO:
    stream = small_model()
    with zipfile.ZipFile(stream, "a") as file:
        for number in range(18):
            file.writestr(f"{number:060000d}", b"")
    return stream


@pytest.mark.parametrize(
    ("make", "texts"),
    [
        (lambda: io.BytesIO(), ["not a .keras file, which is a zip archive"]),
        (lambda: io.BytesIO(b"PK\3\4" + bytes(500)), ["a zip archive"]),
        (lambda: io.BytesIO(weights_file({})), ["but HDF5", "model.save('name.keras')"]),
        (lambda: archive(b"{}", x=b""), ["config.json: it must hold a model"]),
        (lambda: with_flags("config.json", 0x1), ["config.json: it is encrypted"]),
        (lambda: with_flags("model.weights.h5", 0x41), ["model.weights.h5: it is encrypted"]),
        (lambda: patched(small_model(), "config.json", method=14), ["method 14 is not read"]),
        (lambda: patched(small_model(), "config.json", method=8), ["config.json: "]),
        (lambda: patched(small_model(), "config.json", size=9 << 20), ["100 times as many"]),
        (lambda: patched(small_model(), "config.json", size=1 << 20), ["config.json: "]),
        (lambda: patched(small_model(), "config.json", size=9), ["config.json: ", "CRC-32"]),
        (lambda: bomb("config.json", 17 << 20), ["it has 17825792 bytes, at most 16777216"]),
        (lambda: bomb("config.json", 15 << 20), ["would become 15728640", "100 times as many"]),
        (lambda: bomb("model.weights.h5", 15 << 20), ["model.weights.h5: ", "100 times"]),
        (lambda: twice("config.json"), ["more than one member is named 'config.json'"]),
        (lambda: twice("metadata.json"), ["more than one member is named 'metadata.json'"]),
        (large_directory, ["the directory of the archive has more than 1048576 bytes"]),
        (lambda: archive(sequential(stft_node())), ["the archive has no model.weights.h5"]),
        (
            lambda: archive(sequential(stft_node()), **{"model.weights.npz": b""}),
            ["has no model.weights.h5; weights in NumPy's format are not read"],
        ),
    ],
)
def test_archives(make: Callable[[], io.BytesIO], texts: list[str]) -> None:
    refused(make(), *texts)


def test_other_members_are_neither_read_nor_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    stream = small_model()
    with zipfile.ZipFile(stream, "a", zipfile.ZIP_DEFLATED) as file:
        for name in ("../up", str(tmp_path / "absolute"), "assets/vocabulary.txt"):
            file.writestr(name, b"x" * (5 << 20))
    assert list(specfast.load_keras(stream)) == ["front"]
    assert list(tmp_path.iterdir()) == []
    assert not (tmp_path.parent / "up").exists()


# ---- The configuration -------------------------------------------------------------------------


def text_of(model: Node, old: str, new: str) -> bytes:
    text = json.dumps(model)
    assert old in text
    return text.replace(old, new).encode()


@pytest.mark.parametrize(
    ("config", "texts"),
    [
        (b"", ["config.json: "]),
        (b'{"class_name": "Sequential", "config": {', ["config.json: "]),
        (b"\xff\xfe{\0}\0", ["config.json: ", "utf-8"]),
        (b"[" * 100_000, ["nested 100000 deep, at most 200"]),
        (b'{"a":' * 201 + b"1" + b"}" * 201, ["nested 201 deep"]),
        (b'["\\"", "[[", "\\\\", ' + b"[" * 300, ["nested 301 deep"]),
        (b"[" + b"[]," * 600_000 + b"[]]", ["600002 lists and dictionaries, at most 524288"]),
        (b"[" + b"9" * 5000 + b"]", ["a number of 5000 digits, at most 400"]),
        (b"3", ["it must hold a model", "Received: 3"]),
        (b'"' + b"x" * 10_000 + b'"', ["it must hold a model"]),
        (b'{"class_name": "Sequential"}', ["it must hold a model"]),
        (b'{"class_name": ["Sequential"], "config": {}}', ["it must hold a model"]),
        (b'{"class_name": "Sequential", "config": []}', ["it must hold a model"]),
    ],
    ids=lambda value: str(value)[:40],
)
def test_texts(config: bytes, texts: list[str]) -> None:
    refused(archive(config), *texts)


def test_brackets_in_strings_do_not_count() -> None:
    name = '[{"\\' * 1000
    model = sequential(mel_node(), node("Dense", {"name": name}))
    assert list(specfast.load_keras(archive(model))) == ["mel"]


@pytest.mark.parametrize(
    ("model", "texts"),
    [
        (sequential(mel_node("a"), mel_node("a")), ["two layers are named 'a'"]),
        (sequential(mel_node(None)), ["MelSpectrogram must have a name", "None"]),  # type: ignore[arg-type]
        (sequential(mel_node("a/b")), ["layer 'a/b'", "cannot contain"]),
        (sequential(mel_node(hop=3)), ["layer 'mel'", "Unrecognized keyword", "'hop': 3"]),
        (sequential(mel_node(num_threads=4000)), ["`num_threads` is no argument of Keras'"]),
        (sequential(stft_node(epsilon=1)), ["`epsilon` is no argument of Keras'"]),
        (sequential(mel_node(fft_length="64")), ["`fft_length` must be an integer", "'64'"]),
        (sequential(mel_node(fft_length=1.5)), ["`fft_length` must be an integer"]),
        (sequential(mel_node(fft_length=True)), ["`fft_length` must be an integer"]),
        (sequential(mel_node(fft_length=-5)), ["`fft_length`", "-5"]),
        (sequential(mel_node(fft_length=1 << 21)), ["must be at most 1048576 in a file"]),
        (sequential(mel_node(fft_length=1e300)), ["must be at most 1048576 in a file"]),
        (sequential(stft_node(frame_length=10**300)), ["`frame_length` must be at most"]),
        (sequential(mel_node(min_power=float("nan"))), ["`min_power`", "nan"]),
        (sequential(mel_node(mag_exp=float("inf"))), ["`mag_exp`", "inf"]),
        (sequential(mel_node(sampling_rate=10**350)), ["layer 'mel'", "`sampling_rate`"]),
        (sequential(stft_node(mode=["log"])), ["`mode` is invalid"]),
        (sequential(stft_node(window="kaiser")), ["`window` 'kaiser' must have parameters"]),
        (sequential(stft_node(window=[1.0] * 15)), ["The shape of `window`"]),
        (sequential(stft_node(window=[float("nan")] * 16)), ["`window` must be finite"]),
        (sequential(stft_node(window=["x" * 9999] * 16)), ["array of numbers", "'xxxx"]),
        (sequential(stft_node(window={"class_name": "__numpy__", "config": {"value": ["x"]}})),
         ["array of numbers"]),
        (sequential(mel_node(class_name="MelSpectrogram", config={"fft_length": 1 << 27})),
         ["Unrecognized keyword", "class_name"]),
        (sequential(stft_node(window={"class_name": "__lambda__", "config": {"value": "x"}})),
         ["`window` given as a dictionary"]),
        (sequential(stft_node(dtype="int8")), ["`dtype` must be one of"]),
        (sequential(stft_node(dtype={"class_name": "QuantizedDTypePolicy", "config": {}})),
         ["`dtype` given as a dictionary"]),
        (sequential(stft_node(trainable="no")), ["`trainable`"]),
        (sequential(stft_node(self=1)), ["layer 'front'"]),
        (sequential(*[mel_node(f"m{i}") for i in range(1001)]), ["more than 1000 front-end"]),
        (sequential(*[mel_node(f"m{i}", fft_length=1 << 20) for i in range(5)]),
         ["sum up to 5242920, at most 4194304"]),
        (node("Mine", {"dtype": None}, module=None, registered_name="Mine"),
         ["the layers of class 'Mine' are made by its own code", "specfast.from_keras"]),
    ],
)  # fmt: skip
def test_configurations(model: Node, texts: list[str]) -> None:
    refused(archive(model, {}), "config.json: ", *texts)


def test_no_code_is_imported_or_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "evil_module.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w').close()\n")
    monkeypatch.syspath_prepend(tmp_path)
    code = {"class_name": "__lambda__", "config": {"value": ["4wAAAA==", None, None]}}
    function = {"module": "evil_module", "class_name": "function", "config": "run"}
    layers = [
        mel_node("front"),
        node("Lambda", {"name": "lambda", "function": code}),
        node("Lambda", {"name": "lambda_1", "function": function}),
        node("Thing", {"name": "t"}, module="evil_module", registered_name="Thing"),
        mel_node("fake") | {"module": "evil_module"},
        mel_node("fake_1", window="evil_module") | {"module": "keras.evil_module.x", "config": {}},
    ]
    with pytest.raises(KerasFileError, match="must have a name"):
        specfast.load_keras(archive(sequential(*layers)))
    with pytest.warns(NotSearchedWarning, match="'lambda'.*'lambda_1'.*'t' of class 'Thing'"):
        assert list(specfast.load_keras(archive(sequential(*layers[:-1])))) == ["front"]
    assert "evil_module" not in sys.modules
    assert not (tmp_path / "ran").exists()


# ---- The weights -------------------------------------------------------------------------------


def changed(change: Callable[[h5py.Group], None], **arguments: Any) -> io.BytesIO:
    """A model whose weights file went through `change`, which gets the layer's variables."""
    variables = {LAYER: ("front", kernels(1)), "layers/dense": ("dense", kernels(2))}
    data = weights_file(variables, lambda file: change(file[f"{LAYER}/vars"]), **arguments)
    return archive(sequential(stft_node()), data)


def replaced(**arguments: Any) -> Callable[[h5py.Group], None]:
    """Puts another array in the place of the first variable."""

    def change(group: h5py.Group) -> None:
        del group["0"]
        group.create_dataset("0", **arguments)

    return change


def linked(link: Any) -> Callable[[h5py.Group], None]:
    def change(group: h5py.Group) -> None:
        del group["0"]
        group["0"] = link

    return change


def group_linked(group: h5py.Group) -> None:
    file = group.file
    del file[LAYER]
    file[LAYER] = h5py.SoftLink("/layers/dense")


def renamed(name: Any) -> Callable[[h5py.Group], None]:
    return lambda group: group.attrs.__setitem__("name", name)


def unchanged(_group: h5py.Group) -> None:
    pass


def added(group: h5py.Group) -> None:
    group["2"] = np.zeros(3)


def emptied(group: h5py.Group) -> None:
    del group["0"], group["1"]


def subgroup(group: h5py.Group) -> None:
    del group["0"]
    group.create_group("0")


def virtual(group: h5py.Group) -> None:
    del group["0"]
    layout = h5py.VirtualLayout(KERNEL_SHAPE, "f4")
    layout[:] = h5py.VirtualSource("other.h5", "x", KERNEL_SHAPE)
    group.create_virtual_dataset("0", layout)


def as_array(group: h5py.Group) -> None:
    del group.file[LAYER]
    group.file[LAYER] = np.zeros(3)


NOT_STORED = {"shape": KERNEL_SHAPE, "dtype": "f4"}
PLAIN = {"data": np.ones(KERNEL_SHAPE, np.float32)}


@pytest.mark.parametrize(
    ("change", "texts"),
    [
        (linked(h5py.SoftLink("/layers/dense/vars/0")), ["'0' is a link", "not followed"]),
        (linked(h5py.ExternalLink("other.h5", "/x")), ["not a group as Keras writes it"]),
        (group_linked, ["'stft_spectrogram' is a link"]),
        (replaced(**NOT_STORED, external="other.bin"), ["external storage is not read"]),
        (virtual, ["chunked, compact or virtual is not read"]),
        (replaced(**PLAIN, chunks=True), ["chunked, compact or virtual is not read"]),
        (replaced(**PLAIN, compression="gzip"), ["with filters"]),
        (replaced(**PLAIN, compression="lzf"), ["with filters"]),
        (replaced(shape=(1 << 40, 1 << 10), dtype="f4", chunks=(1 << 10, 1)), ["chunked"]),
        (replaced(**NOT_STORED), ["is not wholly in the file"]),
        (replaced(shape=(1 << 40,), dtype="f4"), ["not wholly in the file"]),
        (replaced(data=np.ones((16, 1, 18), "f4")), ["vars/0 must have the shape (16, 1, 17)",
                                                     "Received: (16, 1, 18)"]),
        (replaced(data=np.float32(1)), ["must have the shape"]),
        (replaced(data=np.ones(KERNEL_SHAPE, "i4")), ["must hold float16, bfloat16, float32"]),
        (replaced(data=np.ones(KERNEL_SHAPE, "c8")), ["must hold float16"]),
        (replaced(data=np.ones(KERNEL_SHAPE, "V2")), ["two bytes of another type"]),
        (replaced(data=np.ones(KERNEL_SHAPE, [("a", "f4")])), ["must hold float16"]),
        (replaced(shape=KERNEL_SHAPE, dtype=h5py.vlen_dtype("f4")), ["must hold float16"]),
        (replaced(shape=KERNEL_SHAPE, dtype=h5py.string_dtype()), ["must hold float16"]),
        (replaced(shape=KERNEL_SHAPE, dtype=h5py.ref_dtype), ["must hold float16"]),
        (replaced(data=h5py.Empty("f4")), ["no shape that is read here"]),
        (replaced(data=np.full(KERNEL_SHAPE, np.nan, "f4")), ["NaN or infinity"]),
        (replaced(data=np.full(KERNEL_SHAPE, np.inf, "f2")), ["NaN or infinity"]),
        (renamed("back"), ["holds the weights of layer 'back', where the configuration has"]),
        (renamed(3), ["the attribute 'name' is no single string"]),
        (renamed(["front", "back"]), ["the attribute 'name' is no single string"]),
        (added, ["must hold 2 variables of layer 'front'", "['0', '1', '2']"]),
        (emptied, ["must hold 2 variables of layer 'front'", "[]"]),
        (subgroup, ["an object is not an array"]),
        (as_array, ["not a group as Keras writes it"]),
    ],
)  # fmt: skip
def test_weights(change: Callable[[h5py.Group], None], texts: list[str]) -> None:
    refused(changed(change), "model.weights.h5: ", *texts)


def test_formats_that_keras_does_not_write() -> None:
    refused(changed(unchanged, libver="latest"), "no HDF5 file with a superblock of")
    refused(changed(unchanged, userblock_size=512), "model.weights.h5: ")
    refused(archive(sequential(stft_node()), b""), "model.weights.h5: ")
    data = weights_file({LAYER: ("front", kernels(1))})
    refused(archive(sequential(stft_node()), data[:-1]), "where", "should be")


def test_weights_of_no_layer() -> None:
    refused(archive(sequential(stft_node()), {}), "layers/stft_spectrogram/vars must hold 2")
    swapped = {LAYER: ("b", kernels(1)), f"{LAYER}_1": ("a", kernels(2))}
    refused(archive(functional(stft_node("a"), stft_node("b")), swapped), "of layer 'b'")


def test_a_name_that_is_not_unique_in_a_class_of_others() -> None:
    model = sequential(holder("x", stft_node("a")))
    both = {"layers/holder/p": ("a", kernels(1)), "layers/holder/q": ("a", kernels(2))}
    refused(archive(model, both), "not Keras' own, and 2 groups there bear its name")
    refused(archive(model, {}), "not Keras' own, and 0 groups")
    outside = {"layers/other/p": ("a", kernels(1)), "layers/holder": ("holder", [])}
    refused(archive(model, outside), "and 0 groups", "specfast.from_keras")


def test_circles_and_shared_groups_end() -> None:
    def circle(file: h5py.File) -> None:
        file["layers/holder/loop"] = file["layers"]
        file["layers/holder/again"] = file["layers/holder/p"]

    variables = {"layers/holder/p": ("a", kernels(1)), "layers/x": ("x", [])}
    data = weights_file(variables, circle)
    layers = specfast.load_keras(archive(sequential(holder("k", stft_node("a"))), data))
    assert list(layers) == ["a"]


# ---- Anything at all ---------------------------------------------------------------------------


def damage(data: bytes, draw: random.Random) -> bytes:
    """Bits flipped, bytes set to an extreme, a piece cut out, doubled, or the end cut off."""
    result = bytearray(data)
    for _ in range(draw.choice([1, 1, 2, 8])):
        at = draw.randrange(len(result)) if result else 0
        end = at + draw.randrange(1, 64)
        match draw.randrange(6):
            case 0:
                del result[at:]
            case 1:
                del result[at:end]
            case 2:
                result[at:at] = result[at:end]
            case 3:
                result[at : at + 1] = draw.choice([b"\0", b"\xff", b"\x80", b"9"])
            case _ if result:
                result[at] ^= 1 << draw.randrange(8)
    return bytes(result)


def outcome(stream: io.BytesIO) -> bool:
    """Whether the file was read, in bounded time; an error not announced is passed on."""
    start = time.process_time()
    try:
        specfast.load_keras(stream)
    except KerasFileError:
        return False
    finally:
        assert time.process_time() - start < 10
    return True


@pytest.mark.filterwarnings("ignore")  # what zipfile and odd lengths warn of
@pytest.mark.parametrize("part", ["archive", "config.json", "model.weights.h5"])
def test_damaged_files(part: str) -> None:
    """Behind the checksum too: the members are damaged before they are packed."""
    draw = random.Random(part)
    inner = sequential(stft_node("a"), name="inner")
    model = functional(inner, holder("x", stft_node("b")), mel_node())
    content = {
        "config.json": json.dumps(model).encode(),
        "model.weights.h5": weights_file(
            {"layers/sequential/" + LAYER: ("a", kernels(1)), "layers/holder/y": ("b", kernels(2))}
        ),
    }
    assert outcome(archive(content["config.json"], content["model.weights.h5"]))
    num_read = 0
    for _ in range(600):
        if part == "archive":
            whole = archive(content["config.json"], content["model.weights.h5"])
            num_read += outcome(io.BytesIO(damage(whole.getvalue(), draw)))
        else:
            changed = content | {part: damage(content[part], draw)}
            num_read += outcome(archive(changed["config.json"], changed["model.weights.h5"]))
    # Some damage is harmless, or this would not reach what comes after the first check.
    assert 0 < num_read < 600


def test_a_forged_length_that_hangs_the_hdf5_library() -> None:
    variables = {LAYER: ("front", kernels(1)), "layers/holder/a": ("x", kernels(2))}
    data = bytearray(weights_file(variables))
    heap = data.index(b"GCOL")
    data[heap + 24] = 255  # the size of its first string; the next would be among zeros
    start = time.process_time()
    model = functional(stft_node(), holder("a", stft_node("x")))
    refused(archive(model, bytes(data)), "no string 2 in the heap")
    assert time.process_time() - start < 1


def test_the_largest_configuration_takes_little_time() -> None:
    start, end = b'{"class_name": "A", "config": {"layers": [', b"0]}}"
    assert outcome(archive(start + b"[]," * 500_000 + end))
    assert outcome(archive(start + b'"' + b'\\"' * 8_000_000 + b'",' + end))


def test_one_array_for_many_layers_is_not_read_for_each() -> None:
    def link(file: h5py.File) -> None:
        for number in range(1, 5):
            file[f"{LAYER}_{number}"] = file[LAYER]

    model = functional(*[stft_node(f"a{number}") for number in range(5)])
    file = weights_file({LAYER: (None, kernels(1))}, link)
    refused(archive(model, file), "its arrays together are larger than the file")


def test_arrays_that_are_only_declared_take_no_memory() -> None:
    shape = (1 << 18, 1, (1 << 17) + 1)
    file = weights_file({}, lambda file: file.create_dataset(f"{LAYER}/vars/0", shape, "f4"))
    model = archive(sequential(stft_node(frame_length=1 << 18, fft_length=1 << 18)), file)
    tracemalloc.start()
    try:
        refused(model, "must hold 2 variables")
        assert tracemalloc.get_traced_memory()[1] < 64 << 20
    finally:
        tracemalloc.stop()
