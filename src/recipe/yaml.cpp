// The YAML reader: one mapping of option names to values.
//
// Values are taken as they are written and typed by their option, so 5e-7 is a number and `no` is a
// name where one is expected, which generic YAML readers disagree about.
#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include "base/error.h"
#include "base/names.h"
#include "recipe/foreign.h"
#include "recipe/option_set.h"

namespace lmpo {
namespace {

std::string place_of(const std::string& source, const YAML::Mark& mark) {
  return mark.is_null() ? source : fmt::format("{}:{}", source, mark.line + 1);
}

YAML::Node load(std::string_view text, const std::string& source) {
  try {
    return YAML::Load(std::string(text));
  } catch (const YAML::Exception& error) {
    user_error("{}: not valid YAML: {}", place_of(source, error.mark), error.msg);
  }
}

bool is_quoted(const YAML::Node& node) {
  return node.Tag() == "!";
}

RawValue read_value(const YAML::Node& node, const std::string& key, const std::string& place) {
  RawValue value = {.source = Source::file, .place = place};
  if (node.IsNull()) {
    value.texts = {"null"};
    value.null = true;
  } else if (node.IsScalar()) {
    value.texts = {node.Scalar()};
  } else if (node.IsSequence()) {
    for (const YAML::Node& item : node) {
      if (!item.IsScalar()) {
        user_error("{}: {}: plain values were expected in the list", place, key);
      }
      value.texts.push_back(item.Scalar());
    }
  } else {
    user_error("{}: {}: a value or a list was expected, not a mapping", place, key);
  }
  return value;
}

void check_foreign(const ForeignKey& foreign, const std::string& key, const YAML::Node& node,
                   const std::string& place) {
  const bool plain = node.IsScalar();
  if (foreign.allowed.empty() || node.IsNull() || (plain && foreign.allows(node.Scalar()))) {
    return;
  }
  user_error("{}: {}: {} is not supported ({})", place, key,
             plain ? "'" + node.Scalar() + "'" : "this", foreign.reason);
}

}  // namespace

void OptionSet::read_yaml(std::string_view text, const std::string& source) {
  const YAML::Node root = load(text, source);
  if (root.IsNull()) {
    return;
  }
  if (!root.IsMap()) {
    user_error("{}: a mapping of option names to values was expected, such as 'beta: 2.0'", source);
  }
  for (const auto& item : root) {
    const YAML::Node& node = item.second;
    const std::string place = place_of(source, item.first.Mark());
    if (!item.first.IsScalar()) {
      user_error("{}: an option's name was expected", place);
    }
    std::string key = item.first.Scalar();
    if (key == "env" && node.IsMap()) {
      for (const auto& variable : node) {
        if (!variable.first.IsScalar() || !variable.second.IsScalar()) {
          user_error("{}: env: names and plain values were expected", place);
        }
        file_environment_.emplace_back(variable.first.Scalar(), variable.second.Scalar());
      }
      continue;
    }
    if (const Name* meaning = look_up(key)) {
      RawValue value = read_value(node, key, place);
      const bool one = node.IsScalar() && !is_quoted(node);
      if (one && options_[meaning->option].splits()) {
        value.texts = split_list(value.texts[0], true);
      }
      take(key, *meaning, std::move(value));
    } else if (const ForeignKey* foreign = find_foreign_key(key)) {
      check_foreign(*foreign, key, node, place);
      notice(LogLevel::info, fmt::format("{}: '{}' is not used: {}", place, key, foreign->reason));
    } else {
      user_error("{}: unknown key '{}'{}; {} --help lists them", place, key,
                 suggestion(key, known_names()), command_);
    }
  }
}

}  // namespace lmpo
