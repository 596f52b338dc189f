// The commands of the program: one file each, one line each in main.cpp's table.
#pragma once

#include <string>
#include <vector>

namespace lmpo {

// Runs with the arguments after the command's name and returns the exit code. Mistakes are thrown.
using Command = int (*)(const std::vector<std::string>& arguments);

int run_env(const std::vector<std::string>& arguments);

}  // namespace lmpo
