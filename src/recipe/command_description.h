// What a command says of itself. Help pages, completion scripts, manual pages and the tables of the
// documentation are made of it (pages/), so that none can tell of an option that is not there.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lmpo {

struct OptionDescription {
  std::string name;
  std::string group;
  std::string help;
  std::string value_name;    // as help shows it, for example "DIR" or "{yes|no}"; "" of a switch
  std::string expected;      // "one of yes, no"
  std::string default_text;  // "3"; "" where there is none
  std::vector<std::string> choices;  // of its value, where they can be listed
  std::vector<std::string> synonyms;
  char letter = 0;                   // -m
  bool positional = false;           // an argument without a name
  bool named_or_positional = false;  // an option that may also be one
  bool list = false;                 // may be given several times
  bool required = false;
  bool negatable = false;       // --no_NAME makes sense: a switch that is on by default
  bool value_optional = false;  // stands for something without a value, too

  bool is_switch() const { return value_name.empty(); }
  // "--name", "--synonym", "-n": everything it can be typed as.
  std::vector<std::string> flags() const;
  // "LMPO_NAME"
  std::string variable() const;
  // "default: 3", "required" or "".
  std::string default_note() const;
};

// What can be completed in place of a value.
enum class ValueKind { text, choices, files, folders };
// Told by its choices and by the name of the value: DIR means folders; FILE, PATH, DATA and OUT
// mean files.
ValueKind value_kind(const OptionDescription& option);

struct CommandDescription {
  std::string command;  // as it is typed: "lmpo train"
  std::string summary;  // a sentence or more
  bool accepts_config = false;
  std::vector<OptionDescription> options;  // by group, in order
  // The last parts of a page, titles and texts as they are: "Examples".
  std::vector<std::pair<std::string, std::string>> sections;
  // Names of the options that a first page shows, where there are too many for it; empty: all.
  std::vector<std::string> common;

  // The titles of its groups, in order.
  std::vector<std::string> groups() const;
  // "lmpo train [RECIPE.yaml] [options]"
  std::string usage() const;
};

// The program's commands, as its table has them.
struct ListedCommand {
  std::string name;     // "train"
  std::string group;    // "Train"
  std::string summary;  // one line
  CommandDescription description;
};

}  // namespace lmpo
