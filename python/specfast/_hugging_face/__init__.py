# SPDX-License-Identifier: BSD-3-Clause
"""What the drop-in classes of specfast.huggingface share."""
