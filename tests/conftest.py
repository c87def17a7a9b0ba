# SPDX-License-Identifier: BSD-3-Clause
"""Fixtures for every test, and the marker of those that need Keras."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

import signals

Signal = npt.NDArray[np.float32]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "keras: compares with an installed Keras (make parity)")


@pytest.fixture(scope="session")
def _recording() -> Signal:
    samples = signals.recording()
    samples.flags.writeable = False
    return samples


@pytest.fixture
def recording(_recording: Signal) -> Signal:
    """float32 [samples]: real speech, 16 kHz, read-only (imitated where there is no file)."""
    return _recording


@pytest.fixture
def noise() -> Signal:
    """float32 [4000]: white noise of unit power."""
    return signals.noise(4000)


@pytest.fixture
def chirp() -> Signal:
    """float32 [4000]: a sweep over most of the spectrum."""
    return signals.chirp(4000)


@pytest.fixture
def silence() -> Signal:
    """float32 [4000]: zeros."""
    return signals.silence(4000)


@pytest.fixture
def quiet_and_loud() -> Signal:
    """float32 [2, 4000]: a clip 70 dB below its neighbour."""
    return signals.quiet_and_loud(4000)
