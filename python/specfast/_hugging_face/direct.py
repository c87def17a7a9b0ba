# SPDX-License-Identifier: BSD-3-Clause
"""DirectCalls: usual calls without the copies that the originals make around features."""

from __future__ import annotations

import inspect
import sys
from abc import abstractmethod
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np

from specfast._hugging_face import padding
from specfast._hugging_face.drop_in import DropIn, original_of
from specfast._hugging_face.padding import Array

# The arguments of usual calls; all others must have their defaults.
_ARGUMENTS = frozenset({"sampling_rate", "return_tensors", "return_attention_mask"})


class DirectCalls(DropIn):
    """The base of classes whose originals spend on copies of samples what features cost here."""

    __slots__ = ()

    # More arguments than those of all usual calls that `_direct` knows.
    _arguments: frozenset[str] = frozenset()
    # Whether the original pads clips as rows of samples, rather than as columns.
    _pads_rows = False

    def __call__(self, raw_speech: Any, *args: Any, **kwargs: Any) -> Any:
        """As the class of transformers."""
        clips = [*raw_speech] if isinstance(raw_speech, list | tuple) else [raw_speech]
        is_usual = (
            not args
            and all(self._is_usual(name, value) for name, value in kwargs.items())
            and kwargs.get("sampling_rate") == self.sampling_rate
            and (self.padding_side, self.padding_value) == ("right", 0)
            and (self.feature_size > 1) != self._pads_rows
            and bool(clips)
            and all(map(_is_clip, clips))
        )
        data = self._direct(clips, kwargs) if is_usual else None
        if data is None:
            return super().__call__(raw_speech, *args, **kwargs)  # type: ignore[misc]
        kind, torch = kwargs.get("return_tensors"), sys.modules.get("torch")
        if kind == "pt" and torch is not None:
            # As BatchFeature, whose code is out of the cache behind the engine: a tenth of a call.
            arrays = {name: value for name, value in data.items() if type(value) is np.ndarray}
            data |= {name: torch.from_numpy(value) for name, value in arrays.items()}
            kind = None if all(map(torch.is_tensor, data.values())) else kind
        return self.original_module().BatchFeature(data, tensor_type=kind)

    def _is_usual(self, name: str, value: Any) -> bool:
        """Returns whether `_direct` knows an argument of a call, or it has its default."""
        if name in _ARGUMENTS or name in self._arguments:
            return True
        default = _defaults(original_of(type(self))).get(name, inspect.Parameter.empty)
        return type(value) is type(default) and bool(value == default)

    @abstractmethod
    def _direct(self, clips: list[Array], call: Mapping[str, Any]) -> dict[str, Any] | None:
        """Returns what a call with default arguments returns; None to leave it to the original.

        Args:
            clips: at least one, each float32 [samples] and not empty.
            call: the arguments beside the clips, those of usual calls and of `_arguments`.
        """

    def original_module(self) -> Any:
        """Returns the module of transformers that defines the original."""
        return sys.modules[original_of(type(self)).__module__]


def as_one(clips: list[Array], length: int) -> Array:
    """Returns clips cut or padded with zeros to one length, [clips, length]."""
    if len(clips) == 1 and len(clips[0]) == length:
        return clips[0][None]
    result: Array = padding.columns(clips, length, "right", 0.0)[..., 0]
    return result


@cache
def _defaults(cls: type) -> dict[str, Any]:
    """Returns the defaults of a call of a class by the names of its arguments."""
    parameters = inspect.signature(cls.__call__).parameters
    return {name: parameter.default for name, parameter in parameters.items()}


def _is_clip(x: Any) -> bool:
    """Returns whether this is a clip [samples] of float32, and not empty."""
    return type(x) is np.ndarray and x.dtype == np.float32 and x.ndim == 1 and len(x) > 0
