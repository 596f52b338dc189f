// Any bytes as an answer to all of IFEval's instructions; the first byte chooses numbers and words.
// What sentences, words and languages are found lies in the text.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "base/utf8.h"
#include "grade/instruction_table.h"
#include "grade/instructions.h"
#include "grade/sentences.h"

namespace {

std::vector<lmpo::grade::Instruction> all_instructions(std::uint8_t choice) {
  using lmpo::grade::ParameterType;
  std::vector<lmpo::grade::Instruction> result;
  for (const auto& kind : lmpo::grade::instruction_kinds()) {
    lmpo::json parameters = lmpo::json::object();
    for (const auto& each : kind.parameters) {
      const char* word = choice % 2 == 0 ? "a" : "P.S.";
      parameters[each.name] = each.type == ParameterType::count      ? lmpo::json(1 + choice % 4)
                              : each.type == ParameterType::relation ? lmpo::json("less than")
                              : each.type == ParameterType::letter   ? lmpo::json("a")
                              : each.type == ParameterType::texts    ? lmpo::json({word})
                                                                     : lmpo::json(word);
    }
    result.push_back({&kind, std::move(parameters)});
  }
  return result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const std::string_view answer(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto instructions = all_instructions(data[0]);
  const auto found = lmpo::grade::check_instructions(instructions, answer);
  LMPO_CHECK(found.size() == instructions.size());
  for (const auto& each : found) {
    LMPO_CHECK(each.loose || !each.strict);
  }
  const std::string text = lmpo::replace_invalid_utf8(answer);
  std::size_t total = 0;
  for (const std::string_view sentence : lmpo::grade::sentences(text)) {
    LMPO_CHECK(lmpo::is_valid_utf8(sentence));
    total += sentence.size();
  }
  LMPO_CHECK(total <= text.size());
  return 0;
}
