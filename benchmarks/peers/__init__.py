# SPDX-License-Identifier: BSD-3-Clause
"""The peers: what the parent must know of each, without importing any of their libraries.

Each module here holds one class ``Adapter`` (see ``base``); it is imported in a worker process
of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field

OURS = "specfast"


@dataclass(frozen=True)
class PeerInfo:
    """Name, heading, kind and start conditions of one peer.

    Kinds: "ours"; "isa" (ours, forced to an older instruction set); "keras"; "peer" (does the
    whole work); "original" (the program that a preset is made after); "fft" (bare transforms of
    ready frames: a part of the work); "part" (a part of what an original does).
    Definition: "same" as Keras; "near"; or "part", which is not compared.
    """

    key: str
    heading: str
    kind: str
    module: str
    definition: str = "same"
    env: dict[str, str] = field(default_factory=dict)
    workloads: tuple[str, ...] | None = None  # None: all
    one_thread_only: bool = False

    def takes(self, workload: str) -> bool:
        """Whether this peer can do this workload."""
        if workload in _TRAINED:
            return self.kind in ("ours", "keras")
        if workload in _WITH_ORIGINALS and self.workloads is None:
            return self.kind == "ours"
        return self.workloads is None or workload.split(":")[0] in self.workloads


_TRAINED = ("W9a", "W9b")  # nobody else has kernels to train
# Each has originals of its own.
_WITH_ORIGINALS = ("W10", "W11", "W12", "W13", "W14", "W15", "W16", "W17")
_MEL = ("W2", "W3", "W4", "W6", "W8a", "W8b", "W8c")
_MEL_FLOAT32 = ("W2", "W3", "W4", "W6", "W8c")
_NOT_AN_HOUR = ("W1", "W2", "W3", "W4", "W7a", "W7b", "W8a", "W8b", "W8c")


def _keras(key: str, heading: str, backend: str) -> PeerInfo:
    env = {"KERAS_BACKEND": backend}
    return PeerInfo(key, heading, "keras", "keras_layers", env=env)


def _fft(key: str, heading: str) -> PeerInfo:
    env = {"SPECFAST_BENCH_FFT": key}
    return PeerInfo(key, heading, "fft", "bare_fft", "part", env, _NOT_AN_HOUR)


def _original(key: str, heading: str, *workloads: str, kind: str = "original") -> PeerInfo:
    env = {"SPECFAST_BENCH_ORIGINAL": key}
    return PeerInfo(
        key, heading, kind, "front_ends", env=env, workloads=workloads, one_thread_only=True
    )


def _inverse(program: str, heading: str, workload: str = "W16") -> PeerInfo:
    env = {"SPECFAST_BENCH_ORIGINAL": f"inverse-{program}"}
    return PeerInfo(
        f"inverse-{program}",
        heading,
        "original",
        "inverses",
        env=env,
        workloads=(workload,),
        one_thread_only=True,
    )


def _isa(isa: str) -> PeerInfo:
    env = {"SPECFAST_ISA": isa}
    heading = f"specfast {isa}"
    return PeerInfo(
        f"specfast-{isa}",
        heading,
        "isa",
        "ours",
        env=env,
        workloads=("W2",),
        one_thread_only=True,
    )


PEERS: tuple[PeerInfo, ...] = (
    PeerInfo(OURS, "specfast", "ours", "ours"),
    _isa("avx2"),
    _isa("baseline"),
    _keras("keras-tensorflow", "Keras TF", "tensorflow"),
    _keras("keras-jax", "Keras JAX", "jax"),
    _keras("keras-torch", "Keras torch", "torch"),
    PeerInfo("torch", "torch by hand", "peer", "torch_hand"),
    PeerInfo("librosa", "librosa", "peer", "librosa_mel", workloads=_MEL),
    PeerInfo("audioflux", "audioFlux", "peer", "audioflux_mel", "near", workloads=_MEL_FLOAT32),
    PeerInfo("kaldi", "kaldi", "peer", "kaldi_fbank", "near", workloads=("W3", "W8c")),
    PeerInfo("scipy", "SciPy", "peer", "scipy_stft"),
    _original("openai-whisper", "openai whisper", "W10"),
    _original("transformers", "transformers", "W10", "W11", "W13"),
    _original("transformers-numpy", "transformers NumPy", "W10", "W13"),
    _original("kaldi-front-end", "kaldi frames", "W12"),
    _original("kaldi-front-end-loop", "kaldi C++ loop", "W12", kind="part"),
    _original("vocoder", "torch as HiFi-GAN", "W14"),
    _original("librosa-mfcc", "librosa mfcc", "W15"),
    _inverse("torch", "torch.istft"),
    _inverse("librosa", "librosa.istft"),
    _inverse("scipy", "SciPy istft"),
    _inverse("torchaudio", "torchaudio GriffinLim", "W17"),
    _inverse("librosa-griffin-lim", "librosa griffinlim", "W17"),
    _fft("fft-torch-mkl", "MKL torch"),
    _fft("fft-mkl", "MKL mkl_fft"),
    _fft("fft-fftw", "FFTW"),
    _fft("fft-ducc0", "ducc0"),
    _fft("fft-scipy", "scipy.fft"),
)


def select(names: list[str] | None) -> list[PeerInfo]:
    """Peers by key or kind; ours is always among them.  None means all.

    Raises ValueError for a name that matches nothing.
    """
    if names is None:
        return list(PEERS)
    for name in names:
        if not any(name in (p.key, p.kind) for p in PEERS):
            known = ", ".join(p.key for p in PEERS)
            raise ValueError(f"unknown peer {name!r}; choose from {known} (or a kind: keras, fft)")
    return [p for p in PEERS if p.key == OURS or p.key in names or p.kind in names]
