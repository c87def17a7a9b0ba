# SPDX-License-Identifier: BSD-3-Clause
"""Holds the library with which specfast computes on NVIDIA GPUs, built for CUDA 12."""

from pathlib import Path

_found = list(Path(__file__).parent.glob("libspecfast_cuda.so.*"))
if not _found:
    raise ImportError(f"{__name__} has lost its library libspecfast_cuda.so: install it again")
library = str(_found[0])
