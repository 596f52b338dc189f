// lmpo eval: a whole evaluation, its files, and how it goes on.
#include "base/testing/test_paths.h"
#include "cli/testing/commands.h"

namespace lmpo::eval_test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class Evaluations : public Commands {
 protected:
  Words words(const std::string& tasks, const Words& more = {}) const {
    Words all = {"eval", "-m", model().string(), "--tasks", tasks, "--data", data_.string(),
                 "-t",   "1"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  Result succeed(const Words& words) const {
    const Result result = run(words);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return result;
  }
  // The files of the model's folder whose names begin so, the oldest first.
  std::vector<fs::path> files(const std::string& beginning) const {
    std::vector<fs::path> found;
    for (const auto& entry : fs::recursive_directory_iterator(path("out"))) {
      if (entry.path().filename().string().starts_with(beginning)) {
        found.push_back(entry.path());
      }
    }
    std::ranges::sort(found);
    return found;
  }
  const fs::path data_ = source_folder() / "src/evaluate/testdata";
};

TEST_F(Evaluations, WriteWhatTheHarnessWrites) {
  const Result result =
      succeed(words("piqa,mmlu_anatomy", {"--output_path", path("out").string(), "--limit", "2"}));
  EXPECT_THAT(result.out, AllOf(HasSubstr("|Tasks"), HasSubstr("|piqa"), HasSubstr("acc_norm"),
                                HasSubstr("|mmlu_anatomy")));
  ASSERT_EQ(files("results_").size(), 1U);
  const json results = json::parse(read_file(files("results_")[0]));
  EXPECT_EQ(results["results"]["piqa"]["sample_len"], 2);
  EXPECT_EQ(results["n-samples"]["piqa"]["original"], 3);
  EXPECT_TRUE(results["results"]["piqa"]["acc_stderr,none"].is_number());
  EXPECT_EQ(results["n-shot"]["mmlu_anatomy"], 0);
  EXPECT_EQ(results["model_source"], "lmpo");

  const std::vector<json> samples = json_lines(read_file(files("samples_piqa_")[0]));
  ASSERT_EQ(samples.size(), 2U);
  const json& sample = samples[0];
  EXPECT_EQ(sample["doc_id"], 0);
  EXPECT_EQ(sample["target"], "0");
  EXPECT_EQ(sample["arguments"]["gen_args_1"]["arg_1"],
            " " + sample["doc"]["sol2"].get<std::string>());
  EXPECT_EQ(sample["filtered_resps"].size(), 2U);
  double right = 0;
  for (const json& one : samples) {
    right += one["acc"].get<double>();
  }
  EXPECT_EQ(results["results"]["piqa"]["acc,none"], right / 2);
}

// A run that was killed leaves some replies and perhaps half a line.
TEST_F(Evaluations, GoOnWhereTheyEnded) {
  const Words all = words("arc_challenge", {"--output_path", path("out").string()});
  succeed(all);
  const fs::path replies = files("replies.jsonl").at(0);
  const std::string whole = read_file(replies);
  const json before = json::parse(read_file(files("results_").at(0)));
  write_file_atomically(replies, whole.substr(0, whole.size() / 2));
  const Result again = succeed(all);
  EXPECT_THAT(again.err, HasSubstr("replies are there from before"));
  const json after = json::parse(read_file(files("results_").at(1)));
  EXPECT_EQ(after["results"], before["results"]);
  EXPECT_EQ(read_file(replies).size(), whole.size());
  // Other weights have other replies.
  EXPECT_THAT(succeed(words("arc_challenge",
                            {"--output_path", path("out").string(), "--dtype", "bfloat16"}))
                  .err,
              Not(HasSubstr("from before")));
}

TEST_F(Evaluations, SayWhatIsWrong) {
  const auto refused = [&](Words given) {
    given.insert(given.end(), {"--output_path", path("out").string()});
    const Result result = run(given);
    EXPECT_EQ(result.exit_code, 2) << result.err;
    EXPECT_FALSE(fs::exists(path("out")));
    return result.err;
  };
  EXPECT_THAT(refused(words("arc_chalenge")), HasSubstr("arc_challenge"));
  EXPECT_THAT(refused(words("leaderboard_gpqa")), HasSubstr("Idavidrein/gpqa"));
  EXPECT_THAT(refused(words("piqa", {"--fewshot_as_multiturn"})),
              HasSubstr("--apply_chat_template"));
  EXPECT_THAT(refused(words("piqa", {"--num_fewshot", "99"})), HasSubstr("its data has 9"));
  EXPECT_THAT(refused({"eval", "-m", model().string()}), HasSubstr("tasks"));
  EXPECT_THAT(refused(words("gsm8k", {"--max_length", "100"})),
              HasSubstr("256 tokens does not fit"));
}

// What was replied before is there when the disk has room again; no file is there in part.
TEST_F(Evaluations, AFullDiskEndsWithTheRepliesKept) {
  const Words all = words("arc_challenge", {"--output_path", path("out").string()});
  const Result full = run(all, {.largest_file = 400});
  EXPECT_EQ(full.exit_code, 1);
  EXPECT_THAT(full.err, AllOf(HasSubstr("replies.jsonl"), HasSubstr("error: ")));
  EXPECT_TRUE(files("results_").empty() && files("samples_").empty());
  EXPECT_THAT(succeed(all).err, HasSubstr("replies are there from before"));
  EXPECT_EQ(files("results_").size(), 1U);
}

TEST_F(Evaluations, DataOfAnotherKindLeaveNothing) {
  const auto refused = [&](const std::string& task, const std::string& file, const Words& more) {
    fs::create_directory(path("data"));
    write_file_atomically(path("data") / file, R"({"query": "Why?"})"
                                               "\n");
    const Result result =
        run({"eval", "-m", model().string(), "--tasks", task, "--data", path("data").string(),
             "--output_path", path("out").string(), more.at(0), more.at(1)});
    EXPECT_EQ(result.exit_code, 2) << result.err;
    EXPECT_FALSE(fs::exists(path("out")));
    return result.err;
  };
  EXPECT_THAT(refused("gsm8k", "gsm8k_test.jsonl", {"--num_fewshot", "0"}),
              AllOf(HasSubstr("gsm8k_test.jsonl:1: 'question' is missing"), HasSubstr("query")));
  EXPECT_THAT(refused("arc_easy", "arc_easy_test.jsonl", {"--num_fewshot", "1"}),
              AllOf(HasSubstr("the split 'train'"), HasSubstr("arc_easy_train.jsonl")));
}

TEST_F(Evaluations, AContextThatIsTooLongIsCutAndCounted) {
  const Result result = succeed(words("piqa", {"--max_length", "20"}));
  EXPECT_THAT(result.err, HasSubstr("are longer than the model's context"));
}

TEST_F(Evaluations, HelpListsTasks) {
  EXPECT_THAT(succeed({"help", "tasks"}).out, AllOf(HasSubstr("arc_challenge"), HasSubstr("mmlu")));
  EXPECT_THAT(succeed({"help", "gsm8k"}).out, HasSubstr("openai/gsm8k"));
}

}  // namespace
}  // namespace lmpo::eval_test
