# SPDX-License-Identifier: BSD-3-Clause
"""How the features of a shard lie on the disk: one module a format, and what they share."""
