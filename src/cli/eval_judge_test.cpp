// lmpo eval alpaca and lmpo eval arena with judges: a server of this test, a program, a reward model.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <csignal>
#include <functional>
#include <thread>

#include "cli/testing/commands.h"
#include "http/http_server.h"

namespace lmpo::eval_judge_test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kKey = "sk-secret-of-this-test";

// Answers on a thread of its own; counts the requests.
class JudgeServer {
 public:
  using Answer = std::function<HttpReply(const ordered_json& request, int number)>;

  explicit JudgeServer(Answer answer)
      : answer_(std::move(answer)),
        server_("127.0.0.1", 0, {},
                {.answer = [this](const HttpRequest& request) { return reply(request); },
                 .refuse = [](const HttpError& error) { return HttpReply{.body = error.what()}; },
                 .done = [](const HttpRequest&, int, double, const std::string&) {},
                 .end_all = [] {}}),
        thread_([this] { server_.run(); }) {}
  ~JudgeServer() {
    server_.stop();
    thread_.join();
  }
  JudgeServer(const JudgeServer&) = delete;
  JudgeServer& operator=(const JudgeServer&) = delete;

  std::string url() const { return fmt::format("http://127.0.0.1:{}/v1", server_.port()); }
  int requests() const { return requests_; }

 private:
  HttpReply reply(const HttpRequest& request) {
    const int number = ++requests_;
    if (request.authorization != fmt::format("Bearer {}", kKey)) {
      return {.status = 401, .body = fmt::format("the key {} is wrong", request.authorization)};
    }
    return answer_(ordered_json::parse(request.body), number);
  }

  Answer answer_;
  std::atomic<int> requests_ = 0;
  HttpServer server_;
  std::thread thread_;
};

HttpReply chat_reply(const ordered_json& choice) {
  const ordered_json usage = {
      {"prompt_tokens", 100}, {"completion_tokens", 1}, {"total_tokens", 101}};
  return {.body =
              ordered_json({{"choices", ordered_json::array({choice})}, {"usage", usage}}).dump()};
}

// Prefers the output that says "good" with 3 to 1.
HttpReply alpaca_reply(const ordered_json& request) {
  const auto prompt = request["messages"][1]["content"].get<std::string>();
  const bool first = prompt.find("good") < prompt.find("\"model_identifier\": \"M\"");
  const ordered_json top = {{{"token", "m"}, {"logprob", std::log(first ? 0.75 : 0.25)}},
                            {{"token", "M"}, {"logprob", std::log(first ? 0.25 : 0.75)}}};
  const ordered_json token = {
      {"token", first ? "m" : "M"}, {"logprob", -0.3}, {"top_logprobs", top}};
  return chat_reply({{"message", {{"role", "assistant"}, {"content", first ? "m" : "M"}}},
                     {"logprobs", {{"content", ordered_json::array({token})}}}});
}

