// The paper in miniature: the runs on the toy language behind its tables and figures.
//
// All runs of a seed share its data, data order and SFT model, and see the same preferences equally
// often. Learning rate and strength of every method come from one sweep over equally many values, on
// data of its own (seed 0) that no table uses.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "demo/jobs.h"

namespace lmpo {

// An objective and the option that the sweep varies beside the learning rate: the strength of the
// preferences, under its name in this method.
struct Method {
  std::string objective;
  std::string title;                // as in the paper
  std::string option;               // "beta"; empty if there is none
  std::vector<double> values = {};  // of the option, in the sweep
  // The best of the sweep.
  double learning_rate = 0;
  double value = 0;
};
std::span<const Method> methods();
const Method& find_method(const std::string& objective);
// The learning rates of the sweep, each combined with each value.
std::span<const double> swept_learning_rates();

// A row of a table, which is one run per seed.
struct Variant {
  std::string name;        // its folder
  std::string title = "";  // its row
  std::string objective = "";
  std::vector<std::string> flags = {};  // of lmpo train: objective, learning rate, and so on
  std::string settings = "";            // what the sweep varied; else empty
};

// A table of the study.
struct Part {
  std::string name;  // on the command line
  std::string title;
  std::vector<Variant> variants;
  // For a chart, if the rows are values of one option: its name and the value of each row.
  std::string x_label = "";
  std::vector<double> x = {};
};
// methods (Table 1), ablations (Table 2), lambda and home_advantage.
const std::vector<Part>& parts();
// Every learning rate with every value of every method.
const Part& sweep_part();

inline constexpr std::int64_t kSweepSeed = 0;

// Sizes of a study; tests use smaller ones.
struct StudySizes {
  std::int64_t sft_steps = -1;  // -1: as in lmpo example
  std::int64_t steps = -1;
};

// "seed-1"
fs::path seed_folder(std::int64_t seed);
// The folder of a variant's model and answers. The SFT model is one more variant, "sft".
fs::path variant_folder(std::int64_t seed, const std::string& name);
inline constexpr const char* kSft = "sft";
// Inside it.
inline constexpr const char* kRunFolder = "run";
inline constexpr const char* kAnswersFile = "answers.jsonl";

// The jobs of one seed, with paths relative to the study's folder. The first needs the data, the
// others the SFT model.
Job sft_job(std::int64_t seed, const StudySizes& sizes);
Job variant_job(std::int64_t seed, const Variant& variant, const StudySizes& sizes);

}  // namespace lmpo
