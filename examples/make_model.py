# SPDX-License-Identifier: BSD-3-Clause
"""Trains a small model with Keras and saves it: examples/trained.keras, for docs/keras-models.md.

The model tells which of two close tones a noisy signal holds, and its spectrogram's kernels are
trained with the rest. What its front-end layers return of one signal goes into trained_golden.npz.

Needs Keras with a backend. Run: KERAS_BACKEND=jax python examples/make_model.py
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

EXAMPLES = Path(__file__).resolve().parent
SAMPLES, RATE_HZ, TONES_HZ = 800, 8000, (1000.0, 1060.0)


def tones(count: int, seed: int) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Returns signals of shape (count, SAMPLES, 1) and which tone each of them holds."""
    draw = np.random.default_rng(seed)
    labels = draw.integers(0, 2, count)
    turns = np.outer(np.array(TONES_HZ)[labels], np.arange(SAMPLES) / RATE_HZ)
    phases = draw.uniform(0, 1, (count, 1))
    x = np.sin(2 * np.pi * (turns + phases)) + 0.5 * draw.standard_normal((count, SAMPLES))
    return x[..., np.newaxis].astype(np.float32), labels


def main() -> None:
    keras.utils.set_random_seed(1)
    layers = keras.layers
    spectrum = layers.STFTSpectrogram(
        mode="log", frame_length=64, frame_step=32, fft_length=64, name="spectrum"
    )
    levels = layers.MelSpectrogram(
        fft_length=256, sequence_stride=128, sampling_rate=RATE_HZ, num_mel_bins=16, name="levels"
    )
    ear = keras.Sequential([keras.Input((SAMPLES, 1)), spectrum], name="ear")
    signal = keras.Input((SAMPLES, 1))
    features = [
        layers.GlobalAveragePooling1D()(ear(signal)),
        layers.GlobalAveragePooling1D()(levels(layers.Reshape((SAMPLES,))(signal)) / 80),
    ]
    output = layers.Dense(1, activation="sigmoid")(layers.Concatenate()(features))
    model = keras.Model(signal, output, name="tones")
    # No momentum: the file stays small.
    model.compile(keras.optimizers.SGD(0.5), "binary_crossentropy", metrics=["accuracy"])

    x, labels = tones(512, seed=1)
    model.fit(x, labels, epochs=40, batch_size=32, verbose=0)
    loss, accuracy = model.evaluate(*tones(512, seed=2), verbose=0)
    print(f"loss {loss:.3f}, accuracy {accuracy:.3f}")
    model.save(EXAMPLES / "trained.keras")
    x = x[:1]
    np.savez_compressed(
        EXAMPLES / "trained_golden.npz",
        x=x,
        spectrum=keras.ops.convert_to_numpy(spectrum(x)),
        levels=keras.ops.convert_to_numpy(levels(x[..., 0])),
        keras=keras.__version__,
    )


if __name__ == "__main__":
    main()
