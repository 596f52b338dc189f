// The commands of the program: one file each, one line each in command_table.cpp.
#pragma once

#include <string>
#include <vector>

namespace lmpo {

// Each runs with the arguments after the command's name and returns the exit code. Mistakes are
// thrown. Each declares its options in an OptionSet and calls its parse before it does anything
// else, see OptionSet::describe_command.
int run_train(const std::vector<std::string>& arguments);
int run_sft(const std::vector<std::string>& arguments);
int run_validate(const std::vector<std::string>& arguments);
int run_score(const std::vector<std::string>& arguments);
int run_inspect(const std::vector<std::string>& arguments);
int run_generate(const std::vector<std::string>& arguments);
int run_chat(const std::vector<std::string>& arguments);
int run_pair(const std::vector<std::string>& arguments);
int run_tokenize(const std::vector<std::string>& arguments);
int run_init(const std::vector<std::string>& arguments);
int run_merge(const std::vector<std::string>& arguments);
int run_export(const std::vector<std::string>& arguments);
int run_report(const std::vector<std::string>& arguments);
int run_example(const std::vector<std::string>& arguments);
int run_demo(const std::vector<std::string>& arguments);
int run_plan(const std::vector<std::string>& arguments);
int run_bench(const std::vector<std::string>& arguments);
int run_env(const std::vector<std::string>& arguments);
int run_help(const std::vector<std::string>& arguments);
int run_docs(const std::vector<std::string>& arguments);

}  // namespace lmpo
