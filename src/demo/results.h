// Results of a study: tables with standard errors over the seeds, and curves.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "demo/study.h"
#include "demo/win_rate.h"
#include "report/chart.h"

namespace lmpo {

// Means over the seeds; rates are in [0, 1].
struct ResultRow {
  std::string title;
  std::string settings;  // learning rate and strength in a table of methods; else empty
  Estimate win_rate;     // against the SFT model of the same seed
  Estimate win_rate_at_equal_length;
  Estimate right;
  Estimate tokens;
  // Win rate at equal length minus that of LMPO with the same seed, so that effects of the seed
  // cancel.
  Estimate beside_lmpo;
};

struct ResultTable {
  std::string title;
  std::vector<ResultRow> rows;
  std::int64_t seeds = 0;
  bool has_lmpo = false;  // false in the sweep
};

// All runs of all seeds must be done. UserError if answers do not belong together. A table of methods
// begins with the SFT model.
ResultTable result_table(const fs::path& root, const Part& part,
                         std::span<const std::int64_t> seeds);

// All rows of the sweep, and the best of each method by its win rate at equal length.
struct SweepResult {
  std::vector<ResultTable> tables;  // one per method
  std::vector<std::string> best;    // "LMPO, learning rate 0.0001, beta 10", one per method
};
SweepResult sweep_result(const fs::path& root);

// Lines of cells, the head first; with standard errors if there are several seeds.
std::vector<std::vector<std::string>> to_cells(const ResultTable& table);
std::string to_text(const ResultTable& table);
std::string to_markdown(const ResultTable& table);
ordered_json to_json(const ResultTable& table);

struct Figure {
  std::string name;  // of its file
  std::string part;  // of the study
  std::vector<Chart> charts;
};
// The figures of the `chosen` parts, as means over the seeds: the paper's Figure 2 (chosen and
// rejected by step, LMPO and SimPO), Figure 3 (chosen by step, by lambda), and win rates by option.
std::vector<Figure> figures(const fs::path& root, std::span<const Part> chosen,
                            std::span<const std::int64_t> seeds);

}  // namespace lmpo
