# SPDX-License-Identifier: BSD-3-Clause
"""Private: what `specfast.plot` is made of."""
