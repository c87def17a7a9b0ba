# SPDX-License-Identifier: BSD-3-Clause
"""Writes what Keras itself computes, for tests/layers/test_golden.py and for the demo.

    python tests/golden/make_golden.py          # tests/golden/*.npz and examples/demo_golden.npz
    python tests/golden/make_golden.py --demo   # only the latter

Needs Keras with the JAX backend and SciPy (`make golden` has them). Each file holds its inputs,
so that it does not depend on a random generator, and the versions that made it. Signals are
synthetic: no recording is copied.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import warnings
from pathlib import Path
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import numpy as np

FOLDER = Path(__file__).resolve().parent
EXAMPLES = FOLDER.parents[1] / "examples"
sys.path.insert(0, str(FOLDER.parent / "support"))

import cases  # noqa: E402

import signals  # noqa: E402


def versions() -> dict[str, str]:
    import jax
    import keras
    import scipy

    return {
        "keras": keras.__version__,
        "backend": keras.backend.backend(),
        "jax": jax.__version__,
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "machine": platform.machine(),
    }


def run(layer: str, arguments: dict[str, Any], x: Any) -> Any:
    """The result of the Keras layer as a NumPy array."""
    import jax
    import keras

    # Without this, JAX has no float64 at all; with it, float32 is still float32.
    jax.config.update("jax_enable_x64", arguments.get("dtype") == "float64")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="`fft_length` is recommended")
        result = getattr(keras.layers, layer)(**arguments)(x)
    return np.asarray(keras.ops.convert_to_numpy(result))


def write(path: Path, arrays: dict[str, Any]) -> None:
    np.savez_compressed(path, versions=np.array(json.dumps(versions())), **arrays)
    print(f"{path.name}: {path.stat().st_size} bytes")


def write_layer(path: Path, layer: str, todo: list[tuple[str, dict[str, Any]]]) -> None:
    inputs = cases.inputs()
    arrays: dict[str, Any] = {"cases": np.array(json.dumps(todo))}
    for number, (name, arguments) in enumerate(todo):
        arrays[f"x_{name}"] = inputs[name]
        arrays[f"y_{number}"] = run(layer, arguments, inputs[name])
    write(path, arrays)


def rounded(values: Any, step: float) -> Any:
    """Multiples of a power of two: trailing zero bits compress away."""
    return (np.rint(values.astype(np.float64) / step) * step).astype(np.float32)


def write_demo(recording: Path) -> None:
    """Both layers with their defaults on the demo's recording, rounded to make the file small.

    Half a step is 1.2e-4 dB in "mel", and 1.5e-5 of a magnitude in "stft_log": below what Keras'
    own values are off by.
    """
    if not recording.exists():
        raise SystemExit(f"{recording} does not exist; examples/make_speech.py makes it")
    x = signals.read_wav(recording)
    mel = run("MelSpectrogram", {}, x)
    stft = run("STFTSpectrogram", {}, x[np.newaxis, :, np.newaxis])[0]
    arrays = {"mel": rounded(mel, 2.0**-12), "stft_log": rounded(stft, 2.0**-15)}
    write(EXAMPLES / "demo_golden.npz", arrays)


def main() -> None:
    parser = argparse.ArgumentParser(description="Write golden values from Keras.")
    parser.add_argument("--demo", action="store_true", help="only examples/demo_golden.npz")
    options = parser.parse_args()
    if not options.demo:
        write_layer(FOLDER / "stft.npz", "STFTSpectrogram", cases.stft())
        write_layer(FOLDER / "mel.npz", "MelSpectrogram", cases.mel())
    write_demo(EXAMPLES / "speech.wav")


if __name__ == "__main__":
    main()
