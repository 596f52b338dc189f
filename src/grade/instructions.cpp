#include "grade/instructions.h"

#include <algorithm>

#include "base/error.h"
#include "base/utf8.h"
#include "grade/instruction_table.h"
#include "grade/python_text.h"

namespace lmpo::grade {
namespace {

bool is_text(const json& value) {
  return value.is_string() && !value.get_ref<const std::string&>().empty();
}

bool is_of(ParameterType type, const json& value) {
  switch (type) {
    case ParameterType::count:
      return value.is_number() && value.get<double>() > 0;
    case ParameterType::relation:
      return value == "less than" || value == "at least";
    case ParameterType::text:
      return is_text(value);
    case ParameterType::texts:
      return value.is_array() && !value.empty() && std::all_of(value.begin(), value.end(), is_text);
    case ParameterType::letter: {
      return is_text(value) && jinja::count_characters(value.get<std::string>()) == 1;
    }
  }
  return false;
}

const char* expectation(ParameterType type) {
  switch (type) {
    case ParameterType::count:
      return "a number above 0";
    case ParameterType::relation:
      return R"("less than" or "at least")";
    case ParameterType::text:
      return "a text";
    case ParameterType::texts:
      return "a list of texts";
    case ParameterType::letter:
      return "one letter";
  }
  return "";
}

Instruction read_instruction(const json& id, const json& given, std::string_view source) {
  const InstructionKind* kind =
      id.is_string() ? find_instruction_kind(id.get_ref<const std::string&>()) : nullptr;
  if (kind == nullptr) {
    user_error("{}: IFEval has no instruction {}", source, id.dump());
  }
  if (!given.is_object()) {
    user_error("{}: the parameters of '{}' (in kwargs) should be an object, not {}", source,
               kind->id, given.type_name());
  }
  Instruction result{kind, json::object()};
  for (const InstructionParameter& each : kind->parameters) {
    const auto found = given.find(each.name);
    if (found == given.end() || !is_of(each.type, *found)) {
      user_error("{}: '{}' needs the parameter '{}' (in kwargs), {}", source, kind->id, each.name,
                 expectation(each.type));
    }
    result.parameters[each.name] = *found;
  }
  for (const auto& [name, value] : given.items()) {
    if (!value.is_null() && !result.parameters.contains(name)) {
      user_error("{}: '{}' has no parameter '{}' (in kwargs)", source, kind->id, name);
    }
  }
  return result;
}

std::string joined(const std::vector<std::string_view>& lines, std::size_t begin, std::size_t end) {
  std::string text;
  for (std::size_t i = begin; i < end; ++i) {
    text += i > begin ? "\n" : "";
    text += lines[i];
  }
  return strip(text);
}

// The answer; without its first line, its last line, both; then all these without asterisks.
std::vector<std::string> variants(const std::string& answer) {
  const std::vector<std::string_view> lines = split(answer, "\n");
  const std::size_t count = lines.size();
  std::vector<std::string> result = {answer, joined(lines, 1, count), joined(lines, 0, count - 1),
                                     joined(lines, 1, count - 1)};
  for (std::size_t i = 0; i < 4; ++i) {
    result.push_back(replace(result[i], "*", ""));
  }
  return result;
}

bool follows(const Instruction& instruction, const std::string& answer) {
  return !is_blank(answer) && instruction.kind->follows(answer, instruction.parameters);
}

}  // namespace

std::vector<Instruction> read_instructions(const json& row, std::string_view source) {
  const auto list = [&](const char* name) -> const json& {
    const auto found = row.find(name);
    if (found == row.end() || !found->is_array()) {
      user_error("{}: a row of IFEval needs the list '{}'", source, name);
    }
    return *found;
  };
  const json& ids = list("instruction_id_list");
  const json& parameters = list("kwargs");
  if (ids.size() != parameters.size() || ids.empty()) {
    user_error("{}: {} instructions in 'instruction_id_list', but parameters of {} in 'kwargs'",
               source, ids.size(), parameters.size());
  }
  std::vector<Instruction> result;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    result.push_back(read_instruction(ids[i], parameters[i], source));
  }
  return result;
}

std::vector<Followed> check_instructions(const std::vector<Instruction>& instructions,
                                         std::string_view answer) {
  const std::vector<std::string> texts = variants(replace_invalid_utf8(answer));
  std::vector<Followed> result;
  for (const Instruction& each : instructions) {
    const bool strict = follows(each, texts.front());
    const bool loose =
        strict || std::any_of(texts.begin() + 1, texts.end(),
                              [&each](const std::string& text) { return follows(each, text); });
    result.push_back({strict, loose});
  }
  return result;
}

}  // namespace lmpo::grade
