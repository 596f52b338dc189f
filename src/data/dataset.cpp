#include "data/dataset.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>
#include <variant>

#include "base/error.h"
#include "base/log.h"
#include "base/random.h"
#include "base/threads.h"
#include "data/boundary.h"
#include "data/reader.h"
#include "data/source_rows.h"
#include "data/truncation.h"

namespace lmpo {
namespace {

// Rows parsed before they are tokenized together.
constexpr std::size_t kRowsAtOnce = 1024;

// What became of one row.
struct Outcome {
  std::variant<Tree, DropReason> result = DropReason::invalid_utf8;
  bool conversational = false;
  bool truncated = false;
  bool token_spans_boundary = false;
  bool rendered_together = false;
  bool special_tokens_in_texts = false;
  // For an observer alone.
  std::string location;
  bool desirable = true;
  std::vector<Sequence> whole;
};

// Appends the trees of rows to a dataset, a bunch at a time.
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

  void add(SourceRow&& row) {
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
    auto tokenized = row_tokenizer_.tokenize(row, source.location);
    if (!tokenized) {
      outcome.result = DropReason::unstable_prompt;
      return outcome;
    }
    outcome.conversational = row.conversational;
    outcome.token_spans_boundary = tokenized->token_spans_boundary;
    outcome.rendered_together = tokenized->rendered_together;
    outcome.special_tokens_in_texts = tokenized->special_tokens_in_texts;
    std::vector<Sequence>& sequences = tokenized->sequences;
    if (observer_) {
      outcome.whole = sequences;
      outcome.desirable = row.desirable;
    }
    outcome.truncated = truncate(sequences, options_);
    for (Sequence& sequence : sequences) {
      sequence.scored_begin = std::max(sequence.scored_begin, 1);
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
      return;
    }
    Tree& tree = *kept;
    dataset_.conversations += outcome.conversational;
    dataset_.truncated += outcome.truncated;
    dataset_.token_spans_boundary += outcome.token_spans_boundary;
    dataset_.rendered_together += outcome.rendered_together;
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

Dataset load_dataset(const std::vector<DataSource>& sources, const Tokenizer& tokenizer,
                     const ChatTemplate* chat_template, const DataOptions& options,
                     DataPurpose purpose, const TreeSink& sink, const RowObserver& observer) {
  check_truncation(options);
  Loader loader(tokenizer, chat_template, options, sink, observer);
  for (const DataSource& source : sources) {
    read_source(source, purpose, [&](SourceRow&& row) { loader.add(std::move(row)); });
  }
  return loader.finish();
}

Dataset hold_out(Dataset& data, double size, std::uint64_t seed) {
  const auto all = static_cast<std::int64_t>(data.trees.size());
  const auto count = static_cast<std::int64_t>(size < 1 ? std::ceil(size * static_cast<double>(all))
                                                        : std::min(size, 1e18));
  if (count < 1 || count >= all) {
    user_error("test_split_size {}: of {} rows that can be used {} would be held out", size, all,
               count);
  }
  constexpr std::uint64_t stream = std::uint64_t{0x7e} << 56;
  const std::vector<std::int64_t> order = permutation(all, seed, stream);
  std::vector<bool> chosen(data.trees.size());
  for (std::int64_t i = 0; i < count; ++i) {
    chosen[static_cast<std::size_t>(order[static_cast<std::size_t>(i)])] = true;
  }
  Dataset held;
  held.id_limit = data.id_limit;
  held.rows = count;
  std::vector<Tree> rest;
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    (chosen[i] ? held.trees : rest).push_back(std::move(data.trees[i]));
  }
  data.trees = std::move(rest);
  return held;
}

void log_dataset(const Dataset& dataset, const DataOptions& options, std::string_view what) {
  const auto kept = static_cast<std::int64_t>(dataset.trees.size());
  log_info("{}: {} rows, {}", what, dataset.rows, dataset.drops.summary());
  const char* boundary = options.boundary == Boundary::simpo ? "simpo" : "trl";
  log_info("{}: boundary {}, {}; {} rows cut", what, boundary, truncation_text(options),
           dataset.truncated);
  if (dataset.conversations > 0) {
    log_info("{}: the chat template was applied to {} conversations", what, dataset.conversations);
  }
  if (dataset.conversations < kept) {
    log_info("{}: {} rows are plain text: no chat template was applied, EOS was appended", what,
             kept - dataset.conversations);
  }
  if (dataset.rendered_together > 0) {
    log_info(
        "{}: the template refuses a response alone; prompt and response were rendered together",
        what);
  }
  if (dataset.special_tokens_in_texts > 0) {
    log_info("{}: texts of {} rows hold special tokens, which are {}", what,
             dataset.special_tokens_in_texts,
             options.split_special_tokens
                 ? "ordinary text"
                 : "taken for what they say; --split_special_tokens makes them ordinary text");
  }
  if (dataset.token_spans_boundary > 0) {
    log_warning("{}: in {} rows a token spans prompt and response; it counts as response", what,
                dataset.token_spans_boundary);
  }
  if (dataset.identical_after_truncation > 0) {
    log_warning("{}: in {} rows truncation made chosen and rejected the same", what,
                dataset.identical_after_truncation);
  }
  if (options.kind == RowKind::labelled && kept > 0) {
    const auto approved = std::ranges::count_if(dataset.trees, &Tree::desirable);
    log_info("{}: {} responses approved of, {} not", what, approved, kept - approved);
    if (approved == 0 || approved == kept) {
      log_warning("{}: every label is {}; kto learns from the contrast of both", what,
                  approved > 0);
    }
  }
}

}  // namespace lmpo
