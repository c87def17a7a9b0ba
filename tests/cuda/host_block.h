// SPDX-License-Identifier: BSD-3-Clause
// Runs a kernel's program on the host, one block at a time. Threads run in the order given, which
// must not matter; shared memory is watched: reading what nobody wrote, beyond an array, or what
// another thread writes in the same phase, ends the run with a message.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <numeric>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

namespace specfast_tests {

enum class ThreadOrder { kForward, kReverse, kShuffled };

inline std::vector<int> thread_order(ThreadOrder order, int num_threads, std::uint64_t seed) {
  std::vector<int> threads(static_cast<std::size_t>(num_threads));
  std::iota(threads.begin(), threads.end(), 0);
  if (order == ThreadOrder::kReverse) std::reverse(threads.begin(), threads.end());
  if (order == ThreadOrder::kShuffled) {
    std::mt19937_64 random(seed);
    std::shuffle(threads.begin(), threads.end(), random);
  }
  return threads;
}

// Where a block stands.
struct Moment {
  std::int64_t phase = 0;
  int thread = -1;
};

[[noreturn]] inline void fault(const char* what, std::int64_t place, const Moment& moment) {
  throw std::logic_error(std::string("shared memory: ") + what + " at " + std::to_string(place) +
                         ", phase " + std::to_string(moment.phase) + ", thread " +
                         std::to_string(moment.thread));
}

// An array in shared memory.
template <typename U>
class WatchedArray {
 public:
  WatchedArray(std::int64_t count, const Moment& moment)
      : state_(std::make_shared<State>(State{std::vector<U>(std::size_t(count)),
                                             std::vector<Access>(std::size_t(count)), &moment})) {}

  class Element {
   public:
    Element(const WatchedArray& array, std::int64_t place) : array_(array), place_(place) {}
    operator U() const { return array_.read(place_); }
    const Element& operator=(const U& value) const {
      array_.write(place_, value);
      return *this;
    }

   private:
    const WatchedArray& array_;
    std::int64_t place_;
  };

  Element operator[](std::int64_t place) const {
    if (place < 0 || place >= std::int64_t(state_->values.size()))
      fault("access beyond the array", place, *state_->moment);
    return Element(*this, place);
  }

 private:
  struct Access {
    std::int64_t written = -1, read = -1;  // the latest phases
    int writer = -1, reader = -1;          // kSeveral: several threads
  };
  static constexpr int kSeveral = -2;
  struct State {
    std::vector<U> values;
    std::vector<Access> accesses;
    const Moment* moment;
  };

  U read(std::int64_t place) const {
    const Moment& now = *state_->moment;
    Access& access = state_->accesses[std::size_t(place)];
    if (access.written < 0) fault("reads what nobody wrote", place, now);
    if (access.written == now.phase && access.writer != now.thread)
      fault("reads what another thread writes", place, now);
    access.reader = access.read == now.phase && access.reader != now.thread ? kSeveral : now.thread;
    access.read = now.phase;
    return state_->values[std::size_t(place)];
  }

  void write(std::int64_t place, const U& value) const {
    const Moment& now = *state_->moment;
    Access& access = state_->accesses[std::size_t(place)];
    if (access.written == now.phase && access.writer != now.thread)
      fault("two threads write", place, now);
    if (access.read == now.phase && access.reader != now.thread)
      fault("writes what another thread reads", place, now);
    access.written = now.phase;
    access.writer = now.thread;
    state_->values[std::size_t(place)] = value;
  }

  std::shared_ptr<State> state_;
};

template <typename Registers>
class HostBlock {
 public:
  HostBlock(std::int64_t index, int num_threads, std::int64_t shared_bytes, ThreadOrder order)
      : index_(index),
        shared_bytes_(shared_bytes),
        order_(thread_order(order, num_threads, std::uint64_t(index))),
        registers_(std::size_t(num_threads)) {
    // Whatever a thread has not set itself is NaN.
    std::memset(static_cast<void*>(registers_.data()), 0xff, registers_.size() * sizeof(Registers));
  }

  std::int64_t index() const { return index_; }
  int num_threads() const { return int(registers_.size()); }

  template <typename Phase>
  void phase(const Phase& phase) {
    for (const int thread : order_) {
      moment_.thread = thread;
      phase(thread, registers_[std::size_t(thread)]);
    }
    ++moment_.phase;
  }

  template <typename U>
  WatchedArray<U> shared(std::int64_t count) {
    end_ = (end_ + 15) / 16 * 16 + count * std::int64_t(sizeof(U));
    if (end_ > shared_bytes_) fault("more is asked for than the program says", end_, moment_);
    return WatchedArray<U>(count, moment_);
  }

 private:
  std::int64_t index_, shared_bytes_, end_ = 0;
  std::vector<int> order_;
  std::vector<Registers> registers_;
  Moment moment_;
};

}  // namespace specfast_tests
