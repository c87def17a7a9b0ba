# SPDX-License-Identifier: BSD-3-Clause
"""The readers of files under libFuzzer: whatever the bytes are, a result or a documented error.

    python tests/fuzz/readers.py NAME CORPUS [OPTIONS of libFuzzer]
    python tests/fuzz/readers.py NAME INPUT       one input again

CORPUS is a folder; it gets the seeds of this target, which are files as they should be. The first
byte of an input chooses among the readers of a target. What takes longer than 25 seconds or more
than 2 GiB is a failure too. Requires atheris, which the dependency group `fuzz` brings.
"""

from __future__ import annotations

import gzip
import io
import json
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

import atheris

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/support"), str(ROOT / "tests/features/front_files")]

with atheris.instrument_imports(include=["specfast"]):
    import specfast
    from specfast import audio, front_files, keras_files
    from specfast._audio.containers import mended
    from specfast._audio.errors import Damaged
    from specfast._audio.files import File
    from specfast._corpus.listing import _line_of, read_list
    from specfast._corpus.manifests import read_manifest

import front_file_makers as makers
import numpy as np
import published
import soundfile

import archives

# Where files are written, again for each input: in memory if that can be had.
MEMORY = "/dev/shm"
FOLDER = Path(tempfile.mkdtemp(dir=MEMORY if Path(MEMORY).is_dir() else None))
MAX_WEIGHTS_BYTES = 1 << 24
RATE = 16000
SMALL_MODEL = archives.sequential(archives.stft_node())
SMALL_WEIGHTS = archives.weights_file({"layers/stft_spectrogram": ("front", archives.kernels(1))})
FRONT_FILES = ("preprocessor_config.json", "model_config.yaml", "fbank.conf", "model.nemo")
MANIFESTS = ("list.jsonl", "list.csv", "list.jsonl.gz", "list.csv.gz")
# Larger front ends are read, and not built: what they cost is what they say.
MAX_BUILT = 1 << 12


def written(name: str, content: bytes) -> Path:
    path = FOLDER / name
    path.write_bytes(content)
    return path


# ---- Models of Keras ---------------------------------------------------------------------------


def read_keras(which: int, content: bytes) -> None:
    if which % 3 == 0:
        file = io.BytesIO(content)
    elif which % 3 == 1:
        file = archives.archive(content, SMALL_WEIGHTS)
    else:
        file = archives.archive(SMALL_MODEL, content)
    try:
        keras_files.load_keras(file, max_weights_bytes=MAX_WEIGHTS_BYTES)
    except keras_files.KerasFileError as error:
        assert str(error)


def keras_seeds() -> list[bytes]:
    return [
        b"\0" + archives.small_model().getvalue(),
        b"\1" + json.dumps(SMALL_MODEL).encode(),
        b"\2" + SMALL_WEIGHTS,
    ]


# ---- Front ends --------------------------------------------------------------------------------


def spec_of(which: int, content: bytes) -> specfast.FeatureSpec | None:
    """Returns what a file says; None if it was refused as documented."""
    try:
        if which % 5 == 4:
            return specfast.FeatureSpec.from_json(content)
        kind = "mfcc" if which >= 128 and which % 5 == 2 else None
        return front_files.read_front(written(FRONT_FILES[which % 5], content), kind=kind)
    except front_files.FrontFileError as error:
        assert str(error)
    except (TypeError, ValueError) as error:
        assert which % 5 == 4 or which >= 128, error
        assert str(error)
    return None


def read_front(which: int, content: bytes) -> None:
    spec = spec_of(which, content)
    if spec is None:
        return
    again = specfast.FeatureSpec.from_json(spec.to_json())
    assert again == spec, (again, spec)
    largest = (spec.fft_length, spec.frame_length, spec.num_mel_bins, spec.delta_window)
    if which & 64 and max(value or 0 for value in largest) <= MAX_BUILT:
        try:
            specfast.FeatureExtractor(spec)
        except (ValueError, MemoryError) as error:
            assert str(error)


