#include "data/dataset.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>
#include <variant>

#include "base/error.h"
#include "base/log.h"
#include "base/random.h"
#include "base/readable.h"
#include "base/threads.h"
#include "data/boundary.h"
#include "data/reader.h"
#include "data/source_rows.h"
#include "data/truncation.h"

namespace lmpo {
namespace {

// Rows parsed before they are tokenized together.
constexpr std::size_t kRowsAtOnce = 1024;

// The result of one row.
struct Outcome {
  std::variant<Tree, DropReason> result = DropReason::invalid_utf8;
  bool conversational = false;
  bool truncated = false;
  bool token_spans_boundary = false;
  bool special_tokens_in_texts = false;
  NotedRows notes;
  RowKeys unused_keys = 0;
  std::int64_t longest = 0;  // tokens, before truncation
  // Only for an observer.
  std::string location;
  bool desirable = true;
  std::vector<Sequence> whole;
};

// Appends the trees of rows to a dataset, kRowsAtOnce at a time.
class Loader {
 public:
  Loader(const Tokenizer& tokenizer, const ChatTemplate* chat_template, const DataOptions& options,
         const TreeSink& sink, const RowObserver& observer)
      : row_tokenizer_(tokenizer, chat_template, options),
        options_(options),
        sink_(sink),
        observer_(observer) {
    dataset_.id_limit = tokenizer.id_limit();
  }

  void see_unread(const std::vector<std::string>& columns) { dataset_.unused_columns.see(columns); }

  void add(SourceRow&& row) {
    dataset_.unused_columns.see(row.value);
    waiting_.push_back(std::move(row));
    if (waiting_.size() == kRowsAtOnce) {
      tokenize_waiting();
    }
  }

  Dataset finish() {
    tokenize_waiting();
    return std::move(dataset_);
  }

 private:
  void tokenize_waiting() {
    std::vector<Outcome> outcomes(waiting_.size());
    parallel_each(static_cast<std::int64_t>(waiting_.size()), [&](std::int64_t index) {
      const auto at = static_cast<std::size_t>(index);
      outcomes[at] = process(std::exchange(waiting_[at], {}));
    });
    waiting_.clear();
    for (Outcome& outcome : outcomes) {
      record(std::move(outcome));
    }
  }

  Outcome process(const SourceRow& source) const {
    Outcome outcome;
    if (observer_) {
      outcome.location = source.location;
    }
    if (!source.valid_utf8) {
      return outcome;
    }
    const auto normalised = normalise_row(source.value, options_.kind, source.location);
    if (const auto* reason = std::get_if<DropReason>(&normalised)) {
      outcome.result = *reason;
      return outcome;
    }
    const Row& row = std::get<Row>(normalised);
    auto result = row_tokenizer_.tokenize(row, source.location);
    if (const auto* reason = std::get_if<DropReason>(&result)) {
      outcome.result = *reason;
      return outcome;
    }
    auto* tokenized = std::get_if<TokenizedRow>(&result);
    outcome.conversational = row.conversational;
    outcome.token_spans_boundary = tokenized->token_spans_boundary;
    outcome.special_tokens_in_texts = tokenized->special_tokens_in_texts;
    outcome.notes = std::move(tokenized->notes);
    if (row.renamed_roles != 0) {
      outcome.notes.push_back({RowNote::roles_renamed, describe(row.renamed_roles)});
    }
    outcome.unused_keys = row.unused_keys;
    std::vector<Sequence>& sequences = tokenized->sequences;
    for (const Sequence& sequence : sequences) {
      outcome.longest = std::max<std::int64_t>(outcome.longest, std::ssize(sequence.tokens));
    }
    if (observer_) {
      outcome.whole = sequences;
      outcome.desirable = row.desirable;
    }
    outcome.truncated = truncate(sequences, options_);
    for (Sequence& sequence : sequences) {
      sequence.scored_begin = std::max(sequence.scored_begin, 1);
      trim_gaps(sequence);
      if (sequence.scored_tokens() < 1) {
        outcome.result = DropReason::truncated_response;
        return outcome;
      }
      if (options_.kind == RowKind::sft && options_.sft_target == SftTarget::conversation) {
        sequence.scored_begin = 1;
      }
    }
    outcome.result = Tree{.sequences = std::move(sequences), .desirable = row.desirable};
    return outcome;
  }

