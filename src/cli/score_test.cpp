// lmpo score: log-probabilities of the rows of a file.
#include <cmath>
#include <cstring>

#include "cli/testing/commands.h"

namespace lmpo::score_test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST_F(Commands, ScoreWritesOneObjectARow) {
  const fs::path data = world("preferences.jsonl");
  const std::vector<json> scores = score(model(), data);
  ASSERT_EQ(scores.size(), 48U);
  for (std::size_t row = 0; row < scores.size(); ++row) {
    EXPECT_THAT(keys(scores[row]),
                ::testing::UnorderedElementsAre("row", "prompt_tokens", "chosen_tokens",
                                                "rejected_tokens", "chosen_logp", "rejected_logp"));
    EXPECT_EQ(scores[row]["row"], row);
    EXPECT_LT(scores[row]["chosen_logp"].get<double>(), 0);
  }
  const fs::path file = path("scores.jsonl");
  const Result quiet = run({"score", "-m", model().string(), "--data", data.string(), "--output",
                            file.string(), "--per_device_eval_batch_size", "3"});
  EXPECT_EQ(quiet.exit_code, 0) << quiet.err;
  EXPECT_EQ(quiet.out, "");
  const std::vector<json> again = json_lines(read_file(file));
  ASSERT_EQ(again.size(), scores.size());
  double right = 0;
  double per_token = 0;
  for (const json& line : scores) {
    const double chosen = line["chosen_logp"].get<double>();
    right += chosen > line["rejected_logp"].get<double>() ? 1.0 / 48 : 0;
    per_token += chosen / line["chosen_tokens"].get<double>() / 48;
  }
  const json summary = json::parse(read_file(path("scores.summary.json")));
  EXPECT_EQ(summary["scored"], 48);
  EXPECT_NEAR(summary["accuracy/sum"].get<double>(), right, 1e-9);
  EXPECT_NEAR(summary["logps_per_token/chosen"].get<double>(), per_token, 1e-4);
  EXPECT_THAT(quiet.err, AllOf(HasSubstr("48 rows: 48 scored, 0 dropped"), HasSubstr("margin of"),
                               HasSubstr("mean length")));
  for (std::size_t row = 0; row < scores.size(); ++row) {
    for (const char* key : {"chosen_logp", "rejected_logp"}) {
      EXPECT_NEAR(again[row][key].get<double>(), scores[row][key].get<double>(), 1e-4);
    }
  }
}

// Finite weights whose products are not: those of the last norm are the largest there are.
TEST_F(Commands, ScoresThatAreNotFiniteAreAnError) {
  const fs::path folder = copy_of_model("huge");
  std::string file = read_file(folder / "model.safetensors");
  std::uint64_t length = 0;
  std::memcpy(&length, file.data(), sizeof length);
  const json offsets = json::parse(file.substr(8, length))["model.norm.weight"]["data_offsets"];
  const float large = 3e38F;
  for (auto at = offsets[0].get<std::size_t>(); at < offsets[1].get<std::size_t>();
       at += sizeof large) {
    std::memcpy(file.data() + 8 + length + at, &large, sizeof large);
  }
  write_file_atomically(folder / "model.safetensors", file);
  const Result result =
      run({"score", "-m", folder.string(), "--data", world("preferences.jsonl").string(),
           "--output", path("scores.jsonl").string()});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err,
              AllOf(HasSubstr("rows 0, 1, 2, "), HasSubstr("and 28 more (counted from 0)"),
                    HasSubstr("are not finite, so no scores are written")));
  EXPECT_FALSE(fs::exists(path("scores.jsonl")));
  EXPECT_FALSE(fs::exists(path("scores.summary.json")));
}

// The assistant's header is prompt with one boundary and response with the other.
TEST_F(Commands, ScoreKnowsBothBoundaries) {
  const json row = {{"prompt", {turn("user", "first : cat moon")}},
                    {"chosen", {turn("assistant", "cat .")}},
                    {"rejected", {turn("assistant", "the answer is moon .")}}};
  const fs::path data = write("pair.jsonl", row.dump() + "\n");
  const auto tokens = [](const json& messages) {
    return static_cast<std::int64_t>(tokenize(messages.dump() + "\n")[0]["ids"].size());
  };
  const std::int64_t prompt = tokens(row["prompt"]);
  json chosen = row["prompt"];
  chosen.push_back(row["chosen"][0]);
  json rejected = row["prompt"];
  rejected.push_back(row["rejected"][0]);
  for (const auto& [boundary, header] : {std::pair("trl", 1), std::pair("simpo", 0)}) {
    const json line = score(model(), data, {"--boundary", boundary})[0];
    EXPECT_EQ(line["prompt_tokens"], prompt + header) << boundary;
    EXPECT_EQ(line["chosen_tokens"], tokens(chosen) - prompt - header) << boundary;
    EXPECT_EQ(line["rejected_tokens"], tokens(rejected) - prompt - header) << boundary;
  }
}

// Where all weights are zero every token is as likely as any other.
TEST_F(Commands, ScoreOfAModelWithoutWeights) {
  const fs::path config = write("config.json", read_file(world("config.json")));
  edit_json(config, [](ordered_json& content) { content["initializer_range"] = 0.0; });
  const Result made = run({"init", "--config", config.string(), "--tokenizer", world("").string(),
                           path("zero").string()});
  ASSERT_EQ(made.exit_code, 0) << made.err;
  const double token = -std::log(json::parse(read_file(config))["vocab_size"].get<double>());
  for (const json& line : score(path("zero"), world("preferences.jsonl"))) {
    EXPECT_NEAR(line["chosen_logp"].get<double>(), token * line["chosen_tokens"].get<double>(),
                1e-4);
    EXPECT_NEAR(line["rejected_logp"].get<double>(), token * line["rejected_tokens"].get<double>(),
                1e-4);
  }
}

TEST_F(Commands, ScoreTellsWhyARowIsDropped) {
  const fs::path data =
      write("pairs.jsonl",
            "{\"prompt\": \"first : cat\", \"chosen\": \" cat .\", \"rejected\": \" moon .\"}\n"
            "{\"prompt\": \"first : cat\", \"chosen\": \" cat .\", \"rejected\": \" cat .\"}\n"
            "{\"prompt\": \"first : cat\", \"chosen\": \" cat .\", \"rejected\": \"  \"}\n"
            "{\"prompt\": \"first : \xC3\", \"chosen\": \" cat .\", \"rejected\": \" moon\"}\n"
            "{\"chosen\": [{\"role\": \"assistant\", \"content\": \"cat\"}], "
            "\"rejected\": [{\"role\": \"assistant\", \"content\": \"moon\"}]}\n"
            "{\"prompt\": \"cat cat cat cat cat cat cat cat\", \"chosen\": \" a\", "
            "\"rejected\": \" b\"}\n");
  const std::vector<json> lines = score(model(), data, {"--max_length", "8"});
  ASSERT_EQ(lines.size(), 6U);
  EXPECT_TRUE(lines[0].contains("chosen_logp"));
  const std::vector<const char*> reasons = {"identical responses", "empty response",
                                            "invalid UTF-8", "empty prompt",
                                            "no response left after truncation"};
  for (std::size_t i = 0; i < reasons.size(); ++i) {
    EXPECT_EQ(lines[i + 1], (json{{"row", i + 1}, {"dropped", reasons[i]}}));
  }
}

}  // namespace
}  // namespace lmpo::score_test
