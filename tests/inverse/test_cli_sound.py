# SPDX-License-Identifier: BSD-3-Clause
"""`specfast sound`: a WAV file from features, or an answer that says why not."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

import signals
from cli_runner import run, run_process
from specfast import FeatureExtractor, FeatureSpec, MelSpectrogram, MelToSound, presets
from specfast._engine.mel_inverse import MelInverse

RATE = 16000
SPEECH = signals.read_wav(signals.SPEECH)[8000:24000]
OWN = FeatureSpec(padding="center", num_mel_bins=40, level="ln", frame_length=512)
ITERATIONS = ("--iterations", 4)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "own.json"
    path.write_text(OWN.to_json(), "utf-8")
    return path


def saved(path: Path, values: Any) -> Path:
    np.save(path, values)
    return path


@pytest.fixture
def features(tmp_path: Path) -> Path:
    return saved(tmp_path / "x.npy", FeatureExtractor(OWN)(SPEECH))


def test_samples_are_those_of_the_class(tmp_path: Path, own: Path, features: Path) -> None:
    wanted = MelToSound(OWN, num_iterations=4, seed=5)(np.load(features), 15000)
    common = ("--front", own, *ITERATIONS, "--seed", 5, "--length", 15000)
    run("sound", features, "-o", tmp_path / "f.wav", "--encoding", "float32", *common)
    written, rate = soundfile.read(tmp_path / "f.wav", dtype="float32")
    np.testing.assert_array_equal(written, wanted)
    run("sound", features, "-o", tmp_path / "i.wav", *common)
    written, rate = soundfile.read(tmp_path / "i.wav", dtype="int16")
    assert rate == RATE
    assert soundfile.info(tmp_path / "i.wav").subtype == "PCM_16"
    np.testing.assert_array_equal(written, np.rint(wanted.astype(np.float64) * 32768))


def test_whole_way_of_a_recording(tmp_path: Path) -> None:
    """The report has the two numbers by which the result can be judged."""
    run("mel", signals.SPEECH, "-o", tmp_path / "x.npy", "--front", "whisper")
    done = run("sound", tmp_path / "x.npy", "-o", tmp_path / "x.wav", "--front", "whisper")
    found = re.search(r"spectral convergence (\S+), bands (\S+) dB", done.output)
    assert found is not None, done.output
    assert float(found[1]) < 0.4
    assert float(found[2]) < 3
    again, rate = soundfile.read(tmp_path / "x.wav", dtype="float32")
    wanted, mel = np.load(tmp_path / "x.npy"), presets.get("whisper")(again)
    assert np.abs(wanted - mel).mean() < 0.1  # a unit is 40 dB
    assert rate == RATE


def test_least_squares_run_once(
    tmp_path: Path, own: Path, features: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[int, ...]] = []
    found = MelInverse.magnitudes

    def counted(inverse: MelInverse, energies: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        calls.append(energies.shape)
        return found(inverse, energies)

    monkeypatch.setattr(MelInverse, "magnitudes", counted)
    done = run("sound", features, "-o", tmp_path / "x.wav", "--front", own, *ITERATIONS)
    assert "spectral convergence" in done.output
    assert len(calls) == 1
    loud = saved(tmp_path / "loud.npy", np.full((40, 9), 200, np.float32))
    done = run("sound", loud, "-o", tmp_path / "y.wav", "--front", own, exit_code=2)
    assert "must hold levels of energies below the largest float32" in done.output


def test_flags_of_the_layer(tmp_path: Path) -> None:
    layer = MelSpectrogram(
        sampling_rate=RATE, fft_length=512, sequence_stride=128, num_mel_bins=40
    )
    values = saved(tmp_path / "x.npy", layer(np.stack([SPEECH, SPEECH[::-1]])))
    flags = ("--fft-length", 512, "--sequence-stride", 128, "--num-mel-bins", 40)
    target = tmp_path / "x.wav"
    run("sound", values, "-o", target, *flags, "--sampling-rate", RATE, *ITERATIONS)
    assert soundfile.read(target)[0].shape == (16000, 2)
    done = run("sound", values, "-o", target, *flags, exit_code=2)
    assert "--sampling-rate must be given" in done.output
    done = run("sound", values, "-o", target, "--front", "whisper", *flags, exit_code=2)
    assert "contradicts" in done.output


def test_statistics(tmp_path: Path) -> None:
    spec = OWN.replace(normalization="per_band")
    plain = FeatureExtractor(OWN)(SPEECH).astype(np.float64)
    np.savez(tmp_path / "s.npz", mean=plain.mean(1), deviation=plain.std(1, ddof=1))
    (tmp_path / "n.json").write_text(spec.to_json(), "utf-8")
    values = saved(tmp_path / "x.npy", FeatureExtractor(spec)(SPEECH))
    front = ("--front", tmp_path / "n.json", *ITERATIONS)
    done = run("sound", values, "-o", tmp_path / "x.wav", *front, exit_code=2)
    assert "`mean` must be given" in done.output
    statistics = ("--statistics", tmp_path / "s.npz")
    run("sound", values, "-o", tmp_path / "x.wav", *front, *statistics)
    done = run(
        "sound", values, "-o", tmp_path / "y.wav", *front, "--statistics", values, exit_code=1
    )
    assert "no .npz file with the arrays 'mean' and 'deviation'" in done.output


def test_pipes(own: Path, features: Path) -> None:
    done = run_process(
        "sound", "-", "-o", "-", "--front", own, *ITERATIONS, input=features.read_bytes()
    )
    samples, _ = soundfile.read(io.BytesIO(done.stdout))
    assert len(samples) == 16000
    assert b"spectral convergence" in done.stderr


def test_files_are_whole_and_kept(tmp_path: Path, own: Path, features: Path) -> None:
    target = tmp_path / "x.wav"
    target.write_bytes(b"precious")
    front = ("--front", own, *ITERATIONS)
    done = run("sound", features, "-o", target, *front, exit_code=1)
    assert "--force replaces it" in done.output
    assert target.read_bytes() == b"precious"
    run("sound", features, "-o", target, *front, "--force", "-q")
    assert soundfile.info(target).frames == 16000
    assert {path.name for path in tmp_path.iterdir()} == {"own.json", "x.npy", "x.wav"}


def test_clipping_is_reported(tmp_path: Path, own: Path) -> None:
    loud = saved(tmp_path / "x.npy", FeatureExtractor(OWN)(SPEECH * 8))
    done = run("sound", loud, "-o", tmp_path / "x.wav", "--front", own, *ITERATIONS)
    assert "are clipped at 1; --encoding float32 keeps them" in done.output
    samples, _ = soundfile.read(tmp_path / "x.wav", dtype="int16")
    assert samples.max() == 32767


WRONG: dict[str, tuple[Any, int, str]] = {
    "rows": (np.zeros((39, 9), np.float32), 2, r"\(39, 9\)"),
    "axes": (np.zeros(40, np.float32), 2, "it holds 40 float32"),
    "more axes": (np.zeros((2, 2, 40, 9), np.float32), 2, "it holds 2 x 2 x 40 x 9"),
    "integers": (np.zeros((40, 9), np.int16), 2, "must be float16.*int16"),
    "NaN": (np.full((40, 9), np.nan, np.float32), 2, r"it holds nan at \(0, 0\)"),
    "no frame": (np.zeros((40, 0), np.float32), 1, "holds no frame"),
    "objects": (np.array([{}, []], dtype=object), 1, "is no .npy file"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_features(tmp_path: Path, own: Path, case: str) -> None:
    values, exit_code, message = WRONG[case]
    path = saved(tmp_path / "x.npy", values)
    target = tmp_path / "x.wav"
    done = run("sound", path, "-o", target, "--front", own, *ITERATIONS, exit_code=exit_code)
    assert re.search(message, " ".join(done.output.split())), done.output
    assert not target.exists()


def test_wrong_use(tmp_path: Path, own: Path, features: Path) -> None:
    front = ("--front", own)
    done = run("sound", features, "-o", tmp_path / "x.mp3", *front, exit_code=2)
    assert "unknown suffix '.mp3'" in done.output
    done = run("sound", tmp_path / "none.npy", "-o", tmp_path / "x.wav", *front, exit_code=1)
    assert "cannot read" in done.output
    done = run("sound", own, "-o", tmp_path / "x.wav", *front, exit_code=1)
    assert "is no .npy file" in done.output
    done = run("sound", features, features, "-o", tmp_path / "x.wav", *front, exit_code=2)
    assert '-o "$f.wav"' in done.output
    done = run("sound", features, "-o", tmp_path / "x.wav", "--front", "librosa_pcen", exit_code=2)
    assert "`pcen` cannot be undone" in done.output
    over = ("--length", 10**6)
    done = run("sound", features, "-o", tmp_path / "x.wav", *front, *over, exit_code=2)
    assert "`length` must be at most" in done.output
