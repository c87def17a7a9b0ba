# SPDX-License-Identifier: BSD-3-Clause
"""Specifies what is computed: arguments, their checks, and the coordinates of outputs."""
