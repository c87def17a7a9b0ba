# SPDX-License-Identifier: BSD-3-Clause
"""The compiled engine, as Python sees it."""

from typing import Any, final

import numpy as np
import numpy.typing as npt

@final
class Plan:
    """A transform with everything that does not depend on the samples; immutable.

    Shared freely between threads. Not picklable: the layers pickle their configuration.
    """

    @property
    def num_bins(self) -> int: ...
    @property
    def is_analytic(self) -> bool: ...
    @property
    def kernels(self) -> list[npt.NDArray[Any]] | None: ...
    def num_frames(self, num_samples: int) -> int: ...
    def __call__(
        self,
        x: npt.NDArray[Any],
        out: npt.NDArray[Any] | None = None,
        num_threads: int = 0,
        scale: float = 0.0,
    ) -> npt.NDArray[Any]: ...
    def call_keeping(
        self, x: npt.NDArray[Any], num_threads: int = 0
    ) -> tuple[npt.NDArray[Any], npt.NDArray[Any] | None]: ...
    def pull_back(
        self,
        x: npt.NDArray[Any],
        cotangent: npt.NDArray[Any],
        signal: bool,
        weights: bool,
        num_threads: int = 0,
        kept: npt.NDArray[Any] | None = None,
    ) -> tuple[npt.NDArray[Any] | None, list[npt.NDArray[Any]]]: ...

@final
class Stream:
    """A signal piece by piece; used by one thread at a time. Keeps its plan alive."""

    def __init__(
        self,
        plan: Plan,
        num_channels: int,
        max_rule: str,
        max_db: float,
        num_samples: int,
    ) -> None: ...
    @property
    def latency_samples(self) -> int: ...
    def push(self, x: npt.NDArray[Any], scale: float = 0.0) -> npt.NDArray[Any]: ...
    def flush(self) -> npt.NDArray[Any]: ...
    def reset(self) -> None: ...
    def save(self) -> bytes: ...
    def load(self, state: bytes) -> None: ...

def stft_plan(
    *,
    mode: str,
    frame_length: int,
    hop: int,
    fft_length: int,
    window: npt.NDArray[np.float64] | None,
    scaling: str | None,
    padding: str,
    channels_last: bool,
    expand_dims: bool,
    epsilon: float,
    dtype: str,
    kernels: list[npt.NDArray[Any]] | None = None,
    rounding: float = 0.0,
) -> Plan: ...
def stft_kernels(
    *,
    mode: str,
    frame_length: int,
    fft_length: int,
    window: npt.NDArray[np.float64] | None,
    scaling: str | None,
) -> list[npt.NDArray[np.float64]]: ...
def mel_plan(
    *,
    fft_length: int,
    hop: int,
    frame_length: int,
    window: npt.NDArray[np.float64] | None,
    sampling_rate: float,
    num_mel_bins: int,
    min_freq: float,
    max_freq: float,
    power_to_db: bool,
    top_db: float | None,
    top_db_scope: str,
    mag_exp: float,
    min_power: float,
    ref_power: float,
    dtype: str,
) -> Plan: ...
def window(name: str, length: int, periodic: bool) -> npt.NDArray[np.float64]: ...
def window_names() -> list[str]: ...
def mel_weights(
    num_mel_bins: int,
    num_spectrogram_bins: int,
    sampling_rate: float,
    lower_edge_hertz: float,
    upper_edge_hertz: float,
) -> npt.NDArray[np.float64]: ...
def build_info() -> dict[str, Any]: ...
def set_num_threads(num_threads: int) -> None: ...
def get_num_threads() -> int: ...
