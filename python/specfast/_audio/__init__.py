# SPDX-License-Identifier: BSD-3-Clause
"""What `specfast.audio` is made of: sources of bytes, containers, encodings without a header."""
