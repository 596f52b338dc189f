// Run folders as they are found: finished, growing, torn, of other programs, of nobody.
#include "report/run_folder.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <chrono>
#include <cmath>

#include "base/error.h"
#include "base/file_lock.h"
#include "base/host_name.h"
#include "base/testing/test_folder.h"
#include "report/answers.h"
#include "report/lenient_json.h"
#include "report/logged_metrics.h"
#include "report/run_summary.h"

namespace lmpo::run_folder_test {
namespace {

using ::testing::AllOf;
using ::testing::DoubleEq;
using ::testing::DoubleNear;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::IsNan;

class RunFolders : public FolderTest {
 protected:
  fs::path write(const std::string& name, const std::string& content) const {
    fs::path path = folder_ / name;
    fs::create_directories(path.parent_path());
    write_file_atomically(path, content);
    return path;
  }

  // A record as the trainer writes it at the beginning, with `change` merged in.
  static json record(const json& change = json::object()) {
    json result = {
        {"lmpo_version", "0.1.0"},
        {"options", {{"beta", {{"value", 2.5}, {"source", "flag"}}}}},
        {"train_data",
         {{"rows", 48}, {"used", 40}, {"truncated", 3}, {"dropped", {{"empty_response", 8}}}}},
        {"eval_data", nullptr},
        {"steps", 100},
        {"host", host_name()},
        {"memory", {{"planned", 1000}}},
        {"result", nullptr},
        {"end", nullptr}};
    result.merge_patch(change);
    return result;
  }

