# SPDX-License-Identifier: BSD-3-Clause
"""The way of data: arrays in, the C++ engine, arrays and gradients out."""
