// Whole training runs by the program: stopped and resumed, out of disk space, with numbers that are
// not finite.
#include "cli/testing/training_runs.h"

#include <csignal>
#include <set>

namespace lmpo::training_runs_test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

struct Killed {
  const char* name;
  Words options;
  const char* seen;  // the first kill comes some time after this was logged
};

void PrintTo(const Killed& killed, std::ostream* out) {
  *out << killed.name;
}

class TrainingRunsKilled : public TrainingRuns, public ::testing::WithParamInterface<Killed> {};

TEST_P(TrainingRunsKilled, EndInTheSameBytesAsAnUnbrokenOne) {
  const Words options = with({"--max_steps", "80", "--save_steps", "10", "--save_total_limit", "3"},
                             GetParam().options);
  succeed(train(path("whole"), options));
  {
    Program program(train(path("broken"), options));
    ASSERT_TRUE(program.read_until(GetParam().seen));
    program.signal(SIGKILL);
    ASSERT_EQ(program.wait().exit_code, -SIGKILL);
  }
  const Words resumed = train(path("broken"), with(options, {"--resume_from_checkpoint"}));
  {
    Program program(resumed);
    ASSERT_TRUE(program.read_until("\nstep "));
    program.signal(SIGKILL);
    ASSERT_EQ(program.wait().exit_code, -SIGKILL);
  }
  EXPECT_FALSE(fs::exists(path("broken") / kWeights));
  EXPECT_THAT(succeed(resumed).err, HasSubstr("resumed from"));
  const std::string last =
      fmt::format("checkpoint-{}", read_state(path("whole"))["global_step"].get<int>());
  const Contents whole = essence(path("whole"), last);
  EXPECT_EQ(changes(whole, essence(path("broken"), last)), Words());
  EXPECT_EQ(listing(path("broken")), listing(path("whole")));  // nothing half-written stays
  EXPECT_TRUE(whole.at(kWeights) != read_file(model() / kWeights));
}

INSTANTIATE_TEST_SUITE_P(
    Types, TrainingRunsKilled,
    ::testing::Values(Killed{"simpo_float32", {"--objective", "simpo"}, "step 11/80"},
                      Killed{"lmpo_float32", {"--zscore", "ema"}, "step 12/80"},
                      Killed{"simpo_bfloat16", {"--objective", "simpo", "--bf16"}, "step 16/80"},
                      // Saved between two log entries, whose sums are then part of the state.
                      Killed{"lmpo_bfloat16",
                             {"--dtype", "bfloat16", "--logging_steps", "3", "--max_steps", "240",
                              "--save_steps", "20"},
                             "step 24/240"}),
    [](const auto& test) { return test.param.name; });

TEST_F(TrainingRuns, AnInterruptFinishesTheStepAndSaves) {
  const Words options = {"--max_steps", "60", "--save_strategy", "no"};
  succeed(train(path("whole"), options));
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    const fs::path out = path("broken");
    Program program(train(out, options));
    ASSERT_TRUE(program.read_until("step 9/60"));
    program.signal(signal);
    const Result broken = program.wait();
    EXPECT_EQ(broken.exit_code, 130);
    const std::string said = "stopped at step ";
    const std::size_t at = broken.err.find(said);
    ASSERT_NE(at, std::string::npos) << broken.err;
    EXPECT_THAT(broken.err, AllOf(HasSubstr("stopping after this step, then saving"),
                                  HasSubstr("Resume with: lmpo train ... --resume\n")));
    const int step = std::stoi(broken.err.substr(at + said.size()));
    EXPECT_GE(step, 9);
    EXPECT_EQ(listing(out), (std::set<std::string>{fmt::format("checkpoint-{}", step),
                                                   "lmpo_run.json", "runs", "trainer_log.jsonl"}));
    EXPECT_EQ(read_state(out / fmt::format("checkpoint-{}", step))["global_step"], step);

    succeed(train(out, with(options, {"--resume"})));
    EXPECT_TRUE(read_file(out / kWeights) == read_file(path("whole") / kWeights));
    EXPECT_EQ(read_state(out)["log_history"].size(), 61U);
    fs::remove_all(out);
  }
}

TEST_F(TrainingRuns, AFinishedRunCanBeResumed) {
  const fs::path out = path("out");
  const Words words =
      train(out, {"--max_steps", "4", "--eval_strategy", "steps", "--eval_steps", "2",
                  "--eval_dataset", world("held_out_preferences.jsonl").string()});
  succeed(words);
  const Contents before = essence(out, "checkpoint-4");
  const std::size_t entries = read_state(out)["log_history"].size();
  succeed(with(words, {"--resume"}));
  EXPECT_EQ(changes(before, essence(out, "checkpoint-4")), Words());
  EXPECT_EQ(read_state(out)["log_history"].size(), entries);
}