class EvalJudges : public Commands {
 protected:
  void SetUp() override {
    Commands::SetUp();
    ordered_json reference = ordered_json::array();
    ordered_json outputs = ordered_json::array();
    std::string questions;
    std::string baseline;
    std::string answers;
    for (int i = 0; i < kQuestions; ++i) {
      const std::string instruction = fmt::format("first : cat {}", i);
      const ordered_json turn = {{"content", instruction}};
      reference.push_back({{"dataset", "set"},
                           {"instruction", instruction},
                           {"output", "bad"},
                           {"generator", "gpt4_1106_preview"}});
      outputs.push_back({{"instruction", instruction}, {"output", "good"}, {"generator", "mine"}});
      questions += ordered_json({{"question_id", std::to_string(i)},
                                 {"category", "arena-hard-v0.1"},
                                 {"turns", ordered_json::array({turn})}})
                       .dump() +
                   "\n";
      baseline += answer(i, "the-baseline", "bad");
      answers += answer(i, "mine", "good");
    }
    write("reference.json", reference.dump());
    write("outputs.json", outputs.dump());
    write("question.jsonl", questions);
    write("baseline.jsonl", baseline);
    write("answers.jsonl", answers);
  }
  static std::string answer(int question, const char* model, const char* text) {
    const ordered_json turn = {{"content", text}, {"token_len", 1}};
    const ordered_json choice = {{"index", 0}, {"turns", ordered_json::array({turn})}};
    return ordered_json({{"question_id", std::to_string(question)},
                         {"model_id", model},
                         {"choices", ordered_json::array({choice})}})
               .dump() +
           "\n";
  }
  Words alpaca_words(const Words& more) const {
    Words words = {"eval",
                   "alpaca",
                   "--model_outputs",
                   path("outputs.json").string(),
                   "--reference_outputs",
                   path("reference.json").string(),
                   "--output",
                   path("out").string()};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  Result alpaca(const Words& more, const std::string& key = "") const {
    return run(alpaca_words(more), {.environment = {{"OPENAI_API_KEY", key}}});
  }
  Result arena(const Words& more, const std::string& key = "") const {
    Words words = {"eval",
                   "arena",
                   "--answers",
                   path("answers.jsonl").string(),
                   "--questions",
                   path("question.jsonl").string(),
                   "--baseline_answers",
                   path("baseline.jsonl").string(),
                   "--output",
                   path("out").string()};
    words.insert(words.end(), more.begin(), more.end());
    return run(words, {.environment = {{"OPENAI_API_KEY", key}}});
  }

  static constexpr int kQuestions = 6;
};

TEST_F(EvalJudges, AnEndpointJudgesAlpacaAndIsNotAskedTwice) {
  const JudgeServer server([](const ordered_json& request, int number) {
    return number == 2 ? HttpReply{.status = 500, .body = "busy"} : alpaca_reply(request);
  });
  const Words judge = {"--judge", server.url(), "--concurrency", "2"};
  const Result result = alpaca(judge, kKey);
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("mine"), HasSubstr("75.00")));
  EXPECT_EQ(server.requests(), kQuestions + 1);
  const json row = read_json(path("out") / "annotations.json")[0];
  EXPECT_EQ(row["annotator"], "weighted_alpaca_eval_gpt4_turbo");
  EXPECT_NEAR(row["preference"].get<double>(), 1.75, 1e-9);
  EXPECT_EQ(row["preference_raw_completion"]["total_tokens"], 101);
  EXPECT_EQ(alpaca(judge, kKey).exit_code, 0);
  EXPECT_EQ(server.requests(), kQuestions + 1);
  for (const auto& [file, content] : contents(path("out"))) {
    EXPECT_THAT(content, Not(HasSubstr(kKey))) << file;
  }
  EXPECT_THAT(result.out + result.err, Not(HasSubstr(kKey)));
}

