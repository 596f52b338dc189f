// lmpo report, and lmpo inspect of run folders, on what the program itself leaves.
#include <csignal>
#include <sstream>

#include "cli/testing/program.h"

namespace lmpo::report_test {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr const char* kExpected = "lmpo_run.json, trainer_state.json or trainer_log.jsonl in it";

class Report : public ProgramTest {
 protected:
  static Words train(const fs::path& out, const Words& more = {}) {
    Words words = training(out, {"--eval_dataset", world("held_out_preferences.jsonl").string()});
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

  // The report's page; its data as the script reads them.
  std::string page(const Words& runs) const {
    Words words = {"report"};
    words.insert(words.end(), runs.begin(), runs.end());
    words.insert(words.end(), {"--output", path("page.html").string()});
    const Result result = run(words);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_EQ(result.out, "");
    return read_file(path("page.html"));
  }
  static json data_of(const std::string& page) {
    const std::string begin = "id=\"data\">";
    const std::size_t from = page.find(begin) + begin.size();
    return json::parse(page.substr(from, page.find("</script>", from) - from));
  }
  static json inspected(const fs::path& folder) {
    const Result result = run({"inspect", folder.string(), "--json"});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return json::parse(result.out);
  }
  static std::string told(const fs::path& folder) {
    const Result result = run({"inspect", folder.string()});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return result.out;
  }

  void expect_refusal(const Words& words, const ::testing::Matcher<const std::string&>& message,
                      int exit_code = 2, Surroundings surroundings = {}) const {
    const Contents before = contents(folder_);
    const Result result = run(words, std::move(surroundings));
    EXPECT_EQ(result.exit_code, exit_code) << result.err;
    EXPECT_THAT(result.err, AllOf(HasSubstr("error: "), message));
    EXPECT_EQ(changes(before, contents(folder_)), Words());
  }

  // A run folder without a run.
  fs::path made_up(const std::string& name, const std::string& log) const {
    fs::create_directories(path(name));
    write_file_atomically(path(name) / "trainer_log.jsonl", log);
    return path(name);
  }
};

TEST_F(Report, OfARunThatGoesIsKilledAndIsGoneOnWith) {
  const fs::path out = path("out");
  const Words words = train(out, {"--max_steps", "60", "--save_steps", "5", "--eval_strategy",
                                  "steps", "--eval_steps", "4", "--save_total_limit", "2"});
  {
    Program program(words);
    ASSERT_TRUE(program.read_until("step 9/60"));
    // It waits until someone reads on.
    const std::string going = page({out.string()});
    EXPECT_THAT(going, HasSubstr("<span class=\"state going\">"));
    const json data = data_of(going);
    const json& columns = data["runs"][0]["training"]["columns"];
    for (const char* metric :
         {"loss", "rewards/margins", "logps_per_token/chosen", "logps_sum/chosen", "grad_norm",
          "lengths/chosen", "throughput", "learning_rate"}) {
      ASSERT_TRUE(columns.contains(metric)) << metric;
      EXPECT_GE(columns[metric]["y"].size(), 9U) << metric;
    }
    EXPECT_GE(data["runs"][0]["evaluation"]["columns"]["eval_loss"]["y"].size(), 2U);
    EXPECT_EQ(inspected(out)["run"]["state"], "going");
    EXPECT_THAT(told(out), HasSubstr("a training run, going: step "));
    const Result second = run(train(out, {"--overwrite_output_dir", "--max_steps", "1"}));
    EXPECT_EQ(second.exit_code, 2);
    EXPECT_THAT(second.err, HasSubstr("another program is writing it"));
    program.signal(SIGKILL);
    program.wait();
  }
  EXPECT_THAT(page({out.string()}), HasSubstr("<span class=\"state killed\">killed</span>"));
  const json killed = inspected(out)["run"];
  EXPECT_EQ(killed["state"], "killed");
  EXPECT_EQ(killed["total_steps"], 60);
  ASSERT_FALSE(killed["checkpoints"].empty());
  EXPECT_TRUE(killed["checkpoints"].back()["resumable"]);
  EXPECT_GT(killed["checkpoints"].back()["bytes"], 10'000);

  // The command that it proposes goes on.
  const auto next = killed["next"][0].get<std::string>();
  EXPECT_THAT(next, StartsWith("resume from step "));
  std::istringstream command(next.substr(next.find(": lmpo ") + 7));
  Words proposed;
  for (std::string word; command >> word;) {
    proposed.push_back(word);
  }
  const Result resumed = run(proposed);
  EXPECT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_THAT(resumed.err, HasSubstr("resumed from"));

  const json done = inspected(out);
  EXPECT_EQ(done["run"]["state"], "done");
  EXPECT_EQ(done["run"]["step"], 60);
  EXPECT_GT(done["run"]["memory_peak"], 0);
  EXPECT_EQ(done["run"]["metrics"]["eval_loss"]["last_step"], 60);
  EXPECT_EQ(done["family"], "llama");  // it is a model too
  EXPECT_THAT(told(out), AllOf(HasSubstr("a training run, done: 60 steps"),
                               HasSubstr("lmpo generate --model"), HasSubstr("a llama model"),
                               HasSubstr("checkpoint-60: "), HasSubstr("eval_loss: ")));
  EXPECT_EQ(data_of(page({out.string()}))["runs"][0]["training"]["step"].size(), 60U);
}

TEST_F(Report, OfAnInterruptedRun) {
  const fs::path out = path("out");
  Program program(train(out, {"--max_steps", "400", "--save_strategy", "no"}));
  ASSERT_TRUE(program.read_until("step 5/400"));
  program.signal(SIGINT);
  EXPECT_EQ(program.wait().exit_code, 130);
  EXPECT_EQ(inspected(out)["run"]["state"], "interrupted");
  EXPECT_THAT(told(out), AllOf(HasSubstr("a training run, interrupted at step "),
                               HasSubstr("--resume_from_checkpoint")));
}

TEST_F(Report, OfARunThatFailed) {
  const fs::path out = path("out");
  const Result failed =
      run(train(out, {"--max_steps", "9", "--learning_rate", "1e30", "--warmup_steps", "0"}));
  EXPECT_EQ(failed.exit_code, 2) << failed.err;
  const json found = inspected(out)["run"];
  EXPECT_EQ(found["state"], "failed");
  EXPECT_THAT(found["error"].get<std::string>(), HasSubstr("not finite"));
  EXPECT_THAT(page({out.string()}),
              AllOf(HasSubstr("<span class=\"state failed\">"), HasSubstr("ended by an error: ")));
}

TEST_F(Report, ComparesRunsAnswersAndWritesCharts) {
  ASSERT_EQ(run(train(path("a"), {"--max_steps", "3", "--save_strategy", "no"})).exit_code, 0);
  ASSERT_EQ(
      run(train(path("b"), {"--max_steps", "3", "--save_strategy", "no", "--beta", "7"})).exit_code,
      0);
  ASSERT_EQ(run({"generate", "-m", model().string(), "--prompt", "cat", "--prompt", "dog",
                 "--output", path("answers.jsonl").string(), "--max_new_tokens", "5"})
                .exit_code,
            0);
  const std::string compared = page({"mine=" + path("a").string(), path("b").string(), "--answers",
                                     "before=" + path("answers.jsonl").string(), "--svg",
                                     path("charts").string(), "--title", "A & B"});
  EXPECT_THAT(compared, AllOf(HasSubstr("<h1>A &amp; B</h1>"), HasSubstr("<code>beta</code>"),
                              Not(HasSubstr("<code>output_dir</code>"))));
  const json data = data_of(compared);
  EXPECT_EQ(data["runs"][0]["name"], "mine");
  EXPECT_EQ(data["runs"][1]["name"], "b");
  // Two samples of each run's evaluations, and the two answers of the file.
  std::vector<std::string> sources;
  for (const json& source : data["answers"]["sources"]) {
    sources.push_back(source["name"]);
  }
  EXPECT_THAT(sources, ElementsAre("mine", "b", "before"));
  EXPECT_EQ(data["answers"]["prompts"].size(), 4U);
  EXPECT_THAT(compared, HasSubstr("Answers that were cut at the token limit are left out"));
  for (const char* chart : {"loss.svg", "rewards.svg", "learning-rate.svg"}) {
    EXPECT_THAT(read_file(path("charts") / chart), StartsWith("<svg xmlns")) << chart;
  }
}

TEST_F(Report, WhatIsNoRunIsRefused) {
  write("rows.jsonl", "{}\n");
  for (const std::string& name :
       {path("nowhere").string(), path("rows.jsonl").string(), folder_.string(),
        path("x*").string(), "a=" + path("nowhere").string()}) {
    expect_refusal({"report", name, "-o", path("page.html").string()}, HasSubstr(kExpected));
  }
  expect_refusal({"report"}, HasSubstr("RUN"));
  expect_refusal({"inspect", folder_.string()}, HasSubstr("or of a training run"));
}

TEST_F(Report, NowhereToWriteIsSaidAndNothingIsLeft) {
  const fs::path made = made_up("run", "{\"current_steps\": 1, \"loss\": 2}\n");
  expect_refusal({"report", made.string(), "-o", path("no/page.html").string()},
                 HasSubstr("there is no folder"));
  expect_refusal({"report", made.string(), "-o", made.string()}, HasSubstr("HTML file"));
  expect_refusal(
      {"report", made.string(), "-o", path("p.html").string(), "--svg", path("no/svg").string()},
      HasSubstr("there is no folder"));
  expect_refusal({"report", made.string(), "-o", path("p.html").string()},
                 AllOf(HasSubstr("p.html"), HasSubstr("writing failed")), 1,
                 {.largest_file = 5000});
  write("not.jsonl", "{}\n");
  expect_refusal({"report", made.string(), "-o", path("p.html").string(), "--answers",
                  path("not.jsonl").string()},
                 HasSubstr("lmpo generate"));
}

TEST_F(Report, TornAndStrangeFilesAreReadAsFarAsTheyGo) {
  const fs::path made =
      made_up("run",
              "{\"current_steps\": 1, \"loss\": 2}\n{\"current_steps\": 2, \"loss\": NaN}\nbad\n"
              "{\"current_steps\": 3, \"lo");
  const std::string found = page({made.string()});
  EXPECT_THAT(found, AllOf(HasSubstr("loss is not finite at step 2"),
                           HasSubstr("trainer_log.jsonl: a line is not JSON"),
                           HasSubstr("<span class=\"state failed\">NaN at 2</span>")));
  EXPECT_EQ(data_of(found)["runs"][0]["training"]["columns"]["loss"]["y"], json({2, nullptr}));
}

TEST_F(Report, NothingInATextIsObeyed) {
  const std::string evil = "</script><img src=x><!--\x1b[31m\x07";
  const fs::path made = made_up("run", "{\"current_steps\": 1, \"loss\": 2}\n");
  json record = {{"options", {{"beta", {{"value", evil}, {"source", "flag"}}}}},
                 {"end", {{"how", "failed"}, {"message", evil}}},
                 {"train_data", {{"rows", 2}, {"used", 1}, {"dropped", {{evil, 1}}}}}};
  write_file_atomically(made / "lmpo_run.json", record.dump());
  write_file_atomically(made / "eval_samples.jsonl",
                        json({{"step", 1}, {"prompt", evil}, {"response", evil}}).dump() + "\n");
  const std::string found = page({"<img>\x1b=" + made.string()});
  EXPECT_THAT(found, AllOf(Not(HasSubstr("<img")), Not(HasSubstr("<!--")), Not(HasSubstr("\x1b"))));
  EXPECT_EQ(data_of(found)["answers"]["prompts"][0], "</script><img src=x><!--\\x1b[31m\\x07");
  const std::string text = told(made);
  EXPECT_EQ(text.find_first_of("\x1b\x07"), std::string::npos);
  EXPECT_THAT(text, HasSubstr("\\x1b[31m"));
}

// A model that is no run's, evaluated twice: the table's file, and what is refused.
TEST_F(Report, ComparesEvaluations) {
  const Words words = {"eval",
                       "-m",
                       model().string(),
                       "--tasks",
                       "piqa",
                       "--data",
                       (source_folder() / "src/evaluate/testdata").string(),
                       "--output_path"};
  for (const char* name : {"a", "b"}) {
    Words one = words;
    one.push_back(path(name).string());
    ASSERT_EQ(run(one).exit_code, 0);
  }
  const std::string first = "first=" + path("a").string();
  const std::string second = "second=" + path("b").string();
  EXPECT_THAT(
      page({"--evaluations", first, "--evaluations", second, "--table", path("table.md").string()}),
      AllOf(HasSubstr("<h2>Evaluations</h2>"), HasSubstr("piqa, acc_norm")));
  EXPECT_THAT(read_file(path("table.md")), HasSubstr("| second | +0.00 ± 0.00 |\n"));
  expect_refusal({"report", "--evaluations", folder_.string() + "/nowhere"},
                 HasSubstr("results_*.json"));
}

}  // namespace
}  // namespace lmpo::report_test
