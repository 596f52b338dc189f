// Results of a study: tables with standard errors over seeds, and figures.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "demo/study.h"
#include "demo/win_rate.h"
#include "report/chart.h"

namespace lmpo {

// A row of a table, with means over seeds. Rates are in [0, 1].
struct ResultRow {
  std::string title;
  std::string settings;  // learning rate and strength, in a table of methods; else empty
  Estimate win_rate;     // against the SFT model of the same seed
  Estimate win_rate_at_equal_length;
  Estimate right;
  Estimate tokens;
  // Win rate at equal length minus LMPO's for the same seed. Effects of the seed cancel.
  Estimate beside_lmpo;
};

struct ResultTable {
  std::string title;
  std::vector<ResultRow> rows;
  std::int64_t seeds = 0;
  bool has_lmpo = false;  // false in the sweep
};

// The table of a part. The runs of all seeds must be finished. The first row of the table of methods is
// the SFT model. UserError if two files do not answer the same prompts.
ResultTable result_table(const fs::path& root, const Part& part,
                         std::span<const std::int64_t> seeds);

// All rows of the sweep, and each method's best by win rate at equal length.
struct SweepResult {
  std::vector<ResultTable> tables;  // one per method
  std::vector<std::string> best;    // "LMPO, learning rate 0.0001, beta 10", one per method
};
SweepResult sweep_result(const fs::path& root);

// Rows of cells, the header first. Standard errors are given if there are several seeds.
std::vector<std::vector<std::string>> to_cells(const ResultTable& table);
std::string to_text(const ResultTable& table);
std::string to_markdown(const ResultTable& table);
ordered_json to_json(const ResultTable& table);

struct Figure {
  std::string name;  // file name, without extension
  std::string part;  // name of the study's part
  std::vector<Chart> charts;
};
// The figures of the `chosen` parts, as means over seeds: the paper's Figure 2 (log-probabilities of
// chosen and rejected responses by step, for LMPO and SimPO), its Figure 3 (those of chosen responses
// by step, for each lambda), and win rates for each value of an option.
std::vector<Figure> figures(const fs::path& root, std::span<const Part> chosen,
                            std::span<const std::int64_t> seeds);

}  // namespace lmpo