  static std::string line(int step, double loss) {
    return json({{"current_steps", step},
                 {"total_steps", 100},
                 {"loss", loss},
                 {"reward", -1.5},
                 {"lr", 1e-6},
                 {"epoch", step / 50.0},
                 {"elapsed_time", "0:00:" + std::to_string(10 + step)},
                 {"throughput", 50},
                 {"total_tokens", 10 * step}})
               .dump() +
           "\n";
  }
};

TEST_F(RunFolders, GoingOnes) {
  write("run/lmpo_run.json", record().dump());
  write("run/trainer_log.jsonl", line(5, 2) + line(10, 1.5));
  {
    const FileLock trainer(folder_ / "run");
    const lmpo::Run run = read_run_folder(folder_ / "run");
    EXPECT_EQ(run.state, RunState::going);
    EXPECT_EQ(state_text(run), "going: step 10 of 100");
    EXPECT_EQ(run.name, "run");
    EXPECT_EQ(run.step, 10);
    EXPECT_EQ(run.tokens, 100);
    EXPECT_EQ(run.seconds, 20);
    EXPECT_EQ(run.options.at("beta"), "2.5");
    EXPECT_EQ(run.option_sources.at("beta"), "flag");
    EXPECT_EQ(run.memory_planned, 1000);
    EXPECT_DOUBLE_EQ(run.pairs_per_second, 0.2 * 40 / 20);
    EXPECT_THAT(run.training.step, ElementsAre(5, 10));
    EXPECT_THAT(*run.training.find("loss"), ElementsAre(2, 1.5));
    EXPECT_THAT(*run.training.find("rewards/chosen"), Each(-1.5));
    EXPECT_THAT(*run.training.find("learning_rate"), Each(1e-6));
    EXPECT_EQ(drops_text(*run.train_rows), "8 of 48 rows dropped: empty_response 8");
    EXPECT_THAT(run.notices, IsEmpty());
  }
  // The trainer is gone and has said nothing.
  EXPECT_EQ(read_run_folder(folder_ / "run").state, RunState::killed);
}

TEST_F(RunFolders, OnOtherMachinesAreKilledAfterALongSilence) {
  write("lmpo_run.json", record({{"host", "another"}}).dump());
  EXPECT_EQ(read_run_folder(folder_).state, RunState::going);
  fs::last_write_time(folder_ / "lmpo_run.json",
                      fs::file_time_type::clock::now() - std::chrono::hours(1));
  const lmpo::Run run = read_run_folder(folder_);
  EXPECT_EQ(run.state, RunState::killed);
  EXPECT_NEAR(run.silent_seconds, 3600, 100);
}

TEST_F(RunFolders, EndingsAreThoseThatWereRecorded) {
  const auto state_after = [&](const json& change) {
    write("lmpo_run.json", record(change).dump());
    return read_run_folder(folder_);
  };
  EXPECT_EQ(state_after({{"end", {{"how", "interrupted"}}}}).state, RunState::interrupted);
  EXPECT_EQ(state_after({{"end", {{"how", "done"}}}}).state, RunState::done);
  const lmpo::Run failed = state_after({{"end", {{"how", "failed"}, {"message", "no room"}}}});
  EXPECT_EQ(failed.state, RunState::failed);
  EXPECT_THAT(notices_of(failed), ::testing::Contains(HasSubstr("no room")));
  const lmpo::Run done = state_after({{"result", {{"train_runtime", 7.5}, {"memory_peak", 900}}}});
  EXPECT_EQ(done.state, RunState::done);
  EXPECT_EQ(done.seconds, 7.5);
  EXPECT_EQ(done.memory_peak, 900);
}

TEST_F(RunFolders, TheLogIsAheadOfTheState) {
  write("checkpoint-5/trainer_state.json",
        R"({"global_step": 5, "max_steps": 100,
            "log_history": [{"step": 5, "loss": 2, "grad_norm": 7, "epoch": 0.1}]})");
  write("trainer_log.jsonl", line(5, 2) + line(10, 1.5) + line(15, 1.25).substr(0, 40));
  const lmpo::Run run = read_run_folder(folder_);
  EXPECT_EQ(run.step, 10);
  EXPECT_EQ(run.total_steps, 100);
  EXPECT_THAT(*run.training.find("loss"), ElementsAre(2, 1.5));
  EXPECT_THAT(*run.training.find("grad_norm"), ElementsAre(DoubleEq(7), IsNan()));
  EXPECT_THAT(run.notices, IsEmpty());  // a torn last line is no mistake
  ASSERT_EQ(run.checkpoints.size(), 1U);
  EXPECT_EQ(run.checkpoints[0].step, 5);
  EXPECT_GT(run.checkpoints[0].bytes, 100U);
  EXPECT_FALSE(run.checkpoints[0].resumable);
  EXPECT_EQ(newest_resumable(run), nullptr);
}

TEST_F(RunFolders, WhatAnEarlierRunLeftIsNotThisOnes) {
  write("lmpo_run.json", record().dump());
  write("trainer_state.json", R"({"global_step": 100, "max_steps": 100, "epoch": 2,
      "log_history": [{"step": 10, "loss": 3}, {"step": 100, "loss": 1}]})");
  write("trainer_log.jsonl", line(10, 3));
  const lmpo::Run run = read_run_folder(folder_);
  EXPECT_EQ(run.state, RunState::killed);
  EXPECT_EQ(run.step, 10);
  EXPECT_THAT(run.training.step, ElementsAre(10));
}

TEST_F(RunFolders, NaNInAnySpelling) {
  write("trainer_state.json", R"({"global_step": 3, "max_steps": 3, "log_history": [
      {"step": 1, "loss": 2.0, "grad_norm": 1.5, "note": "NaN \" NaN"}, {"step": 2, "loss": NaN, "grad_norm": null},
      {"step": 3, "loss": -Infinity, "grad_norm": 1}, {"step": 3, "eval_loss": Infinity, "eval_other": null}]})");
  const lmpo::Run run = read_run_folder(folder_);
  EXPECT_EQ(run.state, RunState::done);
  EXPECT_THAT(*run.training.find("loss"), ElementsAre(DoubleEq(2), IsNan(), IsNan()));
  std::map<std::string, std::pair<double, std::int64_t>> found;
  for (const NonFinite& metric : run.not_finite) {
    found[metric.metric] = {metric.first_step, metric.entries};
  }
  using P = std::pair<double, std::int64_t>;
  EXPECT_THAT(found,
              ElementsAre(::testing::Pair("eval_loss", P(3, 1)),
                          ::testing::Pair("grad_norm", P(2, 1)), ::testing::Pair("loss", P(2, 2))));
  EXPECT_THAT(notices_of(run), ::testing::Contains("loss is not finite 2 times, first at step 2"));
  EXPECT_EQ(metric_end(run, "loss")->last, 2);
  EXPECT_FALSE(metric_end(run, "eval_loss"));
}

