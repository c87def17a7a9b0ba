# SPDX-License-Identifier: BSD-3-Clause
"""Turns a layer into a function of samples and kernels, for the frameworks' fronts."""
