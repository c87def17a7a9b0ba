# SPDX-License-Identifier: BSD-3-Clause
"""What is to be computed: arguments, their checks, and what outputs stand for."""
