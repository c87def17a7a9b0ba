# SPDX-License-Identifier: BSD-3-Clause
"""Which golden values there are: the name of an input and the arguments of a layer, as JSON."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

import oracle
import signals

Case = tuple[str, dict[str, Any]]


def inputs() -> dict[str, npt.NDArray[Any]]:
    """Inputs by name: [batch, samples, channels] or [batch, channels, samples], and clips."""
    noise = signals.noise(1200, seed=1)
    stereo = noise.reshape(1, 600, 2)
    voice = signals.speech_like(9000, seed=2)[5000:]
    quiet_and_loud = signals.quiet_and_loud(700, seed=3)
    return {
        "noise": noise[:600].reshape(1, 600, 1),
        "stereo": stereo,
        "stereo_first": np.swapaxes(stereo, 1, 2).copy(),
        "batch": signals.noise(2 * 150, seed=4).reshape(2, 150, 1),
        "chirp": signals.chirp(600).reshape(1, 600, 1),
        "long_frame": signals.noise(4096, seed=5).reshape(1, 4096, 1),
        "silence": np.zeros((1, 100, 1), np.float32),
        **{f"length_{n}": noise[:n].reshape(1, n, 1) for n in (1, 5, 511, 512, 513)},
        "clip": voice,
        "quiet_and_loud": quiet_and_loud,
        "rank_3": signals.noise(2 * 2 * 300, seed=6).reshape(2, 2, 300),
        "integers": np.rint(20000.0 * voice[:1000]).astype(np.int16),
        "silent_clip": np.zeros(300, np.float32),
        **{f"clip_{n}": noise[:n] for n in (1, 2, 100, 128, 129, 447, 448, 449)},
    }


def stft() -> list[Case]:
    short = {"frame_length": 64, "frame_step": 24, "fft_length": 128}
    cases: list[Case] = [
        ("noise", {"mode": mode, "padding": padding, **short})
        for mode in oracle.STFT_MODES
        for padding in ("valid", "same")
    ]
    for mode in ("log", "stft"):
        for name, data_format in (
            ("stereo", "channels_last"),
            ("stereo_first", "channels_first"),
        ):
            for expand_dims in (False, True):
                layout = {"data_format": data_format, "expand_dims": expand_dims}
                cases.append((name, {"mode": mode, "frame_length": 50, **layout}))
    for scaling in ("density", "spectrum", None):
        arguments = {"mode": "magnitude", "frame_length": 64, "scaling": scaling}
        cases.append(("chirp", {**arguments, "window": "hamming", "periodic": True}))
    cases += [
        ("batch", {"mode": "magnitude", "frame_length": 48, "window": window})
        for window in (*oracle.WINDOW_NAMES, None)
    ]
    ramp = [0.125 * n for n in range(1, 17)]
    cases.append(("batch", {"mode": "psd", "frame_length": 16, "window": ramp}))
    for frame, length in ((31, 31), (30, 31), (97, 97), (100, 100), (61, 127), (7, 7)):
        arguments = {"frame_length": frame, "fft_length": length}
        cases.append(("batch", {"mode": "stft", **arguments}))
    cases += [
        (f"length_{n}", {"mode": "magnitude", "padding": padding})
        for n in (511, 512, 513)
        for padding in ("valid", "same")
    ]
    cases += [
        ("length_1", {"mode": "stft", "padding": "same", "frame_length": 20}),
        ("length_5", {"mode": "psd", "padding": "same", "frame_length": 20, "frame_step": 3}),
        ("batch", {"mode": "real", "frame_length": 10, "frame_step": 1}),
        ("chirp", {"mode": "log"}),
        ("chirp", {"mode": "angle", "frame_length": 100, "window": "boxcar"}),
        ("silence", {"mode": "log", "frame_length": 32}),
        ("silence", {"mode": "angle", "frame_length": 32}),
        ("long_frame", {"mode": "magnitude", "frame_length": 4096}),
        ("batch", {"mode": "stft", "frame_length": 50, "dtype": "float64"}),
        ("batch", {"mode": "log", "frame_length": 33, "fft_length": 33, "dtype": "float64"}),
    ]
    return cases


def mel() -> list[Case]:
    small = {"fft_length": 256, "sequence_stride": 64, "num_mel_bins": 24}
    cases: list[Case] = [
        ("clip", {}),
        ("clip", small),
        ("clip", {**small, "power_to_db": False}),
        ("clip", {**small, "sequence_length": 200}),
        ("clip", {**small, "sequence_length": 201, "window": "hamming"}),
        ("clip", {**small, "sequence_length": 200, "window": None}),
        ("clip", {"fft_length": 16, "num_mel_bins": 4, "window": [0.25 * n for n in range(16)]}),
        ("clip", {**small, "mag_exp": 1.0, "power_to_db": False}),
        ("clip", {**small, "mag_exp": 0.5}),
        ("clip", {**small, "top_db": 20.0}),
        ("clip", {**small, "ref_power": 30.0, "min_power": 1e-3}),
        ("clip", {**small, "ref_power": 0.0}),
        ("clip", {**small, "sampling_rate": 22050, "min_freq": 0.0}),
        ("clip", {**small, "sampling_rate": 8000, "max_freq": 3400.5}),
        ("clip", {**small, "max_freq": 0}),
        ("clip", {**small, "sequence_stride": 300}),
        ("clip", {"fft_length": 64, "num_mel_bins": 40, "power_to_db": False}),
        ("clip", {**small, "dtype": "float64"}),
        ("clip", {**small, "dtype": "float16"}),
        ("integers", small),
        ("rank_3", small),
        ("quiet_and_loud", small),
        ("quiet_and_loud", {**small, "top_db": 40.0}),
        ("silent_clip", small),
    ]
    cases += [
        ("rank_3", {"fft_length": length, "sequence_stride": 50, "num_mel_bins": 8})
        for length in (255, 251, 100)
    ]
    cases += [(f"clip_{n}", small) for n in (1, 2, 100, 128, 129, 447, 448, 449)]
    return cases
