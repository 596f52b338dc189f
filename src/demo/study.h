// The runs of a small study: the paper's tables and figures, on the toy language.
//
// All runs of a seed share data, data order and SFT model, and see each preference equally often.
// Learning rate and strength of each method come from a sweep over equally many values. The sweep has
// its own data (seed 0), which no table uses.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "demo/jobs.h"

namespace lmpo {

// An objective and the option that the sweep varies besides the learning rate: the strength of the
// preferences, which has another name in each method.
struct Method {
  std::string objective;
  std::string title;                // its name in the paper
  std::string option;               // "beta"; empty if there is none
  std::vector<double> values = {};  // the option's values in the sweep
  // The sweep's best.
  double learning_rate = 0;
  double value = 0;
};
std::span<const Method> methods();
const Method& find_method(const std::string& objective);
// The sweep's learning rates. It combines each with each value.
std::span<const double> swept_learning_rates();

// A row of a table: one run per seed.
struct Variant {
  std::string name;        // name of its folder
  std::string title = "";  // title of its row
  std::string objective = "";
  std::vector<std::string> flags = {};  // for lmpo train: objective, learning rate and others
  std::string settings = "";            // what the sweep varies; else empty
};

// A table of the study.
struct Part {
  std::string name;  // its name on the command line
  std::string title;
  std::vector<Variant> variants;
  // If each row is a value of one option: the option's name and the values, for charts.
  std::string x_label = "";
  std::vector<double> x = {};
};
// The parts: methods (Table 1), ablations (Table 2), lambda, home_advantage.
const std::vector<Part>& parts();
// All methods, each with every learning rate and every value of its option.
const Part& sweep_part();

inline constexpr std::int64_t kSweepSeed = 0;

// Steps of each run. Tests use fewer.
struct StudySizes {
  std::int64_t sft_steps = -1;  // -1: as many as lmpo example
  std::int64_t steps = -1;
};

// "seed-1" for seed 1.
fs::path seed_folder(std::int64_t seed);
// The folder of a variant's model and answers. The SFT model is a variant too, "sft".
fs::path variant_folder(std::int64_t seed, const std::string& name);
inline constexpr const char* kSft = "sft";
// Names inside that folder.
inline constexpr const char* kRunFolder = "run";
inline constexpr const char* kAnswersFile = "answers.jsonl";

// The jobs of one seed. Paths are relative to the study's folder. sft_job needs the data, variant_job
// the SFT model.
Job sft_job(std::int64_t seed, const StudySizes& sizes);
Job variant_job(std::int64_t seed, const Variant& variant, const StudySizes& sizes);

}  // namespace lmpo