// Questions by how often they were asked: with one at a time, only the one that was open at the end is
// asked again.
TEST_F(EvalJudges, KilledInTheMiddleItAsksOnlyWhatIsMissing) {
  std::atomic<bool> is_killed = false;
  const JudgeServer server([&](const ordered_json& request, int number) {
    while (number == 4 && !is_killed) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return alpaca_reply(request);
  });
  const Words judge = {"--judge", server.url(), "--concurrency", "1"};
  Program program(alpaca_words(judge), {.environment = {{"OPENAI_API_KEY", kKey}}});
  while (server.requests() < 4 && program.is_running()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  program.signal(SIGKILL);
  EXPECT_EQ(program.wait().exit_code, -SIGKILL);
  is_killed = true;
  EXPECT_EQ(json_lines(read_file(path("out") / "judge.jsonl")).size(), 3U);
  const Result result = alpaca(judge, kKey);
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(server.requests(), kQuestions + 1);
  EXPECT_EQ(json_lines(read_file(path("out") / "judge.jsonl")).size(), std::size_t{kQuestions});
}

TEST_F(EvalJudges, AFullDiskKeepsWhatWasPaid) {
  const JudgeServer server([](const ordered_json& request, int) { return alpaca_reply(request); });
  const Words judge = {"--judge", server.url(), "--concurrency", "1"};
  const Result full =
      run(alpaca_words(judge), {.largest_file = 1000, .environment = {{"OPENAI_API_KEY", kKey}}});
  EXPECT_EQ(full.exit_code, 1) << full.err;
  EXPECT_THAT(full.err, HasSubstr("judge.jsonl"));
  EXPECT_FALSE(fs::exists(path("out") / "annotations.json"));
  const int asked = server.requests();
  EXPECT_GT(asked, 1);
  EXPECT_LT(asked, kQuestions);
  const Result result = alpaca(judge, kKey);
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(server.requests(), kQuestions + 1);  // one answer had no room
}

// Garbled and cut replies among good ones are asked again; a judge that says something else has no
// preference, and a refused question none.
TEST_F(EvalJudges, AJudgeMayStumble) {
  const JudgeServer server([](const ordered_json& request, int number) {
    const std::string good = alpaca_reply(request).body;
    if (number == 3) {
      return HttpReply{.body = good.substr(0, good.size() / 2)};
    }
    if (number == 5) {
      return HttpReply{.status = 400, .body = "the prompt is too long"};
    }
    if (number == 6) {
      const ordered_json token = {
          {"token", "Both"}, {"logprob", -0.1}, {"top_logprobs", json::array()}};
      return chat_reply({{"message", {{"role", "assistant"}, {"content", "Both"}}},
                         {"logprobs", {{"content", ordered_json::array({token})}}}});
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(number == 2 ? 300 : 0));
    return HttpReply{.body = good};
  });
  const Result result = alpaca({"--judge", server.url(), "--concurrency", "1"}, kKey);
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(server.requests(), kQuestions + 1);
  EXPECT_THAT(result.err, AllOf(HasSubstr("refuses a request: status 400: the prompt is too long"),
                                HasSubstr("2 of 6 annotations have no preference")));
  const json rows = read_json(path("out") / "annotations.json");
  EXPECT_EQ(
      std::ranges::count_if(rows, [](const json& row) { return row["preference"].is_null(); }), 2);
}

TEST_F(EvalJudges, AnEndpointJudgesArena) {
  const JudgeServer server([](const ordered_json& request, int) {
    const auto prompt = request["messages"][1]["content"].get<std::string>();
    const bool first = prompt.find("good") < prompt.find("Assistant B's Answer|>");
    return chat_reply(
        {{"message", {{"role", "assistant"}, {"content", first ? "[[A>>B]]" : "[[B>A]]"}}}});
  });
  const Result result = arena({"--judge", server.url()}, kKey);
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("| score: 100.0"), HasSubstr("average #tokens: 1"),
                                HasSubstr("\nthe-baseline ")));
  EXPECT_EQ(server.requests(), 2 * kQuestions);
  const std::vector<json> lines =
      json_lines(read_file(path("out") / "model_judgment" / "gpt-4-1106-preview" / "mine.jsonl"));
  ASSERT_EQ(lines.size(), static_cast<std::size_t>(kQuestions));
  EXPECT_EQ(lines[0]["games"][0]["score"], "B>A");
  EXPECT_EQ(lines[0]["games"][1]["score"], "A>>B");
}

TEST_F(EvalJudges, WhatAJudgeMayDoWrongIsNamed) {
  const auto failure = [&](HttpReply reply, const std::string& key = kKey) {
    const JudgeServer server([&](const ordered_json&, int) { return reply; });
    const Result result = alpaca({"--judge", server.url()}, key);
    EXPECT_EQ(result.exit_code, 2) << result.err;
    EXPECT_THAT(result.err, Not(HasSubstr(kKey)));
    EXPECT_FALSE(fs::exists(path("out") / "annotations.json"));
    return result.err;
  };
  EXPECT_THAT(failure({}, "sk-another"), AllOf(HasSubstr("status 401"), HasSubstr("Bearer ***")));
  EXPECT_THAT(failure({}, ""), HasSubstr("OPENAI_API_KEY is not set"));
  EXPECT_THAT(failure({.body = ""}), HasSubstr("its answer is empty"));
  EXPECT_THAT(failure({.body = "<html>"}), HasSubstr("does not speak OpenAI's API"));
  EXPECT_THAT(failure({.status = 404, .body = "no model"}), HasSubstr("status 404: no model"));
  EXPECT_THAT(failure(chat_reply({{"message", {{"content", "m"}}}})),
              HasSubstr("without log-probabilities"));
  EXPECT_THAT(alpaca({"--judge", "http://127.0.0.1:9/v1"}, kKey).err,
              HasSubstr("cannot be reached"));
}

TEST_F(EvalJudges, NothingIsAskedBeyondTheAllowedCost) {
  const JudgeServer server([](const ordered_json& request, int) { return alpaca_reply(request); });
  const Words judge = {"--judge", server.url(), "--judge_price", "1000,3000"};
  const Result result = alpaca(judge, kKey);
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, AllOf(HasSubstr("costs about $"), HasSubstr("for 6 requests"),
                                HasSubstr("--max_cost")));
  EXPECT_EQ(server.requests(), 0);
  EXPECT_THAT(alpaca({"--judge", "https://judge.example/v1", "--judge_model", "other"}, kKey).err,
              HasSubstr("--judge_price"));
}

