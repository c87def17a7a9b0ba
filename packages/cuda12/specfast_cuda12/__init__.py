# SPDX-License-Identifier: BSD-3-Clause
"""Holds the library with which specfast computes on NVIDIA GPUs, built for CUDA 12."""

from pathlib import Path

library = str(next(Path(__file__).parent.glob("libspecfast_cuda.so.*")))
