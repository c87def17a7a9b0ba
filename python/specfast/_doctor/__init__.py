# SPDX-License-Identifier: BSD-3-Clause
"""What `specfast.doctor` is made of: stages, subjects, the search for causes, findings, text."""