TEST_F(RunFolders, AnythingInTheFilesIsSurvived) {
  const std::string deep(20'000, '[');
  for (
      const std::string& text :
      {std::string("{"), std::string("[]"), std::string("7"), deep, std::string("\xff\xfe\x00", 3),
       std::string(
           R"({"options": [], "steps": "many", "train_data": 3, "eval_data": {"rows": -1e300, "dropped": 5},
          "memory": null, "result": [], "end": 4, "host": {}, "log_history": [1, {"step": {}}, {"step": 1e300, "loss": 1},
          {"step": -1, "loss": 1}, {"step": 1, "loss": "x", "a": [], "epoch": {}}], "global_step": null, "max_steps": []})")}) {
    write("run/lmpo_run.json", text);
    write("run/trainer_state.json", text);
    const std::string twice = fmt::format("{0}\n{0}", text);
    write("run/trainer_log.jsonl", twice);
    write("run/eval_samples.jsonl", twice);
    const lmpo::Run run = read_run_folder(folder_ / "run");
    EXPECT_EQ(run.training.size(), 0U);
    EXPECT_THAT(run.answers, IsEmpty());
  }
  write("run/lmpo_run.json", "{");
  EXPECT_THAT(read_run_folder(folder_ / "run").notices,
              ::testing::Contains("lmpo_run.json: not a JSON object, so it is ignored"));
}

// A kill may leave any prefix of a log: its whole lines count, and the torn one is no fault.
TEST_F(RunFolders, ALogMayBreakOffAnywhere) {
  write("run/lmpo_run.json", record().dump());
  const std::string log = line(1, 3) + line(2, 2.5) + line(3, 2);
  for (std::size_t size = 0; size <= log.size(); ++size) {
    const std::string torn = log.substr(0, size);
    lmpo::Run run;
    read_run_files({.record = record().dump(), .state = "", .log = torn, .samples = torn}, run);
    const auto ends = static_cast<std::size_t>(std::count(torn.begin(), torn.end(), '\n'));
    const bool whole = size < log.size() && log[size] == '\n';  // but for its line end
    EXPECT_EQ(run.training.size(), ends + (whole ? 1 : 0)) << torn;
    EXPECT_THAT(run.notices, IsEmpty()) << torn;
  }
}

// A record that breaks off is named, and the log still tells the rest.
TEST_F(RunFolders, ARecordMayBreakOffAnywhere) {
  const std::string whole = record().dump();
  for (std::size_t size = 1; size < whole.size(); ++size) {
    lmpo::Run run;
    read_run_files({.record = whole.substr(0, size), .state = "", .log = line(1, 3), .samples = ""},
                   run);
    EXPECT_EQ(run.training.size(), 1U);
    EXPECT_EQ(run.total_steps, 100);
    EXPECT_THAT(run.notices, ElementsAre(HasSubstr("lmpo_run.json")));
  }
}

// Records of older and newer versions: options as plain values, keys nobody knows, keys that lack.
TEST_F(RunFolders, OfOtherVersions) {
  const auto read = [](const json& content) {
    lmpo::Run run;
    read_run_files({.record = content.dump(), .state = "", .log = "", .samples = ""}, run);
    EXPECT_THAT(run.notices, IsEmpty());
    return run;
  };
  const lmpo::Run older =
      read({{"options", {{"beta", 2.5}, {"packing", true}, {"run_name", nullptr}}}});
  EXPECT_EQ(older.options, (std::map<std::string, std::string>{
                               {"beta", "2.5"}, {"packing", "true"}, {"run_name", "none"}}));
  EXPECT_EQ(older.lmpo_version, "");
  EXPECT_FALSE(older.train_rows);
  const lmpo::Run newer =
      read(record({{"lmpo_version", "9.0"},
                   {"ranks", {{"count", 4}}},
                   {"options", {{"lora_rank", {{"value", 8}, {"source", "flag"}, {"new", {1}}}}}},
                   {"train_data", {{"merged", 7}}}}));
  EXPECT_EQ(newer.lmpo_version, "9.0");
  EXPECT_EQ(newer.options.at("lora_rank"), "8");
  EXPECT_EQ(newer.options.at("beta"), "2.5");
  EXPECT_EQ(newer.train_rows->used, 40);
}

TEST_F(RunFolders, OthersAreRefused) {
  write("empty/other.txt", "");
  EXPECT_THAT([&] { read_run_folder(folder_ / "empty"); },
              ::testing::ThrowsMessage<UserError>(
                  AllOf(HasSubstr("empty"), HasSubstr("lmpo_run.json, trainer_state.json or"))));
  for (const char* name : {"empty", "nowhere", "empty/other.txt", "no*"}) {
    const std::vector<std::string> names = {(folder_ / name).string()};
    EXPECT_THAT([&] { read_runs(names); },
                ::testing::ThrowsMessage<UserError>(
                    AllOf(HasSubstr(name), HasSubstr("lmpo_run.json, trainer_state.json or"))));
  }
}

TEST_F(RunFolders, AreNamedApart) {
  for (const char* run : {"a/run", "b/run", "c/other", "run-2", "run-10"}) {
    write(std::string(run) + "/trainer_log.jsonl", line(1, 1));
  }
  const auto names_of = [&](std::vector<std::string> names) {
    for (std::string& name : names) {
      const std::size_t equals = name.find('=');
      const std::size_t at = equals == std::string::npos ? 0 : equals + 1;
      name.insert(at, folder_.string() + "/");
    }
    std::vector<std::string> found;
    for (const lmpo::Run& run : read_runs(names)) {
      found.push_back(run.name);
    }
    return found;
  };
  EXPECT_THAT(names_of({"a/run", "b/run"}), ElementsAre("a", "b"));
  EXPECT_THAT(names_of({"a/run", "b/run", "c/other"}), ElementsAre("a/run", "b/run", "other"));
  EXPECT_THAT(names_of({"run-*"}), ElementsAre("run-2", "run-10"));
  EXPECT_THAT(names_of({"x=a/run", "x=b/run"}), ElementsAre("x", "x (2)"));
  EXPECT_THAT(names_of({"x=run-*"}), ElementsAre("x/run-2", "x/run-10"));
  EXPECT_THAT(names_of({"."}), ElementsAre("a/run", "b/run", "other", "run-2", "run-10"));
  EXPECT_THAT(names_of({"a/run", "a/../a/run"}), ElementsAre("run"));
}

TEST(LoggedMetricsTest, TimeGoesOnOverStarts) {
  EXPECT_EQ(parse_elapsed("1:02:03"), 3723);
  EXPECT_EQ(parse_elapsed("2 days, 0:00:01"), 172801);
  for (const char* text : {"", "1:2", "x", "1:-2:3", "1:2:3:4", "1:2:"}) {
    EXPECT_THAT(parse_elapsed(text), IsNan()) << text;
  }
  LoggedMetrics log;
  const auto add = [&](int step, const char* elapsed, double tokens, double throughput) {
    log.add_line({{"current_steps", step},
                  {"loss", 1},
                  {"elapsed_time", elapsed},
                  {"total_tokens", tokens},
                  {"throughput", throughput}});
  };
  add(1, "0:00:10", 105, 10);  // 10.5 seconds
  add(2, "0:00:20", 200, 10);
  add(3, "0:00:05", 300, 1);  // after a resume
  EXPECT_THAT(log.training().seconds, ElementsAre(DoubleNear(10.5, 1e-9), 20, 25));
  EXPECT_EQ(log.seconds(), 25);
}

TEST(Answers, OfSamplesAndFiles) {
  std::vector<Answer> answers;
  const std::string text =
      R"({"step": 20, "index": 1, "prompt": "p", "response": "b", "tokens": 3, "finish_reason": "stop"}
{"step": 20, "index": 0, "prompt": [{"role": "user", "content": "hi"}], "response": "a"}
{"step": 10, "index": 0, "prompt": "p", "response": ""}
{"step": -3, "response": "x"}
{"step": 5, "response": 7}
bad
)";
  EXPECT_EQ(read_samples(text, answers), 1);
  ASSERT_EQ(answers.size(), 3U);
  EXPECT_EQ(answers[0].step, 10);
  EXPECT_EQ(answers[1].prompt, "hi");
  EXPECT_EQ(answers[1].response, "a");
  EXPECT_EQ(answers[2].tokens, 3);
  EXPECT_EQ(answers[2].finish_reason, "stop");
}

using AnswerFiles = FolderTest;

// Whatever template a run rendered them with, and whatever their places were.
TEST_F(AnswerFiles, MatchByTheirMessages) {
  const json user = {{"role", "user"}, {"content", "hi"}};
  const json system = {{"role", "system"}, {"content", "Be kind."}};
  std::vector<Answer> samples;
  read_samples(json({{"step", 1},
                     {"index", 0},
                     {"messages", {system, user}},
                     {"prompt", "<|system|>Be kind.<|user|>hi"},
                     {"response", "a"}})
                       .dump() +
                   "\n" +
                   json({{"step", 1},
                         {"index", 1},
                         {"messages", {user}},
                         {"prompt", "[INST] hi"},
                         {"response", "b"}})
                       .dump() +
                   "\n",
               samples);
  write_file_atomically(
      folder_ / "a.jsonl",
      json({{"index", 0}, {"prompt", "hi"}, {"output", "x"}}).dump() + "\n" +
          json({{"index", 1}, {"prompt", {user}}, {"output", "y"}}).dump() + "\n" +
          json({{"index", 2}, {"prompt", {system, user}}, {"output", "z"}}).dump());
  const std::vector<Answer> answers = read_answers(folder_ / "a.jsonl");
  ASSERT_EQ(samples.size(), 2U);
  ASSERT_EQ(answers.size(), 3U);
  EXPECT_EQ(samples[0].prompt, answers[2].prompt);
  EXPECT_EQ(samples[1].prompt, answers[0].prompt);
  EXPECT_EQ(samples[1].prompt, answers[1].prompt);
  EXPECT_NE(samples[0].prompt, samples[1].prompt);
}

TEST_F(AnswerFiles, OfLmpoGenerate) {
  write_file_atomically(
      folder_ / "a.jsonl",
      R"({"index": 0, "prompt": "p", "responses": ["x", "y"], "output_tokens": [4, 5], "finish_reasons": ["stop", "length"]}
{"index": 1, "prompt": "q", "output": "z", "output_tokens": 6, "finish_reason": "stop"}
)");
  const std::vector<Answer> answers = read_answers(folder_ / "a.jsonl");
  ASSERT_EQ(answers.size(), 3U);
  EXPECT_EQ(answers[1].response, "y");
  EXPECT_EQ(answers[1].tokens, 5);
  EXPECT_EQ(answers[1].finish_reason, "length");
  EXPECT_EQ(answers[2].tokens, 6);
  EXPECT_EQ(answers[2].step, -1);
  write_file_atomically(folder_ / "b.jsonl", "{\"prompt\": 3}\n");
  EXPECT_THAT(
      [&] { read_answers(folder_ / "b.jsonl"); },
      ::testing::ThrowsMessage<UserError>(HasSubstr("a file of lmpo generate was expected")));
}

}  // namespace
}  // namespace lmpo::run_folder_test
