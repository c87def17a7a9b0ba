# SPDX-License-Identifier: BSD-3-Clause
"""Features in, a recording out: what `specfast sound` does."""

from __future__ import annotations

import io
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from specfast._cli import wav
from specfast._cli.errors import Failed, WrongUse, failures, refusals
from specfast._cli.fronts import front_end
from specfast._cli.input import STANDARD_INPUT, check_source, opened, read_standard_input
from specfast._cli.jobs import make_layer, reported_warnings
from specfast._cli.one_file import check_output_is_one_file
from specfast._cli.output import report, standard_output
from specfast._cli.target import check_target, is_standard_output, write_whole
from specfast._engine.build import set_num_threads
from specfast._spec.feature_spec import FeatureSpec
from specfast.layers import FeatureExtractor, MelSpectrogram, MelToSound
from specfast.layers.specs import spec_of_layer

__all__ = ["ENCODINGS", "SoundJob", "run_sound"]

ENCODINGS = tuple(wav.ENCODINGS)
_MAX_CHANNELS = 65535  # of a WAV file
_RANGE = 1e-8  # of the loudest band, as an energy: what the distance takes into account


@dataclass(frozen=True)
class SoundJob:
    """The request of `specfast sound`.

    Attributes:
        source: Path of an .npy file, or "-" for standard input.
        output: Path of the WAV file, or "-" for standard output.
        force: Whether `output` may be replaced.
        encoding: A key of ENCODINGS.
        iterations: How often phases are improved.
        seed: Decides on the phases at the beginning.
        length: Samples of the recording; None: as usual for so many frames.
        statistics: Path of an .npz file with `mean` and `deviation`; None: there are none.
        num_threads: None: the default of the package.
        quiet: Whether to leave out the report on standard error.
    """

    source: str
    output: str
    force: bool
    encoding: str
    iterations: int
    seed: int
    length: int | None
    statistics: str | None
    num_threads: int | None
    quiet: bool


def run_sound(job: SoundJob, settings: dict[str, Any], *, front: str | None) -> None:
    """Writes the recording that features stand for.

    Args:
        job: See `SoundJob`.
        settings: Arguments of MelSpectrogram, with `sampling_rate`; empty with a front end.
        front: What --front says; None: it was not given.

    Raises:
        WrongUse, Failed: See there.
    """
    _check(job)
    with failures():
        spec = _spec(front, settings)
        rate = spec.sampling_rate
        if rate != int(rate):
            raise Failed(f"a WAV file has a whole number of samples per second, not {rate:g}")
        features = _read_features(job.source)
        statistics = {} if job.statistics is None else _read_statistics(job.statistics)
        check_target(job.output, force=job.force, source=job.source)
        with refusals(), reported_warnings():
            if job.num_threads is not None:
                set_num_threads(job.num_threads)
            to_sound = MelToSound(spec, num_iterations=job.iterations, seed=job.seed)
            _check_fits(job, features)
            magnitudes = to_sound.magnitudes(features, **statistics)
            _check_energies(job, magnitudes)
            samples = to_sound.from_magnitudes(magnitudes, job.length)
            closeness = None
            if not job.quiet:
                energies = to_sound.energies(features, **statistics)
                closeness = _closeness(to_sound, magnitudes, energies, samples)
        if samples.shape[-1] == 0:
            raise Failed(f"{job.source!r} holds no frame that sound could be made of")
        _write(job, samples, rate)
        if closeness is not None:
            report(_summary(job, samples, rate, closeness))


def _check(job: SoundJob) -> None:
    to_pipe = job.output == "-" or is_standard_output(job.output)
    if to_pipe and sys.stdout is not None and sys.stdout.isatty():
        raise WrongUse("-o '-': standard output is a terminal and WAV is not text; redirect it")
    if not to_pipe and Path(job.output).suffix.lower() not in (".wav", ""):
        raise WrongUse(
            f"-o {job.output!r}: unknown suffix {Path(job.output).suffix!r}; accepted: .wav"
        )
    check_output_is_one_file(job.output, job.source, "wav")
    check_source(job.source, "features")


def _spec(front: str | None, settings: dict[str, Any]) -> FeatureSpec:
    if front is not None:
        return front_end(front, settings).spec
    if "sampling_rate" not in settings:
        raise WrongUse("without --front, --sampling-rate must be given: an .npy file has none")
    layer = make_layer(MelSpectrogram, settings)
    with refusals():
        return spec_of_layer(layer)


# ---- Reading -----------------------------------------------------------------------------------


