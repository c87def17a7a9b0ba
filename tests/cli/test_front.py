# SPDX-License-Identifier: BSD-3-Clause
"""`--front`: the front end of a model on the command line, bit for bit as in Python."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from matplotlib.image import imread

import signals
import specfast
from cli_runner import run, run_process
from signals import SPEECH
from specfast import FeatureExtractor, FeatureSpec, presets

RATE = 16000
OF_THIS_RATE = [name for name in presets.names() if presets.spec(name).sampling_rate == RATE]
STREAMED = ["whisper", "kaldi_fbank", "kaldi_mfcc", "torchaudio_mel"]
# A front end of our own, in its file.
OWN = FeatureSpec(frame_length=200, hop_length=80, num_mel_bins=24, level="log10")

in_recordings = pytest.mark.parametrize(
    "recording_path", signals.RECORDINGS, ids=lambda path: path.stem
)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "own.json"
    path.write_text(OWN.to_json(), "utf-8")
    return path


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    path = tmp_path / "speech.raw"
    soundfile.write(path, signals.read_wav(SPEECH)[:8000], RATE, "PCM_16", format="RAW")
    return path


# ---- One recording -----------------------------------------------------------------------------


@in_recordings
@pytest.mark.parametrize("name", [*OF_THIS_RATE, "w2v_bert"])
def test_features_are_those_of_the_preset(tmp_path: Path, name: str, recording_path: Path) -> None:
    run("mel", recording_path, "-o", tmp_path / "x.npy", "--front", name, "--num-threads", 2)
    wanted = presets.get(name)(signals.read_wav(recording_path))
    written = np.load(tmp_path / "x.npy")
    assert written.dtype == wanted.dtype
    np.testing.assert_array_equal(written, wanted)


def test_a_file_is_a_front_end_too(
    tmp_path: Path, own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = FeatureExtractor(OWN)(signals.read_wav(SPEECH))
    run("mel", SPEECH, "-o", tmp_path / "x.npy", "--front", own)
    np.testing.assert_array_equal(np.load(tmp_path / "x.npy"), wanted)
    # A name is that of a preset, ./ in front of it makes it a file.
    monkeypatch.chdir(tmp_path)
    own.rename("whisper")
    run("mel", SPEECH, "-o", "y.npy", "--front", "whisper")
    assert len(np.load("y.npy")) == 80
    run("mel", SPEECH, "-o", "z.npy", "--front", "./whisper")
    np.testing.assert_array_equal(np.load("z.npy"), wanted)


def test_the_configuration_of_a_model_is_a_front_end(tmp_path: Path) -> None:
    config = {
        "feature_extractor_type": "WhisperFeatureExtractor",
        "feature_size": 80,
        "sampling_rate": RATE,
        "n_fft": 400,
        "hop_length": 160,
        "chunk_length": 30,
    }
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(config), "utf-8")
    wanted = presets.get("whisper", num_samples=480000)(signals.read_wav(SPEECH))
    # The folder of the model stands for it too.
    for name, front in (("x.npy", tmp_path / "preprocessor_config.json"), ("y.npy", tmp_path)):
        run("mel", SPEECH, "-o", tmp_path / name, "--front", front)
        np.testing.assert_array_equal(np.load(tmp_path / name), wanted)


def test_channels(tmp_path: Path) -> None:
    samples = np.stack([signals.chirp(6000), 0.01 * signals.noise(6000)], axis=1)
    soundfile.write(tmp_path / "stereo.wav", samples, RATE, subtype="FLOAT")
    extractor = presets.get("whisper")
    for options, wanted in [
        ((), extractor(samples.T)),
        (("--channel", 1), extractor(samples[:, 1])),
        (("--mono",), extractor(samples.mean(axis=1, dtype=np.float32))),
    ]:
        output = ("-o", tmp_path / "x.npy", "--force", "--front", "whisper")
        run("mel", tmp_path / "stereo.wav", *output, *options)
        np.testing.assert_array_equal(np.load(tmp_path / "x.npy"), wanted)


def test_samples_without_a_header(raw: Path, tmp_path: Path) -> None:
    settings = ("--front", "kaldi_fbank", "--raw", "s16le", "--rate", RATE)
    done = run_process("mel", "-", "-o", "-", *settings, "--quiet", input=raw.read_bytes())
    assert done.returncode == 0, done.stderr
    (tmp_path / "x.npy").write_bytes(done.stdout)
    samples = np.frombuffer(raw.read_bytes(), "<i2")
    wanted = presets.get("kaldi_fbank")(samples, scale=1 / 32768)
    np.testing.assert_array_equal(np.load(tmp_path / "x.npy"), wanted)


@pytest.mark.parametrize("name", ["whisper", "kaldi_mfcc", "seamless_m4t"])
def test_npz_tells_what_it_holds(tmp_path: Path, name: str) -> None:
    run("mel", SPEECH, "-o", tmp_path / "x.npz", "--front", name)
    with np.load(tmp_path / "x.npz") as archive:
        file = dict(archive)
    extractor = presets.get(name)
    values = extractor(signals.read_wav(SPEECH))
    np.testing.assert_array_equal(file["features"], values)
    frames_axis = 0 if extractor.spec.layout == "frames_first" else 1
    np.testing.assert_array_equal(file["times"], extractor.times(values.shape[frames_axis]))
    assert file["sampling_rate"] == RATE
    assert str(file["layer"]) == "FeatureExtractor"
    assert FeatureSpec.from_json(str(file["config"])) == extractor.spec
    # Cepstra have no frequencies.
    assert ("frequencies" in file) == (name != "kaldi_mfcc")
    if "frequencies" in file:
        np.testing.assert_array_equal(file["frequencies"], extractor.frequencies())


def test_the_report(tmp_path: Path) -> None:
    output = run("mel", SPEECH, "-o", tmp_path / "x.npy", "--front", "kaldi_mfcc").output
    assert "x.npy: features 543 x 13 float32, " in output
    assert "(cepstra); 5.45 s, 16000 Hz, 1 channel" in output


# ---- Pictures ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["whisper", "kaldi_mfcc", "torchaudio_mel"])
def test_a_picture(tmp_path: Path, name: str) -> None:
    size = ("--size", 640, 480, "--db-range", -20, 20)
    run("mel", SPEECH, "-o", tmp_path / "x.png", "--front", name, *size)
    assert imread(tmp_path / "x.png").shape == (480, 640, 4)


def test_rows_of_a_matrix_have_no_frequencies(tmp_path: Path) -> None:
    matrix = np.zeros((257, 5))
    matrix[10:20] = 1.0
    front = tmp_path / "own.json"
    front.write_text(FeatureSpec(num_mel_bins=5, mel_matrix=matrix).to_json())
    for suffix in ("png", "npz"):
        run("mel", SPEECH, "-o", tmp_path / f"x.{suffix}", "--front", front)
    with np.load(tmp_path / "x.npz") as file:
        assert "frequencies" not in file


# ---- A live signal ----------------------------------------------------------------------------


def printed_by(*arguments: object) -> list[str]:
    """The lines that the command prints, without warnings."""
    lines = run(*arguments).output.splitlines()
    return [line for line in lines if not line.startswith("Warning: ")]


@pytest.mark.parametrize("name", STREAMED)
def test_a_stream_prints_each_frame(name: str, raw: Path) -> None:
    output = printed_by("stream", raw, "--rate", RATE, "--front", name)
    extractor = presets.get(name)
    max_level = None if extractor.spec.dynamic_range is None else "running"
    stream = extractor.stream(max_level=max_level)
    samples = np.frombuffer(raw.read_bytes(), "<i2")
    parts = [stream.push(samples, scale=1 / 32768), stream.flush()]
    wanted = np.concatenate(parts, axis=stream.frame_axis)
    wanted = wanted if extractor.spec.layout == "frames_first" else wanted.T
    header, *lines = output
    names = header.split("\t")[1:]
    if name == "kaldi_mfcc":
        assert names == [str(row) for row in range(13)]
    else:
        assert names[-1] == f"{extractor.frequencies()[-1]:.1f} Hz"
    printed = np.array([[float(number) for number in line.split("\t")] for line in lines])
    assert printed.shape == (len(wanted), 1 + extractor.spec.num_rows)
    np.testing.assert_allclose(printed[:, 0], extractor.times(len(wanted)), atol=6e-4)
    np.testing.assert_allclose(printed[:, 1:], wanted, rtol=1e-5)


@pytest.mark.parametrize("name", STREAMED)
def test_a_stream_draws(name: str, raw: Path) -> None:
    lines = printed_by("stream", raw, "--rate", RATE, "--front", name, "--as", "draw")
    rows = presets.spec(name).num_rows
    drawn = [line.partition(" |")[2] for line in lines]
    assert all(len(line) == min(rows, 68) + 1 for line in drawn)
    assert {"@", " "} <= set("".join(drawn))
    silence = np.zeros(8000, "<i2").tobytes()
    again = run_process("stream", "--rate", RATE, "--front", name, "--as", "draw", input=silence)
    assert again.returncode == 0, again.stderr


# ---- The list ---------------------------------------------------------------------------------


def test_the_list_of_front_ends() -> None:
    lines = run("fronts").output.splitlines()
    assert [line.split()[0] for line in lines] == list(presets.names())
    assert lines[0].split(maxsplit=1)[1] == "16000 Hz, 80 rows every 10 ms"
    assert "16000 Hz, 13 cepstra every 10 ms" in lines[presets.names().index("kaldi_mfcc")]
    assert "16000 Hz, 160 rows every 20 ms" in lines[presets.names().index("seamless_m4t")]


# ---- Mistakes ---------------------------------------------------------------------------------

MEL = ["mel", SPEECH, "-o", "x.npy", "--front"]
STREAM = ["stream", "--rate", RATE, "--front"]
WRONG_USE: list[tuple[list[object], str]] = [
    ([*MEL, "wisper"], "--front 'wisper' is no file and no front end with a name; did you mean"),
    ([*MEL, "?"], "a name; `specfast fronts` lists the names"),
    ([*MEL, ""], "--front '' is no file"),
    ([*MEL, "whisper", "--num-mel-bins", 40], "so --num-mel-bins contradicts it"),
    ([*MEL, "whisper", "--num-mel-bins", 128], "so --num-mel-bins contradicts it"),
    ([*MEL, "whisper", "--no-power-to-db"], "so --no-power-to-db contradicts it"),
    ([*MEL, "whisper", "--sampling-rate", RATE], "so --sampling-rate contradicts it"),
    ([*MEL, "whisper", "--dtype", "float64"], "so --dtype contradicts it"),
    ([*MEL, "whisper", "--top-db", "none"], "so --top-db contradicts it"),
    ([*STREAM, "whisper", "--fft-length", 512], "so --fft-length contradicts it"),
    ([*STREAM, "nemo"], "--front nemo: `normalization` needs the mean"),
    ([*STREAM, "ast"], "--front ast: `num_frames` cuts or pads the whole clip"),
    ([*STREAM, "hifigan"], "--front hifigan is for 22050 Hz, and --rate 16000 is not"),
    (["stft", SPEECH, "-o", "x.npy", "--front", "whisper"], "No such option"),
]


@pytest.mark.parametrize(("arguments", "said"), WRONG_USE, ids=lambda value: str(value)[-40:])
def test_wrong_use(
    arguments: list[object], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    output = " ".join(run(*arguments, exit_code=2).output.split())
    assert said in output
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_resampled(tmp_path: Path) -> None:
    output = run(*MEL[:2], "-o", tmp_path / "x.npy", "--front", "clap", exit_code=1).output
    assert f"--front clap is for 48000 Hz, and {str(SPEECH)!r} has 16000 Hz" in output
    assert not (tmp_path / "x.npy").exists()


def test_too_short_a_recording(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "short.wav", np.zeros(399, np.float32), RATE)
    output = run(
        "mel",
        tmp_path / "short.wav",
        "-o",
        tmp_path / "x.npy",
        "--front",
        "kaldi_fbank",
        exit_code=1,
    ).output
    assert "is too short: --front kaldi_fbank makes no frame of its 399 samples" in output


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"RIFF\xff\xfe", "cannot read"),
        (b"[1]", "not the description of a front end"),
        (json.dumps({"format": "specfast.FeatureSpec", "schema": 9}).encode(), "`schema` must be"),
        (OWN.to_json().replace("hop_length", "hop").encode(), "hop"),
        (OWN.to_json().replace("log10", "log11").encode(), "log11"),
    ],
)
def test_files_that_describe_nothing(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "front.json").write_bytes(content)
    arguments = ("mel", SPEECH, "-o", tmp_path / "x.npy", "--front", tmp_path / "front.json")
    output = run(*arguments, exit_code=1).output
    assert "front.json" in output
    assert said in output
    assert not (tmp_path / "x.npy").exists()


@pytest.mark.parametrize("name", ["missing.json", "no/such/file"])
def test_files_that_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert f"cannot read '{name}'" in run(*MEL, name, exit_code=1).output


def test_the_warning_of_the_front_end_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "front.json").write_text(OWN.replace(num_mel_bins=200).to_json(), "utf-8")
    arguments = ("mel", SPEECH, "-o", tmp_path / "x.npy", "--front", tmp_path / "front.json")
    output = run(*arguments).output
    assert output.startswith("Warning: ")
    with pytest.warns(specfast.EmptyBandsWarning):
        FeatureExtractor(OWN.replace(num_mel_bins=200))


def test_noise_that_a_file_asks_for_is_told(tmp_path: Path) -> None:
    (tmp_path / "fbank.conf").write_text("--num-mel-bins=40\n--dither=1\n", "utf-8")
    output = run(
        "mel", SPEECH, "-o", tmp_path / "x.npy", "--front", tmp_path / "fbank.conf"
    ).output
    assert "dither" in output.splitlines()[0]
    assert np.load(tmp_path / "x.npy").shape == (543, 40)
