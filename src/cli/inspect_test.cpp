// lmpo inspect: what it shows, and what content cannot make it do.
#include <algorithm>
#include <sstream>

#include "cli/testing/bad_input.h"
#include "cli/testing/terminal.h"
#include "inspect/terminal.h"

namespace lmpo::inspect_test {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class Inspect : public BadInput {
 protected:
  static Words command(const fs::path& data, const Words& more) {
    Words words = {"inspect", data.string(), "--model", model().string(), "-t", "1"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  static Result inspect(const fs::path& data, const Words& more = {}) {
    return run(command(data, more));
  }
  static json report(const fs::path& data, Words more = {}) {
    more.emplace_back("--json");
    const Result result = inspect(data, more);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return json::parse(result.out);
  }
  static std::string pair_row(const std::string& prompt, const std::string& chosen,
                              const std::string& rejected) {
    return json({{"prompt", prompt}, {"chosen", chosen}, {"rejected", rejected}}).dump() + "\n";
  }
};

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> result;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    result.push_back(line);
  }
  return result;
}

TEST_F(Inspect, AgreesWithScoreOnEveryRow) {
  const json found = report(pairs(), {"--max_length", "40", "--show", "1000"});
  const Result scored = run({"score", "-m", model().string(), "--data", pairs().string(),
                             "--max_length", "40", "-t", "1"});
  const std::vector<json> scores = json_lines(scored.out);
  ASSERT_EQ(found["shown"].size(), scores.size());
  ASSERT_EQ(found["rows"], scores.size());
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const json& row = found["shown"][i];
    EXPECT_EQ(row["row"], scores[i]["row"]);
    if (scores[i].contains("dropped")) {
      EXPECT_EQ(row["dropped"], scores[i]["dropped"]);
      continue;
    }
    EXPECT_EQ(row["sequences"][0]["prompt_tokens"], scores[i]["prompt_tokens"]);
    EXPECT_EQ(row["sequences"][0]["scored_tokens"], scores[i]["chosen_tokens"]);
    EXPECT_EQ(row["sequences"][1]["scored_tokens"], scores[i]["rejected_tokens"]);
  }
}

TEST_F(Inspect, TextHasRowsStatisticsAndTruncation) {
  const Result result = inspect(
      pairs(), {"--rows", "3,5", "--max_length", "32", "--pack", "--max_pack_tokens", "256"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.err, "");
  EXPECT_THAT(result.out,
              AllOf(HasSubstr("48 preference rows"), HasSubstr("\nRow 3 ("), HasSubstr("\nRow 5 ("),
                    Not(HasSubstr("\nRow 0 (")), HasSubstr("Truncation: max_length 32, keep_start"),
                    HasSubstr("\nprompt: mean "), HasSubstr("chosen - rejected: mean"),
                    HasSubstr("Packs of at most 256 tokens"), HasSubstr("scored   | ")));
  EXPECT_THAT(result.out, Not(HasSubstr("\x1b")));  // not a terminal
}

TEST_F(Inspect, OtherKindsOfRows) {
  EXPECT_EQ(report(world("answers.jsonl"))["kind"], "sft");
  const fs::path ranked = write("ranked.jsonl", R"({"prompt": "a", "responses": ["b", "c"]})");
  EXPECT_EQ(report(ranked)["kind"], "ranked");
  const fs::path labelled =
      write("labelled.jsonl", R"({"prompt": "a", "completion": "b", "label": true})");
  EXPECT_EQ(report(labelled)["kind"], "labelled");
  EXPECT_EQ(report(pairs(), {"--kind", "sft"})["lengths"][1]["name"], "response");
}

TEST_F(Inspect, PageForABrowser) {
  const Result result = inspect(pairs(), {"--html", path("page.html").string()});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(read_file(path("page.html")),
              AllOf(HasSubstr("<h1>48 preference rows of"), HasSubstr("</html>")));
  expect_refusal({"inspect", model().string(), "--html", path("other.html").string()},
                 HasSubstr("--html"));
}

TEST_F(Inspect, IsRepeatable) {
  const Words words = {"--pack", "--max_pack_tokens", "300", "--per_device_train_batch_size", "16"};
  EXPECT_EQ(inspect(pairs(), words).out, inspect(pairs(), words).out);
}

TEST_F(Inspect, PacksAreThoseOfTraining) {
  const json packs = report(pairs(), {"--pack", "--max_pack_tokens", "300",
                                      "--per_device_train_batch_size", "16"})["packing"];
  EXPECT_EQ(packs["batches"], 3);
  EXPECT_GE(packs["packs"], packs["fewest_packs"]);
  EXPECT_LE(packs["fill"]["max"], 300);
  EXPECT_LT(packs["tokens"], packs["tokens_without_sharing"]);
}

TEST_F(Inspect, Checkpoint) {
  const Result result = run({"inspect", model().string()});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out,
              AllOf(HasSubstr("a llama model"), HasSubstr("stored as F32"), HasSubstr("Memory"),
                    HasSubstr("eos_token: "), HasSubstr("generation stops at ")));
  EXPECT_THAT(result.out, Not(HasSubstr("Warnings")));
}

