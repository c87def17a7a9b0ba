# SPDX-License-Identifier: BSD-3-Clause
"""Many clips on many machines: what comes in, how it is cut, computed, written and read back."""
