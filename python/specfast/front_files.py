# SPDX-License-Identifier: BSD-3-Clause
"""Reads the files in which other programs describe their front ends.

Files are untrusted: docs/front-files.md says what is read, what is refused and which bounds apply.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from specfast._front_file import documents, hugging_face, kaldi, nemo, nemo_archive, vocoder
from specfast._front_file import limits as _limits
from specfast._front_file import yaml_text as _yaml_text
from specfast._front_file.errors import DitherWarning, FrontFileError, KerasFileFound
from specfast._spec import checks as _checks
from specfast._spec.feature_spec import FeatureSpec, field_names
from specfast.keras_files import load_keras
from specfast.layers.features import FeatureExtractor
from specfast.layers.specs import spec_of_layer

__all__ = ["DitherWarning", "FrontFileError", "load_front", "read_front"]

# Where they are public.
DitherWarning.__module__ = __name__
FrontFileError.__module__ = __name__

_ZIP_MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
_KERAS_WEIGHTS = "model.weights.h5"
_OWN_FORMAT = "specfast.FeatureSpec"
_START_BYTES = 512
# Files of a folder that may describe a front end, the first one wins, as in transformers.
_IN_FOLDERS = (*hugging_face.FILES, nemo.FILE, vocoder.FILE)


def load_front(
    path: str | os.PathLike[str],
    *,
    kind: str | None = None,
    num_threads: int | None = None,
    **overrides: Any,
) -> FeatureExtractor:
    """Returns the front end that a file describes.

    Args:
        path: a file or a folder as `read_front` takes it.
        kind: as there.
        num_threads: threads for a call; None: the global setting.
        overrides: fields of FeatureSpec, which get these values whatever the file says.

    Warns, raises: as `read_front`; EmptyBandsWarning as FeatureExtractor.
    """
    spec = read_front(path, kind=kind, **overrides)
    return FeatureExtractor(spec, num_threads=num_threads)


def read_front(
    path: str | os.PathLike[str], *, kind: str | None = None, **overrides: Any
) -> FeatureSpec:
    """Returns the specification of the front end that a file describes.

    Args:
        path: preprocessor_config.json or processor_config.json of Hugging Face; a .nemo file or
            model_config.yaml of NeMo; an option file of Kaldi; config.json of HiFi-GAN or BigVGAN;
            or what `FeatureSpec.to_json` wrote. The content decides, not the name. Also a folder
            that holds one of the files with these names, and a model of Keras that holds just one
            layer of this package.
        kind: "fbank" or "mfcc", for an option file of Kaldi that does not say what it is for.
        overrides: fields of FeatureSpec, which get these values whatever the file says.

    Warns:
        DitherWarning: (a UserWarning) if an option file of Kaldi asks for noise.

    Raises:
        FrontFileError: (a ValueError) if the file is none of these, is broken, goes beyond a
            limit, or says something that specfast does not know or cannot compute exactly.
        OSError: if the file cannot be opened.
        ImportError: if PyYAML is missing for a configuration of NeMo, or SciPy for a window.
        TypeError: if `path` is no path, or an override no field.
        ValueError: for a value of an override, or of `kind`, that is out of its range.
    """
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"`path` must be the path of a file. {_checks.received('path', path)}")
    if kind is not None:
        _checks.choice("kind", kind, kaldi.KINDS)
    for name in overrides:
        if name not in field_names():
            raise TypeError(f"`{name}` is no field of FeatureSpec, so it overrides nothing")
    try:
        file = _file(Path(path))
        with _as_front_file_error(file):
            spec = _read(file, kind, overrides)
    except KerasFileFound:
        with _as_front_file_error(Path(path)):
            spec = _of_keras(path)
    return spec.replace(**overrides) if overrides else spec


def _of_keras(path: str | os.PathLike[str]) -> FeatureSpec:
    layers = load_keras(path)
    if len(layers) != 1:
        raise ValueError(
            "a model of Keras must hold one STFTSpectrogram or MelSpectrogram to be a front end, "
            f"this one holds {len(layers)}: take one of those that specfast.load_keras returns"
        )
    return spec_of_layer(*layers.values())


@contextmanager
def _as_front_file_error(path: Path) -> Iterator[None]:
    """Turns what readers raise about the content of a file into errors that name the file."""
    try:
        yield
    except FrontFileError:
        raise
    except (ValueError, TypeError, RecursionError, OverflowError) as error:
        reason = str(error) or type(error).__name__
        raise FrontFileError(path, reason) from error


def _file(path: Path) -> Path:
    """Returns the file to read: the path, or the file in a folder that describes a front end."""
    if not path.is_dir():
        with _as_front_file_error(path):
            documents.check_regular(path)
        return path
    if (path / vocoder.FILE).is_file() and (path / _KERAS_WEIGHTS).is_file():
        raise KerasFileFound(path)
    found = [path / name for name in _IN_FOLDERS if (path / name).is_file()]
    if len(found) > 1 and found[0].name == hugging_face.FILES[0]:
        with _as_front_file_error(found[0]):
            values = documents.parse_json(documents.text(found[0]))
        if not isinstance(values, dict) or hugging_face.section(values) is None:
            del found[0]  # as old files, it says nothing of the feature extractor
    if not found:
        raise FrontFileError(path, f"a folder that holds none of {', '.join(_IN_FOLDERS)}")
    return found[0]


def _read(path: Path, kind: str | None, overridden: Collection[str]) -> FeatureSpec:
    start = documents.start(path, _START_BYTES)
    if start.startswith(_ZIP_MAGIC):
        raise KerasFileFound(path)
    if nemo_archive.is_archive(start):
        content = nemo_archive.config(path)
        _refuse_kind(kind)
        return nemo.read(
            _yaml_text.parse(documents.decoded(content, _yaml_text.MAX_BYTES)), overridden
        )
    text = documents.text(path)
    if text.lstrip().startswith("{"):
        _refuse_kind(kind)
        return _of_json(documents.parse_json(text), overridden)
    is_yaml = path.suffix in (".yaml", ".yml")
    if not is_yaml and kaldi.is_options(text):
        return kaldi.read(text, path.name, kind, overridden)
    _refuse_kind(kind)
    if not is_yaml and "preprocessor" not in text:
        raise ValueError(
            "not the description of a front end: neither JSON, nor YAML of NeMo, nor options of "
            "Kaldi"
        )
    if len(text) > _yaml_text.MAX_BYTES:
        raise ValueError(f"more than {_yaml_text.MAX_BYTES} bytes are no configuration of NeMo")
    return nemo.read(_yaml_text.parse(text), overridden)


def _of_json(values: Any, overridden: Collection[str]) -> FeatureSpec:
    """Returns the specification of a JSON object, whose keys say what it is."""
    if values.get("format") == _OWN_FORMAT:
        _limits.check(values)
        return _limits.within(FeatureSpec.from_dict(values))
    section: Mapping[str, Any] | None = hugging_face.section(values)
    if section is not None:
        return hugging_face.read(section, overridden)
    if all(key in values for key in vocoder.SIGNS):
        return vocoder.read(values, overridden)
    raise ValueError(
        "JSON that describes no front end: neither `feature_extractor_type` of Hugging Face, nor "
        f"{', '.join(vocoder.SIGNS)} of a vocoder, nor the format {_OWN_FORMAT}" + _hint(values)
    )


def _hint(values: Mapping[str, Any]) -> str:
    if "model_type" in values:
        return "; it configures a model, whose front end is in preprocessor_config.json beside it"
    if "image_processor_type" in values:
        return "; it configures images"
    return ""


def _refuse_kind(kind: str | None) -> None:
    if kind is not None:
        raise ValueError(f"`kind` is for option files of Kaldi only. Received: kind={kind!r}")