def front_seeds() -> list[bytes]:
    found = [
        (0, published.WHISPER),
        (65, published.AST),
        (4, json.loads(specfast.FeatureSpec().to_json())),
        (64, json.loads(specfast.FeatureSpec(num_cepstra=13).to_json())),
    ]
    seeds = [bytes([which]) + json.dumps(values).encode() for which, values in found]
    nemo = makers.nemo_text({"_target_": "nemo.AudioToMelSpectrogramPreprocessor", "features": 80})
    seeds.append(b"\1" + nemo.encode())
    options = {"num-mel-bins": "40", "dither": "0", "use-energy": "false"}
    seeds.append(b"\2" + makers.kaldi_file(FOLDER, options).read_bytes())
    seeds.append(b"\3" + makers.tar_bytes({"./model_config.yaml": nemo.encode()}))
    return seeds


# ---- Recordings --------------------------------------------------------------------------------


def read_audio(which: int, content: bytes) -> None:
    if which % 4 == 0:
        try:
            samples, rate = audio.read_audio(content)
        except audio.AudioError as error:
            assert str(error)
            return
        assert samples.ndim == 2 and samples.dtype == np.float32 and rate > 0
        return
    try:
        sound = mended(File(io.BytesIO(content)))
    except Damaged as error:
        assert str(error)
        return
    for pieces in sound.parts:
        for piece in pieces:
            if isinstance(piece, range):
                assert 0 <= piece.start <= piece.stop <= len(content), piece
            else:
                assert len(piece) <= len(content) + (1 << 16), len(piece)


def audio_seeds() -> list[bytes]:
    samples = np.sin(np.arange(600) / 9).astype(np.float32)
    seeds = []
    for form, subtype in [
        ("WAV", "PCM_16"), ("WAV", "FLOAT"), ("AIFF", "PCM_16"), ("FLAC", "PCM_16"),
        ("CAF", "PCM_16"), ("AU", "PCM_16"), ("OGG", "VORBIS"), ("MP3", "MPEG_LAYER_III"),
        ("RF64", "PCM_16"), ("W64", "PCM_16"),
    ]:  # fmt: skip
        stream = io.BytesIO()
        soundfile.write(stream, samples, RATE, format=form, subtype=subtype)
        seeds += [which + stream.getvalue() for which in (b"\0", b"\1")]
    return seeds


# ---- Lists of clips ----------------------------------------------------------------------------


def read_clips(which: int, content: bytes) -> None:
    name = MANIFESTS[which % 4]
    packed = gzip.compress(content, 1) if name.endswith(".gz") and which < 128 else content
    try:
        items = list(read_manifest(str(written(name, packed))))
    except ValueError as error:
        assert str(error)
        return
    # What a run writes down of them.
    listed = written("listed.jsonl", b"".join(map(_line_of, items)))
    assert list(read_list(listed)) == items


def clips_seeds() -> list[bytes]:
    source = {"type": "file", "channels": [0, 1], "source": "c.flac"}
    recording = {"id": "r", "sources": [source]}
    rows = [
        {"path": "a/b.wav", "id": "b", "start": 1.5, "duration": 2, "channel": 0},
        recording,
        {"id": "c", "type": "MonoCut", "start": 0.5, "duration": 1.0, "recording": recording},
    ]
    lines = "\n".join(map(json.dumps, rows)).encode()
    table = b"path,id,start,duration,channel\na.wav,a,0.5,1,0\nb.wav,,,,\n"
    plain = [b"\0" + lines, b"\1" + table, b"\2" + lines, b"\3" + table]
    return [*plain, b"\x82" + gzip.compress(lines, 1)]


# ---- Targets -----------------------------------------------------------------------------------

TARGETS: dict[str, tuple[Callable[[int, bytes], None], Callable[[], list[bytes]]]] = {
    "keras": (read_keras, keras_seeds),
    "fronts": (read_front, front_seeds),
    "audio": (read_audio, audio_seeds),
    "clips": (read_clips, clips_seeds),
}


def main(arguments: list[str]) -> None:
    name, place, *options = arguments
    read, seeds = TARGETS[name]
    if Path(place).is_dir():
        for number, seed in enumerate(seeds()):
            (Path(place) / f"seed-{number:02d}").write_bytes(seed)
    warnings.simplefilter("ignore")

    def read_one(data: bytes) -> None:
        if data:
            read(data[0], data[1:])

    limits = ["-timeout=25", "-rss_limit_mb=2048"]
    atheris.Setup([sys.argv[0], place, *limits, *options], read_one)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