TEST_F(EvalJudges, AProgramJudgesBoth) {
  const std::string program =
      R"(while read -r line; do i=$(echo "$line" | sed 's/.*"index":\([0-9]*\).*/\1/'); )"
      R"(case "$line" in *'"first":"good"'*) p=1.1 v='A>B';; *) p=1.9 v='B>A';; esac; )"
      R"(echo "{\"index\": $i, \"preference\": $p, \"verdict\": \"$v\"}"; done)";
  const Result first = alpaca({"--judge_program", program});
  ASSERT_EQ(first.exit_code, 0) << first.err;
  EXPECT_THAT(first.out, HasSubstr("90.00"));
  fs::remove_all(path("out"));
  const Result second = arena({"--judge_program", program});
  ASSERT_EQ(second.exit_code, 0) << second.err;
  EXPECT_THAT(second.out, HasSubstr("| score: 100.0"));
}

// Both benchmarks say of a reward model what its rewards say; whoever is shown first.
TEST_F(EvalJudges, ARewardModelJudgesBoth) {
  const Words judge = {"--judge_reward_model", reward_model("judge", 1).string(), "-t", "1"};
  const Result first = alpaca(judge);
  ASSERT_EQ(first.exit_code, 0) << first.err;
  const json rows = read_json(path("out") / "annotations.json");
  ASSERT_EQ(rows.size(), std::size_t{kQuestions});
  const Result second = arena(judge);
  ASSERT_EQ(second.exit_code, 0) << second.err;
  const std::vector<json> games =
      json_lines(read_file(path("out") / "model_judgment" / "judge" / "mine.jsonl"));
  ASSERT_EQ(games.size(), std::size_t{kQuestions});
  for (std::size_t i = 0; i < games.size(); ++i) {
    EXPECT_EQ(rows[i]["annotator"], "judge");
    const auto rewards = rows[i]["preference_raw_completion"]["rewards"].get<std::vector<double>>();
    const auto preference = rows[i]["preference"].get<double>();
    const double gap = std::abs(rewards[1] - rewards[0]);
    EXPECT_GT(gap, 0);
    EXPECT_NEAR(std::abs(std::log((preference - 1) / (2 - preference))), gap, 1e-6);
    const bool wins = preference > 1.5;
    EXPECT_EQ(games[i]["games"][0]["score"], wins ? "B>A" : "A>B");
    EXPECT_EQ(games[i]["games"][1]["score"], wins ? "A>B" : "B>A");
  }
}

TEST_F(EvalJudges, AModelAnswersAndResumes) {
  const Words words = {"eval",
                       "alpaca",
                       "--model",
                       model().string(),
                       "--reference_outputs",
                       path("reference.json").string(),
                       "--max_new_tokens",
                       "5",
                       "--output",
                       path("out").string(),
                       "-t",
                       "1",
                       "--name",
                       "tiny"};
  const Result result = run(words, {.environment = {{"OPENAI_API_KEY", ""}}});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const json outputs = read_json(path("out") / "model_outputs.json");
  ASSERT_EQ(outputs.size(), static_cast<std::size_t>(kQuestions));
  EXPECT_EQ(outputs[0]["generator"], "tiny");
  EXPECT_EQ(outputs[0]["dataset"], "set");
  const json settings = read_json(path("out") / "answers.jsonl.settings.json");
  EXPECT_EQ(settings["temperature"], json::array({0.7}));
  EXPECT_EQ(settings["max_new_tokens"], 5);
  const std::string before = read_file(path("out") / "answers.jsonl");
  EXPECT_EQ(run(words, {.environment = {{"OPENAI_API_KEY", ""}}}).exit_code, 0);
  EXPECT_EQ(read_file(path("out") / "answers.jsonl"), before);

  const Result arena = run(
      {"eval", "arena", "--model", model().string(), "--questions", path("question.jsonl").string(),
       "--max_new_tokens", "5", "--output", path("arena").string(), "-t", "1"},
      {.environment = {{"OPENAI_API_KEY", ""}}});
  ASSERT_EQ(arena.exit_code, 0) << arena.err;
  EXPECT_EQ(std::distance(fs::directory_iterator(path("arena") / "model_answer"), {}), 1);
}

}  // namespace
}  // namespace lmpo::eval_judge_test
