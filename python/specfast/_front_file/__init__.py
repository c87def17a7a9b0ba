# SPDX-License-Identifier: BSD-3-Clause
"""Readers of the files in which other programs describe their front ends, a module per format."""
