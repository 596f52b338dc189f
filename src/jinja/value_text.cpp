// Values as text: str() and repr() as Python prints them, JSON as Python's json module writes it.
#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/utf8.h"
#include "jinja/functions.h"
#include "jinja/value.h"

namespace lmpo::jinja {
namespace {

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

// Appends Python's repr().
struct ReprWriter {
  TextWriter text{"str"};

  void quoted(const std::string& held) {
    const char sign =
        held.find('\'') != std::string::npos && held.find('"') == std::string::npos ? '"' : '\'';
    charge_work(held.size() * kCharacterWork);
    const std::string_view quote(&sign, 1);
    text.add(quote);
    for (std::size_t at = 0; at < held.size();) {
      const std::string_view character = std::string_view(held).substr(at, utf8_size(held[at]));
      const char32_t code_point = first_code_point(character);
      if (held[at] == sign || held[at] == '\\') {
        text.add("\\");
        text.add(character);
      } else if (!is_printable(code_point)) {
        text.add(escaped(code_point));
      } else {
        text.add(character);
      }
      at += character.size();
    }
    text.add(quote);
  }

  // What stands around the items of a list, by ListKind.
  static std::pair<std::string_view, std::string_view> around(const List& list) {
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 8> signs = {
        {{"[", "]"},
         {"(", ")"},
         {"(", ")"},
         {"range(", ")"},
         {"dict_keys([", "])"},
         {"dict_values([", "])"},
         {"dict_items([", "])"},
         {"", ""}}};
    if (list.kind == ListKind::generator) {
      fail("a generator has no text; append |list to the filter that made it");
    }
    return list.kind == ListKind::tuple && list.items.size() == 1
               ? std::pair<std::string_view, std::string_view>("(", ",)")
               : signs[static_cast<std::size_t>(list.kind)];
  }

  void range(const List& list) {
    const auto number = [&](std::size_t at) { return list.items[at].integer("range"); };
    if (list.items.empty() || (list.items.size() > 1 && number(1) != number(0) + 1)) {
      fail("a range has no text; append |list");
    }
    text.add(fmt::format("range({}, {})", number(0), number(list.items.size() - 1) + 1));
  }

  void list(const List& list, int depth) {
    if (list.kind == ListKind::range) {
      range(list);
      return;
    }
    const auto [open, close] = around(list);
    text.add(open);
    for (std::size_t i = 0; i < list.items.size(); ++i) {
      text.add(i > 0 ? ", " : "");
      write(list.items[i], depth + 1);
    }
    text.add(close);
  }

  void dict(const Dict& dict, int depth) {
    const bool is_record = dict.kind == Dict::Kind::record;
    text.add(is_record ? "<Namespace {" : "{");
    for (std::size_t i = 0; i < dict.entries.size(); ++i) {
      text.add(i > 0 ? ", " : "");
      write(dict.entries[i].first, depth + 1);
      text.add(": ");
      write(dict.entries[i].second, depth + 1);
    }
    text.add(is_record ? "}>" : "}");
  }

  void write(const Value& value, int depth) {
    if (depth > kDeepestValue) {
      fail("a value is nested too deeply to print");
    }
    charge_work(kItemWork);
    if (const List* items = value.as_list()) {
      list(*items, depth);
    } else if (const Dict* entries = value.as_dict()) {
      dict(*entries, depth);
    } else if (value.is_string()) {
      quoted(value.string());
    } else {
      text.add(value.is_undefined() ? "Undefined" : value.str().string());
    }
  }
};

// Writes JSON as Python does.
struct JsonWriter {
  const JsonStyle& style;
  TextWriter text{"tojson"};

  void line(int depth) {
    if (style.lines) {
      text.add("\n");
      text.add(static_cast<std::size_t>(depth), style.indent);
    }
  }

  void unicode_escape(unsigned unit) { text.add(fmt::format("\\u{:04x}", unit)); }

  // A character that cannot stand for itself.
  void escape(char32_t character) {
    static constexpr std::string_view letters = "\"\\\n\r\t\b\f";
    static constexpr std::string_view names = "\"\\nrtbf";
    const auto known =
        character < 0x80 ? letters.find(static_cast<char>(character)) : std::string_view::npos;
    if (known != std::string_view::npos) {
      text.add("\\");
      text.add(names.substr(known, 1));
    } else if (character < 0x10000) {
      unicode_escape(static_cast<unsigned>(character));
    } else {
      const auto rest = static_cast<unsigned>(character) - 0x10000;
      unicode_escape(0xD800 + (rest >> 10));
      unicode_escape(0xDC00 + (rest & 0x3FF));
    }
  }

