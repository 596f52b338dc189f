// A command is two functions: `declare` says what its options are, and `run` does its work once
// they have been read. A command's file, cli/NAME.cpp, ends with
//
//   constinit const CommandCode kNameCommand = command<declare, run>("Does this and that.");
//
// where Options is a struct of its own and
//
//   void declare(OptionSet& set, Options& options);               // declares, and does nothing else
//   int run(const Options& options);                              // returns the exit code
//   int run(const Options& options, const OptionSet& set);        // for set.reject and the like
#pragma once

#include <string>
#include <type_traits>
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
Options options_of(void (*declare)(OptionSet&, Options&));  // never called: names the type

template <auto kDeclare>
CommandDescription describe_command(OptionSet set) {
  decltype(options_of(kDeclare)) options;
  kDeclare(set, options);
  return set.describe();
}

template <auto kDeclare, auto kRun>
int run_command(OptionSet set, const std::vector<std::string>& arguments) {
  decltype(options_of(kDeclare)) options;
  kDeclare(set, options);
  if (!set.parse(arguments)) {
    return 0;  // --help was shown
  }
  if constexpr (std::is_invocable_v<decltype(kRun), decltype(options)&, const OptionSet&>) {
    return kRun(options, set);
  } else {
    return kRun(options);
  }
}

template <auto kDeclare, auto kRun>
constexpr CommandCode command(const char* about) {
  return {about, describe_command<kDeclare>, run_command<kDeclare, kRun>};
}

}  // namespace lmpo
