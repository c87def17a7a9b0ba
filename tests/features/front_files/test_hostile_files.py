# SPDX-License-Identifier: BSD-3-Clause
"""Files that are broken or meant to harm get one error, soon and without much memory."""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import random
import re
import sys
import tarfile
import time
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import front_file_makers as makers
import published
import pytest
import yaml

import archives
import keras_models
import specfast
from specfast._front_file import yaml_text
from specfast.front_files import FrontFileError, read_front
from specfast.layers.specs import spec_of_layer

SECONDS = 20  # many times what any of these takes on a slow machine
BYTES = 400 << 20


def refused(path: Path, message: str) -> None:
    """Asserts that a file is refused so, in little time and memory."""
    tracemalloc.start()
    start = time.perf_counter()
    try:
        with pytest.raises(FrontFileError, match=message):
            read_front(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert time.perf_counter() - start < SECONDS
    assert peak < BYTES


# ---- Text --------------------------------------------------------------------------------------

JSON_TEXTS = {
    "empty": (b"", "empty"),
    "blank": (b"\xef\xbb\xbf \n", "empty"),
    "not-utf8": (b'{"feature_extractor_type": "\xff"}', "not text in UTF-8.*at byte 28"),
    "utf16": ('{"a": 1}'.encode("utf-16"), "not text in UTF-8"),
    "prose": (b"Dear reader", "not the description of a front end"),
    "binary": (bytes(range(1, 256)) * 10, "not text in UTF-8"),
    "zeros": (bytes(4096), "not the description of a front end|a tar archive without"),
    "list": (b"[1, 2]", "not the description of a front end"),
    "cut-off": (b'{"feature_size": 8', "not JSON"),
    "more-behind": (b'{"feature_size": 8} {}', "not JSON"),
    "nan": (b'{"feature_size": NaN}', "NaN is no number of JSON"),
    "infinity": (b'{"feature_size": -Infinity}', "-Infinity is no number of JSON"),
    "twice": (b'{"feature_size": 8, "feature_size": 9}', "`feature_size` is there twice"),
    "digits": (b'{"feature_size": ' + b"9" * 5000 + b"}", "an integer of 5000 digits"),
    "deep": (b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested too deeply"),
    "wide": (b'{"a": [' + b"[]," * 200_000 + b"[]]}", "more than 131072 lists"),
    "long": (b'{"a": "' + b"x" * (16 << 20) + b'"}', "more than 16777216 bytes"),
    "huge-number": (
        b'{"feature_extractor_type": "WhisperFeatureExtractor", "n_fft": 1e308}',
        "n_f",
    ),
}


@pytest.mark.parametrize(("content", "message"), JSON_TEXTS.values(), ids=JSON_TEXTS)
def test_json(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "preprocessor_config.json"
    path.write_bytes(content)
    refused(path, message)


YAML_TEXTS = {
    "no-section": ("a: 1", "YAML without a section `preprocessor`"),
    "list": ("- 1", "YAML without a section `preprocessor`"),
    "scalar": ("preprocessor", "YAML without a section `preprocessor`"),
    "section-is-text": ("preprocessor: x", "YAML without a section `preprocessor`"),
    "unclosed": ("preprocessor: [1", "not YAML"),
    "tag": ("preprocessor: !!python/object/apply:os.system [true]", "YAML with a tag"),
    "tag-of-scalar": ("preprocessor: !!int '1:1:1'", "YAML with a tag"),
    "twice": ("preprocessor: {a: 1, a: 2}", "`a` is there twice"),
    "list-as-key": ("preprocessor: {[1]: 2}", "a list or a dictionary as a key"),
    "two-documents": ("a: 1\n---\nb: 2", "YAML of 2 documents"),
    "alias-of-list": ("a: &a [1]\npreprocessor: *a", "which is no single value"),
    "alias-of-nothing": ("preprocessor: *a", "not YAML|which is no single value"),
    "merge": ("a: &a {b: 1}\npreprocessor:\n  <<: *a", "which is no single value"),
    "deep": ("preprocessor: " + "[" * 50_000, "nested too deeply|nesting depth"),
    "wide": ("preprocessor: [" + "1," * 200_000 + "1]", "YAML of more than [0-9]+ values"),
    "long": ("preprocessor: " + "x" * (2 << 20), "more than 2097152 bytes"),
    "control": ("preprocessor: \x01", "not YAML"),
}


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize(("text", "message"), YAML_TEXTS.values(), ids=YAML_TEXTS)
def test_yaml(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, message: str, compiled: bool
) -> None:
    """With libyaml and without it, as PyYAML may be installed either way."""
    if not compiled:
        monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
        monkeypatch.setattr(yaml_text, "MAX_EVENTS", 1 << 12)  # it is ten times slower
    path = tmp_path / "model_config.yaml"
    path.write_text(text, "utf-8")
    refused(path, message)


def test_yaml_without_pyyaml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = makers.yaml_file(tmp_path, published.NEMO_PARAKEET)
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(ImportError, match=re.escape("pip install specfast[nemo]")):
        read_front(path)


def test_laughs_of_yaml(tmp_path: Path) -> None:
    """Lists of aliases of lists of aliases, a billion values in a few hundred bytes."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 10)]
    path = tmp_path / "model_config.yaml"
    path.write_text("\n".join([*lines, "preprocessor: *a9"]))
    refused(path, "which is no single value")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("--a=1\n" * 2, "`--a` is there twice"),
        ("".join(f"--a{i}=1\n" for i in range(1001)), "line 1001 is no option"),
        ("--", "`` is a key that specfast does not know"),
        ("--num-mel-bins=" + "9" * 1_000_000, "`num-mel-bins` must be an integer"),
        ("--num-mel-bins=" + "9" * 300, "`num-mel-bins` must be an integer between"),
    ],
)
def test_options(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "fbank.conf"
    path.write_text(text)
    refused(path, message)


# ---- Archives ----------------------------------------------------------------------------------

CONFIG = makers.nemo_text(published.NEMO_PARAKEET).encode()


def _with_size(size: int) -> bytes:
    """Returns an archive whose first header promises so many bytes."""
    archive = bytearray(makers.tar_bytes({"weights": b"x"}, tarfile.USTAR_FORMAT))
    archive[124:136] = b"%011o\0" % size
    archive[148:156] = b" " * 8
    archive[148:156] = b"%06o\0 " % sum(archive[:512])
    return bytes(archive)


ARCHIVES: dict[str, tuple[bytes, str]] = {
    "without": (makers.tar_bytes({"weights": b"x"}), "a tar archive without model_config.yaml"),
    "elsewhere": (makers.tar_bytes({"a/model_config.yaml": CONFIG}), "a tar archive without"),
    "above": (makers.tar_bytes({"../model_config.yaml": CONFIG}), "a tar archive without"),
    "large": (
        makers.tar_bytes({"model_config.yaml": bytes(3 << 20)}),
        "a member of a tar archive has 3145728 bytes",
    ),
    "cut-off": (makers.tar_bytes({"model_config.yaml": CONFIG})[:1700], "ends within a member"),
    "skips-beyond": (_with_size(8**11 - 1), "ends within a member"),
    "second-header": (
        makers.tar_bytes({"weights": b"x" * 512}, tarfile.USTAR_FORMAT)[:1024] + b"x" * 512,
        "a broken tar archive",
    ),
    "broken-gzip": (gzip.compress(bytes(5000))[:40], "broken gzip|a tar archive without"),
    "gzip-of-text": (gzip.compress(b"preprocessor: 1\n" * 100), "a broken tar archive"),
    "members": (
        makers.tar_bytes({f"{i}": b"" for i in range(10_001)}, tarfile.USTAR_FORMAT)
        + makers.tar_bytes({"model_config.yaml": CONFIG}),
        "a tar archive without",
    ),
}


@pytest.mark.parametrize(("content", "message"), ARCHIVES.values(), ids=ARCHIVES)
def test_archives(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "model.nemo"
    path.write_bytes(content)
    refused(path, message)


def test_bomb_of_gzip(tmp_path: Path) -> None:
    """A member of 500 MB that needs half a megabyte: what is unpacked is bounded."""
    header = _with_size(500 << 20)[:512]
    path = tmp_path / "model.nemo"
    with gzip.open(path, "wb", 9) as stream:
        stream.write(header)
        for _ in range(500):
            stream.write(bytes(1 << 20))
    refused(path, "gzip that grows to more than 4 times its size")


def test_links_are_not_followed(tmp_path: Path) -> None:
    """A member of that name that is a link to a file on this machine is no configuration."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE):
            info = tarfile.TarInfo("model_config.yaml")
            info.type, info.linkname = kind, "/etc/hostname"
            archive.addfile(info)
    path = tmp_path / "model.nemo"
    path.write_bytes(stream.getvalue())
    refused(path, "a tar archive without model_config.yaml")


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
def test_every_form_of_tar_is_read(tmp_path: Path, form: int) -> None:
    """Long names, and pax headers for times, stand before a member."""
    members = {"w" * 150 if form != tarfile.USTAR_FORMAT else "w": b"x" * 700}
    path = tmp_path / "model.nemo"
    path.write_bytes(makers.tar_bytes({**members, "model_config.yaml": CONFIG}, form))
    assert read_front(path).num_mel_bins == 128


def test_size_in_a_pax_header(tmp_path: Path) -> None:
    """A member of more than 8 GiB has its size there, and nought in its header."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
        info = tarfile.TarInfo("weights")
        info.pax_headers = {"size": "600"}
        archive.addfile(info)
        stream.write(bytes(1024))
        info = tarfile.TarInfo("model_config.yaml")
        info.size = len(CONFIG)
        archive.offset = stream.tell()
        archive.addfile(info, io.BytesIO(CONFIG))
    path = tmp_path / "model.nemo"
    path.write_bytes(stream.getvalue())
    assert read_front(path).num_mel_bins == 128


# ---- What is no file ---------------------------------------------------------------------------


def test_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_front(tmp_path / "preprocessor_config.json")
    with pytest.raises(FrontFileError, match="a folder that holds none of processor_config.json"):
        read_front(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    refused(tmp_path / "pipe", "not a regular file")
    refused(Path("/dev/zero"), "not a regular file")
    with pytest.raises(TypeError, match="`path` must be the path of a file"):
        read_front(3)  # type: ignore[arg-type]


def test_models_of_keras(tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    path.write_bytes(archives.archive(keras_models.sequential(keras_models.mel_node())).getvalue())
    layer = specfast.load_keras(path)["mel"]
    assert read_front(path) == spec_of_layer(layer)
    assert specfast.load_front(path, num_mel_bins=7).spec.num_mel_bins == 7
    both = keras_models.sequential(keras_models.mel_node(), keras_models.mel_node("other"))
    path.write_bytes(archives.archive(both).getvalue())
    refused(path, "must hold one STFTSpectrogram or MelSpectrogram.*holds 2")


def test_broken_models_of_keras(tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", "{}")
    refused(path, "cannot read .*config.json")
    folder = tmp_path / "folder"
    folder.mkdir()
    makers.json_file(folder, {}, "config.json")
    (folder / "model.weights.h5").write_bytes(b"")
    refused(folder, "cannot read")


# ---- Damage at random --------------------------------------------------------------------------


def _json(folder: Path) -> Path:
    return makers.json_file(folder, published.GEMMA3N)


def _yaml(folder: Path) -> Path:
    return makers.yaml_file(folder, published.NEMO_HIFIGAN)


def _archive(folder: Path) -> Path:
    return makers.nemo_file(folder, {"weights": b"x" * 600, "model_config.yaml": CONFIG})


def _packed(folder: Path) -> Path:
    return makers.nemo_file(folder, {"model_config.yaml": CONFIG}, packed=True)


def _options(folder: Path) -> Path:
    return makers.kaldi_file(folder, published.KALDI["aspire/s5/conf/fbank.conf"])


@pytest.mark.parametrize("make", [_json, _yaml, _archive, _packed, _options])
def test_damage(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    """Of 400 files with bytes changed or cut off, each is read or refused with that error."""
    rng = random.Random(7)
    path = make(tmp_path)
    content = path.read_bytes()
    for _ in range(400):
        damaged = bytearray(content)
        for _ in range(rng.randint(1, 4)):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        if rng.random() < 0.3:
            del damaged[rng.randrange(len(damaged)) :]
        path.write_bytes(damaged)
        with contextlib.suppress(FrontFileError):
            read_front(path)
