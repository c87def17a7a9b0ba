# SPDX-License-Identifier: BSD-3-Clause
"""Reads Keras' files without Keras."""
