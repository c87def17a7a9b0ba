# SPDX-License-Identifier: BSD-3-Clause
"""Side-by-side timing of specfast and its peers; run with ``python -m benchmarks``."""