  void quoted(std::string_view held) {
    const auto plain = [&](char c) {
      const auto byte = static_cast<unsigned char>(c);
      return byte >= 0x20 && c != '"' && c != '\\' &&
             !(style.ascii && (byte >= 0x80 || byte == 0x7F));
    };
    text.add("\"");
    for (std::size_t at = 0; at < held.size();) {
      std::size_t end = at;
      while (end < held.size() && plain(held[end])) {
        ++end;
      }
      text.add(held.substr(at, end - at));
      at = end;
      if (at < held.size()) {
        charge_work(kItemWork);
        escape(first_code_point(held.substr(at)));
        at += utf8_size(held[at]);
      }
    }
    text.add("\"");
  }

  void scalar(const Value& value) {
    if (value.is<bool>()) {
      text.add(value.as<bool>() ? "true" : "false");
    } else if (value.is_none()) {
      text.add("null");
    } else if (value.is_string()) {
      quoted(value.string());
    } else if (value.is<double>() && !std::isfinite(value.as<double>())) {
      const double number = value.as<double>();
      text.add(std::isnan(number) ? "NaN" : number > 0 ? "Infinity" : "-Infinity");
    } else if (value.is_number()) {
      text.add(value.str().string());
    } else {
      fail("tojson: {} has no JSON form", value.type_name());
    }
  }

  static std::string key_text(const Value& key) {
    if (key.as_list() != nullptr) {
      fail("tojson: a tuple cannot be a key");
    }
    return key.is<bool>()  ? (key.as<bool>() ? "true" : "false")
           : key.is_none() ? "null"
                           : key.str().string();
  }

  void list(const List& list, int depth) {
    if (list.kind > ListKind::group) {
      fail("tojson: only lists, tuples and dictionaries have a JSON form; append |list");
    }
    text.add("[");
    for (std::size_t i = 0; i < list.items.size(); ++i) {
      if (i > 0) {
        text.add(style.item_separator);
      }
      line(depth + 1);
      write(list.items[i], depth + 1);
    }
    if (!list.items.empty()) {
      line(depth);
    }
    text.add("]");
  }

  void dict(const Dict& dict, int depth) {
    if (dict.kind != Dict::Kind::dict) {
      fail("tojson: a namespace has no JSON form");
    }
    std::vector<const Entries::value_type*> entries;
    for (const auto& entry : dict.entries) {
      entries.push_back(&entry);
    }
    if (style.sort_keys) {
      std::stable_sort(entries.begin(), entries.end(), [](const auto* a, const auto* b) {
        return order(a->first, b->first) == std::partial_ordering::less;
      });
    }
    text.add("{");
    for (std::size_t i = 0; i < entries.size(); ++i) {
      if (i > 0) {
        text.add(style.item_separator);
      }
      line(depth + 1);
      quoted(key_text(entries[i]->first));
      text.add(style.key_separator);
      write(entries[i]->second, depth + 1);
    }
    if (!entries.empty()) {
      line(depth);
    }
    text.add("}");
  }

  void write(const Value& value, int depth) {
    if (depth > kDeepestValue) {
      fail("tojson: the value is nested too deeply or contains itself");
    }
    charge_work(kItemWork);
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

Value Value::str() const {
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
    return *this;
  }
  if (as_loop() != nullptr) {
    const auto number = [&](const char* name) { return loop_attribute(*this, name).integer(name); };
    return fmt::format("<LoopContext {}/{}>", number("index"), number("length"));
  }
  if (const Callable* function = as_callable()) {
    fail("the function '{}' has no text; is it to be called?", function->name);
  }
  return repr();
}

std::string Value::repr() const {
  ReprWriter writer;
  writer.write(*this, 0);
  return writer.text.take();
}

std::string to_json(const Value& value, const JsonStyle& style) {
  JsonWriter writer{style};
  writer.write(value, 0);
  return writer.text.take();
}

}  // namespace lmpo::jinja
