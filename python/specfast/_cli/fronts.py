# SPDX-License-Identifier: BSD-3-Clause
"""The front ends of models, which `--front` puts in the place of all settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from specfast._cli.errors import Failed, WrongUse, failures, refusals
from specfast._cli.jobs import (
    Job,
    Result,
    deliver,
    make_layer,
    output_of,
    prepared,
    read_recording,
    reported_warnings,
)
from specfast._plot.charts import chart_of
from specfast._spec import preset_specs
from specfast._spec.feature_spec import FeatureSpec
from specfast.front_files import read_front
from specfast.layers import FeatureExtractor

__all__ = ["frequencies_of", "front_end", "fronts", "run_front"]


def fronts() -> dict[str, str]:
    """Returns what is known of each front end with a name."""
    return {name: _described(preset_specs.spec(name)) for name in preset_specs.names()}


def _described(spec: FeatureSpec) -> str:
    step = 1000 * spec.hop_length * spec.join_frames / spec.sampling_rate
    kind = "cepstra" if spec.num_cepstra is not None else "rows"
    return f"{spec.sampling_rate:g} Hz, {spec.num_rows} {kind} every {step:.4g} ms"


# ---- The front end ---------------------------------------------------------------------------


def front_end(front: str, settings: Mapping[str, Any]) -> FeatureExtractor:
    """Returns the front end of that name, or the one that a file describes.

    Args:
        front: What --front says.
        settings: What else was set, which must be nothing.

    Raises:
        WrongUse: Something was, or there is no such name.
        Failed: The file cannot be read, or describes no front end.
    """
    for name, value in settings.items():
        flag = f"--{'no-' if value is False else ''}{name.replace('_', '-')}"
        raise WrongUse(
            f"--front {front} states all settings, so {flag} contradicts it: leave one of them out"
        )
    return make_layer(FeatureExtractor, {"spec": _spec_of(front)})


def _spec_of(front: str) -> FeatureSpec:
    if preset_specs.is_known(front):
        with refusals():
            return preset_specs.spec(front)
    if preset_specs.means_file(front):
        return _read_file(front)
    near = preset_specs.nearest(front)
    meant = f"did you mean {near!r}? " if near else ""
    raise WrongUse(
        f"--front {front!r} is no file and no front end with a name; {meant}`specfast fronts` "
        "lists the names"
    )


def _read_file(path: str) -> FeatureSpec:
    """Returns the specification of the front end that a file describes."""
    try:
        with reported_warnings():
            return read_front(path)
    except OSError as error:
        raise Failed(f"cannot read {path!r}: {error.strerror or error}") from error
    except ValueError as error:
        raise Failed(f"cannot read {error}") from error


# ---- One recording -----------------------------------------------------------------------------


def run_front(job: Job, settings: dict[str, Any], *, front: str) -> None:
    """Writes the features of a recording.

    Args:
        job: See `Job`.
        settings: Must be empty.
        front: What --front says.

    Raises:
        WrongUse, Failed: See there; Failed also if the recording has another rate than the front
            end, or too few samples for a frame.
    """
    job, kind = prepared(job)
    with failures():
        extractor = front_end(front, settings)
        spec = extractor.spec
        recording = read_recording(job)
        if recording.rate != spec.sampling_rate:
            raise Failed(
                f"--front {front} is for {spec.sampling_rate:g} Hz, and {job.source!r} has "
                f"{recording.rate} Hz: resample the recording first"
            )
        # One channel is one signal; several are a batch of signals, read in place.
        signals = recording.samples.T
        values = output_of(
            extractor, signals[0] if len(signals) == 1 else signals, job.num_threads
        )
        num_samples = len(recording.samples)
        if values.size == 0:
            raise Failed(
                f"{job.source!r} is too short: --front {front} makes no frame of its "
                f"{num_samples} samples"
            )
        result = _result(front, extractor, values, num_samples)
        deliver(job, kind, recording, result)


def _result(front: str, extractor: FeatureExtractor, values: Any, num_samples: int) -> Result:
    spec, chart = extractor.spec, chart_of(extractor, None, "channel")
    num_frames = values.shape[-2 if spec.layout == "frames_first" else -1]
    return Result(
        name="features",
        values=values,
        layer=type(extractor).__name__,
        config=spec.to_json(),
        times=extractor.times(num_frames, num_samples=num_samples),
        frequencies=frequencies_of(extractor),
        chart=replace(chart, title=f"{Path(front).name}, {spec.num_rows} rows"),
    )


def frequencies_of(extractor: FeatureExtractor) -> Any:
    """Returns the frequency of each row in Hz; None where they have none that is known."""
    return extractor.frequencies() if extractor.has_frequencies else None