  void record(Outcome&& outcome) {
    const std::int64_t row = dataset_.rows++;
    const auto* reason = std::get_if<DropReason>(&outcome.result);
    Tree* kept = std::get_if<Tree>(&outcome.result);
    if (kept != nullptr) {
      kept->row = row;
    }
    if (observer_) {
      observer_({.row = row,
                 .location = std::move(outcome.location),
                 .conversational = outcome.conversational,
                 .desirable = outcome.desirable,
                 .truncated = outcome.truncated,
                 .whole = std::move(outcome.whole),
                 .tree = kept,
                 .dropped = reason != nullptr ? std::optional(*reason) : std::nullopt});
    }
    if (reason != nullptr) {
      dataset_.drops.add(row, *reason);
      if (*reason == DropReason::truncated_response) {
        dataset_.too_long.push_back(outcome.longest);
      }
      return;
    }
    Tree& tree = *kept;
    dataset_.conversations += outcome.conversational;
    dataset_.truncated += outcome.truncated;
    dataset_.token_spans_boundary += outcome.token_spans_boundary;
    dataset_.notes.add(row, outcome.notes);
    dataset_.unused_columns.add(outcome.unused_keys);
    dataset_.special_tokens_in_texts += outcome.special_tokens_in_texts;
    dataset_.identical_after_truncation +=
        tree.sequences.size() == 2 && tree.sequences[0].tokens == tree.sequences[1].tokens;
    if (sink_) {
      sink_(std::move(tree));
    } else {
      dataset_.trees.push_back(std::move(tree));
    }
  }

  RowTokenizer row_tokenizer_;
  const DataOptions& options_;
  const TreeSink& sink_;
  const RowObserver& observer_;
  std::vector<SourceRow> waiting_;
  Dataset dataset_;
};

}  // namespace

Dataset load_dataset(const std::vector<SourceFiles>& sources, const Tokenizer& tokenizer,
                     const ChatTemplate* chat_template, const DataOptions& options,
                     const TreeSink& sink, const RowObserver& observer) {
  check_truncation(options);
  Loader loader(tokenizer, chat_template, options, sink, observer);
  for (const SourceFiles& source : sources) {
    read_source(
        source, [&](SourceRow&& row) { loader.add(std::move(row)); },
        [&](const std::vector<std::string>& unread) { loader.see_unread(unread); });
  }
  Dataset dataset = loader.finish();
  dataset.sources = sources;
  return dataset;
}

Dataset load_dataset(const std::vector<DataSource>& sources, const Tokenizer& tokenizer,
                     const ChatTemplate* chat_template, const DataOptions& options,
                     const RowObserver& observer) {
  return load_dataset(find_sources(sources, DataPurpose::training), tokenizer, chat_template,
                      options, {}, observer);
}

Dataset hold_out(Dataset& data, double size, std::uint64_t seed) {
  const auto all = static_cast<std::int64_t>(data.trees.size());
  const auto count = static_cast<std::int64_t>(size < 1 ? std::ceil(size * static_cast<double>(all))
                                                        : std::min(size, 1e18));
  if (count < 1 || count >= all) {
    user_error("test_split_size {}: would hold out {} of {}, leaving one side empty", size, count,
               counted(all, "usable row"));
  }
  constexpr std::uint64_t kStream = std::uint64_t{0x7e} << 56;
  const std::vector<std::int64_t> order = permutation(all, seed, kStream);
  std::vector<bool> chosen(data.trees.size());
  for (std::int64_t i = 0; i < count; ++i) {
    chosen[static_cast<std::size_t>(order[static_cast<std::size_t>(i)])] = true;
  }
  Dataset held;
  held.id_limit = data.id_limit;
  held.sources = data.sources;
  held.rows = count;
  std::vector<Tree> rest;
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    (chosen[i] ? held.trees : rest).push_back(std::move(data.trees[i]));
  }
  data.trees = std::move(rest);
  return held;
}

