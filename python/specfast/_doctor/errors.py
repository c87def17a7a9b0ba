# SPDX-License-Identifier: BSD-3-Clause
"""What is raised for something that is no front end."""

from __future__ import annotations


class DoctorError(ValueError):
    """What was given is no front end, or failed when it was asked for features."""
