# SPDX-License-Identifier: BSD-3-Clause
"""Keras' files, read without Keras."""
