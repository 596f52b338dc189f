#include "jinja/formatting.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "base/utf8.h"
#include "jinja/functions.h"
#include "jinja/text_functions.h"

namespace lmpo::jinja {
namespace {

constexpr std::int64_t kGreatestWidth = 100'000;
constexpr std::int64_t kGreatestPrecision = 300;

// How one value is to be written.
struct Spec {
  std::string fill = " ";
  char align = 0;  // < > ^ =, or none
  char sign = '-';
  bool alternate = false;
  bool zeros = false;
  char grouping = 0;
  std::int64_t width = 0;
  std::optional<std::int64_t> precision;
  char type = 0;
};

// A format text and how far it is read.
struct Reader {
  std::string_view text;
  std::size_t at = 0;

  bool done() const { return at >= text.size(); }
  char peek() const { return done() ? '\0' : text[at]; }
  bool take(char c) {
    const bool found = !done() && text[at] == c;
    at += found ? 1 : 0;
    return found;
  }
  std::optional<std::int64_t> number(std::int64_t greatest) {
    std::int64_t value = 0;
    const char* begin = text.data() + at;
    const auto [end, error] = std::from_chars(begin, text.data() + text.size(), value);
    if (end == begin || *begin == '-') {
      return std::nullopt;
    }
    if (error != std::errc() || value > greatest) {
      fail("format: a width or precision above {} is not supported", greatest);
    }
    at += static_cast<std::size_t>(end - begin);
    return value;
  }
};

std::string in_base(std::uint64_t number, char type, bool alternate) {
  const char* prefix = type == 'x' ? "0x" : type == 'X' ? "0X" : type == 'o' ? "0o" : "0b";
  std::string digits = type == 'x'   ? fmt::format("{:x}", number)
                       : type == 'X' ? fmt::format("{:X}", number)
                       : type == 'o' ? fmt::format("{:o}", number)
                                     : fmt::format("{:b}", number);
  return alternate ? prefix + digits : digits;
}

std::string floating(double number, const Spec& spec) {
  const int precision = static_cast<int>(spec.precision.value_or(6));
  const double size = std::abs(number);
  switch (spec.type) {
    case 'e':
      return spec.alternate ? fmt::format("{:#.{}e}", size, precision)
                            : fmt::format("{:.{}e}", size, precision);
    case 'g':
      return spec.alternate ? fmt::format("{:#.{}g}", size, precision)
                            : fmt::format("{:.{}g}", size, precision);
    case '%':
      return fmt::format("{:.{}f}%", size * 100, precision);
    default:
      return spec.alternate ? fmt::format("{:#.{}f}", size, precision)
                            : fmt::format("{:.{}f}", size, precision);
  }
}

// The digits before the point in groups of three.
std::string grouped(const std::string& digits, char separator) {
  const std::size_t whole = std::min(digits.find_first_not_of("0123456789"), digits.size());
  std::string result;
  for (std::size_t i = 0; i < whole; ++i) {
    if (i > 0 && (whole - i) % 3 == 0) {
      result += separator;
    }
    result += digits[i];
  }
  return result + digits.substr(whole);
}

std::string aligned(const std::string& sign, const std::string& body, const Spec& spec,
                    char usual_align) {
  const char align = spec.align != 0 ? spec.align : spec.zeros ? '=' : usual_align;
  const std::string fill = spec.zeros && spec.align == 0 ? "0" : spec.fill;
  if (align == '=') {
    return sign +
           padded(body, spec.width - static_cast<std::int64_t>(sign.size()), fill, Side::left);
  }
  const std::string whole = sign + body;
  if (align != '^') {
    return padded(whole, spec.width, fill, align == '<' ? Side::right : Side::left);
  }
  const auto length = static_cast<std::int64_t>(count_characters(whole));
  const std::int64_t left = std::max<std::int64_t>(spec.width - length, 0) / 2;
  return padded(padded(whole, length + left, fill, Side::left), spec.width, fill, Side::right);
}

std::string number_text(const Value& value, Spec spec) {
  const bool is_lower = std::string_view("efg").find(spec.type) != std::string_view::npos;
  const bool is_upper = std::string_view("EFG").find(spec.type) != std::string_view::npos;
  const auto signed_by = [&](bool negative) -> std::string {
    return negative ? "-" : spec.sign == '-' ? "" : std::string(1, spec.sign);
  };
  if (is_lower || is_upper || spec.type == '%') {
    if (is_upper) {
      spec.type = static_cast<char>(spec.type | 0x20);
    }
    const double number = value.number("format");
    std::string body = floating(number, spec);
    body = is_upper ? upper(body) : body;
    body = spec.grouping != 0 ? grouped(body, spec.grouping) : body;
    return aligned(signed_by(std::signbit(number) && !std::isnan(number)), body, spec, '>');
  }
  if (spec.precision) {
    fail("format: an integer has no precision");
  }
  const std::int64_t number = value.integer("format");
  const auto size =
      number < 0 ? 0 - static_cast<std::uint64_t>(number) : static_cast<std::uint64_t>(number);
  std::string body =
      spec.type == 'd' ? fmt::format("{}", size) : in_base(size, spec.type, spec.alternate);
  body = spec.grouping != 0 ? grouped(body, spec.grouping) : body;
  return aligned(signed_by(number < 0), body, spec, '>');
}

std::string text_of(const std::string& text, const Spec& spec) {
  return aligned("", spec.precision ? slice(text, 0, *spec.precision, 1) : text, spec, '<');
}

std::string character_of(const Value& value) {
  if (value.is_string()) {
    if (count_characters(value.string()) != 1) {
      fail("format: '%c' expects one character");
    }
    return value.string();
  }
  const std::int64_t code = value.integer("%c");
  if (code < 0 || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) {
    fail("format: {} is no character", code);
  }
  std::string text;
  append_utf8(text, static_cast<char32_t>(code));
  return text;
}

// One "%..." of a text, after the %.
class PercentField {
 public:
  explicit PercentField(Reader& reader) {
    if (reader.take('(')) {
      const std::size_t close = reader.text.find(')', reader.at);
      if (close == std::string_view::npos) {
        fail("format: '%(' has no ')'");
      }
      name_ = std::string(reader.text.substr(reader.at, close - reader.at));
      reader.at = close + 1;
    }
    for (bool more = true; more;) {
      more = take_flag(reader);
    }
    spec_.width = reader.number(kGreatestWidth).value_or(0);
    if (reader.take('.')) {
      spec_.precision = reader.number(kGreatestPrecision).value_or(0);
    }
    while (reader.take('h') || reader.take('l') || reader.take('L')) {
    }
    spec_.type = reader.peek();
    ++reader.at;
  }

