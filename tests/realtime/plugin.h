// SPDX-License-Identifier: BSD-3-Clause
// Between the host that counts and the plugin that streams.
#pragma once

// Calls between these two are counted.
struct Watch {
  void (*begin)();
  void (*end)();
};

// What the plugin does between begin and end that it must not, to prove that the host sees it.
enum Planted { kNothing, kAllocation, kLock, kSystemCall, kNumPlanted };

#pragma GCC visibility push(default)
extern "C" {
// Why the instruction set of SPECFAST_ISA cannot be used here, or null.
const char* plugin_unavailable();
int plugin_num_cases();
const char* plugin_case_name(int index);
// Makes the streams of one case ready. Returns a message or null.
const char* plugin_prepare(int index);
// About num_pushes pushes, flushes and resets, on any thread. Returns a message or null.
const char* plugin_run(long num_pushes, const Watch& watch, Planted planted);
}
#pragma GCC visibility pop
