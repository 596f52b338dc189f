#include "grade/python_json.h"

#include <algorithm>
#include <array>
#include <string>

namespace lmpo::grade {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Reads a text from left to right. Each function reads one thing, if it is there, and says so; what
// it has read of something else does not matter, because then the text is not JSON.
class JsonReader {
 public:
  explicit JsonReader(std::string_view text) : rest_(text) {}

  bool whole() {
    skip_space();
    if (!value()) {
      return false;
    }
    skip_space();
    return rest_.empty();
  }

 private:
  bool take(std::string_view part) {
    if (!rest_.starts_with(part)) {
      return false;
    }
    rest_.remove_prefix(part.size());
    return true;
  }
  void skip_space() {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\n\r"), rest_.size()));
  }
  std::size_t skip_digits() {
    const auto end = std::find_if_not(rest_.begin(), rest_.end(), is_digit);
    const auto count = static_cast<std::size_t>(end - rest_.begin());
    rest_.remove_prefix(count);
    return count;
  }

  bool value() {
    static constexpr auto kWords =
        std::to_array<std::string_view>({"null", "true", "false", "NaN", "Infinity", "-Infinity"});
    if (rest_.empty()) {
      return false;
    }
    switch (rest_[0]) {
      case '{':
        return members('}', [this] { return pair(); });
      case '[':
        return members(']', [this] { return value(); });
      case '"':
        return string();
      default:
        return std::any_of(kWords.begin(), kWords.end(),
                           [this](std::string_view word) { return take(word); }) ||
               number();
    }
  }

  // What is between brackets, with commas between.
  template <typename Member>
  bool members(char close, const Member& member) {
    constexpr int kDeepest = 900;
    if (depth_ == kDeepest) {
      return false;
    }
    ++depth_;
    rest_.remove_prefix(1);
    skip_space();
    const std::string_view end(&close, 1);
    bool is_first = true;
    while (!take(end)) {
      if (!is_first && !take(",")) {
        return false;
      }
      is_first = false;
      skip_space();
      if (!member()) {
        return false;
      }
      skip_space();
    }
    --depth_;
    return true;
  }

  bool pair() {
    if (!string()) {
      return false;
    }
    skip_space();
    if (!take(":")) {
      return false;
    }
    skip_space();
    return value();
  }

  bool string() {
    if (!take("\"")) {
      return false;
    }
    while (!rest_.empty()) {
      const char c = rest_[0];
      rest_.remove_prefix(1);
      if (c == '"') {
        return true;
      }
      if (static_cast<unsigned char>(c) < ' ' || (c == '\\' && !escape())) {
        return false;
      }
    }
    return false;
  }

  bool escape() {
    constexpr std::size_t kHexDigits = 4;
    if (!take("u")) {
      const bool is_known =
          !rest_.empty() && std::string_view("\"\\/bfnrt").find(rest_[0]) != std::string::npos;
      rest_.remove_prefix(is_known ? 1 : 0);
      return is_known;
    }
    const std::string_view digits = rest_.substr(0, kHexDigits);
    rest_.remove_prefix(digits.size());
    return digits.size() == kHexDigits &&
           digits.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
  }

  bool number() {
    constexpr std::size_t kMostDigits = 4300;  // Python's limit for integers
    take("-");
    const std::size_t digits = take("0") ? 1 : skip_digits();
    if (digits == 0) {
      return false;
    }
    return fraction_or_exponent() || digits <= kMostDigits;
  }

  // Whether the number is none of the integers. What does not belong to it is left.
  bool fraction_or_exponent() {
    const std::string_view integer_rest = rest_;
    bool found = take(".") && skip_digits() > 0;
    if (!found) {
      rest_ = integer_rest;
    }
    const std::string_view fraction_rest = rest_;
    if (take("e") || take("E")) {
      static_cast<void>(take("+") || take("-"));
      if (skip_digits() > 0) {
        return true;
      }
      rest_ = fraction_rest;
    }
    return found;
  }

  std::string_view rest_;
  int depth_ = 0;
};

}  // namespace

bool is_python_json(std::string_view text) {
  return JsonReader(text).whole();
}

}  // namespace lmpo::grade