  bool is_percent() const {
    return spec_.type == '%' && spec_.width == 0 && spec_.align == 0 && !spec_.zeros;
  }
  const std::optional<std::string>& name() const { return name_; }

  std::string write(const Value& value) {
    if (std::string_view("srac").find(spec_.type) != std::string_view::npos && spec_.type != 0) {
      spec_.align = spec_.align != 0 ? spec_.align : '>';
      spec_.zeros = false;
      return text_of(spec_.type == 's'   ? value.str().string()
                     : spec_.type == 'c' ? character_of(value)
                                         : value.repr(),
                     spec_);
    }
    if (std::string_view("diu").find(spec_.type) != std::string_view::npos) {
      const bool is_float = value.is<double>();
      if (is_float && !(std::abs(value.as<double>()) < 9e18)) {
        fail("format: {} is too large for '%d'", value.as<double>());
      }
      spec_.type = 'd';
      return number_text(is_float ? Value(static_cast<std::int64_t>(value.as<double>())) : value,
                         spec_);
    }
    if (std::string_view("xXo").find(spec_.type) != std::string_view::npos) {
      return number_text(value, spec_);
    }
    if (std::string_view("eEfFgG").find(spec_.type) == std::string_view::npos) {
      fail("format: '%{}' is not supported", spec_.type);
    }
    return number_text(value, spec_);
  }