TEST_F(Inspect, TwoCheckpoints) {
  const fs::path other = copy_of_model("other");
  edit_json(other / "config.json", [](ordered_json& config) { config["rms_norm_eps"] = 0.5; });
  const Result made = run({"init", "--config", (other / "config.json").string(), "--tokenizer",
                           model().string(), "--seed", "2", path("new").string()});
  ASSERT_EQ(made.exit_code, 0) << made.err;
  const Result result = run({"inspect", model().string(), path("new").string(), "--json"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  const json difference = json::parse(result.out)["difference"];
  EXPECT_EQ(difference["config"][0]["key"], "rms_norm_eps");
  EXPECT_GT(difference["tensors"].size(), 10u);
  EXPECT_GT(difference["tensors"][0]["max_difference"], 0);
  EXPECT_EQ(difference["equal_tensors"], 5);  // norms begin as ones
  EXPECT_THAT(run({"inspect", model().string(), path("new").string()}).out,
              HasSubstr("config.json: rms_norm_eps is 1e-05 in the first, 0.5 in the second"));
}

TEST_F(Inspect, ColoursOnATerminalAlone) {
  for (const bool plain : {false, true}) {
    const std::string text =
        written_on_terminal(command(pairs(), {"--show", "1"}), 100,
                            {.environment = {{plain ? "NO_COLOR" : "SOME_COLOR", "1"}}});
    EXPECT_THAT(text, HasSubstr("Row 0"));
    EXPECT_EQ(text.find("\x1b[") == std::string::npos, plain);
  }
}

TEST_F(Inspect, TwentyColumns) {
  const fs::path data = write(
      "wide.jsonl", pair_row(std::string(300, 'x') + " \u4e2d\u6587\u4e2d\u6587", "yes", "no") +
                        pair_row("a", std::string(200, 'y'), "b"));
  const std::vector<std::string> all = lines(written_on_terminal(
      command(data, {"--show_tokens", "0", "--pack"}), 20, {.environment = {{"NO_COLOR", "1"}}}));
  EXPECT_GT(all.size(), 60u);
  for (const std::string& line : all) {
    EXPECT_LE(display_width(line), 20) << line;
  }
}

TEST_F(Inspect, ContentCommandsNoTerminal) {
  const std::string evil =
      "\x1b[2J\x1b]0;title\x07<script>alert(1)</script>\r\nWarnings\n\xc2\x9b"
      "31m\u202eabc\x7f";
  const fs::path data = write("evil.jsonl", pair_row(evil, evil + "1", evil + "2"));
  for (const Words& more : {Words{}, Words{"--json"}}) {
    const Result result = inspect(data, more);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_THAT(result.out, HasSubstr("<script>"));
    for (const char* forbidden : {"\x1b", "\x07", "\r", "\x7f", "\xc2\x9b", "\u202e"}) {
      EXPECT_THAT(result.out, Not(HasSubstr(forbidden))) << more.size();
    }
  }
  const std::vector<std::string> all = lines(inspect(data).out);
  EXPECT_THAT(all, Not(Contains("Warnings\\x9b31m")));
}

// A file's name and a column's are content too.
TEST_F(Inspect, NamesCommandNoTerminal) {
  const fs::path data = write("a\x1b[31mb.jsonl", "{\"\\u001b[2Jkey\": 1}\n");
  const Result result = inspect(data);
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, AllOf(HasSubstr("\\x1b[31mb.jsonl"), HasSubstr("\\x1b[2Jkey"),
                                Not(HasSubstr("\x1b"))));
}

TEST_F(Inspect, ARowThatExplodesInLength) {
  std::string longest(3'000'000, 'x');
  const fs::path data =
      write("long.jsonl", pair_row(longest, "yes", "no") + pair_row("a", "b", "c"));
  const Result result = inspect(data, {"--max_length", "64"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_LT(result.out.size(), 20'000u);
  EXPECT_THAT(result.out, HasSubstr("no response left after truncation: 1 (50.0%), rows 0"));
}

TEST_F(Inspect, MixedSchemasAreRefusedWithTheirPlace) {
  fs::create_directory(path("folder"));
  write("folder/a.jsonl", pair_row("a", "b", "c"));
  write("folder/b.jsonl", R"({"prompt": "a", "completion": "b"})");
  expect_refusal({"inspect", path("folder").string(), "-m", model().string()},
                 AllOf(HasSubstr("b.jsonl:1"), HasSubstr("completion")));
  // What both are can be said.
  EXPECT_EQ(report(path("folder"), {"--kind", "sft"})["rows"], 2);
}

TEST_F(Inspect, DamagedCheckpointsOfARun) {
  const fs::path out = path("run");
  ASSERT_EQ(run(training(out, {"--max_steps", "4", "--save_steps", "2"})).exit_code, 0);
  const fs::path file = out / "checkpoint-4" / "optimizer.safetensors";
  for (const fs::path& folder : {out, file.parent_path()}) {
    const Result good = run({"inspect", folder.string()});
    EXPECT_EQ(good.exit_code, 0) << good.err;
    EXPECT_THAT(good.out, HasSubstr("checkpoint-4: intact"));
  }
  std::string bytes = read_file(file);
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  write_file_atomically(file, bytes);
  for (const fs::path& folder : {out, file.parent_path()}) {
    const Result bad = run({"inspect", folder.string()});
    EXPECT_EQ(bad.exit_code, 2);
    EXPECT_THAT(bad.out, HasSubstr("checkpoint-4: DAMAGED"));
    EXPECT_THAT(bad.err, AllOf(HasSubstr(file.string()), HasSubstr("checkpoint-2")));
  }
}

TEST_F(Inspect, Mistakes) {
  expect_refusal({"inspect"}, HasSubstr("WHAT"));
  expect_refusal({"inspect", pairs().string()}, HasSubstr("--model DIR"));
  expect_refusal({"inspect", path("none").string()}, HasSubstr("none"));
  expect_refusal({"inspect", pairs().string(), "-m", model().string(), "--rows", "48"},
                 HasSubstr("--rows 48: the data has 48 rows"));
  expect_refusal({"inspect", pairs().string(), "-m", model().string(), "--kind", "pairs"},
                 HasSubstr("--kind"));
  expect_refusal({"inspect", write("empty.jsonl", "").string(), "-m", model().string()},
                 HasSubstr("no rows"));
  expect_refusal({"inspect", model().string(), model().string(), model().string()},
                 HasSubstr("give one or two checkpoints, not 3"));
}

}  // namespace
}  // namespace lmpo::inspect_test
