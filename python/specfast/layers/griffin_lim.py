# SPDX-License-Identifier: BSD-3-Clause
"""GriffinLim: signals from the magnitudes of short-time Fourier transforms."""

from __future__ import annotations

from typing import Any

from specfast._engine.arrays import Array
from specfast._engine.phase_search import PhaseSearch, SearchArguments, checked_arguments
from specfast._spec import checks, html
from specfast.layers.inverse import ISTFT


class GriffinLim:
    """Signals whose short-time Fourier transforms have given magnitudes.

    Phases begin at random. Each iteration transforms back and forward again, and gives the
    magnitudes the phases of `rebuilt - momentum / (1 + momentum) * rebuilt_before` (D. Griffin,
    J. Lim, Signal Estimation from Modified Short-Time Fourier Transform, 1984; N. Perraudin,
    P. Balazs, P. Sondergaard, A Fast Griffin-Lim Algorithm, 2013), as librosa and torchaudio do.
    The result does not depend on threads or on the other signals of a call; the phases at the
    beginning are those of the seed, and of no other library.

    Args:
        istft: the inverse of the transform: its framing, window, layout, dtype and padding.
        num_iterations: how often phases are improved, at least 1.
        momentum: 0 to 1; 0 is the algorithm of 1984.
        seed: 0 to 2^64 - 1, decides on the phases at the beginning.
        pad_mode: what a forward transform with padding "center" or "sides" puts around the signal:
            "constant" (zeros), "reflect", "edge" or "symmetric"; other paddings have zeros only.
        num_threads: threads for calls. None: the global setting.

    Raises:
        TypeError: if `istft` is no ISTFT, or a value is of a wrong type.
        ValueError: if a value is out of its range; for an odd `fft_length` with
            `exact_fft_length`, of which there is no forward transform.

    Example:
        >>> import numpy as np
        >>> from specfast import ISTFT, GriffinLim, STFTSpectrogram
        >>> magnitude = STFTSpectrogram(mode="magnitude", frame_length=512, frame_step=128)
        >>> x = np.sin(0.1 * np.arange(8192, dtype=np.float32))[None, :, None]
        >>> griffin_lim = GriffinLim(ISTFT(frame_length=512, frame_step=128, padding="center"))
        >>> griffin_lim(magnitude(x)).shape
        (1, 7680, 1)
    """

    def __init__(
        self,
        istft: ISTFT,
        *,
        num_iterations: int = 32,
        momentum: float = 0.99,
        seed: int = 0,
        pad_mode: str = "constant",
        num_threads: int | None = None,
    ) -> None:
        if not isinstance(istft, ISTFT):
            raise TypeError(f"`istft` must be an ISTFT. {checks.received('istft', istft)}")
        if istft.exact_fft_length and istft.pipeline.arguments.num_points % 2:
            raise ValueError(
                "`istft` must not have an odd `fft_length` with exact_fft_length=True, which has "
                f"no forward transform here. {checks.received('istft', istft)}"
            )
        arguments = checked_arguments(
            {
                "num_iterations": num_iterations,
                "momentum": momentum,
                "seed": seed,
                "pad_mode": pad_mode,
                "num_threads": num_threads,
            }
        )
        self._istft = istft
        self._search = PhaseSearch(istft.pipeline, arguments)

    @property
    def istft(self) -> ISTFT:
        """The inverse of the transform."""
        return self._istft

    @property
    def num_iterations(self) -> int:
        """How often phases are improved."""
        return self._search.arguments.num_iterations

    def __call__(
        self, magnitudes: Any, *, length: int | None = None, out: Array | None = None
    ) -> Array:
        """Returns signals of magnitudes.

        Args:
            magnitudes: not negative, float16, float32 or float64. With the layout "layer" of
                `istft`, what an `STFTSpectrogram` with mode "magnitude" returns; else
                [..., bins, frames] or [..., frames, bins]. Never written to.
            length: samples of each signal, as in a call of `istft`.
            out: written to and returned, if given; as in a call of `istft`.

        Returns:
            The signals, of the shape that a call of `istft` returns.

        Raises:
            TypeError: for magnitudes or an `out` of a wrong type or dtype.
            ValueError: for a wrong shape, magnitudes that are negative or not finite, a `length`
                that cannot be, or an unfit `out`.
            MemoryError: if there is no room for the result.
        """
        return self._search.run(magnitudes, length, out)

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (self.istft, vars(self._search.arguments))

    def __repr__(self) -> str:
        shown = "".join(f", {name}={value!r}" for name, value in self._changed().items())
        return f"GriffinLim({self.istft!r}{shown})"

    def _repr_html_(self) -> str:
        rows = {"istft": repr(self.istft), **vars(self._search.arguments)}
        return html.table("GriffinLim", rows.items(), self._changed())

    def _changed(self) -> dict[str, Any]:
        """Returns the arguments that differ from their defaults."""
        usual = vars(SearchArguments())
        arguments = vars(self._search.arguments)
        return {name: value for name, value in arguments.items() if value != usual[name]}


def _restored(istft: ISTFT, arguments: dict[str, Any]) -> GriffinLim:
    return GriffinLim(istft, **arguments)
