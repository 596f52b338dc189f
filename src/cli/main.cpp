// The program: a table of commands, and what each kind of failure means to the shell.
#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <iostream>
#include <span>

#include "base/error.h"
#include "base/log.h"
#include "base/names.h"
#include "cli/commands.h"

namespace lmpo {
namespace {

struct Entry {
  const char* name;
  const char* summary;  // empty: not shown in help
  int (*run)(const std::vector<std::string>& arguments);
};

constexpr Entry commands[] = {
    {"train", "train a checkpoint on preferences (LMPO, SimPO) or on answers (SFT)", run_train},
    {"sft", "the same with --objective sft", run_sft},
    {"validate", "check a run before it starts: files, tokens, rows, memory, disk, settings",
     run_validate},
    {"score", "log-probabilities of chosen and rejected responses", run_score},
    {"inspect", "data as the model will see it, with statistics; what a checkpoint holds",
     run_inspect},
    {"generate", "answer prompts", run_generate},
    {"chat", "talk with a model, or with two side by side", run_chat},
    {"pair", "preferences of scored samples: the best against the worst", run_pair},
    {"tokenize", "text to ids and back", run_tokenize},
    {"init", "make a random model", run_init},
    {"merge", "average or interpolate checkpoints", run_merge},
    {"export", "write a checkpoint for llama.cpp (GGUF), or in another type", run_export},
    {"report", "training runs side by side, in one page", run_report},
    {"example", "the whole way in a small world of its own: data, SFT, LMPO, a table", run_example},
    {"demo", "the paper in miniature: every method in the small world, with standard errors",
     run_demo},
    {"plan", "the memory of a training step, before anything is loaded", run_plan},
    {"bench", "how fast this machine trains a model, part by part", run_bench},
    {"env", "what this program and this machine are", run_env},
    {"docs", "", run_docs},
};

void print_help() {
  fmt::print(
      "lmpo {}: preference optimization of Llama-family language models\n\n"
      "usage: lmpo COMMAND [OPTIONS]\n\n",
      LMPO_VERSION);
  for (const Entry& entry : commands) {
    if (*entry.summary != '\0') {
      fmt::print("  {:<10} {}\n", entry.name, entry.summary);
    }
  }
  fmt::print(
      "\nlmpo COMMAND --help explains a command; lmpo --version prints the version.\n"
      "Exit codes: 0 done, 1 the machine failed, 2 a mistake in the input, 130 interrupted.\n\n"
      "Examples\n"
      "  lmpo example\n"
      "  lmpo train --model DIR --data pairs.jsonl --output_dir out\n");
}

int run(std::vector<std::string> words) {
  if (words.empty() || words[0] == "--help" || words[0] == "-h" || words[0] == "help") {
    print_help();
    return words.empty() ? 2 : 0;
  }
  if (words[0] == "--version") {
    fmt::print("lmpo {}\n", LMPO_VERSION);
    return 0;
  }
  std::vector<std::string> names;
  for (const Entry& entry : commands) {
    if (words[0] == entry.name) {
      return entry.run({words.begin() + 1, words.end()});
    }
    names.emplace_back(entry.name);
  }
  user_error("there is no command '{}'{}; lmpo --help lists them", words[0],
             suggestion(words[0], names));
}

// Results that did not arrive must not look like a success: the disk may be full.
void finish_output() {
  const bool streamed = static_cast<bool>(std::cout.flush());
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0 || !streamed) {
    throw MachineError("standard output: writing failed");
  }
}

}  // namespace
}  // namespace lmpo

int main(int count, char** words) {
  try {
    const int exit_code = lmpo::run({words + 1, words + count});
    lmpo::finish_output();
    return exit_code;
  } catch (const lmpo::UserError& error) {
    lmpo::log_error("{}", error.what());
    return 2;
  } catch (const std::bad_alloc&) {
    lmpo::log_error("out of memory");
    return 1;
  } catch (const std::exception& error) {
    lmpo::log_error("{}", error.what());
    return 1;
  }
}