// A run that began on another day goes on with its own date.
TEST_F(TrainingRuns, AResumedRunKeepsItsDate) {
  const fs::path file = path("dated.jinja");
  write_file_atomically(
      file,
      "{% for m in messages %}{{ m.role }} {{ strftime_now('%d %m') }} {{ m.content }} "
      "{{ eos_token }}{% endfor %}");
  const fs::path out = path("out");
  const Words words =
      train(out, {"--max_steps", "2", "--save_steps", "2", "--chat_template_path", file.string()});
  EXPECT_THAT(succeed(with(words, {"--template_date", "2020-02-29"})).err,
              HasSubstr("the chat template writes the date: 2020-02-29"));
  const json state = json::parse(read_file(out / "checkpoint-2/lmpo_state.json"));
  EXPECT_EQ(state["options"]["template_date"], "2020-02-29");
  EXPECT_THAT(succeed(with(words, {"--resume"})).err, HasSubstr("writes the date: 2020-02-29"));
  const Result other = run(with(words, {"--resume", "--template_date", "2020-03-01"}));
  EXPECT_EQ(other.exit_code, 2) << "other tokens";
  EXPECT_THAT(run(train(path("wrong"), {"--template_date", "today"})).err,
              HasSubstr("template_date: 'today' is not a date; YYYY-MM-DD was expected"));
  // Without being told the run keeps the day of its start.
  succeed(train(path("plain"), {"--max_steps", "2", "--save_steps", "2"}));
  EXPECT_THAT(json::parse(read_file(path("plain") /
                                    "checkpoint-2/lmpo_state.json"))["options"]["template_date"]
                  .get<std::string>(),
              ::testing::MatchesRegex("[0-9]{4}-[0-9]{2}-[0-9]{2}"));
}

// A longer schedule would not end in the bytes of the shorter one, but it is a run like any other.
TEST_F(TrainingRuns, ResumingSaysWhatIsDifferent) {
  const fs::path out = path("out");
  succeed(train(out, {"--max_steps", "3"}));
  const Result result = succeed(
      train(out, {"--max_steps", "5", "--beta", "4", "--resume", (out / "checkpoint-3").string()}));
  EXPECT_THAT(result.err, AllOf(HasSubstr("beta was 2.0 in the checkpoint and is 4.0 now"),
                                HasSubstr("max_steps was 3 in the checkpoint and is 5 now")));
  EXPECT_EQ(read_state(out)["global_step"], 5);
}

// No file may grow beyond a limit, which writes meet as they meet a full disk.
TEST_F(TrainingRuns, AFullDiskLeavesTheLastCheckpoint) {
  const fs::path out = path("out");
  const Words words = train(out, {"--max_steps", "10", "--save_steps", "5"});
  succeed(words);
  const Contents whole = essence(out, "checkpoint-10");
  fs::remove_all(out / "checkpoint-10");
  const auto before = contents(out / "checkpoint-5");
  const std::size_t optimizer = fs::file_size(out / "checkpoint-5" / "optimizer.safetensors");
  for (const std::size_t limit : {optimizer - 1, fs::file_size(out / kWeights) / 2}) {
    const Result result = run(with(words, {"--resume"}), {.largest_file = limit});
    EXPECT_EQ(result.exit_code, 1);
    // The model of the last step is written before its checkpoint.
    EXPECT_THAT(result.err, AllOf(HasSubstr("error: " + out.string()), HasSubstr(".safetensors"),
                                  HasSubstr("writing failed"), HasSubstr("--resume")));
    EXPECT_EQ(changes(before, contents(out / "checkpoint-5")), Words());
    for (const std::string& name : listing(out)) {
      EXPECT_EQ(name.find("incomplete"), std::string::npos) << name;
      EXPECT_NE(name, "checkpoint-10");
    }
  }
  succeed(with(words, {"--resume"}));
  EXPECT_EQ(changes(whole, essence(out, "checkpoint-10")), Words());
}

TEST_F(TrainingRuns, AFullDiskAtTheEndLeavesNoHalfModel) {
  const fs::path out = path("out");
  const Result result = run(train(out, {"--max_steps", "2", "--save_strategy", "no"}),
                            {.largest_file = fs::file_size(model() / kWeights) / 2});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, AllOf(HasSubstr((out / kWeights).string()), HasSubstr("writing failed")));
  EXPECT_EQ(listing(out), (std::set<std::string>{"lmpo_run.json", "runs", "trainer_log.jsonl"}));
}