 private:
  bool take_flag(Reader& reader) {
    switch (reader.peek()) {
      case '-':
        spec_.align = '<';
        break;
      case '+':
        spec_.sign = '+';
        break;
      case ' ':
        spec_.sign = spec_.sign == '+' ? '+' : ' ';
        break;
      case '#':
        spec_.alternate = true;
        break;
      case '0':
        spec_.zeros = true;
        break;
      default:
        return false;
    }
    ++reader.at;
    return true;
  }

  std::optional<std::string> name_;
  Spec spec_;
};

Spec read_spec(std::string_view text) {
  Reader reader{text};
  Spec spec;
  constexpr std::string_view kAligns = "<>^=";
  const std::size_t first = text.empty() ? 0 : utf8_size(text[0]);
  if (first < text.size() && kAligns.find(text[first]) != std::string_view::npos) {
    spec.fill = std::string(text.substr(0, first));
    spec.align = text[first];
    reader.at = first + 1;
  } else if (!text.empty() && kAligns.find(text[0]) != std::string_view::npos) {
    spec.align = text[0];
    reader.at = 1;
  }
  for (const char sign : {'+', '-', ' '}) {
    if (reader.take(sign)) {
      spec.sign = sign;
      break;
    }
  }
  spec.alternate = reader.take('#');
  spec.zeros = reader.take('0');
  spec.width = reader.number(kGreatestWidth).value_or(0);
  for (const char sign : {',', '_'}) {
    spec.grouping = reader.take(sign) ? sign : spec.grouping;
  }
  if (reader.take('.')) {
    spec.precision = reader.number(kGreatestPrecision);
  }
  spec.type = reader.peek();
  reader.at += reader.done() ? 0 : 1;
  if (!reader.done()) {
    fail("format: the specification '{}' is not supported", text.substr(0, 100));
  }
  return spec;
}

std::string write_by(const Value& value, Spec spec) {
  if (value.is_string() && (spec.type == 0 || spec.type == 's')) {
    if (spec.align == '=' || spec.sign != '-' || spec.grouping != 0 || spec.alternate) {
      fail("format: a text has no sign, no thousands and no other form");
    }
    if (spec.zeros && spec.align == 0) {
      spec.align = '<';
      spec.fill = std::string(1, '0');
    }
    return text_of(value.string(), spec);
  }
  if (value.is<double>() && spec.type == 0 && !spec.precision && spec.grouping == 0) {
    const std::string text = value.str().string();
    const bool negative = text.starts_with('-');
    return aligned(negative           ? "-"
                   : spec.sign == '-' ? ""
                                      : std::string(1, spec.sign),
                   text.substr(negative), spec, '>');
  }
  if (spec.type == 'c') {
    return aligned("", character_of(value.integer("format")), spec, '<');
  }
  if (value.is_number()) {
    if (value.is_integer() && spec.type == 0) {
      spec.type = 'd';
    }
    if (std::string_view("bdoxXeEfFgG%").find(spec.type) != std::string_view::npos &&
        spec.type != 0) {
      return number_text(value, spec);
    }
  }
  fail("format: '{}' for {} is not supported", spec.type, value.type_name());
}

// What stands between braces.
class BracesField {
 public:
  BracesField(std::string_view text, const Arguments& arguments, std::size_t& next) {
    const std::size_t name_end = std::min(text.find_first_of(".[!:"), text.size());
    value_ = named(text.substr(0, name_end), arguments, next);
    std::size_t at = name_end;
    while (at < text.size() && (text[at] == '.' || text[at] == '[')) {
      at = step(text, at);
    }
    if (at + 1 < text.size() && text[at] == '!') {
      conversion_ = text[at + 1];
      at += 2;
    }
    if (at < text.size()) {
      if (text[at] != ':') {
        fail("format: ':' was expected in '{{{}}}'", text.substr(0, 100));
      }
      spec_ = text.substr(at + 1);
    }
  }

