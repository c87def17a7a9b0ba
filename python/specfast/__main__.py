# SPDX-License-Identifier: BSD-3-Clause
"""`python -m specfast` is the command `specfast`."""

from specfast.cli import main

if __name__ == "__main__":
    main()
