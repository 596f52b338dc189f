// The files of AlpacaEval 2: model outputs, annotations, gamed baselines, the leaderboard.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "judge/csv.h"
#include "judge/length_control.h"
#include "judge/rows_of.h"
#include "judge/win_rate.h"

namespace lmpo {

// A row of model_outputs.json.
struct AlpacaOutput {
  std::string instruction;
  std::string output = {};
  std::string generator = {};
  std::string dataset = {};
};
// UserError for a row without instruction or output, for an instruction that comes twice, and for
// outputs of more than one generator.
std::vector<AlpacaOutput> read_alpaca_outputs(const fs::path& file);

// The outputs in the order of the reference's instructions. UserError that names the first
// instructions that only one of them has: an evaluation of other instructions would not be
// AlpacaEval's, and its length-controlled win rate no number at all.
std::vector<AlpacaOutput> in_order_of(std::span<const AlpacaOutput> reference,
                                      std::vector<AlpacaOutput> outputs, std::string_view source);

// model_outputs.json
void write_alpaca_outputs(const fs::path& file, std::span<const AlpacaOutput> outputs);

// The mean length in code points, as an integer, as the leaderboard has it.
std::int64_t average_length(std::span<const std::string> outputs);

// A row of annotations.json: the model's output (2) judged against the baseline's (1).
struct Annotation {
  double preference = 0;  // see win_rate.h; NaN for none
  ordered_json row;       // all of it, as it is written
};
struct Annotations {
  std::vector<Annotation> rows = {};
  std::string model = {};     // generator_2
  std::string baseline = {};  // generator_1
  std::string annotator = {};

  std::vector<double> preferences() const;
  std::vector<std::string> outputs(std::string_view key) const;  // "output_1" or "output_2"
};
// UserError for rows without outputs, of several models or baselines, or with a preference that is
// neither missing nor 0 nor within 1 and 2.
Annotations read_annotations(const fs::path& file);
// UserError where the annotations are not of the outputs in the file.
void check_outputs(const Annotations& annotations, const fs::path& file);
// `glm_preference` is written row by row where it is not empty.
void write_annotations(const fs::path& file, const Annotations& annotations,
                       std::span<const double> glm_preference);

// The difficulties of instructions by their place in the evaluation set, of a column of that name
// beside one of indices.
std::vector<double> read_difficulties(const fs::path& file);
// df_gamed.csv: columns std_delta_len and instruction_difficulty, and preference (in [0, 1]) if it is
// known.
struct GamedBaselines {
  std::vector<GamedRow> rows = {};
  std::vector<double> difficulties =
      {};  // by the place of the instruction; empty without a column index
};
GamedBaselines read_gamed(const fs::path& file);

// What a leaderboard says of a model, as text by column.
using LeaderboardRow = std::map<std::string, std::string>;
LeaderboardRow leaderboard_row(const WinRates& rates, std::int64_t mean_length,
                               const LengthControl* length_control);
// leaderboard.csv: the rows of `before`, which may be empty, with the model's in place of one of its
// name, by length-controlled win rate (by win rate where there is none), the best first.
std::string leaderboard_csv(const CsvTable& before, const std::string& model,
                            const LeaderboardRow& row);

}  // namespace lmpo
