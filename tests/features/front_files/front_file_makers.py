# SPDX-License-Identifier: BSD-3-Clause
"""Writes files that describe front ends, as the tests need them."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml


def json_file(folder: Path, values: Any, name: str = "preprocessor_config.json") -> Path:
    """Writes values as JSON and returns the path."""
    path = folder / name
    path.write_text(json.dumps(values, indent=2), "utf-8")
    return path


def nemo_text(preprocessor: Mapping[str, Any]) -> str:
    """Returns a configuration of NeMo, around its section `preprocessor`."""
    model = {
        "sample_rate": 16000,
        "preprocessor": dict(preprocessor),
        "encoder": {"feat_in": 80, "att_context_size": [-1, -1]},
        "labels": ["<unk>", "▁t", "'", "no"],
    }
    return yaml.safe_dump(model, sort_keys=False, allow_unicode=True)


def yaml_file(folder: Path, preprocessor: Mapping[str, Any]) -> Path:
    """Writes model_config.yaml and returns its path."""
    path = folder / "model_config.yaml"
    path.write_text(nemo_text(preprocessor), "utf-8")
    return path


def tar_bytes(members: Mapping[str, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    """Returns a tar archive of these members, with times that need a pax header."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=form) as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(content), 1.5
            archive.addfile(info, io.BytesIO(content))
    return stream.getvalue()


def nemo_file(folder: Path, members: Mapping[str, bytes], *, packed: bool = False) -> Path:
    """Writes a .nemo file and returns its path."""
    content = tar_bytes(members)
    path = folder / "model.nemo"
    path.write_bytes(gzip.compress(content, 1) if packed else content)
    return path


def kaldi_file(folder: Path, options: Mapping[str, str], name: str = "fbank.conf") -> Path:
    """Writes options of Kaldi, with comments as its recipes have them, and returns the path."""
    lines = [f"--{key}={value}   # why" for key, value in options.items()]
    path = folder / Path(name).name
    path.write_text("\n".join(["# what this is for", "", *lines, ""]), "utf-8")
    return path