def _read_features(source: str) -> npt.NDArray[Any]:
    try:
        if source == STANDARD_INPUT:
            values = np.lib.format.read_array(read_standard_input(), allow_pickle=False)
        else:
            with opened(source) as stream:
                values = np.lib.format.read_array(stream, allow_pickle=False)
    # NumPy's own words are about pickles and magic strings.
    except (ValueError, EOFError, OSError) as error:
        raise Failed(f"{source!r} is no .npy file with an array of numbers") from error
    return values


def _read_statistics(path: str) -> dict[str, npt.NDArray[Any]]:
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in ("mean", "deviation")}
    except (KeyError, ValueError, EOFError, OSError, AttributeError, TypeError) as error:
        raise Failed(
            f"--statistics {path!r} is no .npz file with the arrays 'mean' and 'deviation'"
        ) from error


def _check_fits(job: SoundJob, features: npt.NDArray[Any]) -> None:
    shape = " x ".join(map(str, features.shape))
    if features.ndim not in (2, 3) or (features.ndim == 3 and len(features) > _MAX_CHANNELS):
        raise WrongUse(
            f"{job.source!r} must hold (rows, frames) or (frames, rows), or one of these for each "
            f"channel; it holds {shape} {features.dtype}"
        )
    if features.dtype.kind == "f" and not np.isfinite(features).all():
        place = tuple(map(int, np.argwhere(~np.isfinite(features))[0]))
        raise WrongUse(f"{job.source!r} must be finite; it holds {features[place]} at {place}")


def _check_energies(job: SoundJob, magnitudes: npt.NDArray[Any]) -> None:
    if not np.isfinite(magnitudes).all():
        raise WrongUse(
            f"{job.source!r} must hold levels of energies below the largest {magnitudes.dtype}"
        )


# ---- How near the result comes -----------------------------------------------------------------


def _closeness(
    to_sound: MelToSound,
    magnitudes: npt.NDArray[Any],
    energies: npt.NDArray[Any],
    samples: npt.NDArray[Any],
) -> tuple[float, float]:
    """Returns the spectral convergence, and the mean distance of the bands in dB.

    Args:
        to_sound: What has made the samples.
        magnitudes, energies: What the features stand for.
        samples: The recording that was made.
    """
    wanted = magnitudes.astype(np.float64)
    plain = MelToSound(
        to_sound.spec.replace(normalization=None, masked_frames=0, join_frames=1),
        num_iterations=1,
    )
    extractor = FeatureExtractor(plain.spec)
    again = plain.energies(extractor(samples))
    found = to_sound.filtered_magnitudes(samples).astype(np.float64)
    frames = min(wanted.shape[-1], found.shape[-1], again.shape[-1])
    wanted, found = wanted[..., :frames], found[..., :frames]
    size = float(np.linalg.norm(wanted))
    convergence = float(np.linalg.norm(found - wanted)) / size if size else 0.0
    floor = max(float(energies.max(initial=0)) * _RANGE, sys.float_info.min)
    levels = [10 * np.log10(np.maximum(e[..., :frames], floor)) for e in (energies, again)]
    distance = float(np.abs(levels[0] - levels[1]).mean()) if frames else 0.0
    return convergence, distance


# ---- Writing -----------------------------------------------------------------------------------


def _write(job: SoundJob, samples: npt.NDArray[Any], rate: float) -> None:
    channels = samples if samples.ndim == 2 else samples[np.newaxis]
    if job.encoding == "pcm16":
        peak = float(np.abs(channels).max())
        if peak > 1:
            report(
                f"Warning: samples reach {peak:.3g} and are clipped at 1; --encoding float32 "
                "keeps them"
            )

    def write(stream: BinaryIO) -> None:
        wav.write(stream, channels.T, int(rate), job.encoding)

    if job.output == "-" or is_standard_output(job.output):
        whole = io.BytesIO()
        write(whole)
        with standard_output() as output:
            output.buffer.write(whole.getbuffer())
    else:
        write_whole(job.output, write, force=job.force)


def _summary(
    job: SoundJob, samples: npt.NDArray[Any], rate: float, closeness: tuple[float, float]
) -> str:
    name = "standard output" if job.output == "-" else job.output
    count = samples.shape[-1]
    return (
        f"{name}: {count / rate:.2f} s, {rate:g} Hz, {samples.size // count} channel"
        f"{'' if samples.ndim == 1 else 's'}, {job.encoding}; spectral convergence "
        f"{closeness[0]:.4f}, bands {closeness[1]:.2f} dB from those of the input on average"
    )
