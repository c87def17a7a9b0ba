# SPDX-License-Identifier: BSD-3-Clause
"""The command line: the layers' own numbers, and a message for every mistake."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

import signals
import specfast
from cli_runner import environment, run, run_process
from signals import SPEECH
from specfast._cli.commands import specfast as command
from specfast.layers.catalogue import fields_of

LAYERS = {"mel": specfast.MelSpectrogram, "stft": specfast.STFTSpectrogram}

in_recordings = pytest.mark.parametrize(
    "recording_path", signals.RECORDINGS, ids=lambda path: path.stem
)


def write_wav(path: Path, samples: np.ndarray, rate: int = 16000) -> Path:
    soundfile.write(path, samples, rate, subtype="FLOAT")
    return path


@pytest.fixture
def stereo(tmp_path: Path) -> Path:
    samples = np.stack([signals.chirp(6000), 0.01 * signals.noise(6000)], axis=1)
    return write_wav(tmp_path / "stereo.wav", samples)


# ---- The numbers ---------------------------------------------------------------------------


@in_recordings
def test_mel_writes_what_the_layer_returns(tmp_path: Path, recording_path: Path) -> None:
    run("mel", recording_path, "-o", tmp_path / "mel.npy")
    written = np.load(tmp_path / "mel.npy")
    wanted = specfast.MelSpectrogram()(signals.read_wav(recording_path))
    assert written.dtype == np.float32
    assert written.shape == (128, 1 + len(signals.read_wav(recording_path)) // 512)
    np.testing.assert_array_equal(written, wanted)


@in_recordings
@pytest.mark.parametrize("mode", ["log", "magnitude", "psd", "real", "imag", "angle", "stft"])
def test_stft_writes_what_the_layer_returns(
    tmp_path: Path, recording_path: Path, mode: str
) -> None:
    run("stft", recording_path, "-o", tmp_path / "stft.npy", "--mode", mode)
    signal = signals.read_wav(recording_path)
    wanted = specfast.STFTSpectrogram(mode=mode)(signal[None, :, None])[0]
    np.testing.assert_array_equal(np.load(tmp_path / "stft.npy"), wanted)


SETTINGS = [
    (
        "mel",
        """--fft-length 512 --sequence-stride 160 --sequence-length 400 --window hamming
        --sampling-rate 16000 --num-mel-bins 80 --min-freq 50 --max-freq 7600 --top-db none
        --top-db-scope clip --mag-exp 1 --min-power 1e-8 --ref-power 2 --dtype float64""",
        {
            "fft_length": 512,
            "sequence_stride": 160,
            "sequence_length": 400,
            "window": "hamming",
            "num_mel_bins": 80,
            "min_freq": 50.0,
            "max_freq": 7600.0,
            "top_db": None,
            "top_db_scope": "clip",
            "mag_exp": 1.0,
            "min_power": 1e-8,
            "ref_power": 2.0,
            "dtype": "float64",
        },
    ),
    ("mel", "--no-power-to-db --window none", {"power_to_db": False, "window": None}),
    ("mel", "--top-db 30 --dtype float16", {"top_db": 30.0, "dtype": "float16"}),
    (
        "stft",
        """--mode stft --frame-length 400 --frame-step 160 --fft-length 512 --window blackman
        --periodic --scaling spectrum --padding same --expand-dims --dtype float64""",
        {
            "mode": "stft",
            "frame_length": 400,
            "frame_step": 160,
            "fft_length": 512,
            "window": "blackman",
            "periodic": True,
            "scaling": "spectrum",
            "padding": "same",
            "expand_dims": True,
            "dtype": "float64",
        },
    ),
    ("stft", "--scaling none --epsilon 1e-5", {"scaling": None, "epsilon": 1e-5}),
    ("stft", "--window none --frame-step none", {"window": None}),
]


@pytest.mark.parametrize(("name", "flags", "settings"), SETTINGS)
def test_flags_are_the_arguments_of_the_layer(
    tmp_path: Path, name: str, flags: str, settings: dict[str, Any]
) -> None:
    run(name, SPEECH, "-o", tmp_path / "out.npy", *flags.split())
    signal = signals.read_wav(SPEECH)
    layer = LAYERS[name](**settings)
    wanted = layer(signal) if name == "mel" else layer(signal[None, :, None])[0]
    np.testing.assert_array_equal(np.load(tmp_path / "out.npy"), wanted)


def test_a_window_from_a_file(tmp_path: Path) -> None:
    window = np.kaiser(300, 8.0)
    np.save(tmp_path / "kaiser.npy", window)
    for name, flag, settings in (
        ("mel", "--sequence-length", {"sequence_length": 300}),
        ("stft", "--frame-length", {"frame_length": 300}),
    ):
        flags = (flag, 300, "--window", tmp_path / "kaiser.npy")
        run(name, SPEECH, "-o", tmp_path / f"{name}.npz", *flags)
        signal = signals.read_wav(SPEECH)
        layer = LAYERS[name](**settings, window=window)
        wanted = layer(signal) if name == "mel" else layer(signal[None, :, None])[0]
        with np.load(tmp_path / f"{name}.npz") as written:
            np.testing.assert_array_equal(written[name], wanted)
            assert json.loads(str(written["config"]))["fft_length"] in (None, 2048)


# Commands, the layer whose arguments they take, and the arguments that are options of their own:
# a recording has the rate.
NOT_OFFERED = {"device"}  # commands compute on the CPU
SETTINGS_OF = {
    "mel": ("MelSpectrogram", {"sampling_rate", "num_threads"}),
    "stft": ("STFTSpectrogram", {"num_threads"}),
    "stream": ("MelSpectrogram", {"sampling_rate", "num_threads"}),
}


@pytest.mark.parametrize("name", SETTINGS_OF)
def test_every_argument_of_the_layer_has_its_flag_default_and_help(name: str) -> None:
    options = {option.name: option for option in command.commands[name].params}
    layer, own = SETTINGS_OF[name]
    without = {field.name for field in fields_of(layer) if field.option is None}
    assert without == own | NOT_OFFERED
    assert not NOT_OFFERED & set(options)
    for field in fields_of(layer):
        if field.name in without:
            continue
        shown = options[field.name].default
        assert (None if shown == "none" else shown) == field.checked_default, field.name
        assert field.flag in options[field.name].opts
        assert options[field.name].help == field.option.help


@pytest.mark.parametrize("name", [*SETTINGS_OF, "sound", "fronts", "info"])
def test_help_speaks_of_every_option(name: str) -> None:
    text = run(name, "--help").output
    for option in command.commands[name].params:
        for flag in (*option.opts, *option.secondary_opts):
            assert flag in text or not flag.startswith("-")
        # In the style of commands: a sentence that ends with a full stop.
        said = getattr(option, "help", None) or "A name."
        assert said[0].isupper() or said.startswith(("hann", "'-'"))
        assert said.endswith(".")


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("specfast ", {"plain,mel", "plain,stft", "plain,sound", "plain,stream"}),
        ("specfast ", {"plain,fronts", "plain,info"}),
        ("specfast mel --fft", {"plain,--fft-length"}),
        ("specfast stft --scaling ", {"plain,density", "plain,spectrum", "plain,none"}),
        ("specfast stream --max-db r", {"plain,running"}),
        ("specfast mel --window ha", {"plain,hann", "plain,hamming"}),
        ("specfast mel --window ke", {"file,ke"}),
        ("specfast mel --front whi", {"plain,whisper", "plain,whisper_large_v3"}),
        ("specfast mel --front my", {"file,my"}),
        ("specfast mel sp", {"file,sp"}),
        ("specfast stft x.wav -o ", {"file,"}),
        ("specfast stream x", {"file,x"}),
    ],
)
def test_bash_completes(words: str, offered: set[str]) -> None:
    variables = {
        "_SPECFAST_COMPLETE": "bash_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": str(words.count(" ")),
    }
    done = run_process(env=environment(**variables))
    assert done.returncode == 0, done.stderr
    assert offered <= set(done.stdout.decode().splitlines())


@pytest.mark.parametrize("name", ["mel", "stft"])
def test_number_of_threads_changes_no_bit(tmp_path: Path, name: str) -> None:
    before, openmp = specfast.get_num_threads(), specfast.build_info()["openmp"]
    try:
        for threads in (1, 3):
            run(name, SPEECH, "-o", tmp_path / f"{threads}.npy", "--num-threads", threads)
            assert specfast.get_num_threads() == (threads if openmp else 1)
    finally:
        specfast.set_num_threads(before)
    assert (tmp_path / "1.npy").read_bytes() == (tmp_path / "3.npy").read_bytes()


# ---- Channels and rates ----------------------------------------------------------------------


def test_channels(tmp_path: Path, stereo: Path) -> None:
    samples = soundfile.read(stereo, dtype="float32")[0]
    layer = specfast.MelSpectrogram()
    for flags, signal in (
        ((), samples.T),
        (("--channel", 0), samples[:, 0]),
        (("--channel", 1), samples[:, 1]),
        (("--mono",), samples.mean(axis=1)),
        (("--mix",), samples.mean(axis=1)),
    ):
        run("mel", stereo, "-o", tmp_path / "mel.npy", "--force", *flags)
        np.testing.assert_array_equal(np.load(tmp_path / "mel.npy"), layer(signal))
        run("stft", stereo, "-o", tmp_path / "stft.npy", "--force", *flags)
        batch = np.atleast_2d(signal).T[None]
        wanted = specfast.STFTSpectrogram()(batch)[0]
        np.testing.assert_array_equal(np.load(tmp_path / "stft.npy"), wanted)


@pytest.mark.parametrize("expand", ["--expand-dims", "--no-expand-dims"])
def test_channels_first(tmp_path: Path, stereo: Path, expand: str) -> None:
    run("stft", stereo, "-o", tmp_path / "s.npz", "--data-format", "channels_first", expand)
    samples = soundfile.read(stereo, dtype="float32")[0]
    layer = specfast.STFTSpectrogram(
        data_format="channels_first", expand_dims=expand == "--expand-dims"
    )
    with np.load(tmp_path / "s.npz") as written:
        np.testing.assert_array_equal(written["stft"], layer(samples.T[None])[0])
        assert written["times"].shape == (1 + (6000 - 256) // 128,)
        assert written["frequencies"].shape == (129,)


def test_the_rate_is_that_of_the_recording(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "clip.wav", signals.chirp(6000), 44100)
    run("mel", path, "-o", tmp_path / "mel.npy")
    wanted = specfast.MelSpectrogram(sampling_rate=44100)(signals.chirp(6000))
    np.testing.assert_array_equal(np.load(tmp_path / "mel.npy"), wanted)


def test_another_rate_is_refused(tmp_path: Path) -> None:
    output = run("mel", SPEECH, "-o", tmp_path / "m.npy", "--sampling-rate", 8000, exit_code=1)
    assert "--sampling-rate 8000" in output.output
    assert "16000 Hz" in output.output
    assert not (tmp_path / "m.npy").exists()


# ---- Formats ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["mel", "stft"])
def test_npz_tells_what_it_holds(tmp_path: Path, name: str) -> None:
    run(name, SPEECH, "-o", tmp_path / "out.npz")
    with np.load(tmp_path / "out.npz", allow_pickle=False) as file:
        written = dict(file)
    assert set(written) == {name, "times", "frequencies", "sampling_rate", "layer", "config"}
    assert written["sampling_rate"] == 16000
    assert str(written["layer"]) == LAYERS[name].__name__
    layer = LAYERS[name].from_config(json.loads(str(written["config"])))
    signal = signals.read_wav(SPEECH)
    values = layer(signal) if name == "mel" else layer(signal[None, :, None])[0]
    np.testing.assert_array_equal(values, written[name])
    axes = (written["frequencies"], written["times"])
    assert values.shape == tuple(len(axis) for axis in (axes if name == "mel" else axes[::-1]))
    assert 0 <= written["times"][0] < written["times"][-1] < len(signal) / 16000 + 0.04


@pytest.mark.parametrize("name", ["mel", "stft"])
@pytest.mark.parametrize("size", [None, (640, 320)])
def test_png_has_its_size(tmp_path: Path, name: str, size: tuple[int, int] | None) -> None:
    run(name, SPEECH, "-o", tmp_path / "out.png", *(("--size", *size) if size else ()))
    data = (tmp_path / "out.png").read_bytes()
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    header = (int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big"))
    assert header == (size or (1200, 500))


def test_format_beats_the_suffix(tmp_path: Path) -> None:
    run("mel", SPEECH, "-o", tmp_path / "features.bin", "--format", "npy")
    assert np.load(tmp_path / "features.bin").shape[0] == 128
    run("mel", SPEECH, "-o", tmp_path / "UPPER.NPY")
    assert np.load(tmp_path / "UPPER.NPY").shape[0] == 128


def test_the_report(tmp_path: Path) -> None:
    output = run("mel", SPEECH, "-o", tmp_path / "mel.npy").output
    assert "mel 128 x 171 float32" in output
    assert "5.45 s, 16000 Hz, 1 channel\n" in output
    assert run("mel", SPEECH, "-o", tmp_path / "2.npy", "--quiet").output == ""


# ---- Mistakes ----------------------------------------------------------------------------------

WRONG_USE = [
    (["mel"], "IN"),
    (["mel", SPEECH], "--output"),
    (["mel", SPEECH, "-o", "x"], "unknown suffix ''; accepted: .npy, .npz and .png"),
    (["mel", SPEECH, "-o", "x.wav"], "unknown suffix '.wav'"),
    (["mel", SPEECH, "-o", "x.npy", "--format", "wav"], "'wav' is not one of"),
    (["mel", SPEECH, "-o", "x.npy", "--fft-length", "many"], "'many' is not a valid integer"),
    (["mel", SPEECH, "-o", "x.npy", "--fft-length", "0"], "fft_length"),
    (["mel", SPEECH, "-o", "x.npy", "--sequence-length", "4096"], "4096"),
    (["mel", SPEECH, "-o", "x.npy", "--window", "sinc"], "sinc"),
    (["mel", SPEECH, "-o", "x.npy", "--window", "missing.npy"], "missing.npy"),
    (["mel", SPEECH, "-o", "x.npy", "--top-db", "low"], "'low' is not a valid float"),
    (["mel", SPEECH, "-o", "x.npy", "--num-threads", "0"], "--num-threads"),
    (["mel", SPEECH, "-o", "x.npy", "--num-threads", "100000"], "1<=x<=4096"),
    (["mel", SPEECH, "-o", "x.npy", "--channel", "0", "--mono"], "--mono and --channel 0"),
    (["mel", SPEECH, "-o", "x.npy", "--channel", "-1"], "-1"),
    (
        ["mel", SPEECH, "-o", "x.npy", "--size", "600", "400"],
        "--size 600 400 only applies",
    ),
    (["mel", SPEECH, "-o", "x.npz", "--db-range", "0", "1"], "--db-range 0 1"),
    (
        ["mel", SPEECH, "-o", "x.png", "--db-range", "1", "0"],
        "--db-range 1 0: both must be",
    ),
    (["mel", SPEECH, "-o", "x.png", "--db-range", "nan", "0"], "--db-range nan 0"),
    (["mel", SPEECH, "-o", "x.png", "--size", "10", "10"], "10 is not in the range"),
    (["stft", SPEECH, "-o", "x.npy", "--mode", "mel"], "'mel' is not one of"),
    (["stft", SPEECH, "-o", "x.npy", "--frame-step", "300"], "300"),
    (["stft", SPEECH, "-o", "x.npy", "--fft-length", "100"], "100"),
    (["stft", SPEECH, "-o", "x.npy", "--nonsense"], "--nonsense"),
    (["melt", SPEECH], "melt"),
]


@pytest.mark.parametrize(("arguments", "said"), WRONG_USE)
def test_wrong_use_has_exit_code_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[object], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    output = run(*arguments, exit_code=2).output
    assert said in " ".join(output.split())
    assert list(tmp_path.iterdir()) == []


def test_a_window_of_the_wrong_shape_is_wrong_use(tmp_path: Path) -> None:
    np.save(tmp_path / "w.npy", np.ones(7))
    flags = ("--window", tmp_path / "w.npy")
    assert "(7,)" in run("stft", SPEECH, "-o", tmp_path / "x.npy", *flags, exit_code=2).output


@pytest.mark.parametrize("kind", ["text", "empty", "cut", "objects", "archive", "huge", "folder"])
def test_a_window_that_is_no_array_is_wrong_use(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "w.npy"
    np.save(path, np.array([1.0, None]) if kind == "objects" else np.ones(256))
    if kind == "text":
        path.write_bytes(b"nothing of the sort")
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "cut":
        path.write_bytes(path.read_bytes()[:-8])
    elif kind == "archive":
        with path.open("wb") as stream:
            np.savez(stream, window=np.ones(256))
    elif kind == "huge":
        path.write_bytes(
            path.read_bytes().replace(b"(256,), }" + b" " * 9, b"(256" + b"0" * 11 + b",),}")
        )
    elif kind == "folder":
        path.unlink()
        path.mkdir()
    output = run("stft", SPEECH, "-o", tmp_path / "x.npy", "--window", path, exit_code=2).output
    said = (
        "cannot be read: Is a directory" if kind == "folder" else "is no .npy file with an array"
    )
    assert said in " ".join(output.split())
    assert "pickle" not in output


@pytest.mark.parametrize("name", ["mel", "stft"])
@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "No such file"), (b"", "empty"), (b"text" * 99, "WAV, FLAC, OGG"), (b"cut", "cut")],
    ids=["missing", "empty", "text", "cut short"],
)
def test_broken_recordings_have_exit_code_1(
    tmp_path: Path, name: str, content: bytes | None, said: str
) -> None:
    if content == b"cut":
        content = SPEECH.read_bytes()[:30000]
    if content is not None:
        (tmp_path / "in.wav").write_bytes(content)
    output = run(name, tmp_path / "in.wav", "-o", tmp_path / "x.npy", exit_code=1).output
    assert said in output
    assert "in.wav" in output
    assert not (tmp_path / "x.npy").exists()


def test_too_short_a_recording(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "short.wav", signals.noise(100))
    output = run("stft", path, "-o", tmp_path / "x.npy", exit_code=1).output
    assert "100 samples" in output
    assert "--frame-length 256" in output
    run("stft", path, "-o", tmp_path / "x.npy", "--padding", "same")
    assert np.load(tmp_path / "x.npy").shape == (1, 129)
    run("mel", path, "-o", tmp_path / "m.npy")
    assert np.load(tmp_path / "m.npy").shape == (128, 1)


def test_a_channel_that_is_not_there(tmp_path: Path, stereo: Path) -> None:
    output = run("mel", stereo, "-o", tmp_path / "x.npy", "--channel", 2, exit_code=1).output
    assert "channel 2 of" in output
    assert "its last channel is 1, counted from 0" in output


def test_too_many_channels_for_a_picture(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "wide.wav", np.zeros((5000, 33), np.float32))
    assert "33" in run("mel", path, "-o", tmp_path / "x.png", exit_code=1).output
    assert not (tmp_path / "x.png").exists()
    run("mel", path, "-o", tmp_path / "x.png", "--channel", 32)


def test_nan_is_told(tmp_path: Path) -> None:
    samples = signals.noise(5000)
    samples[2500] = np.nan
    path = write_wav(tmp_path / "nan.wav", samples)
    assert "NaN" in run("stft", path, "-o", tmp_path / "x.npy").output
    assert np.isnan(np.load(tmp_path / "x.npy")).any()


def test_the_warning_of_the_layer_is_one_line(tmp_path: Path) -> None:
    output = run("stft", SPEECH, "-o", tmp_path / "x.npy", "--fft-length", 300, "-q").output
    assert output.count("\n") == 1
    assert output.startswith("Warning: ")
    assert "300" in output
