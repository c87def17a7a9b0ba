# SPDX-License-Identifier: BSD-3-Clause
"""Checks and timings on an NVIDIA GPU; tools/gpu_check.sh runs all of them."""
