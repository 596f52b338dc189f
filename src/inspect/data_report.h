// Statistics of a data set as a model's tokenizer and template see it, for `lmpo inspect DATA`.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "inspect/lengths.h"
#include "inspect/pack_report.h"
#include "inspect/shown_row.h"

namespace lmpo {

struct DropLine {
  DropReason reason;
  std::int64_t count = 0;
  std::vector<std::int64_t> first_rows;  // a few
};

struct DataReport {
  std::vector<std::string> sources;
  std::string model;
  std::string row_kind;    // "preference"
  std::string truncation;  // "max_length 1024, keep_start"
  std::int64_t rows = 0;
  std::int64_t kept = 0;
  std::int64_t conversations = 0;  // kept rows

  std::vector<DropLine> drops;
  // Kept rows that truncation shortened, and the tokens that prompts and responses lost.
  std::int64_t cut_rows = 0;
  std::int64_t prompt_tokens = 0;
  std::int64_t prompt_tokens_cut = 0;
  std::int64_t response_tokens = 0;
  std::int64_t response_tokens_cut = 0;
  std::int64_t identical_after_truncation = 0;
  // Rows with the same tokens as an earlier one, and with the same prompt.
  std::int64_t duplicate_rows = 0;
  std::int64_t duplicate_prompts = 0;
  // Pairs, and those whose chosen response is longer or whose responses are equally long.
  std::int64_t pairs = 0;
  std::int64_t chosen_longer = 0;
  std::int64_t same_length = 0;

  // Tokens before truncation: prompt, responses by name, chosen - rejected.
  std::vector<LengthSummary> lengths;
  std::vector<std::string> warnings;
  std::vector<ShownRow> shown;
  std::optional<PackReport> packs;
};

ordered_json to_json(const DataReport& report);

// "12.5%"; "-" if whole is 0.
std::string percent(std::int64_t part, std::int64_t whole);

}  // namespace lmpo
