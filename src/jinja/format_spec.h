// How one value is written: what "%5.2f" and "{:5.2f}" have in common.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "jinja/value.h"

namespace lmpo::jinja {

inline constexpr std::int64_t kGreatestWidth = 100'000;
inline constexpr std::int64_t kGreatestPrecision = 300;

struct Spec {
  std::string fill = " ";
  char align = 0;   // < > ^ =; 0: the usual one
  char sign = '-';  // what a number that is not negative begins with: nothing, '+' or ' '
  bool alternate = false;
  bool zeros = false;
  char grouping = 0;  // between thousands: ',' or '_'; 0: nothing
  std::int64_t width = 0;
  std::optional<std::int64_t> precision;
  char type = 0;  // 'd', 'x', 'f', ...; 0: none is given
};

// A format text and how far it is read.
struct Reader {
  std::string_view text;
  std::size_t at = 0;

  bool done() const { return at >= text.size(); }
  char peek() const { return done() ? '\0' : text[at]; }
  bool take(char c);
  // The digits here; none where there are none. TemplateError above `greatest`.
  std::optional<std::int64_t> number(std::int64_t greatest);
};

// Whether `type` is one of these.
inline bool is_one_of(char type, std::string_view types) {
  return type != 0 && types.find(type) != std::string_view::npos;
}

// A number by the types d, b, o, x, X and those of Python's floats. TemplateError for another value.
std::string number_text(const Value& value, Spec spec);
// A text, cut to the precision.
std::string text_of(const std::string& text, const Spec& spec);
// By "c": one character, or its number.
std::string character_of(const Value& value);
// `sign` and `body` in the width; by `usual_align` where the specification names none.
std::string aligned(const std::string& sign, const std::string& body, const Spec& spec,
                    char usual_align);
// What stands before a number: "-", or what the specification asks for.
std::string sign_of(bool negative, const Spec& spec);

}  // namespace lmpo::jinja
