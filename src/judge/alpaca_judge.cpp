#include "judge/alpaca_judge.h"

#include <fmt/chrono.h>

#include <cmath>
#include <ctime>
#include <limits>
#include <optional>

#include "base/error.h"
#include "base/python_random.h"
#include "judge/alpaca_prompt.h"
#include "judge/rows_of.h"

namespace lmpo {
namespace {

constexpr const char* kFirstToken = "m";
constexpr const char* kSecondToken = "M";
constexpr double kNoPreference = std::numeric_limits<double>::quiet_NaN();

// The likeliest tokens in place of the only one that was generated; null where there are none.
const ordered_json* likeliest_tokens(const ordered_json& choice) {
  const ordered_json* content = descend(choice, {"logprobs", "content"});
  if (content == nullptr || !content->is_array() || content->size() != 1) {
    return nullptr;
  }
  const ordered_json* top = descend(content->front(), {"top_logprobs"});
  return top != nullptr && top->is_array() ? top : nullptr;
}

// The last of that name counts.
std::optional<double> logprob_of(const ordered_json& top, std::string_view token) {
  std::optional<double> logprob;
  for (const ordered_json& each : top) {
    const ordered_json* name = descend(each, {"token"});
    const ordered_json* value = descend(each, {"logprob"});
    if (name != nullptr && name->is_string() && name->get_ref<const std::string&>() == token &&
        value != nullptr && value->is_number()) {
      logprob = value->get<double>();
    }
  }
  return logprob;
}

bool is_same(const AlpacaOutput& a, const AlpacaOutput& b) {
  return a.output == b.output;
}

ordered_json annotation_row(const AlpacaOutput& baseline, const AlpacaOutput& model,
                            const std::string& annotator) {
  ordered_json row = {{"instruction", baseline.instruction},
                      {"output_1", baseline.output},
                      {"generator_1", baseline.generator}};
  if (!baseline.dataset.empty()) {
    row["dataset"] = baseline.dataset;
  }
  row["output_2"] = model.output;
  row["generator_2"] = model.generator;
  row["annotator"] = annotator;
  return row;
}

}  // namespace

bool is_switched(std::string_view instruction) {
  PythonRandom random("is_switched_outputs" + std::string(instruction) + "0");
  return random.random() >= 0.5;
}

ordered_json alpaca_request(const std::string& judge_model, const JudgeCase& judge_case) {
  return {{"messages", alpaca_messages(judge_case)},
          {"model", judge_model},
          {"max_tokens", 1},
          {"temperature", 1},
          {"top_p", 1.0},
          {"logprobs", true},
          {"top_logprobs", 5}};
}

double preference_of_choice(const ordered_json& choice) {
  const ordered_json* top = likeliest_tokens(choice);
  const auto first = top == nullptr ? std::nullopt : logprob_of(*top, kFirstToken);
  const auto second = top == nullptr ? std::nullopt : logprob_of(*top, kSecondToken);
  if (!first && !second) {
    return kNoPreference;
  }
  if (!first || !second) {
    return first ? 1 : 2;
  }
  return 2 - 1 / (1 + std::exp(*second - *first));
}

std::vector<JudgeCase> cases_of(std::span<const AlpacaOutput> baseline,
                                std::span<const AlpacaOutput> model) {
  LMPO_CHECK(baseline.size() == model.size());
  std::vector<JudgeCase> cases;
  for (std::size_t i = 0; i < baseline.size(); ++i) {
    if (is_same(baseline[i], model[i])) {
      continue;
    }
    const bool switched = is_switched(baseline[i].instruction);
    cases.push_back({.instruction = baseline[i].instruction,
                     .first = switched ? model[i].output : baseline[i].output,
                     .second = switched ? baseline[i].output : model[i].output});
  }
  return cases;
}

Annotations annotate(std::span<const AlpacaOutput> baseline, std::span<const AlpacaOutput> model,
                     const Annotator& annotator) {
  const std::vector<PairVerdict> verdicts = annotator.judge(cases_of(baseline, model));
  Annotations annotations{.model = model.front().generator,
                          .baseline = baseline.front().generator,
                          .annotator = annotator.name};
  const std::string date = fmt::format("{:%Y-%m-%dT%H:%M:%S}", fmt::localtime(std::time(nullptr)));
  std::size_t next = 0;
  for (std::size_t i = 0; i < baseline.size(); ++i) {
    ordered_json row = annotation_row(baseline[i], model[i], annotator.name);
    double preference = 1.5;
    if (!is_same(baseline[i], model[i])) {
      const PairVerdict& verdict = verdicts[next++];
      const bool switched = is_switched(baseline[i].instruction);
      preference = switched ? 3 - verdict.preference : verdict.preference;
      row["preference"] = std::isnan(preference) ? ordered_json(nullptr) : ordered_json(preference);
      row["preference_price_per_example"] = verdict.price;
      row["preference_date"] = date;
      row["preference_raw_completion"] = verdict.raw;
    } else {
      row["preference"] = preference;
    }
    annotations.rows.push_back({preference, std::move(row)});
  }
  return annotations;
}

}  // namespace lmpo
