// SPDX-License-Identifier: BSD-3-Clause
#include "record.h"

#include <fstream>
#include <limits>

#include "check.h"

namespace differential {
namespace {

// ---- Files -------------------------------------------------------------------------------------

static_assert(std::numeric_limits<double>::is_iec559 && sizeof(std::uint64_t) == 8);

class Writer {
 public:
  explicit Writer(const std::string& path) : file_(path, std::ios::binary) {
    require(file_.good(), "cannot write " + path);
    file_.exceptions(std::ios::failbit | std::ios::badbit);
  }
  void number(std::uint64_t number) { bytes(&number, sizeof(number)); }
  void text(const std::string& text) {
    number(text.size());
    bytes(text.data(), text.size());
  }
  void array(const std::vector<double>& values) {
    number(values.size());
    bytes(values.data(), values.size() * sizeof(double));
  }

 private:
  void bytes(const void* from, std::size_t count) {
    file_.write(static_cast<const char*>(from), std::streamsize(count));
  }
  std::ofstream file_;
};

class Reader {
 public:
  explicit Reader(const std::string& path) : file_(path, std::ios::binary) {
    require(file_.good(), "cannot read " + path);
    file_.exceptions(std::ios::failbit | std::ios::badbit | std::ios::eofbit);
  }
  std::uint64_t number() {
    std::uint64_t number;
    file_.read(reinterpret_cast<char*>(&number), sizeof(number));
    return number;
  }
  std::string text() {
    std::string text(length(), '\0');
    file_.read(text.data(), std::streamsize(text.size()));
    return text;
  }
  std::vector<double> array() {
    std::vector<double> values(length());
    file_.read(reinterpret_cast<char*>(values.data()),
               std::streamsize(values.size() * sizeof(double)));
    return values;
  }

 private:
  std::size_t length() {
    const std::uint64_t count = number();
    require(count < 1u << 28, "a recording is damaged");
    return std::size_t(count);
  }
  std::ifstream file_;
};

}  // namespace

void write(const std::string& path, const Recording& recording) {
  Writer file(path);
  file.text(kMagic);
  file.text(recording.isa);
  file.number(recording.seed);
  file.number(recording.records.size());
  for (const Record& record : recording.records) {
    file.number(record.results.size());
    for (std::size_t part = 0; part < record.results.size(); ++part) {
      file.text(record.results[part].name);
      file.number(std::uint64_t(record.results[part].frame_size));
      file.array(record.results[part].values);
      file.array(record.units[part]);
    }
  }
}

Recording read(const std::string& path) try {
  Reader file(path);
  require(file.text() == kMagic, path + " is no recording of this version");
  Recording recording;
  recording.isa = file.text();
  recording.seed = file.number();
  recording.records.resize(std::size_t(file.number()));
  for (Record& record : recording.records) {
    record.results.resize(std::size_t(file.number()));
    for (Result& result : record.results) {
      result.name = file.text();
      result.frame_size = std::int64_t(file.number());
      result.values = file.array();
      record.units.push_back(file.array());
      require(record.units.back().size() == result.values.size(), "a recording is damaged");
    }
  }
  return recording;
} catch (const std::ios_base::failure&) {
  throw std::runtime_error(path + " ends too early");
}

}  // namespace differential
