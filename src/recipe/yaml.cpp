// The YAML reader: one mapping of option names to values.
//
// Values are taken as they are written and typed by their option, so 5e-7 is a number and `no` is a
// name where one is expected, which generic YAML readers disagree about.
#include <fmt/ranges.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/error.h"
#include "base/names.h"
#include "recipe/foreign.h"
#include "recipe/kwargs_option.h"
#include "recipe/option_sources.h"

namespace lmpo {
namespace {

std::string place_of(const std::string& source, const YAML::Mark& mark) {
  return mark.is_null() ? source : fmt::format("{}:{}", source, mark.line + 1);
}

// A line that ends a document: "---" begins the next one, where it is not the first line of content.
bool is_document_marker(std::string_view line) {
  return (line.starts_with("---") || line.starts_with("...")) &&
         (line.size() == 3 || line.find_first_of(" \t\r") == 3);
}

// Whether a line holds a part of a document, and not only a comment or a directive.
bool has_content(std::string_view line) {
  const std::size_t first = line.find_first_not_of(" \t\r");
  return first != std::string_view::npos && line[first] != '#' && line[0] != '%';
}

// By lines, since YAML::LoadAll never ends on some texts, such as a lone comma.
void refuse_second_document(std::string_view text, const std::string& source) {
  bool begun = false;  // the first document has content
  bool ended = false;
  std::int64_t number = 1;
  for (; !text.empty(); ++number) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (is_document_marker(line)) {
      ended = begun;
      line.remove_prefix(3);
    }
    if (has_content(line)) {
      if (ended) {
        user_error("{}:{}: a second document begins here, after '---': a recipe is one document",
                   source, number);
      }
      begun = true;
    }
  }
}

YAML::Node load(std::string_view text, const std::string& source) {
  refuse_second_document(text, source);
  try {
    return YAML::Load(std::string(text));
  } catch (const YAML::Exception& error) {
    user_error("{}: not valid YAML: {}", place_of(source, error.mark), error.msg);
  }
}

bool is_quoted(const YAML::Node& node) {
  return node.Tag() == "!";
}

// A mapping in its short form, "{key: value, ...}", on one line.
std::string flow_text(const YAML::Node& node) {
  YAML::Emitter emitter;
  emitter.SetMapFormat(YAML::Flow);
  emitter.SetSeqFormat(YAML::Flow);
  emitter << node;
  return emitter.c_str();
}

// Of an option whose value is a map.
RawValue read_map(const YAML::Node& node, const std::string& key, const std::string& place) {
  try {
    const std::string text =
        node.IsScalar() ? node.Scalar()
                        : json_of_yaml(node).dump(-1, ' ', false, json::error_handler_t::replace);
    return {.texts = {text}, .source = Source::file, .place = place};
  } catch (const UserError& error) {
    user_error("{}: {}: {}", place, key, error.what());
  }
}

// Of a list whose items may be mappings. A mapping of names to numbers is one for each name.
RawValue read_structured(const YAML::Node& node, const std::string& place) {
  RawValue value = {.source = Source::file, .place = place};
  const auto text = [](const YAML::Node& item) {
    return item.IsScalar() ? item.Scalar() : flow_text(item);
  };
  const auto plain = [](const auto& item) {
    return item.second.IsScalar() && parse_real(item.second.Scalar()).has_value();
  };
  if (node.IsMap() && std::all_of(node.begin(), node.end(), plain)) {
    for (const auto& item : node) {
      YAML::Node one;
      one[item.first] = item.second;
      value.texts.push_back(flow_text(one));
    }
  } else if (node.IsSequence()) {
    for (const YAML::Node& item : node) {
      value.texts.push_back(text(item));
    }
  } else {
    value.texts.push_back(text(node));
  }
  return value;
}

std::string text_of(const YAML::Node& scalar, const std::string& key, const std::string& place) {
  if (scalar.Scalar().find('\0') != std::string::npos) {
    user_error("{}: {}: a text without a zero byte was expected", place, key);
  }
  return scalar.Scalar();
}

RawValue read_value(const YAML::Node& node, const std::string& key, const std::string& place) {
  RawValue value = {.source = Source::file, .place = place};
  if (node.IsNull()) {
    value.texts = {"null"};
    value.null = true;
  } else if (node.IsScalar()) {
    value.texts = {text_of(node, key, place)};
  } else if (node.IsSequence()) {
    for (const YAML::Node& item : node) {
      if (!item.IsScalar()) {
        user_error("{}: {}: plain values were expected in the list", place, key);
      }
      value.texts.push_back(text_of(item, key, place));
    }
  } else {
    user_error("{}: {}: a value or a list was expected, not a mapping", place, key);
  }
  return value;
}

// Whether a foreign key's value changes nothing: a plain one that is allowed, a list of such, or
// nothing at all.
bool is_allowed(const ForeignFamily& family, const YAML::Node& node) {
  if (node.IsNull()) {
    return true;
  }
  if (node.IsScalar()) {
    return family.allows(node.Scalar());
  }
  return family.accepts == ForeignFamily::Accepts::anything ||
         std::all_of(node.begin(), node.end(), [&](const auto& item) {
           return node.IsSequence() && item.IsScalar() && family.allows(item.Scalar());
         });
}

void refuse_other_files(const YAML::Node& map, const std::string& source) {
  for (const auto& item : map) {
    const std::string_view kind =
        item.first.IsScalar() ? not_a_recipe(item.first.Scalar()) : std::string_view();
    if (!kind.empty()) {
      user_error(
          "{} is {}, which starts the processes of other trainers. lmpo is one process and needs "
          "none: give it the recipe itself",
          source, kind);
    }
  }
}

// What a recipe's `env:` may set: nothing that makes the program load or write other files.
constexpr std::array<std::string_view, 4> kVariables = {"LMPO_", "CUDA_", "OMP_", "HF_"};

bool may_be_set(std::string_view variable) {
  return std::ranges::any_of(kVariables, [&](auto start) { return variable.starts_with(start); });
}

class YamlReader {
 public:
  YamlReader(const ReaderContext& context, Variables& environment)
      : options_(context.options),
        given_(context.given),
        remarks_(context.remarks),
        command_(context.command),
        environment_(environment) {}

