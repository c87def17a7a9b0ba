# SPDX-License-Identifier: BSD-3-Clause
"""Carries data through the C++ engine: arrays in, arrays and gradients out."""
