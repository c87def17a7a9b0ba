# SPDX-License-Identifier: BSD-3-Clause
"""Where frequencies lie among the rows of a frame, and what other rows are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from specfast._spec import axes
from specfast._spec.feature_spec import FeatureSpec

FloatArray = npt.NDArray[np.float64]

_DELTAS = ("", "deltas", "deltas of deltas")


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows of a frame: one block, or several that hold the same rows.

    Attributes:
        label: what an axis of them is called.
        hertz: the frequency of each row of a block, rising; NaN where there is none.
        edges: the frequencies at which the row below the first band and the one above the last
            would lie; None: unknown.
        names: what rows without a frequency are, by their number in a block.
        blocks: the names of the blocks.
    """

    label: str
    hertz: FloatArray
    edges: tuple[float, float] | None = None
    names: dict[int, str] = field(default_factory=dict)
    blocks: tuple[str, ...] = ("",)

    @property
    def count(self) -> int:
        """How many rows a frame has."""
        return len(self.hertz) * len(self.blocks)

    @property
    def has_hertz(self) -> bool:
        """Whether rows have frequencies."""
        return bool(np.isfinite(self.hertz).any())

    def starts(self) -> Iterator[int]:
        """Yields the first row of each block."""
        yield from range(0, self.count, len(self.hertz))

    def row_of(self, hertz: npt.ArrayLike) -> FloatArray:
        """Returns where frequencies lie among the rows of a block; NaN: beyond them.

        At the frequencies of rows it is exact; between them rows are even in HTK's mel.
        """
        knots, rows = self._knots()
        mel = axes.hertz_to_mel(np.asarray(hertz, np.float64))
        return np.interp(mel, axes.hertz_to_mel(knots), rows, np.nan, np.nan)

    def hertz_of(self, row: npt.ArrayLike) -> FloatArray:
        """Returns the frequencies of places among the rows of a block; NaN: they have none."""
        knots, rows = self._knots()
        return np.interp(np.asarray(row, np.float64), rows, knots, np.nan, np.nan)

    def _knots(self) -> tuple[FloatArray, FloatArray]:
        rows = np.flatnonzero(np.isfinite(self.hertz))
        hertz = self.hertz[rows]
        if self.edges is None:
            return hertz, rows.astype(np.float64)
        low, high = self.edges
        outer = np.array([rows[0] - 1, *rows, rows[-1] + 1], np.float64)
        return np.array([low, *hertz, high]), outer


def rows_of_spec(spec: FeatureSpec, hertz: FloatArray | None) -> Rows:
    """Returns the rows of a specification.

    Args:
        spec: the specification.
        hertz: the frequencies of all rows; None: unknown.
    """
    size = spec.num_static_rows
    edges = None
    if hertz is None:
        own, label = np.full(size, np.nan), "band" if spec.energy is None else "row"
        if spec.num_cepstra is not None:
            label = "cepstral coefficient"
    else:
        own, label = hertz[:size], "frequency (Hz)"
        if spec.mode == "stft":  # of which magnitudes are drawn
            own = own[: spec.num_bins]
        elif spec.mode == "mel":
            label, edges = "frequency (Hz), mel scale", (spec.min_freq, spec.max_freq)
    names = {} if spec.energy is None else {0: "energy"}
    return Rows(label, own, edges, names, tuple(_block_names(spec)))


def _block_names(spec: FeatureSpec) -> Iterator[str]:
    for number in range(spec.join_frames):
        frame = f"frame {number + 1} of {spec.join_frames}" if spec.join_frames > 1 else ""
        for deltas in _DELTAS[: spec.delta_order + 1]:
            yield ", ".join(filter(None, [frame, deltas]))
