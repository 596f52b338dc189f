// A command with an option of every kind, and the errors of reading it: for tests.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "recipe/option_set.h"

namespace lmpo {

enum class Colour { red, green, no };
constexpr std::array<std::string_view, 3> choice_names(Colour) {
  return {"red", "green", "no"};
}

// A small command with an option of every kind.
struct Sample {
  bool flag = false;
  bool eager = true;
  std::int64_t count = 3;
  double rate = 0.5;
  std::string name = "x";
  std::string kind = "auto";
  fs::path folder;
  Colour colour = Colour::red;
  std::optional<double> ratio;
  std::vector<fs::path> files;
  Bytes memory;
  std::string resume;

  OptionSet options{"tool run", "Runs."};

  Sample() {
    options.accept_config_file();
    options.group("First");
    options.add("some_flag", flag, "a flag");
    options.add("eager", eager, "on at the start");
    options.add("count", count, "a count",
                {.range = at_least(1), .letter = 'c', .synonyms = {"n"}, .old_names = {"number"}});
    options.add("rate", rate, "a rate", {.range = kInsideUnit});
    options.group("Second");
    options.add("name", name, "a name");
    options.add("kind", kind, "a kind", {.choices = {"auto", "half"}, .flags = {{"fp16", "half"}}});
    options.add("folder", folder, "a folder");
    options.add("colour", colour, "a colour");
    options.add("ratio", ratio, "a ratio", {.default_text = "rate / 2"});
    options.add("files", files, "some files", {.value_name = "FILE"});
    options.add("memory", memory, "a size");
    options.add("resume", resume, "go on", {.implied = "true"});
  }

  void read(const std::vector<std::string>& arguments) {
    ASSERT_TRUE(options.read_arguments(arguments));
    options.resolve();
  }
  void yaml(std::string_view text) {
    options.read_yaml(text, "r.yaml");
    options.resolve();
  }
};

// The message of the UserError that reading throws.
template <typename F>
std::string message_of(F read) {
  try {
    Sample sample;
    read(sample);
  } catch (const UserError& error) {
    return error.what();
  }
  return "nothing was thrown";
}
inline std::string flag_error(const std::vector<std::string>& arguments) {
  return message_of([&](Sample& sample) { sample.read(arguments); });
}

inline std::string yaml_error(std::string_view text) {
  return message_of([&](Sample& sample) { sample.yaml(text); });
}

}  // namespace lmpo
