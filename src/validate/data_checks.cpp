// Checks of the rows as training will see them.
#include <fmt/format.h>

#include <algorithm>

#include "inspect/data_report.h"
#include "validate/checks.h"

namespace lmpo {
namespace {

// Above these shares of the rows a finding is a warning, not a note.
constexpr double kManyDropped = 0.01;
constexpr double kManyTruncated = 0.1;
constexpr double kManyDuplicates = 0.01;

Severity above(std::int64_t count, std::int64_t whole, double part) {
  return static_cast<double>(count) > part * static_cast<double>(whole) ? Severity::warning
                                                                        : Severity::note;
}

std::string share(std::int64_t count, std::int64_t whole) {
  return fmt::format("{} of {} rows ({})", count, whole, percent(count, whole));
}

}  // namespace

void check_drops(const RunFacts& facts, Findings& findings) {
  for (const DataFacts* data : facts.data()) {
    const std::string place = facts.where(data->option);
    if (data->kept == 0) {
      findings.error("no_usable_row", place,
                     fmt::format("{}: no row can be used: {}", data->what, data->drops.summary()),
                     "look at single rows with: lmpo inspect --rows N");
    } else if (data->drops.total() > 0) {
      findings.add({above(data->drops.total(), data->rows, kManyDropped), "rows_dropped", place,
                    fmt::format("{}: {} are dropped; {}", data->what,
                                share(data->drops.total(), data->rows), data->drops.summary()),
                    data->drop_advice.empty()
                        ? "look at them with: lmpo inspect --rows N,..."
                        : fmt::format("for those without a response: {}", data->drop_advice)});
    }
  }
}

void check_truncation_of_rows(const RunFacts& facts, Findings& findings) {
  for (const DataFacts* data : facts.data()) {
    if (data->truncated > 0) {
      findings.add({above(data->truncated, data->kept, kManyTruncated), "rows_truncated",
                    facts.where("max_length"),
                    fmt::format("{}: {} are truncated to {} tokens; truncated responses lose their "
                                "end-of-turn token, so the model does not learn to stop",
                                data->what, share(data->truncated, data->kept),
                                facts.recipe.data.max_length.value_or(0)),
                    "raise max_length if memory allows"});
    }
  }
}

void check_identical_responses(const RunFacts& facts, Findings& findings) {
  for (const DataFacts* data : facts.data()) {
    if (data->identical_after_truncation > 0) {
      findings.warning("identical_after_truncation", facts.where("max_length"),
                       fmt::format("{}: in {}, chosen and rejected are identical after truncation",
                                   data->what, share(data->identical_after_truncation, data->kept)),
                       "raise max_length or remove these rows: they teach nothing");
    }
  }
}

void check_duplicates(const RunFacts& facts, Findings& findings) {
  for (const DataFacts* data : facts.data()) {
    if (data->duplicates > 0) {
      findings.add({above(data->duplicates, data->kept, kManyDuplicates), "rows_duplicate",
                    facts.where(data->option),
                    fmt::format("{}: {} repeat an earlier row", data->what,
                                share(data->duplicates, data->kept)),
                    "remove them, unless they are meant to count more"});
    }
  }
}

void check_contradictions(const RunFacts& facts, Findings& findings) {
  for (const DataFacts* data : facts.data()) {
    if (data->contradictions > 0) {
      findings.warning(
          "rows_contradict", facts.where(data->option),
          fmt::format("{}: {} prefer the response that an earlier row with the same "
                      "prompt and responses rejects",
                      data->what, share(data->contradictions, data->kept)),
          "keep one of the two, and check whether a file has chosen and rejected swapped");
    }
  }
}

void check_turn_ends(const RunFacts& facts, Findings& findings) {
  for (const DataFacts* data : facts.data()) {
    for (const Advice& advice : data->turn_ends) {
      findings.warning(advice.name, facts.where(data->option),
                       fmt::format("{}: {}", data->what, advice.reason), advice.remedy);
    }
  }
}

void check_plain_text(const RunFacts& facts, Findings& findings) {
  for (const DataFacts* data : facts.data()) {
    if (data->option == "test_split_size") {
      continue;  // these rows were read as training data, and are counted there
    }
    const std::int64_t read = data->rows - data->drops.total();
    const std::int64_t plain = read - data->conversations;
    if (facts.text && facts.text->template_size > 0 && plain > 0) {
      findings.warning("rows_without_template", facts.where(data->option),
                       fmt::format("{}: {} are plain text, so the model's chat template is not "
                                   "applied to them",
                                   data->what, share(plain, read)),
                       "for a chat model, write prompt and responses as messages "
                       "({\"role\", \"content\"})");
    }
  }
}

void check_boundary(const RunFacts& facts, Findings& findings) {
  for (const DataFacts* data : facts.data()) {
    if (data->token_spans_boundary > 0) {
      findings.warning(
          "token_spans_boundary", facts.where("boundary"),
          fmt::format("{}: in {}, one token spans prompt and response; it counts as response",
                      data->what, share(data->token_spans_boundary, data->kept)),
          "end plain-text prompts or begin responses with white space");
    }
  }
}

void check_row_notes(const RunFacts& facts, Findings& findings) {
  for (const DataFacts* data : facts.data()) {
    for (const RowNote note : data->notes.notes()) {
      const RowNoteText& text = describe(note);
      findings.add({text.warning ? Severity::warning : Severity::note, std::string(text.name),
                    facts.where(data->option),
                    fmt::format("{}: {}", data->what, data->notes.sentence(note)),
                    std::string(text.remedy)});
    }
  }
}

void check_unused_columns(const RunFacts& facts, Findings& findings) {
  for (const DataFacts* data : facts.data()) {
    for (const auto& [severity, columns] :
         {std::pair(Severity::warning, data->unused_columns.warning()),
          std::pair(Severity::note, data->unused_columns.notice())}) {
      if (!columns.empty()) {
        findings.add({severity, "columns_unused", facts.where(data->option),
                      fmt::format("{}: {}", data->what, columns),
                      "to use a column, rename it: columns: {ITS_NAME: prompt}"});
      }
    }
  }
}

void check_labels(const RunFacts& facts, Findings& findings) {
  for (const DataFacts* data : facts.data()) {
    if (facts.recipe.data.kind == RowKind::labelled && data->kept > 0 && data->labels.one_kind()) {
      findings.warning("one_label", facts.where(data->option),
                       fmt::format("{}: every label is {}; kto needs both kinds of responses",
                                   data->what, data->labels.desirable > 0),
                       "add responses with the other label");
    }
  }
}

void check_overlap(const RunFacts& facts, Findings& findings) {
  if (!facts.train || !facts.evaluation) {
    return;
  }
  const std::int64_t shared = std::ranges::count_if(
      facts.evaluation->row_hashes,
      [&](const std::string& hash) { return facts.train->row_hashes.contains(hash); });
  if (shared > 0) {
    findings.warning("evaluation_in_training", facts.where("eval_dataset"),
                     fmt::format("{} are also in the training data, so evaluation measures "
                                 "memorization",
                                 share(shared, facts.evaluation->kept)),
                     "remove them from one of the two");
  }
}

}  // namespace lmpo
