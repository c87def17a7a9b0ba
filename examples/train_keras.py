# SPDX-License-Identifier: BSD-3-Clause
"""Trains a small Keras model whose front end is a trainable STFTSpectrogram, with Keras' layer and
with ours in its place, on each backend; then reads the front end's features without Keras.

    python examples/train_keras.py [jax] [tensorflow] [torch]

Prints loss and time per step of both. Exits with 1 if the losses differ by more than 1 %, or if
the features that `specfast.load_keras` gives are not those of the trained model.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

BACKENDS = ("jax", "tensorflow", "torch")
# A backend takes a minute or two, most of it for imports and compiling.
BACKEND_LIMIT_SECONDS = 900
RATE_HZ, NUM_CLASSES, BATCH, EPOCHS = 16000, 4, 32, 6

# The program of a server, which has NumPy and specfast. Whatever else is installed is hidden.
SERVE = """
import sys
sys.modules.update(dict.fromkeys(["keras", "tensorflow", "jax", "torch", "h5py"]))
import numpy as np
import specfast
front_end = specfast.load_keras(sys.argv[1])["front_end"]
np.save(sys.argv[3], front_end(np.load(sys.argv[2])))
"""


def recordings(num_signals: int) -> tuple[Any, Any]:
    """float32 [signals, samples, 1], one second of a warbling tone in noise; and its class."""
    rng = np.random.default_rng(1)
    labels = np.arange(num_signals) % NUM_CLASSES
    seconds = np.arange(RATE_HZ) / RATE_HZ
    pitch = 300.0 * 2.0 ** (labels / 2 + rng.uniform(-0.1, 0.1, num_signals))
    warble = 3.0 * np.sin(2 * np.pi * 4 * seconds)
    tones = np.sin(2 * np.pi * pitch[:, None] * seconds + warble)
    noise = rng.standard_normal((num_signals, RATE_HZ))
    return (0.3 * tones + noise)[..., None].astype(np.float32), labels


def model_with(front_end: Any) -> Any:
    import keras

    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [
            keras.Input((RATE_HZ, 1)),
            front_end(
                mode="log", frame_length=256, frame_step=128, fft_length=512, name="front_end"
            ),
            keras.layers.Dense(16, activation="relu"),
            keras.layers.GlobalAveragePooling1D(),
            keras.layers.Dense(NUM_CLASSES),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=keras.optimizers.Adam(1e-3), loss=loss)
    return model


def train(models: dict[str, Any], x: Any, labels: Any) -> dict[str, tuple[float, float]]:
    """Final loss and milliseconds per step of each, by turns on the same machine."""
    losses: dict[str, float] = {}
    times: dict[str, list[float]] = {name: [] for name in models}
    for _ in range(EPOCHS):
        for name, model in models.items():
            start = time.perf_counter()
            history = model.fit(x, labels, batch_size=BATCH, verbose=0, shuffle=False)
            times[name].append(time.perf_counter() - start)
            losses[name] = history.history["loss"][-1]
    steps = -(-len(x) // BATCH)
    # The first epoch compiles.
    return {name: (losses[name], 1e3 * min(times[name][1:]) / steps) for name in models}


def features_without_keras(path: Path, x: Any) -> Any:
    """Returns what another process, without Keras, makes of the saved front end."""
    given, made = path.with_name("x.npy"), path.with_name("features.npy")
    np.save(given, x)
    command = [sys.executable, "-c", SERVE, str(path), str(given), str(made)]
    subprocess.run(command, check=True, timeout=120)
    return np.load(made)


def run(folder: Path) -> bool:
    """Trains on one backend; returns whether losses and features agree."""
    import keras

    import specfast.keras as adapter

    x, labels = recordings(256)
    sources: dict[str, ModuleType] = {"keras": keras.layers, "specfast": adapter}
    models = {name: model_with(source.STFTSpectrogram) for name, source in sources.items()}
    results = train(models, x, labels)

    path = folder / "model.keras"
    models["specfast"].save(path)
    trained = keras.saving.load_model(path).get_layer("front_end")
    expected = keras.ops.convert_to_numpy(trained(x[:4]))
    same_features = np.array_equal(features_without_keras(path, x[:4]), expected)

    (their_loss, their_ms), (loss, ms) = results["keras"], results["specfast"]
    print(
        f"{keras.backend.backend():<11} loss: keras {their_loss:.5f}, specfast {loss:.5f}   "
        f"step: keras {their_ms:.1f} ms, specfast {ms:.1f} ms ({their_ms / ms:.2f} times as fast)"
        f"   features without Keras: {'the same' if same_features else 'DIFFERENT'}",
        flush=True,
    )
    return bool(same_features and abs(loss - their_loss) <= 0.01 * their_loss)


def main(backends: list[str]) -> int:
    if os.environ.get("TRAIN_KERAS_HERE"):
        with tempfile.TemporaryDirectory() as folder:
            return 0 if run(Path(folder)) else 1
    status = 0
    for backend in backends or BACKENDS:
        environment = {
            "JAX_PLATFORMS": "cpu",
            "CUDA_VISIBLE_DEVICES": "",
            "TF_CPP_MIN_LOG_LEVEL": "3",
            **os.environ,
            "KERAS_BACKEND": backend,
            "TRAIN_KERAS_HERE": "1",
        }
        try:
            done = subprocess.run(
                [sys.executable, __file__], env=environment, timeout=BACKEND_LIMIT_SECONDS
            )
        except subprocess.TimeoutExpired as error:
            print(f"{backend}: {error}", file=sys.stderr)
            status = 1
        else:
            status |= done.returncode
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
