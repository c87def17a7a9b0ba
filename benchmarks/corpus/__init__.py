# SPDX-License-Identifier: BSD-3-Clause
"""Runs over a corpus: what faults do to them, how fast they are, what memory they take."""
