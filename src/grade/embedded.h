// The files of data/, which tools/oracle/grade_data.py writes. They are part of the program.
#pragma once

#include <string_view>

namespace lmpo::grade {

std::string_view punkt_english_file();
std::string_view languages_file();

}  // namespace lmpo::grade
