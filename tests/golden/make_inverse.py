# SPDX-License-Identifier: BSD-3-Clause
"""Writes the spectra that torch, librosa and SciPy make, and what their inverses make of these.

    python tests/golden/make_inverse.py          # tests/golden/inverse.npz

`make front-ends-golden` has the programs and runs this. The file holds the versions that made it.
"""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).resolve().parent
sys.path[:0] = [str(FOLDER.parent / "support"), str(FOLDER.parent / "originals")]

import inverse_programs  # noqa: E402

import inverse_cases  # noqa: E402


def main() -> None:
    arrays = {
        "versions": np.array(
            json.dumps({name: version(name) for name in ("torch", "librosa", "scipy", "numpy")})
        )
    }
    for name, run in inverse_programs.PROGRAMS.items():
        spectra, signal = run(inverse_cases.signal(name))
        arrays[f"{name}.spectra"] = np.asarray(spectra, dtype=np.complex64)
        arrays[f"{name}.signal"] = np.asarray(signal, dtype=np.float64)
    np.savez_compressed(FOLDER / "inverse.npz", **arrays)


if __name__ == "__main__":
    main()