LabelCounts count_labels(const std::vector<Tree>& trees) {
  LabelCounts counts;
  for (const Tree& tree : trees) {
    const bool pair = tree.sequences.size() == 2;
    counts.desirable += pair || tree.desirable;
    counts.undesirable += pair || !tree.desirable;
  }
  return counts;
}

std::string drop_advice(const Dataset& dataset, const DataOptions& options) {
  if (dataset.too_long.empty() || !options.max_length) {
    return "";
  }
  // Enough for nine of ten, so that a few very long rows do not decide.
  std::vector<std::int64_t> lengths = dataset.too_long;
  std::ranges::sort(lengths);
  constexpr std::int64_t kRound = 64;
  const std::int64_t longest = lengths[(lengths.size() * 9 - 1) / 10];
  const std::int64_t enough = (longest + kRound - 1) / kRound * kRound;
  const auto kept =
      std::ranges::count_if(lengths, [&](std::int64_t length) { return length <= enough; });
  std::string advice =
      fmt::format("--max_length {} keeps {} of {} whole", enough, kept, lengths.size());
  if (!options.max_prompt_length) {
    advice += fmt::format("; --max_prompt_length {} keeps all {} by cutting their prompts",
                          std::max<std::int64_t>(1, *options.max_length / 2), lengths.size());
  }
  return advice;
}

void log_dataset(const Dataset& dataset, const DataOptions& options, std::string_view what) {
  const auto kept = static_cast<std::int64_t>(dataset.trees.size());
  log_info("{}: {}, {}", what, counted(dataset.rows, "row"), dataset.drops.summary());
  if (const std::string advice = drop_advice(dataset, options); !advice.empty()) {
    log_info("{}: of the rows left without a response, {}", what, advice);
  }
  log_info("{}: boundary {}, {}; {} truncated", what, name(options.boundary),
           truncation_text(options), counted(dataset.truncated, "row"));
  if (dataset.conversations > 0) {
    log_info("{}: chat template applied to {}", what,
             counted(dataset.conversations, "conversation"));
  }
  if (dataset.conversations < kept) {
    log_info("{}: {} of plain text: no chat template applied, EOS appended", what,
             counted(kept - dataset.conversations, "row"));
  }
  for (const RowNote note : dataset.notes.notes()) {
    log_message(describe(note).warning ? LogLevel::warning : LogLevel::info,
                fmt::format("{}: {}", what, dataset.notes.sentence(note)));
  }
  if (const std::string columns = dataset.unused_columns.warning(); !columns.empty()) {
    log_warning("{}: {}", what, columns);
  }
  if (const std::string columns = dataset.unused_columns.notice(); !columns.empty()) {
    log_info("{}: {}", what, columns);
  }
  if (dataset.special_tokens_in_texts > 0) {
    log_info("{}: special tokens in the texts of {} are {}", what,
             counted(dataset.special_tokens_in_texts, "row"),
             options.split_special_tokens
                 ? "ordinary text"
                 : "special; with --split_special_tokens they are ordinary text");
  }
  if (dataset.token_spans_boundary > 0) {
    log_warning("{}: in {} a token spans prompt and response; it is scored", what,
                counted(dataset.token_spans_boundary, "row"));
  }
  if (dataset.identical_after_truncation > 0) {
    log_warning("{}: in {} truncation made chosen and rejected equal", what,
                counted(dataset.identical_after_truncation, "row"));
  }
  if (options.kind == RowKind::labelled && kept > 0) {
    const LabelCounts labels = count_labels(dataset.trees);
    log_info("{}: {}, {} undesirable", what, counted(labels.desirable, "desirable response"),
             labels.undesirable);
    if (labels.one_kind()) {
      log_warning("{}: every label is {}; kto needs both desirable and undesirable responses", what,
                  labels.desirable > 0);
    }
  }
}

}  // namespace lmpo
