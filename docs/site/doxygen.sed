# Makes the comments of the C headers those that Doxygen reads: each stands above what it describes.
1s|^/\* SPDX-License-Identifier: .*|/** @file|
/^ *\/\* ----/b
s|^\( *\)/\* |\1/** |
