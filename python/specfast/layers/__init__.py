# SPDX-License-Identifier: BSD-3-Clause
"""The layers, and the list of them."""
