// The paper in miniature: which runs over the small world make up its tables and figures.
//
// Everything of one seed (world, SFT, order of the data) is the same for all runs of that seed; all
// begin at its SFT model and go over the same preferences as often. Learning rate and strength of
// every method come from one sweep over the same number of values, on a world of its own (seed 0)
// that no table uses.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "demo/jobs.h"

namespace lmpo {

// An objective and the one option that the sweep varies beside the learning rate: how strongly
// preferences pull, whatever its name there is.
struct Method {
  std::string objective;
  std::string title;                // as the paper writes it
  std::string option;               // "beta"; empty where there is none
  std::vector<double> values = {};  // of the option that the sweep tries
  // What the sweep found best.
  double learning_rate = 0;
  double value = 0;
};
std::span<const Method> methods();
const Method& find_method(const std::string& objective);
// The learning rates that the sweep tries with each of the values.
std::span<const double> swept_learning_rates();

// A row of a table: a name, a run.
struct Variant {
  std::string name;        // of its folder
  std::string title = "";  // of its row
  std::string objective = "";
  std::vector<std::string> flags = {};  // of lmpo train: objective, learning rate, and so on
  std::string settings = "";            // what the sweep varied, for the row; else empty
};

// A table of the study.
struct Part {
  std::string name;  // as one types it
  std::string title;
  std::vector<Variant> variants;
  // Where the rows are values of one option: its name, and a value a row; for a chart.
  std::string x_label = "";
  std::vector<double> x = {};
};
// methods (Table 1), ablations (Table 2), lambda and home_advantage.
const std::vector<Part>& parts();
// Every learning rate with every value of each method.
const Part& sweep_part();

inline constexpr std::int64_t kSweepSeed = 0;

// Sizes of a study, for tests smaller.
struct StudySizes {
  std::int64_t sft_steps = -1;  // -1: as lmpo example
  std::int64_t steps = -1;
};

// "seed-1"
fs::path seed_folder(std::int64_t seed);
// Where a variant's model and answers lie. The SFT model is one more variant, "sft".
fs::path variant_folder(std::int64_t seed, const std::string& name);
inline constexpr const char* kSft = "sft";
// In it.
inline constexpr const char* kRunFolder = "run";
inline constexpr const char* kAnswersFile = "answers.jsonl";

// The jobs of one seed, paths relative to the study's folder. The world must be there for the
// first, the SFT model for the others.
Job sft_job(std::int64_t seed, const StudySizes& sizes);
Job variant_job(std::int64_t seed, const Variant& variant, const StudySizes& sizes);

}  // namespace lmpo
