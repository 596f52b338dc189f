// jinja2's filters: "value|name".
#include <algorithm>
#include <map>

#include "base/utf8.h"
#include "jinja/formatting.h"
#include "jinja/functions.h"
#include "jinja/list_filters.h"
#include "jinja/number_filters.h"
#include "jinja/text_functions.h"

namespace lmpo::jinja {
namespace {

using Filter = Value (*)(const Value&, const Arguments&);

Value indent(const Value& value, const Arguments& arguments) {
  const Value width = arguments.get(0, "width", std::int64_t{4});
  std::string margin;
  if (width.is_string()) {
    margin = width.string();
  } else {
    TextWriter spaces("indent");
    spaces.add(static_cast<std::size_t>(std::max<std::int64_t>(width.integer("indent"), 0)), " ");
    margin = spaces.take();
  }
  const bool first = arguments.get(1, "first", false).truth();
  const bool blank = arguments.get(2, "blank", false).truth();
  std::string_view rest = value.is_undefined() ? "" : std::string_view(value.text("indent"));
  TextWriter text("indent");
  for (bool is_first = true, more = true; more; is_first = false) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    text.add(is_first ? "" : "\n");
    if (is_first ? first : blank || !line.empty()) {
      text.add(margin);
    }
    text.add(line);
    more = end < rest.size();
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return text.take();
}

// transformers' own: (value, ensure_ascii, indent, separators, sort_keys).
Value tojson(const Value& value, const Arguments& arguments) {
  arguments.at_most(4, "tojson");
  JsonStyle style;
  style.ascii = arguments.get(0, "ensure_ascii", false).truth();
  style.sort_keys = arguments.get(3, "sort_keys", false).truth();
  const Value indent = arguments.get(1, "indent", nullptr);
  if (!indent.is_none()) {
    style.lines = true;
    style.item_separator = std::string(1, ',');
    style.indent = indent.is_string()
                       ? indent.string()
                       : std::string(static_cast<std::size_t>(std::clamp<std::int64_t>(
                                         indent.integer("indent"), 0, 1000)),
                                     ' ');
  }
  if (const Value separators = arguments.get(2, "separators", nullptr); !separators.is_none()) {
    const auto pair = separators.iterate();
    if (pair->items.size() != 2) {
      fail("tojson: 'separators' are two texts");
    }
    style.item_separator = pair->items[0].text("separators");
    style.key_separator = pair->items[1].text("separators");
  }
  return to_json(value, style);
}

Value format_filter(const Value& value, const Arguments& arguments) {
  if (!arguments.positional.empty() && !arguments.named.empty()) {
    fail("format: arguments by place and by name cannot be mixed");
  }
  if (arguments.named.empty()) {
    return format_percent(value.str().string(), Value::list(arguments.positional, ListKind::tuple));
  }
  Dict named;
  for (const auto& [name, each] : arguments.named) {
    named.add(name, each);
  }
  return format_percent(value.str().string(), Value::dict(std::move(named)));
}

Value truncate(const Value& value, const Arguments& arguments) {
  const std::string end = arguments.get(2, "end", "...").text("truncate");
  const std::int64_t length = arguments.get(0, "length", std::int64_t{255}).integer("truncate");
  const Value leeway = arguments.get(3, "leeway", nullptr);
  const std::int64_t tolerance = leeway.is_none() ? 5 : leeway.integer("truncate");
  const auto end_length = static_cast<std::int64_t>(count_characters(end));
  if (length < end_length || tolerance < 0) {
    fail("truncate: the length is shorter than '{}'", end);
  }
  Value whole = value.str();
  // As in jinja2, a value that is not a text is measured by its own length.
  if (!value.is_string() && !value.is_undefined() && value.length() - tolerance <= length) {
    return value;
  }
  if (whole.length() - tolerance <= length) {
    return whole;
  }
  std::string cut = slice(whole.string(), 0, length - end_length, 1);
  if (!arguments.get(1, "killwords", false).truth()) {
    cut = split(cut, " ", 1, true)[0];
  }
  return cut.append(end);
}

Value wordcount(const Value& value, const Arguments&) {
  const Value whole = value.str();
  const std::string& text = whole.string();
  charge_work(text.size() * kCharacterWork);
  std::int64_t count = 0;
  bool in_word = false;
  for (std::size_t at = 0; at < text.size(); at += utf8_size(text[at])) {
    const std::string_view character = std::string_view(text).substr(at, utf8_size(text[at]));
    const bool is_word =
        is_letter(character) || character == "_" || (character[0] >= '0' && character[0] <= '9');
    count += is_word && !in_word ? 1 : 0;
    in_word = is_word;
  }
  return count;
}

Value default_filter(const Value& value, const Arguments& arguments) {
  const bool replace_false = arguments.get(1, "boolean", false).truth();
  const bool absent = value.is_undefined() || (replace_false && !value.truth());
  return absent ? arguments.get(0, "default_value", "") : value;
}

const std::map<std::string, Filter, std::less<>>& filters() {
  using V = const Value&;
  using A = const Arguments&;
  static constexpr auto length = [](V value, A) -> Value { return value.length(); };
  static constexpr auto text = [](V value, A) { return value.str(); };
  static const std::map<std::string, Filter, std::less<>> known = {
      {"abs", absolute},
      {"attr", attr},
      {"batch", batch},
      {"capitalize", [](V value, A) -> Value { return capitalize(value.str().string()); }},
      {"center",
       [](V value, A a) -> Value {
         const std::int64_t width = a.get(0, "width", std::int64_t{80}).integer("center");
         return padded(value.str().string(), width, " ", Side::both);
       }},
      {"count", length},
      {"d", default_filter},
      {"default", default_filter},
      {"dictsort", dictsort},
      {"first", first},
      {"float", to_float},
      {"format", format_filter},
      {"groupby", groupby},
      {"indent", indent},
      {"int", to_integer},
      {"items", items_filter},
      {"join", join},
      {"last", last},
      {"length", length},
      {"list", list_filter},
      {"lower", [](V value, A) -> Value { return lower(value.str().string()); }},
      {"map", map_filter},
      {"max", largest},
      {"min", smallest},
      {"reject", reject},
      {"rejectattr", rejectattr},
      {"replace",
       [](V value, A a) -> Value {
         const Value count = a.get(2, "count", nullptr);
         return replace(value.str().string(), a.need(0, "old").str().string(),
                        a.need(1, "new").str().string(),
                        count.is_none() ? -1 : count.integer("replace"));
       }},
      {"reverse", reverse},
      {"round", round_filter},
      {"safe", text},
      {"select", select},
      {"selectattr", selectattr},
      {"slice", slice_filter},
      {"sort", sort},
      {"string", text},
      {"sum", sum},
      {"title", [](V value, A) -> Value { return title_words(value.str().string()); }},
      {"tojson", tojson},
      {"trim",
       [](V value, A a) -> Value {
         const Value set = a.get(0, "chars", nullptr);
         return strip(value.str().string(),
                      set.is_none() ? std::nullopt : std::optional(set.text("trim")), true, true);
       }},
      {"truncate", truncate},
      {"unique", unique},
      {"upper", [](V value, A) -> Value { return upper(value.str().string()); }},
      {"wordcount", wordcount},
  };
  return known;
}

}  // namespace

bool has_filter(std::string_view name) {
  return filters().find(name) != filters().end();
}

Value apply_filter(std::string_view name, const Value& value, const Arguments& arguments) {
  const auto found = filters().find(name);
  if (found == filters().end()) {
    fail("the filter '{}' is not supported", name);
  }
  charge_work(kStepWork + value.reading_work() + arguments.reading_work());
  return found->second(value, arguments);
}

}  // namespace lmpo::jinja