  std::string write() const {
    if (conversion_ == 'r') {
      return write_by(value_.repr(), read_spec(spec_));
    }
    if (conversion_ != 0 && conversion_ != 's') {
      fail("format: the conversion '!{}' is not supported", conversion_);
    }
    return conversion_ == 's' || spec_.empty() ? write_by(value_.str(), read_spec(spec_))
                                               : write_by(value_, read_spec(spec_));
  }

 private:
  static Value named(std::string_view name, const Arguments& arguments, std::size_t& next) {
    std::size_t place = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), place);
    const bool is_place = error == std::errc() && end == name.data() + name.size();
    if (name.empty() || is_place) {
      return arguments.need(is_place ? place : next++, "format's");
    }
    return arguments.need(arguments.positional.size(), name);
  }

  std::size_t step(std::string_view text, std::size_t at) {
    const bool by_key = text[at] == '[';
    const std::size_t end =
        std::min(text.find_first_of(by_key ? "]" : ".[!:", at + 1), text.size());
    const std::string key(text.substr(at + 1, end - at - 1));
    std::int64_t place = 0;
    const auto number = std::from_chars(key.data(), key.data() + key.size(), place);
    const bool is_number = number.ec == std::errc() && number.ptr == key.data() + key.size();
    value_ =
        by_key ? item_of(value_, is_number ? Value(place) : Value(key)) : attribute_of(value_, key);
    return by_key ? std::min(end + 1, text.size()) : end;
  }

  Value value_;
  char conversion_ = 0;
  std::string_view spec_;
};

}  // namespace

Value format_percent(std::string_view format, const Value& values) {
  const List* tuple = values.is_list(ListKind::tuple) ? values.as_list() : nullptr;
  const std::size_t count = tuple != nullptr ? tuple->items.size() : 1;
  std::size_t used = 0;
  TextWriter text("'%'");
  Reader reader{format};
  while (!reader.done()) {
    const std::size_t sign = std::min(format.find('%', reader.at), format.size());
    text.add(format.substr(reader.at, sign - reader.at));
    reader.at = sign + 1;
    if (sign == format.size()) {
      break;
    }
    charge_work(kStepWork);
    PercentField field(reader);
    if (field.is_percent()) {
      text.add("%");
    } else if (field.name()) {
      if (values.as_dict() == nullptr) {
        fail("format: '%({})' expects a dictionary", *field.name());
      }
      const Value found = item_of(values, *field.name());
      if (found.is_undefined()) {
        found.as<Undefined>().refuse();
      }
      text.add(field.write(found));
    } else {
      if (used >= count) {
        fail("format: there are not enough arguments");
      }
      text.add(field.write(tuple != nullptr ? tuple->items[used] : values));
      ++used;
    }
  }
  const bool may_be_unused =
      values.is_list(ListKind::list) || values.is_list(ListKind::range) || values.is_undefined() ||
      (values.as_dict() != nullptr && values.as_dict()->kind == Dict::Kind::dict);
  if (used < count && (tuple != nullptr || !may_be_unused)) {
    fail("format: not all arguments are used");
  }
  return text.take();
}

Value format_braces(std::string_view format, const Arguments& arguments) {
  TextWriter text("format");
  std::size_t next = 0;
  for (std::size_t at = 0; at < format.size();) {
    const std::size_t brace = std::min(format.find_first_of("{}", at), format.size());
    text.add(format.substr(at, brace - at));
    at = brace + 1;
    if (brace == format.size()) {
      break;
    }
    if (at < format.size() && format[at] == format[brace]) {  // doubled: itself
      text.add(format.substr(brace, 1));
      ++at;
      continue;
    }
    const std::size_t end = format.find_first_of("{}", at);
    if (format[brace] == '}' || end == std::string_view::npos || format[end] == '{') {
      fail("format: a single brace, or braces within braces, are not supported");
    }
    charge_work(kStepWork);
    text.add(BracesField(format.substr(at, end - at), arguments, next).write());
    at = end + 1;
  }
  return text.take();
}

}  // namespace lmpo::jinja
