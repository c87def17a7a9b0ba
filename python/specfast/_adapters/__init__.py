# SPDX-License-Identifier: BSD-3-Clause
"""A layer as a function of samples and kernels, for the frameworks' fronts."""
