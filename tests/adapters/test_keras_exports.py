# SPDX-License-Identifier: BSD-3-Clause
"""Models with our layers leave Keras with the framework's own operations: no specfast needed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from conftest import BACKEND

LAYERS: dict[str, tuple[str, dict[str, Any]]] = {
    "log": ("STFTSpectrogram", {"frame_length": 64}),
    "stft": ("STFTSpectrogram", {"frame_length": 50, "fft_length": 64, "mode": "stft"}),
    "mel": ("MelSpectrogram", {"fft_length": 128, "sequence_stride": 64, "num_mel_bins": 8}),
}

# Computes with a SavedModel where specfast cannot be imported.
SERVE = """
import sys
sys.modules["specfast"] = None
import numpy as np
import tensorflow as tf
model = tf.saved_model.load(sys.argv[1])
np.save(sys.argv[3], np.asarray(model.serve(np.load(sys.argv[2]))))
"""


def model_of(keras: ModuleType, layer: Any) -> Any:
    is_mel = "Mel" in type(layer).__name__
    return keras.Sequential([keras.Input((400,) if is_mel else (400, 1)), layer])


@pytest.mark.skipif(BACKEND == "torch", reason="Keras exports no SavedModel from torch")
@pytest.mark.parametrize("name", LAYERS)
def test_a_saved_model_runs_where_this_package_is_not(
    keras: ModuleType, adapter: ModuleType, tmp_path: Path, name: str
) -> None:
    kind, arguments = LAYERS[name]
    model = model_of(keras, getattr(adapter, kind)(**arguments))
    x = np.random.default_rng(0).standard_normal((3, *model.input_shape[1:])).astype(np.float32)
    expected = keras.ops.convert_to_numpy(model(x))
    np.save(tmp_path / "x.npy", x)
    model.export(str(tmp_path / "served"), verbose=False)
    files = [str(tmp_path / file) for file in ("served", "x.npy", "y.npy")]
    done = subprocess.run(
        [sys.executable, "-c", SERVE, *files], capture_output=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    np.testing.assert_allclose(np.load(tmp_path / "y.npy"), expected, atol=1e-3)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="TFLite takes models of TensorFlow")
def test_tflite(keras: ModuleType, adapter: ModuleType) -> None:
    import tensorflow as tf

    model = model_of(keras, adapter.STFTSpectrogram(frame_length=64))
    x = np.random.default_rng(0).standard_normal((1, 400, 1)).astype(np.float32)
    expected = keras.ops.convert_to_numpy(model(x))
    interpreter = tf.lite.Interpreter(
        model_content=tf.lite.TFLiteConverter.from_keras_model(model).convert()
    )
    interpreter.resize_tensor_input(interpreter.get_input_details()[0]["index"], x.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], x)
    interpreter.invoke()
    found = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    np.testing.assert_allclose(found, expected, atol=1e-3)
