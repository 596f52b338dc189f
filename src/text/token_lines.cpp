#include "text/token_lines.h"

#include <fmt/ranges.h>

#include <vector>

#include "base/error.h"
#include "base/printable_json.h"
#include "text/template_inputs.h"

namespace lmpo {
namespace {

std::string line_of(const std::string& text, const std::vector<TokenId>& ids) {
  return fmt::format(
      "{{\"text\":{},\"ids\":[{}]}}\n",
      printable_json(json(text).dump(-1, ' ', false, json::error_handler_t::replace)),
      fmt::join(ids, ","));
}

std::string decoded_line(const json& value, const std::string& place, const Tokenizer& tokenizer,
                         bool skip_special) {
  std::vector<TokenId> ids;
  for (const json& id : value.is_array() ? value : json::array({value})) {
    if (!id.is_number_integer() || id.get<std::int64_t>() < 0 ||
        id.get<std::int64_t>() >= tokenizer.id_limit()) {
      user_error("{}: a list of token ids from 0 to {} was expected", place,
                 tokenizer.id_limit() - 1);
    }
    ids.push_back(id.get<TokenId>());
  }
  return line_of(tokenizer.decode(ids, skip_special), ids);
}

}  // namespace

std::string token_line(const std::string& line, const std::string& place, const TextModel& model,
                       const TokenLineOptions& options) {
  if (line.find_first_not_of(" \t\r") == std::string::npos) {
    return "";
  }
  const json value = parse_json(line, place);
  if (options.decode) {
    return decoded_line(value, place, model.tokenizer, options.skip_special_tokens);
  }
  if (value.is_string()) {
    const auto text = value.get<std::string>();
    return line_of(text,
                   model.tokenizer.encode(
                       text, options.add_special_tokens,
                       options.split_special_tokens ? SpecialText::text : SpecialText::tokens));
  }
  if (!value.is_array() && !(value.is_object() && value.contains("messages"))) {
    user_error("{}: a string, a list of chat messages, or an object with 'messages' was expected",
               place);
  }
  // The template writes its own special tokens.
  const ordered_json row = ordered_json::parse(line);
  const std::string text = row.is_array()
                               ? model.render(row, options.add_generation_prompt, place)
                               : model.render(row["messages"], options.add_generation_prompt, place,
                                              template_inputs(row, place));
  return line_of(text, model.tokenizer.encode(text, false));
}

}  // namespace lmpo
