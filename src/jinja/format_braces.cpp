// Python's "{} of {x:>5}".format(1, x="a").
#include <algorithm>
#include <charconv>

#include "base/utf8.h"
#include "jinja/format_spec.h"
#include "jinja/formatting.h"
#include "jinja/functions.h"

namespace lmpo::jinja {
namespace {

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
    return aligned(sign_of(negative, spec), text.substr(negative), spec, '>');
  }
  if (spec.type == 'c') {
    return aligned("", character_of(value.integer("format")), spec, '<');
  }
  if (value.is_number()) {
    if (value.is_integer() && spec.type == 0) {
      spec.type = 'd';
    }
    if (is_one_of(spec.type, "bdoxXeEfFgG%")) {
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