class NotFinite : public TrainingRuns {
 protected:
  // A model of finite weights that gives one word the logit -infinity, since the first of the last
  // hidden states is large and positive everywhere: every row fails that answers with the word.
  void SetUp() override {
    TrainingRuns::SetUp();
    broken_ = path("broken");
    const fs::path config = write("config.json", read_file(world("config.json")));
    edit_json(config, [](ordered_json& content) { content["tie_word_embeddings"] = false; });
    succeed(
        {"init", "--config", config.string(), "--tokenizer", world("").string(), broken_.string()});
    const json tokenizer = json::parse(read_file(broken_ / "tokenizer.json"));
    const auto id = tokenizer["model"]["vocab"]["\xC4\xA0wolf"].get<std::size_t>();
    std::string file = read_file(broken_ / kWeights);
    std::size_t length = 0;
    for (std::size_t i = 0; i < 8; ++i) {
      length |= static_cast<std::size_t>(static_cast<unsigned char>(file[i])) << (8 * i);
    }
    const json header = json::parse(file.substr(8, length));
    const auto set_first = [&](const char* tensor, std::size_t row, float value) {
      const auto begin = header[tensor]["data_offsets"][0].get<std::size_t>() + 8 + length;
      file.replace(begin + row * 32 * sizeof value, sizeof value,
                   std::string(reinterpret_cast<const char*>(&value), sizeof value));
    };
    const auto tokens = header["model.embed_tokens.weight"]["shape"][0].get<std::size_t>();
    for (std::size_t token = 0; token < tokens; ++token) {
      set_first("model.embed_tokens.weight", token, 50);
    }
    set_first("lm_head.weight", id, -3e38F);
    write_file_atomically(broken_ / kWeights, file);

    std::int64_t row = 0;
    for (const json& line : json_lines(read_file(world("preferences.jsonl")))) {
      const std::string answers = line["chosen"].dump() + line["rejected"].dump();
      if (answers.find("wolf") != std::string::npos) {
        rows_ += (rows_.empty() ? "" : ", ") + std::to_string(row);
      }
      ++row;
    }
  }

  Words train_broken(const Words& more) const {
    return with({"train", "-m", broken_.string(), "--data", world("preferences.jsonl").string(),
                 "--output_dir", path("out").string(), "--per_device_train_batch_size", "48",
                 "--train_sampling_strategy", "sequential", "--max_steps", "4", "--logging_steps",
                 "1", "--save_steps", "2", "--learning_rate", "1e-3"},
                more);
  }

  const std::string& rows() const { return rows_; }

 private:
  fs::path broken_;
  std::string rows_;
};

TEST_F(NotFinite, TheRunStopsAndNamesTheRows) {
  const std::string message =
      "the log-probabilities of the data's rows " + rows() + " (counted from 0) are not finite";
  for (const char* objective : {"simpo", "lmpo"}) {
    const Result result = run(train_broken({"--objective", objective}));
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_THAT(result.err, AllOf(HasSubstr(message), HasSubstr("--skip_nonfinite")));
    EXPECT_EQ(listing(path("out")), (std::set<std::string>{"lmpo_run.json", "runs"}));
    const json end = json::parse(read_file(path("out") / "lmpo_run.json"))["end"];
    EXPECT_EQ(end["how"], "failed");
    EXPECT_THAT(end["message"].get<std::string>(), HasSubstr(message));
    fs::remove_all(path("out"));
  }
}

TEST_F(NotFinite, TheRunGoesOnWithoutTheRows) {
  for (const char* objective : {"simpo", "lmpo"}) {
    const Words words = train_broken({"--objective", objective, "--skip_nonfinite"});
    const Result result = succeed(words);
    for (const char* step : {"step 1", "step 4"}) {
      EXPECT_THAT(result.err, HasSubstr(std::string(step) + ": rows " + rows() +
                                        " skipped, their scores are not finite"));
    }
    const json history = read_state(path("out"))["log_history"];
    EXPECT_LT(history[3]["loss"].get<double>(), history[0]["loss"].get<double>());
    const Contents whole = essence(path("out"), "checkpoint-4");
    fs::remove_all(path("out") / "checkpoint-4");
    succeed(with(words, {"--resume"}));
    EXPECT_EQ(changes(whole, essence(path("out"), "checkpoint-4")), Words());
    fs::remove_all(path("out"));
  }
}

}  // namespace
}  // namespace lmpo::training_runs_test
