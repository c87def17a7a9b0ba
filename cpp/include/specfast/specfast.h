/* SPDX-License-Identifier: BSD-3-Clause
 *
 * specfast: spectrograms and mel spectrograms with the numbers of keras.layers.STFTSpectrogram and
 * MelSpectrogram.
 *
 * This header includes the whole C ABI, for C99 and C++. Each of its parts can be included alone
 * and begins with a usage example:
 *
 *   types.h     status and message of a failure, enumerations, settings
 *   plan.h      plans, workspaces, the computation of whole signals
 *   stream.h    the same piece by piece, in real time
 *   gradient.h  gradients of signals and kernels
 *   inverse.h   signals from the spectra of their frames
 *   griffin_lim.h  signals from their magnitudes
 *   bands.h     bins of a spectrum from the energies of bands
 *   tables.h    windows, filterbanks, kernels
 *   device.h    the same on a GPU
 *   library.h   number of threads, build
 *
 * Every function that can fail returns a specfast_status. On failure specfast_last_error()
 * describes it: the argument, the value received and what would be accepted. No function prints,
 * exits, throws or keeps a pointer that it was given, unless its comment says so. Structures begin
 * with struct_size, their size as the caller knows it, by which versions are told apart. */
#ifndef SPECFAST_H
#define SPECFAST_H

#include "bands.h"
#include "device.h"
#include "gradient.h"
#include "griffin_lim.h"
#include "inverse.h"
#include "library.h"
#include "plan.h"
#include "stream.h"
#include "tables.h"
#include "types.h"

#endif
