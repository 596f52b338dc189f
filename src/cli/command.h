// A command is a struct of its options and two functions: `declare` says what the options are, and
// `run` does the work once they have been read. A command's file, cli/NAME.cpp, ends with
//
//   constinit const CommandCode kNameCommand = command<NameOptions>("Does this and that.");
//
// and has in its unnamed namespace
//
//   struct NameOptions { ... };
//   void declare(OptionSet& set, NameOptions& options);           // declares, and does nothing else
//   int run(const NameOptions& options);                          // returns the exit code
//   int run(const NameOptions& options, const OptionSet& set);    // for set.reject and the like
#pragma once

#include <string>
#include <vector>

#include "recipe/option_set.h"

namespace lmpo {

struct CommandCode {
  const char* about;  // a sentence or more, for the top of its --help
  // Each begins with an empty set that knows the command's name.
  CommandDescription (*describe)(OptionSet set);
  int (*run)(OptionSet set, const std::vector<std::string>& arguments);
};

template <typename Options>
CommandDescription describe_command(OptionSet set) {
  Options options;
  declare(set, options);
  return set.describe();
}

template <typename Options>
int run_command(OptionSet set, const std::vector<std::string>& arguments) {
  Options options;
  declare(set, options);
  if (!set.parse(arguments)) {
    return 0;  // --help was shown
  }
  if constexpr (requires { run(options, set); }) {
    return run(options, set);
  } else {
    return run(options);
  }
}

template <typename Options>
constexpr CommandCode command(const char* about) {
  return {about, describe_command<Options>, run_command<Options>};
}

}  // namespace lmpo
