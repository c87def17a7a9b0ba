# SPDX-License-Identifier: BSD-3-Clause
"""The compiled engine, as Python sees it."""

from collections.abc import Sequence
from typing import Any, final

import numpy as np
import numpy.typing as npt

@final
class Config:
    """The settings of a plan: each field begins with the default of the Keras layer of `mode`.

    Setting a field raises TypeError for a value of another type, and ValueError for an unknown
    name. Ranges, and whether the values go together, are checked where a configuration is used.
    Fields from `num_mel_bins` on are for mode "mel", `scaling` and `epsilon` for the others. The
    window has `frame_length` values, and a plan copies them; it is never implied: None is none.
    """

    def __init__(self, mode: str) -> None: ...
    @property
    def mode(self) -> str: ...
    dtype: str
    frame_length: int
    hop: int
    fft_length: int
    padding: str
    scaling: str | None
    window: npt.NDArray[np.float64] | None
    epsilon: float
    num_mel_bins: int
    sampling_rate_hz: float
    min_freq_hz: float
    max_freq_hz: float
    mag_exp: float
    level: str
    top_db_scope: str | None
    top_db: float
    min_power: float
    ref_power: float
    pad_mode: str
    pad_length: int
    frame_span: int
    drop_frames: int
    masked_frames: int
    pad_value: float
    input_gain: float
    remove_dc: int
    energy: str | None
    energy_floor: float
    preemphasis_rule: str | None
    preemphasis: float
    power_offset: float
    mel_scale: str
    mel_triangles: str
    mel_norm: str | None
    num_cepstra: int
    dct_is_orthonormal: int
    lifter: float
    mel_weights: npt.NDArray[np.float64] | None
    row_gain: npt.NDArray[np.float64] | None
    row_offset: npt.NDArray[np.float64] | None
    normalization: str | None
    normalization_ddof: int
    normalization_epsilon: float
    pcen: int
    pcen_gain: float
    pcen_bias: float
    pcen_power: float
    pcen_smoothing: float
    pcen_epsilon: float
    delta_order: int
    delta_window: int

