# SPDX-License-Identifier: BSD-3-Clause
"""Every allocation of a call from Python fails in turn; a program of its own.

    LD_PRELOAD=libfailing_malloc.so python starved.py CASE REPEATS

Prints how many allocations failed and how the calls ended, as JSON.
"""

from __future__ import annotations

import collections
import ctypes
import gc
import itertools
import json
import sys
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

sys.path.append(str(Path(__file__).resolve().parents[1] / "support"))

from makers import small_mel, small_stft
from signals import noise
from specfast import ISTFT, GriffinLim, MelSpectrogram

failing: Any = ctypes.CDLL(None)
X = noise(1, 4000, 1)


def cases() -> dict[str, Callable[[], Any]]:
    """Returns what may find no memory."""
    mel, stft = MelSpectrogram(512, 160, top_db=None), small_stft(mode="stft")
    inverse = ISTFT(16, 4, 32, padding="center")
    search = GriffinLim(ISTFT(16, 4, 32, padding="center"), num_iterations=2)
    stream, spectra = mel.stream(), stft(X)
    magnitudes = small_stft(mode="magnitude")(X)
    x, wide = X[0, :, 0], noise(40, 40_000)
    backwards = wide.astype(">f8")[:, ::-1]

    def pushed() -> Any:
        stream.reset()
        return stream.push(x), stream.flush()

    def pulled() -> Any:
        values, pull_back = stft.vjp(X)
        return pull_back(values)

    return {
        "mel": lambda: mel(x),
        "mel of a batch": lambda: mel(wide),
        "mel of another byte order": lambda: mel(backwards),
        "stft": lambda: stft(X),
        "clips": lambda: mel([x, x[:3000]]).values,
        "make": lambda: small_mel()(x),
        "make stft": lambda: small_stft()(X),
        "weights": lambda: stft.get_weights()[0],
        "stream": lambda: mel.stream().push(x),
        "push": pushed,
        "gradient": pulled,
        "inverse": lambda: inverse(spectra),
        "make inverse": lambda: ISTFT(16, 4, 32, padding="center").stream().push(spectra[0]),
        "search": lambda: search(magnitudes),
        "make search": lambda: GriffinLim(inverse, num_iterations=2)(magnitudes),
        "refusal": lambda: mel(x.astype(np.complex64)),
    }


def is_of_numpy(error: Exception) -> bool:
    """Whether a function of NumPy has failed without saying why, as its ufuncs do."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    in_numpy = Path(np.__file__).parent in Path(last.filename).parents
    return isinstance(error, SystemError) and (in_numpy or "ufunc" in str(error))


def outcome(call: Callable[[], Any], allowed: int) -> tuple[str, bool]:
    """Returns how a call ended of which one allocation fails, and whether it came to that."""
    failing.fail_allocation(ctypes.c_long(allowed))
    try:
        call()
    except Exception as error:
        # To look at an error takes memory.
        failed = bool(failing.end_of_failing())
        return type(error).__name__ + " of NumPy" * is_of_numpy(error), failed
    return "returned", bool(failing.end_of_failing())


def held_bytes() -> int:
    gc.collect()
    return 1024 * int(Path("/proc/self/status").read_text("ascii").split("RssAnon:")[1].split()[0])


def main(case: str, repeats: str) -> None:
    call = cases()[case]
    right = bits(call)
    ends: collections.Counter[str] = collections.Counter()
    for allowed in itertools.count():
        name, failed = outcome(call, allowed)
        if not failed:
            break
        ends[name] += 1
    before = 0
    for repeat in range(int(repeats)):
        for failing_one in range(allowed):
            outcome(call, failing_one)
        if repeat == int(repeats) // 5:
            before = held_bytes()
    growth, is_right = held_bytes() - before, bits(call) == right
    sys.stdout.write(json.dumps({"ends": ends, "growth": growth, "is_right": is_right}))


def bits(call: Callable[[], Any]) -> bytes | str:
    """Returns what a call returns, or the message of what it raises."""
    try:
        return b"".join(np.asarray(part).tobytes() for part in call())
    except TypeError as error:
        return str(error)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(*sys.argv[1:])
