// Lists of texts as Python writes them: ['a', "it's"]. Thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lmpo {

// None where the text is not such a list. Escapes \\, \', \", \n, \r, \t, \xHH, \uHHHH and \UHHHHHHHH are read.
std::optional<std::vector<std::string>> python_list_of_texts(std::string_view text);

}  // namespace lmpo
