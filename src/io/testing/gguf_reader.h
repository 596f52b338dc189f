// A reader of GGUF files that was written from the format's specification. For tests only: a file
// that lies makes it throw std::out_of_range.
#pragma once

#include <cstdint>
#include <cstring>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/json.h"

namespace lmpo {

struct ReadGguf {
  struct Tensor {
    std::vector<std::uint64_t> sizes;  // the innermost first
    std::uint32_t type = 0;
    std::uint64_t begin = 0;  // in the file
  };

  std::uint32_t version = 0;
  std::vector<std::pair<std::string, json>> keys;
  std::map<std::string, Tensor> tensors;
  std::uint64_t data_begin = 0;
  std::string file;

  json key(const std::string& name) const {
    for (const auto& [key, value] : keys) {
      if (key == name) {
        return value;
      }
    }
    return {};
  }
  std::string bytes(const std::string& name, std::size_t count) const {
    const std::uint64_t begin = tensors.at(name).begin;
    return begin + count <= file.size() ? file.substr(begin, count)
                                        : throw std::out_of_range("beyond the file");
  }
  std::vector<float> floats(const std::string& name) const {
    std::size_t count = 1;
    for (const std::uint64_t size : tensors.at(name).sizes) {
      count *= size;
    }
    std::vector<float> values(count);
    std::memcpy(values.data(), bytes(name, count * sizeof(float)).data(), count * sizeof(float));
    return values;
  }
};

class GgufParser {
 public:
  static ReadGguf read(const fs::path& path) {
    GgufParser parser(read_file(path));
    return parser.parse();
  }

 private:
  explicit GgufParser(std::string file) { result_.file = std::move(file); }

  template <typename T>
  T number() {
    T value;
    std::memcpy(&value, take(sizeof(T)).data(), sizeof(T));
    return value;
  }
  std::string text() { return take(number<std::uint64_t>()); }
  std::string take(std::size_t count) {
    if (count > result_.file.size() - at_) {
      throw std::out_of_range("beyond the file");
    }
    at_ += count;
    return result_.file.substr(at_ - count, count);
  }

  json value(std::uint32_t type) {
    switch (type) {
      case 4:
        return number<std::uint32_t>();
      case 5:
        return number<std::int32_t>();
      case 6:
        return number<float>();
      case 7:
        return number<std::uint8_t>() != 0;
      case 8:
        return text();
      case 9: {
        json list = json::array();
        const auto item = number<std::uint32_t>();
        for (auto left = number<std::uint64_t>(); left > 0; --left) {
          list.push_back(value(item));
        }
        return list;
      }
      default:
        throw std::out_of_range("no such type of values");
    }
  }

  ReadGguf parse() {
    if (take(4) != "GGUF") {
      throw std::out_of_range("no GGUF file");
    }
    result_.version = number<std::uint32_t>();
    const auto tensors = number<std::uint64_t>();
    for (auto left = number<std::uint64_t>(); left > 0; --left) {
      const std::string key = text();
      const auto type = number<std::uint32_t>();
      result_.keys.emplace_back(key, value(type));
    }
    for (auto left = tensors; left > 0; --left) {
      ReadGguf::Tensor& tensor = result_.tensors[text()];
      for (auto sizes = number<std::uint32_t>(); sizes > 0; --sizes) {
        tensor.sizes.push_back(number<std::uint64_t>());
      }
      tensor.type = number<std::uint32_t>();
      tensor.begin = number<std::uint64_t>();
    }
    result_.data_begin = (at_ + 31) / 32 * 32;
    for (auto& [name, tensor] : result_.tensors) {
      tensor.begin += result_.data_begin;
    }
    return std::move(result_);
  }

  ReadGguf result_;
  std::size_t at_ = 0;
};

}  // namespace lmpo
