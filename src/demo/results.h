// What the runs of a study came to: tables with standard errors over the seeds, and curves.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "demo/study.h"
#include "demo/win_rate.h"
#include "report/chart.h"

namespace lmpo {

// Means over the seeds, rates as parts of 1.
struct ResultRow {
  std::string title;
  std::string settings;  // learning rate and strength of a method; else empty
  Estimate win_rate;     // against the SFT model of the same seed
  Estimate win_rate_at_equal_length;
  Estimate right;
  Estimate tokens;
  // Win rate at equal length less that of LMPO in the same seeds, so that what seeds have in
  // common drops out.
  Estimate beside_lmpo;
};

struct ResultTable {
  std::string title;
  std::vector<ResultRow> rows;
  std::int64_t seeds = 0;
  bool has_lmpo = false;  // to be compared with; not in the sweep
};

// Of runs that are done with all the seeds; throws UserError where answers do not belong together.
// A table of methods begins with the SFT model itself.
ResultTable result_table(const fs::path& root, const Part& part,
                         std::span<const std::int64_t> seeds);

// The best row of each method, by its win rate at equal length, and all rows of the sweep.
struct SweepResult {
  std::vector<ResultTable> tables;  // a method each
  std::vector<std::string> best;    // "LMPO, learning rate 0.0001, beta 10", a method each
};
SweepResult sweep_result(const fs::path& root);

// Lines of cells as a person reads them, the first the head; errors where there are several seeds.
std::vector<std::vector<std::string>> to_cells(const ResultTable& table);
std::string to_text(const ResultTable& table);
std::string to_markdown(const ResultTable& table);
ordered_json to_json(const ResultTable& table);

struct Figure {
  std::string name;  // of its file
  std::string part;  // of the study
  std::vector<Chart> charts;
};
// Means over the seeds of what the paper's Figures 2 (chosen and rejected by step, LMPO and SimPO)
// and 3 (chosen by step, by lambda) show, where `chosen` holds their parts; and the win rates along
// each option.
std::vector<Figure> figures(const fs::path& root, std::span<const Part> chosen,
                            std::span<const std::int64_t> seeds);

}  // namespace lmpo
