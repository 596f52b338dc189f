#include "inspect/data_survey.h"

#include <algorithm>

#include "base/error.h"
#include "base/hash.h"
#include "data/truncation.h"

namespace lmpo {
namespace {

constexpr std::size_t kRowsNamed = 5;

std::vector<DropLine> drop_lines(const DropCounts& drops) {
  std::vector<DropLine> lines;
  for (std::size_t index = 0; index < kDropReasons; ++index) {
    const auto reason = static_cast<DropReason>(index);
    if (drops.count(reason) > 0) {
      lines.push_back({reason, drops.count(reason), {}});
    }
  }
  for (const Drop& drop : drops.drops()) {
    const auto line = std::ranges::find(lines, drop.reason, &DropLine::reason);
    if (line->first_rows.size() < kRowsNamed) {
      line->first_rows.push_back(drop.row);
    }
  }
  return lines;
}

}  // namespace

void DataSurvey::add(const RowSeen& seen) {
  const bool wanted = options_.rows.empty() ? seen.row < options_.show
                                            : std::ranges::count(options_.rows, seen.row) > 0;
  if (wanted) {
    report_.shown.push_back(show_row(seen, tokenizer_, options_.data, options_.show_tokens));
  }
  if (seen.whole.empty()) {
    return;
  }
  add_lengths(seen);
  add_duplicates(seen);
  turn_ends_.add(seen.row, seen.whole);
  if (seen.tree != nullptr) {
    add_truncation(seen);
    kept_plain_ += !seen.conversational;
  }
}

void DataSurvey::add_lengths(const RowSeen& seen) {
  prompts_.push_back(seen.whole[0].scored_begin);
  const auto names = response_names(options_.data.kind, seen.whole.size(), seen.desirable);
  for (std::size_t i = 0; i < names.size(); ++i) {
    auto series = std::ranges::find(responses_, names[i], &decltype(responses_)::value_type::first);
    if (series == responses_.end()) {
      series = responses_.insert(responses_.end(), {names[i], {}});
    }
    series->second.push_back(seen.whole[i].scored_tokens());
  }
  if (seen.whole.size() >= 2) {
    const std::int64_t difference =
        seen.whole.front().scored_tokens() - seen.whole.back().scored_tokens();
    differences_.push_back(difference);
    ++report_.pairs;
    report_.chosen_longer += difference > 0;
    report_.same_length += difference == 0;
  }
}

void DataSurvey::add_truncation(const RowSeen& seen) {
  // Then scored_begin says nothing of what is left of the prompt; a cut counts as the response's.
  const bool everything_scored =
      options_.data.kind == RowKind::sft && options_.data.sft_target == SftTarget::conversation;
  for (std::size_t i = 0; i < seen.whole.size(); ++i) {
    const Sequence& whole = seen.whole[i];
    const Sequence& kept = seen.tree->sequences[i];
    report_.prompt_tokens += std::ssize(whole.tokens) - whole.scored_tokens();
    report_.response_tokens += whole.scored_tokens();
    const std::int64_t cut = std::ssize(whole.tokens) - std::ssize(kept.tokens);
    const std::int64_t prompt_cut =
        everything_scored ? 0
                          : std::clamp<std::int64_t>(
                                cut - (whole.scored_tokens() - kept.scored_tokens()), 0, cut);
    report_.prompt_tokens_cut += prompt_cut;
    report_.response_tokens_cut += cut - prompt_cut;
  }
}

void DataSurvey::add_duplicates(const RowSeen& seen) {
  Hash row;
  for (const Sequence& sequence : seen.whole) {
    row.add(sequence.tokens.data(), sequence.tokens.size() * sizeof(TokenId));
    row.add(static_cast<std::uint64_t>(sequence.scored_begin));
  }
  Hash prompt;
  const Sequence& first = seen.whole[0];
  prompt.add(first.tokens.data(), static_cast<std::size_t>(first.scored_begin) * sizeof(TokenId));
  report_.duplicate_rows += !row_hashes_.insert(row.text()).second;
  report_.duplicate_prompts +=
      first.scored_begin > 0 && !prompt_hashes_.insert(prompt.text()).second;
}

void DataSurvey::add_warnings(const Dataset& dataset, DataReport& report) const {
  const auto warn = [&]<typename... Args>(fmt::format_string<Args...> format, Args&&... args) {
    report.warnings.push_back(fmt::format(format, std::forward<Args>(args)...));
  };
  for (const Advice& advice : turn_ends_.advice()) {
    warn("{}: {}", advice.reason, advice.remedy);
  }
  for (const RowNote note : dataset.notes.notes()) {
    warn("{}: {}", dataset.notes.sentence(note), describe(note).remedy);
  }
  for (const std::string& columns :
       {dataset.unused_columns.warning(), dataset.unused_columns.notice()}) {
    if (!columns.empty()) {
      warn("{}", columns);
    }
  }
  if (const std::string advice = drop_advice(dataset, options_.data); !advice.empty()) {
    warn("for the rows without a response: {}", advice);
  }
  if (options_.has_template && kept_plain_ > 0) {
    warn(
        "{} of {} rows are plain text, so the model's chat template is not applied to them. It "
        "renders rows of messages ({{\"role\", \"content\"}})",
        kept_plain_, report.kept);
  }
  if (report.identical_after_truncation > 0) {
    warn("in {} row{}, chosen and rejected are identical after truncation",
         report.identical_after_truncation, report.identical_after_truncation == 1 ? "" : "s");
  }
}

DataReport DataSurvey::finish(const Dataset& dataset) {
  for (const std::int64_t row : options_.rows) {
    if (row >= dataset.rows) {
      user_error("--rows {}: the data has {} rows, counted from 0", row, dataset.rows);
    }
  }
  DataReport report = std::move(report_);
  report.truncation = truncation_text(options_.data);
  report.rows = dataset.rows;
  report.kept = std::ssize(dataset.trees);
  report.conversations = dataset.conversations;
  report.cut_rows = dataset.truncated;
  report.identical_after_truncation = dataset.identical_after_truncation;
  report.drops = drop_lines(dataset.drops);

  // Responses share their edges, so that their histograms can be compared.
  std::vector<std::int64_t> all;
  for (const auto& [name, values] : responses_) {
    all.insert(all.end(), values.begin(), values.end());
  }
  const std::vector<std::int64_t> edges = histogram_edges(std::move(all), false);
  report.lengths.push_back(summarize("prompt", prompts_, histogram_edges(prompts_, false)));
  for (auto& [name, values] : responses_) {
    report.lengths.push_back(summarize(name, std::move(values), edges));
  }
  if (report.pairs > 0) {
    const bool ranked = options_.data.kind == RowKind::ranked;
    report.lengths.push_back(summarize(ranked ? "first - last" : "chosen - rejected", differences_,
                                       histogram_edges(differences_, true)));
  }
  add_warnings(dataset, report);
  return report;
}

}  // namespace lmpo