@final
class Plan:
    """A transform with everything that does not depend on the samples; immutable.

    Shared freely between threads. Not picklable: the layers pickle their configuration.

    `layout` names the axes of input and output:
        "flat_channels_last": (batch, samples, channels) to (batch, frames, channels * rows)
        "flat_channels_first": (batch, channels, samples) to (batch, channels * rows, frames)
        "image_channels_last": (batch, samples, channels) to (batch, frames, rows, channels)
        "image_channels_first": (batch, channels, samples) to (batch, channels, frames, rows)
        "any_rank": (..., samples) to (..., rows, frames)
        "any_rank_frames_first": (..., samples) to (..., frames, rows)
    `kernels` are trained kernels of shape (frame_length, 1, bins), two of one dtype, or one in the
    modes "real" and "imag"; `rounding` is the machine epsilon of the type they were computed in.
    """

    def __init__(
        self,
        config: Config,
        layout: str,
        *,
        kernels: list[npt.NDArray[Any]] | None = None,
        rounding: float = 0.0,
    ) -> None: ...
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
    def call_clips(
        self,
        clips: list[npt.NDArray[Any]],
        leading: tuple[int, ...],
        num_frames: int,
        out: npt.NDArray[Any] | None = None,
        num_threads: int = 0,
        scale: float = 0.0,
        num_channels: int = 1,
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

@final
class Unmixing:
    """From the energies of bands back to bins; immutable, shared by threads."""

    def __init__(self, config: Config) -> None: ...
    def __call__(
        self,
        energies: npt.NDArray[Any],
        bins: npt.NDArray[Any],
        num_iterations: int,
        num_threads: int = 0,
    ) -> None:
        """Writes to `bins` [signals, frames, bins]; `energies` are [signals, frames, bands]."""

@final
class Inverse:
    """An inverse transform; immutable, shared by threads.

    Spectra are two arrays of one shape [batch, channels, frames, bins] and the same strides, the
    real and the imaginary parts, in the dtype of the configuration.
    """

    def __init__(
        self, config: Config, phase_origin: int = 0, keeps_odd_length: bool = False
    ) -> None: ...
    def num_samples(self, num_frames: int) -> int:
        """Returns the usual length of so many frames, or -1 where there is none."""

    def max_samples(self, num_frames: int) -> int:
        """Returns how many samples so many frames reach."""

    def lost_samples(self, num_frames: int, num_samples: int) -> tuple[int, int]:
        """Returns how many samples at the beginning and at the end are in no frame."""

    def __call__(
        self,
        real: npt.NDArray[Any],
        imag: npt.NDArray[Any],
        signal: npt.NDArray[Any],
        num_threads: int = 0,
    ) -> None:
        """Writes the samples of every signal to `signal` [batch, channels, samples]."""

    def pull_back(
        self,
        cotangent: npt.NDArray[Any],
        real: npt.NDArray[Any],
        imag: npt.NDArray[Any],
        num_threads: int = 0,
    ) -> None:
        """Writes the gradient of the spectra, from that of the samples, to `real` and `imag`."""

@final
class InverseStream:
    """A signal of an inverse, frame by frame; used by one thread at a time.

    Keeps its inverse alive. num_samples: the length of the signal, or -1.
    """

    def __init__(self, inverse: Inverse, num_channels: int, num_samples: int) -> None: ...
    @property
    def delay_samples(self) -> int: ...
    def push(self, real: npt.NDArray[Any], imag: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Takes [1, channels, frames, bins] and returns [channels, samples]."""

    def flush(self) -> npt.NDArray[Any]: ...
    def reset(self) -> None: ...
    def save(self) -> bytes: ...
    def load(self, state: bytes) -> None: ...

@final
class GriffinLim:
    """Griffin-Lim for one transform; immutable, shared by threads."""

    def __init__(
        self, config: Config, num_iterations: int = 32, momentum: float = 0.99, seed: int = 0
    ) -> None: ...
    def num_samples(self, num_frames: int) -> int:
        """Returns the usual length of so many frames, or -1 where there is none."""

    def __call__(
        self, magnitudes: npt.NDArray[Any], signal: npt.NDArray[Any], num_threads: int = 0
    ) -> None:
        """Writes the samples of magnitudes [batch, channels, frames, bins] to `signal`.

        `signal` is [batch, channels, samples], and both are of the dtype of the configuration.
        """

@final
class DevicePlan:
    """A plan for a device; immutable, shared by threads and streams.

    `plan` is that of the same configuration on the CPU, which knows frames and axes. RuntimeError
    where the device or its library is missing or fails.
    """

    def __init__(
        self, config: Config, plan: Plan, device: int, workspace_bytes: int = 0
    ) -> None: ...
    def execute(
        self,
        x: int,
        shape: Sequence[int],
        strides: Sequence[int],
        dtype: str,
        out: int,
        out_dtype: str,
        stream: int,
        scale: float = 0.0,
    ) -> None:
        """Puts the computation of an array into a stream, and does not wait for it.

        `x` and `out` are addresses, `strides` are in bytes, and the output is contiguous.
        """

@final
class DeviceMemory:
    """Memory of a device, freed with the object, and after that what it `keeps`.

    `fill` and `read` copy a C-contiguous array there and back: they wait for the work in the
    stream, and until they are done.
    """

    def __init__(self, device: int, num_bytes: int) -> None: ...
    @property
    def address(self) -> int: ...
    keeps: Any
    def fill(self, values: npt.NDArray[Any], stream: int) -> None: ...
    def read(self, values: npt.NDArray[Any], stream: int) -> None: ...

@final
class DlpackArray:
    """The array of a DLPack capsule, which it takes and gives back at its end.

    `strides` are in bytes, `device` is DLPack's kind and number.
    """

    def __init__(self, capsule: Any) -> None: ...
    @property
    def address(self) -> int: ...
    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def strides(self) -> tuple[int, ...]: ...
    @property
    def dtype(self) -> str: ...
    @property
    def device(self) -> tuple[int, int]: ...
    @property
    def is_read_only(self) -> bool: ...

def to_dlpack(
    address: int,
    shape: Sequence[int],
    dtype: str,
    kind: int,
    device: int,
    owner: object,
    versioned: bool,
) -> Any:
    """Returns a DLPack capsule with a contiguous array, which keeps `owner` alive."""

def load_backend(path: str | None) -> None:
    """Loads the library of a backend; None: by the name that the dynamic linker may know.

    Raises RuntimeError where it cannot be loaded, and ValueError after another path.
    """

def device_info(device: int) -> dict[str, Any]:
    """Returns what a device and its libraries are; RuntimeError where there is none."""

def wait_for_stream(device: int, stream: int) -> None: ...
def window(name: str, length: int, periodic: bool) -> npt.NDArray[np.float64]: ...
def window_names() -> list[str]: ...
def mel_weights(
    num_mel_bins: int,
    num_spectrogram_bins: int,
    sampling_rate: float,
    lower_edge_hertz: float,
    upper_edge_hertz: float,
) -> npt.NDArray[np.float64]: ...
def empty_bands(
    num_mel_bins: int,
    num_spectrogram_bins: int,
    sampling_rate: float,
    lower_edge_hertz: float,
    upper_edge_hertz: float,
) -> npt.NDArray[np.bool_]:
    """Returns which bands no bin has a part in, [num_mel_bins]: columns of `mel_weights` of zeros.

    Raises ValueError as `mel_weights`.
    """

def empty_bands_of(config: Config) -> npt.NDArray[np.bool_]:
    """Does the same for the bands of a configuration of mode "mel"."""

def analytic_weights(config: Config) -> list[npt.NDArray[np.float64]]: ...
def frequencies(config: Config) -> npt.NDArray[np.float64]:
    """Returns the frequency of each row in Hz: of a bin, or the peak of a band.

    In mode "stft" the bins come twice. What matters of a spectrogram is `fft_length` and its
    `sampling_rate_hz`, which must be set; of mode "mel" `num_mel_bins`, `min_freq_hz` and
    `max_freq_hz`. Raises ValueError where a plan of this configuration would.
    """

def hertz_to_mel(hz: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Returns the place of frequencies in Hz on the mel scale, on which bands are evenly spaced.

    The num_mel_bins + 2 edges of the bands divide the range from min_freq_hz to max_freq_hz evenly
    there: band b rises from edge b, has its peak at edge b + 1 and falls to edge b + 2. The result
    has the shape of `hz`.
    """

def mode_names() -> list[str]:
    """Returns the modes of STFTSpectrogram, in the order of the C ABI."""

def build_info() -> dict[str, Any]: ...
def set_num_threads(num_threads: int) -> None: ...
def get_num_threads() -> int: ...
