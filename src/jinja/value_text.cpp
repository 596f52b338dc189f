// Values as text: str() and repr() as Python prints them, JSON as Python's json module writes it.
#include <utf8proc.h>

#include <algorithm>
#include <cmath>

#include "base/utf8.h"
#include "jinja/value.h"

namespace lmpo::jinja {
namespace {

// Values may contain themselves through namespaces; text of them must end all the same.
constexpr int kDeepest = 100;

std::string number_text(double value) {
  if (std::isnan(value)) {
    return "nan";
  }
  if (std::isinf(value)) {
    return value > 0 ? "inf" : "-inf";
  }
  std::string text = fmt::format("{}", value);
  if (text.find_first_of(".e") == std::string::npos) {
    text += ".0";
  }
  return text;
}

// What Python calls printable: no control, format or private character, none that is unassigned, of
// the spaces only U+0020.
bool is_printable(char32_t character) {
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(character))) {
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_CO:
    case UTF8PROC_CATEGORY_CN:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
      return false;
    case UTF8PROC_CATEGORY_ZS:
      return character == ' ';
    default:
      return true;
  }
}

std::string escaped(char32_t character) {
  const auto number = static_cast<unsigned>(character);
  switch (character) {
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    default:
      return number < 0x100     ? fmt::format("\\x{:02x}", number)
             : number < 0x10000 ? fmt::format("\\u{:04x}", number)
                                : fmt::format("\\U{:08x}", number);
  }
}

std::string quoted(const std::string& text) {
  const char quote =
      text.find('\'') != std::string::npos && text.find('"') == std::string::npos ? '"' : '\'';
  std::string result(1, quote);
  for (std::size_t at = 0; at < text.size();) {
    const std::string_view character = std::string_view(text).substr(at, utf8_size(text[at]));
    const char32_t code_point = first_code_point(character);
    if (text[at] == quote || text[at] == '\\') {
      result += '\\';
      result += character;
    } else if (!is_printable(code_point)) {
      result += escaped(code_point);
    } else {
      result += character;
    }
    at += character.size();
  }
  return result + quote;
}

// Appends Python's repr().
struct ReprWriter {
  std::string text;

  void list(const List& list, int depth) {
    text += list.is_tuple ? '(' : '[';
    for (std::size_t i = 0; i < list.items.size(); ++i) {
      text += i > 0 ? ", " : "";
      write(list.items[i], depth + 1);
    }
    text += list.is_tuple ? (list.items.size() == 1 ? ",)" : ")") : "]";
  }

  void dict(const Dict& dict, int depth) {
    text += '{';
    for (std::size_t i = 0; i < dict.entries.size(); ++i) {
      text += i > 0 ? ", " : "";
      write(dict.entries[i].first, depth + 1);
      text += ": ";
      write(dict.entries[i].second, depth + 1);
    }
    text += '}';
  }

  void write(const Value& value, int depth) {
    if (depth > kDeepest || text.size() > kMostBytes) {
      fail("a value is too large to print");
    }
    if (const List* items = value.as_list()) {
      list(*items, depth);
    } else if (const Dict* entries = value.as_dict()) {
      dict(*entries, depth);
    } else if (value.is_string()) {
      text += quoted(value.as<std::string>());
    } else {
      text += value.is_undefined() ? "Undefined" : value.str();
    }
  }
};

std::string json_string(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    switch (c) {
      case '"':
        result += "\\\"";
        break;
      case '\\':
        result += "\\\\";
        break;
      case '\n':
        result += "\\n";
        break;
      case '\r':
        result += "\\r";
        break;
      case '\t':
        result += "\\t";
        break;
      case '\b':
        result += "\\b";
        break;
      case '\f':
        result += "\\f";
        break;
      default:
        if (byte < 0x20) {
          result += fmt::format("\\u{:04x}", byte);
        } else {
          result += c;
        }
    }
  }
  return result + '"';
}

// Writes JSON as Python does.
struct JsonWriter {
  std::int64_t indent;
  bool sort_keys;
  std::string text;

  void line(int depth) {
    if (indent >= 0) {
      text += '\n';
      text.append(static_cast<std::size_t>(indent * depth), ' ');
    }
  }
  const char* comma() const { return indent >= 0 ? "," : ", "; }

  void scalar(const Value& value) {
    if (value.is<bool>()) {
      text += value.as<bool>() ? "true" : "false";
    } else if (value.is_none()) {
      text += "null";
    } else if (value.is_string()) {
      text += json_string(value.as<std::string>());
    } else if (value.is<double>() && !std::isfinite(value.as<double>())) {
      const double number = value.as<double>();
      text += std::isnan(number) ? "NaN" : number > 0 ? "Infinity" : "-Infinity";
    } else if (value.is_number()) {
      text += value.str();
    } else {
      fail("tojson: {} has no JSON form", value.type_name());
    }
  }

  static std::string key_text(const Value& key) {
    if (key.is_string()) {
      return key.as<std::string>();
    }
    return key.is<bool>()  ? (key.as<bool>() ? "true" : "false")
           : key.is_none() ? "null"
                           : key.str();
  }

  void list(const List& list, int depth) {
    text += '[';
    for (std::size_t i = 0; i < list.items.size(); ++i) {
      text += i > 0 ? comma() : "";
      line(depth + 1);
      write(list.items[i], depth + 1);
    }
    if (!list.items.empty()) {
      line(depth);
    }
    text += ']';
  }

  void dict(const Dict& dict, int depth) {
    auto entries = dict.entries;
    if (sort_keys) {
      std::stable_sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
        return order(a.first, b.first) == std::partial_ordering::less;
      });
    }
    text += '{';
    for (std::size_t i = 0; i < entries.size(); ++i) {
      text += i > 0 ? comma() : "";
      line(depth + 1);
      text += json_string(key_text(entries[i].first)) + ": ";
      write(entries[i].second, depth + 1);
    }
    if (!entries.empty()) {
      line(depth);
    }
    text += '}';
  }

  void write(const Value& value, int depth) {
    if (depth > kDeepest || text.size() > kMostBytes) {
      fail("tojson: the value is too large or contains itself");
    }
    if (const List* items = value.as_list()) {
      list(*items, depth);
    } else if (const Dict* entries = value.as_dict()) {
      dict(*entries, depth);
    } else {
      scalar(value);
    }
  }
};

}  // namespace

std::string Value::str() const {
  if (is_undefined()) {
    return "";
  }
  if (is_none()) {
    return "None";
  }
  if (is<bool>()) {
    return as<bool>() ? "True" : "False";
  }
  if (is<std::int64_t>()) {
    return fmt::format("{}", as<std::int64_t>());
  }
  if (is<double>()) {
    return number_text(as<double>());
  }
  if (is_string()) {
    return as<std::string>();
  }
  if (const Callable* function = as_callable()) {
    return fmt::format("<function {}>", function->name);
  }
  return repr();
}

std::string Value::repr() const {
  ReprWriter writer;
  writer.write(*this, 0);
  return std::move(writer.text);
}

std::string to_json(const Value& value, std::int64_t indent, bool sort_keys) {
  JsonWriter writer{std::min<std::int64_t>(indent, 100), sort_keys, {}};
  writer.write(value, 0);
  return std::move(writer.text);
}

}  // namespace lmpo::jinja
