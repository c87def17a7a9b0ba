// SPDX-License-Identifier: BSD-3-Clause
// What HostBlock must see: each fault of a program, planted once, and none in a sound one.
#include "host_block.h"

#include <cstdio>
#include <functional>

namespace {

struct Registers {
  int value;
};
using Block = specfast_tests::HostBlock<Registers>;

constexpr int kThreads = 4;
int failures = 0;

// Returns the message with which a program ends, or "".
std::string fault_of(const std::function<void(Block&)>& program) {
  try {
    Block block(0, kThreads, 64, specfast_tests::ThreadOrder::kShuffled);
    program(block);
    return "";
  } catch (const std::logic_error& error) {
    return error.what();
  }
}

void expect(const char* what, const char* part, const std::function<void(Block&)>& program) {
  const std::string fault = fault_of(program);
  const bool ok = *part ? fault.find(part) != std::string::npos : fault.empty();
  if (!ok) ++failures;
  std::printf("%-8s %s: %s\n", ok ? "ok" : "FAILED", what, fault.c_str());
}

}  // namespace

int main() {
  expect("neighbours, with a barrier between", "", [](Block& block) {
    auto array = block.shared<int>(kThreads);
    block.phase([&](int thread, Registers&) { array[thread] = thread; });
    block.phase([&](int thread, Registers& r) { r.value = array[(thread + 1) % kThreads]; });
    block.phase([&](int thread, Registers& r) { array[thread] = r.value; });
  });
  expect("what a thread wrote itself", "", [](Block& block) {
    auto array = block.shared<int>(kThreads);
    block.phase([&](int thread, Registers& r) {
      array[thread] = thread;
      r.value = array[thread];
    });
  });
  expect("no barrier before a read", "another thread", [](Block& block) {
    auto array = block.shared<int>(kThreads);
    block.phase([&](int thread, Registers&) { array[thread] = thread; });
    block.phase([&](int thread, Registers& r) {
      array[thread] = 1;
      r.value = array[(thread + 1) % kThreads];
    });
  });
  expect("no barrier after a read", "another thread", [](Block& block) {
    auto array = block.shared<int>(kThreads);
    block.phase([&](int thread, Registers&) { array[thread] = thread; });
    block.phase([&](int thread, Registers& r) {
      r.value = array[0];
      if (thread == 1) array[0] = 1;
    });
  });
  expect("two writers", "two threads write", [](Block& block) {
    auto array = block.shared<int>(1);
    block.phase([&](int thread, Registers&) { array[0] = thread; });
  });
  expect("nobody wrote", "nobody wrote", [](Block& block) {
    auto array = block.shared<int>(1);
    block.phase([&](int, Registers& r) { r.value = array[0]; });
  });
  for (const int place : {-1, 4}) {
    expect("beyond the array", "beyond the array", [place](Block& block) {
      auto array = block.shared<int>(4);
      block.phase([&](int, Registers&) { array[place] = 1; });
    });
  }
  expect("more memory than said", "more is asked for",
         [](Block& block) { block.shared<double>(9); });
  expect("registers begin as NaN", "", [](Block& block) {
    block.phase([](int, Registers& r) {
      if (r.value != -1) throw std::logic_error("registers are set");
    });
  });
  std::printf("%d failed\n", failures);
  return failures ? 1 : 0;
}
