#include "data/samples.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "base/error.h"
#include "text/template_inputs.h"

namespace lmpo {
namespace {

const std::vector<std::string> kColumns = {"id",        "index",  "prompt", "system",
                                           "responses", "scores", "tools",  "chat_template_kwargs"};

std::string key_of(const SourceRow& row) {
  for (const char* name : {"id", "index"}) {
    const auto found = row.value.find(name);
    if (found == row.value.end() || found->is_null()) {
      continue;
    }
    if (!found->is_string() && !found->is_number_integer()) {
      user_error("{}: key '{}': a text or a whole number was expected", row.location, name);
    }
    return found->dump();
  }
  return fmt::format("{}", row.index);
}

void require_utf8(const SourceRow& row) {
  if (!row.valid_utf8) {
    user_error("{}: the row's bytes are not UTF-8", row.location);
  }
}

// Reads the prompt like one of training data. normalise_row needs a response, so a dummy is added.
Turns prompt_turns(const SourceRow& row) {
  const ordered_json response = {{"role", "assistant"}, {"content", "a"}};
  const ordered_json with_response = {{"prompt", row.value.value("prompt", ordered_json())},
                                      {"system", row.value.value("system", ordered_json())},
                                      {"completion", ordered_json::array({response})}};
  const auto result = normalise_row(with_response, RowKind::sft, row.location);
  const Row* normalised = std::get_if<Row>(&result);
  if (normalised == nullptr) {
    user_error("{}: key 'prompt': at least one message was expected", row.location);
  }
  return normalised->prompt.turns;
}

}  // namespace

Samples parse_samples(const SourceRow& row) {
  require_utf8(row);
  const ordered_json responses = row.value.value("responses", ordered_json());
  const bool texts =
      responses.is_array() && !responses.empty() &&
      std::ranges::all_of(responses, [](const ordered_json& value) { return value.is_string(); });
  if (!texts || row.value.value("prompt", ordered_json()).is_null()) {
    user_error("{}: a row with 'prompt' and 'responses', a list of texts, was expected",
               row.location);
  }
  return {key_of(row), row.location, prompt_turns(row), responses.get<std::vector<std::string>>(),
          template_inputs(row.value, row.location)};
}

std::vector<Samples> read_samples(const fs::path& file) {
  std::vector<Samples> all;
  std::map<std::string, std::string> locations;  // by key
  read_rows(file, kColumns, [&](SourceRow&& row) {
    all.push_back(parse_samples(row));
    const auto [first, is_new] = locations.emplace(all.back().key, row.location);
    if (!is_new) {
      user_error("{}: has the same id as {}: {}", row.location, first->second, first->first);
    }
  });
  if (all.empty()) {
    user_error("{}: this file has no samples", file.string());
  }
  return all;
}

ScoreTable::ScoreTable(std::span<const Samples> samples)
    : samples_(samples), scores_(samples.size()) {
  for (std::size_t i = 0; i < samples.size(); ++i) {
    index_[samples[i].key] = i;
  }
}

void ScoreTable::add(const SourceRow& row) {
  require_utf8(row);
  const std::string key = key_of(row);
  const auto found = index_.find(key);
  if (found == index_.end()) {
    user_error("{}: no samples have the id or index {} of these scores", row.location, key);
  }
  const Samples& samples = samples_[found->second];
  Scores& scores = scores_[found->second];
  if (!scores.empty()) {
    user_error("{}: the samples {} ({}) already have scores", row.location, key, samples.location);
  }
  const ordered_json list = row.value.value("scores", ordered_json());
  if (!list.is_array() || list.size() != samples.responses.size() ||
      !std::ranges::all_of(list, [](const ordered_json& value) { return value.is_number(); })) {
    user_error("{}: key 'scores': a list of {} numbers was expected, one for each response of {}",
               row.location, samples.responses.size(), samples.location);
  }
  scores = list.get<Scores>();
}

std::vector<Scores> ScoreTable::take(std::string_view source) {
  std::vector<std::string> missing;
  for (std::size_t i = 0; i < scores_.size(); ++i) {
    if (scores_[i].empty()) {
      missing.push_back(samples_[i].key);
    }
  }
  if (!missing.empty()) {
    const std::size_t shown = std::min<std::size_t>(5, missing.size());
    user_error(
        "{}: {} of {} samples have no scores: {}{}", source, missing.size(), scores_.size(),
        fmt::join(missing.begin(), missing.begin() + static_cast<std::ptrdiff_t>(shown), ", "),
        missing.size() > shown ? ", ..." : "");
  }
  return std::move(scores_);
}

std::vector<Scores> read_scores(const fs::path& file, std::span<const Samples> samples) {
  ScoreTable table(samples);
  read_rows(file, kColumns, [&](SourceRow&& row) { table.add(row); });
  return table.take(file.string());
}

std::variant<ordered_json, DropReason> best_and_worst(const Samples& samples,
                                                      const Scores& scores) {
  LMPO_CHECK(scores.size() == samples.responses.size());
  if (scores.size() < 2) {
    return DropReason::single_response;
  }
  const auto best = std::ranges::max_element(scores);
  const auto worst = std::ranges::min_element(scores);
  if (*best == *worst) {
    return DropReason::tied_scores;
  }
  const auto response = [&](Scores::const_iterator place) {
    return to_json(
        Turns{{"assistant", samples.responses[static_cast<std::size_t>(place - scores.begin())]}});
  };
  ordered_json row = {{"prompt", to_json(samples.prompt)},
                      {"chosen", response(best)},
                      {"rejected", response(worst)},
                      {"score_chosen", *best},
                      {"score_rejected", *worst}};
  add_template_inputs(row, samples.inputs);
  const auto result = normalise_row(row, RowKind::preference, samples.location);
  if (const auto* reason = std::get_if<DropReason>(&result)) {
    return *reason;
  }
  return row;
}

ordered_json scored_row(const Samples& samples, const Scores& scores) {
  ordered_json row = {{"id", ordered_json::parse(samples.key)},
                      {"prompt", to_json(samples.prompt)},
                      {"responses", samples.responses},
                      {"scores", scores}};
  add_template_inputs(row, samples.inputs);
  return row;
}

PairLines pair_lines(std::span<const Samples> samples, std::span<const Scores> scores) {
  PairLines result;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const auto pair = best_and_worst(samples[i], scores[i]);
    if (const auto* row = std::get_if<ordered_json>(&pair)) {
      result.lines += row->dump() + "\n";
    } else {
      result.drops.add(static_cast<std::int64_t>(i), std::get<DropReason>(pair));
    }
  }
  return result;
}

std::string scored_lines(std::span<const Samples> samples, std::span<const Scores> scores) {
  std::string lines;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    lines += scored_row(samples[i], scores[i]).dump() + "\n";
  }
  return lines;
}

}  // namespace lmpo