  void read_keys(const YAML::Node& map, const std::string& source);

 private:
  void read_key(const std::string& key, const YAML::Node& node, const std::string& place);
  void read_mixture(const YAML::Node& map, const std::string& source);
  void read_variables(const YAML::Node& map, const std::string& place);

  const OptionList& options_;
  GivenOptions& given_;
  Remarks& remarks_;
  const std::string& command_;
  Variables& environment_;
};

// The alignment handbook's: `datasets` and `test_split_size` as options of those names, and a seed
// of its own.
void YamlReader::read_mixture(const YAML::Node& map, const std::string& source) {
  YAML::Node rest;
  for (const auto& item : map) {
    if (item.first.IsScalar() && item.first.Scalar() == "seed" &&
        options_.look_up("test_split_seed") != nullptr) {
      const std::string place = place_of(source, item.first.Mark());
      remarks_.attempt("option_invalid", place,
                       [&] { read_key("test_split_seed", item.second, place); });
    } else {
      rest[item.first] = item.second;
    }
  }
  if (rest.size() > 0) {
    read_keys(rest, source);
  }
}

void YamlReader::read_keys(const YAML::Node& map, const std::string& source) {
  for (const auto& item : map) {
    const YAML::Node& node = item.second;
    const std::string place = place_of(source, item.first.Mark());
    if (!item.first.IsScalar()) {
      user_error("{}: an option's name was expected", place);
    }
    const std::string key = item.first.Scalar();
    if (key == "env" && node.IsMap()) {
      read_variables(node, place);
    } else if (key == "dataset_mixture" && node.IsMap()) {
      read_mixture(node, source);
    } else if (options_.look_up(key) == nullptr && find_foreign_key(key) == nullptr) {
      remarks_.attempt("option_unknown", place, [&] {
        user_error("{}: unknown key '{}'{}; {} --help lists them", place, key,
                   suggestion(key, options_.names()), command_);
      });
    } else {
      remarks_.attempt("option_invalid", place, [&] { read_key(key, node, place); });
    }
  }
}

void YamlReader::read_variables(const YAML::Node& map, const std::string& place) {
  for (const auto& variable : map) {
    if (!variable.first.IsScalar() || !variable.second.IsScalar()) {
      user_error("{}: env: names and plain values were expected", place);
    }
    const std::string name = variable.first.Scalar();
    if (may_be_set(name)) {
      environment_.emplace_back(name, variable.second.Scalar());
    } else {
      remarks_.add({LogLevel::info, "option_not_used", place,
                    fmt::format("{}: env: {} is not set: a recipe may set only variables that "
                                "begin with {}",
                                place, name, fmt::join(kVariables, ", "))});
    }
  }
}

// A key that is known.
void YamlReader::read_key(const std::string& key, const YAML::Node& node,
                          const std::string& place) {
  if (const OptionName* meaning = options_.look_up(key)) {
    const Option& option = options_[meaning->option];
    const bool structured = option.traits.structured && !node.IsNull();
    RawValue value = !structured      ? read_value(node, key, place)
                     : option.is_list ? read_structured(node, place)
                                      : read_map(node, key, place);
    const bool one = node.IsScalar() && !is_quoted(node);
    if (one && options_[meaning->option].splits()) {
      value.texts = split_list(value.texts[0], true);
    }
    given_.take(key, *meaning, std::move(value));
  } else if (const ForeignFamily* family = find_foreign_key(key)) {
    given_.take(ForeignKey{.name = key,
                           .text = node.IsScalar() ? node.Scalar() : flow_text(node),
                           .source = Source::file,
                           .place = place,
                           .allowed = is_allowed(*family, node)});
  }
}

}  // namespace

void read_yaml(const ReaderContext& context, std::string_view text, const std::string& source,
               Variables& environment) {
  const YAML::Node root = load(text, source);
  if (root.IsNull()) {
    return;
  }
  if (!root.IsMap()) {
    user_error("{}: a mapping of option names to values was expected, such as 'beta: 2.0'", source);
  }
  refuse_other_files(root, source);
  YamlReader(context, environment).read_keys(root, source);
}

}  // namespace lmpo
