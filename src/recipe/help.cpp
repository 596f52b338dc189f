// --help and the tables of the documentation.
#include <fmt/format.h>

#include "base/utf8.h"
#include "recipe/option_set.h"

namespace lmpo {
namespace {

constexpr std::size_t kWidth = 100;  // columns of a help page
constexpr std::size_t kIndent = 32;  // where the explanations begin

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const auto end = std::min(text.find(' '), text.size());
    words.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

// Lines of at most `width` where the words allow it.
std::vector<std::string> wrap(const std::vector<std::string>& words, std::size_t width) {
  std::vector<std::string> lines(1);
  for (const std::string& word : words) {
    if (!lines.back().empty() && lines.back().size() + 1 + word.size() > width) {
      lines.emplace_back();
    }
    lines.back() += (lines.back().empty() ? "" : " ") + word;
  }
  return lines;
}

// 1e-06 as people write it: 1e-6.
std::string number_text(double value) {
  std::string text = fmt::format("{}", value);
  for (const std::string_view padded : {"e-0", "e+0"}) {
    if (const auto at = text.find(padded); at != std::string::npos) {
      text.erase(at + 2, 1);
    }
  }
  return text;
}

std::string value_text(const json& value) {
  if (value.is_string()) {
    return value.get<std::string>();
  }
  if (value.is_number_float()) {
    return number_text(value.get<double>());
  }
  if (value.is_array()) {
    std::vector<std::string> items;
    for (const json& item : value) {
      items.push_back(value_text(item));
    }
    return join(items, ",");
  }
  return value.is_null() ? "" : value.dump();
}

}  // namespace

std::string OptionSet::default_text(const Option& option) const {
  if (option.traits.required) {
    return "required";
  }
  const std::string text =
      option.traits.default_text.empty() ? value_text(option.show()) : option.traits.default_text;
  return text.empty() ? "" : "default: " + text;
}

std::string OptionSet::flag_names(const Option& option) const {
  std::string text = option.traits.letter == 0 ? "" : fmt::format("-{}, ", option.traits.letter);
  text += "--" + option.name;
  for (const std::string& name : option.traits.synonyms) {
    text += ", --" + name;
  }
  if (option.is_bool && option.show() != json(false)) {
    text += ", --no_" + option.name;
  }
  return option.value_name.empty() ? text : text + " " + option.value_name;
}

std::string OptionSet::settings() const {
  std::string text;
  std::string group;
  for (std::size_t i = 0; i < options_.size(); ++i) {
    const Option& option = options_[i];
    if (option.group != group) {
      group = option.group;
      text += group + "\n";
    }
    const auto found = given_.find(i);
    const bool is_given = found != given_.end() && !found->second.null;
    std::string value = value_text(option.show());
    if (value.empty() && !option.traits.default_text.empty()) {
      value = "(" + option.traits.default_text + ")";
    }
    text += printable(fmt::format("  {:<30} {:<30} {}", option.name, value,
                                  is_given ? found->second.place : "default"),
                      LineEnds::escape) +
            "\n";
  }
  return text;
}

std::string OptionSet::help() const {
  std::string text =
      fmt::format("usage: {}{} [options]", command_, accepts_config_ ? " [RECIPE.yaml]" : "");
  for (const Option& option : options_) {
    if (option.is_positional) {
      text += option.traits.required ? " " + option.name : " [" + option.name + "]";
    }
  }
  text += "\n";
  for (const std::string& line : wrap(words_of(summary_), kWidth)) {
    text += line + "\n";
  }

  const auto add_entry = [&text](const std::string& left, const std::vector<std::string>& right) {
    text += "  " + left;
    std::size_t column = 2 + left.size();
    for (const std::string& line : wrap(right, kWidth - kIndent)) {
      if (column + 2 > kIndent) {
        text += "\n";
        column = 0;
      }
      text += std::string(kIndent - column, ' ') + line;
      column = kWidth;
    }
    text += "\n";
  };
  std::string group;
  for (const Option& option : options_) {
    if (option.group != group) {
      group = option.group;
      text += "\n" + group + "\n";
    }
    // Default and variable are words of their own, so that no line breaks within them.
    std::vector<std::string> right = words_of(option.help);
    if (const std::string shown = default_text(option); !shown.empty()) {
      right.push_back("[" + shown + "]");
    }
    if (!option.is_positional) {
      right.push_back("(env: " + environment_name(option.name) + ")");
    }
    add_entry(option.is_positional ? option.name : flag_names(option), right);
  }
  text += "\nGeneral\n";
  if (accepts_config_) {
    add_entry("--config RECIPE.yaml",
              words_of("options from a YAML file; the environment and flags win over it"));
  }
  add_entry("-h, --help", {"this", "page"});
  for (const auto& [title, body] : sections_) {
    text += fmt::format("\n{}\n{}{}", title, body, body.ends_with('\n') ? "" : "\n");
  }
  return text;
}

std::string OptionSet::markdown() const {
  const auto escape = [](const std::string& cell) {
    std::string result;
    for (const char c : cell) {
      result += c == '|' ? "\\|" : std::string(1, c);
    }
    return result;
  };
  std::string text;
  std::string group;
  for (const Option& option : options_) {
    if (option.group != group) {
      group = option.group;
      text += fmt::format("{}### {}\n\n| option | default | meaning |\n|---|---|---|\n",
                          text.empty() ? "" : "\n", group);
    }
    std::string names = "`" + option.name + "`";
    for (const std::string& name : option.traits.synonyms) {
      names += ", `" + name + "`";
    }
    if (option.traits.letter != 0) {
      names += fmt::format(", `-{}`", option.traits.letter);
    }
    std::string meaning = option.help;
    if (option.value_name.starts_with('{')) {
      meaning += "; " + option.expected;
    }
    std::string shown = default_text(option);
    shown = shown.starts_with("default: ") ? shown.substr(9) : shown;
    text += fmt::format("| {} | {} | {} |\n", escape(names), escape(shown), escape(meaning));
  }
  return text;
}

}  // namespace lmpo
