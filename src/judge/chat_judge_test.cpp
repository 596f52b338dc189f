#include "judge/chat_judge.h"

#include <gmock/gmock.h>

#include <atomic>
#include <deque>

#include "base/log.h"
#include "base/testing/test_folder.h"

namespace lmpo::chat_judge_test {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kSecret = "sk-very-secret";

std::string chat_reply(const char* text = "m") {
  return ordered_json({{"choices",
                        {{{"index", 0}, {"message", {{"role", "assistant"}, {"content", text}}}}}},
                       {"usage", {{"prompt_tokens", 1000}, {"completion_tokens", 100}}}})
      .dump();
}

HttpResult reply(int status, const std::string& body) {
  return {.status = status, .body = body};
}

HttpResult no_reply(HttpFailure failure) {
  return {.failure = failure, .problem = "it did not work"};
}

ordered_json request_of(const std::string& text) {
  return {{"model", "j"}, {"messages", {{{"role", "user"}, {"content", text}}}}};
}

// A judge whose endpoint says what the script says, and whose waits are written down.
class ChatJudgeTest : public FolderTest {
 protected:
  void SetUp() override {
    FolderTest::SetUp();
    set_log_level(LogLevel::error);
    store_.emplace(folder_ / "judge.jsonl");
  }
  void TearDown() override {
    set_log_level(LogLevel::info);
    store_.reset();
    FolderTest::TearDown();
  }
  ChatJudge judge(std::deque<HttpResult> script, ChatJudgeOptions options = {}) {
    script_ = std::move(script);
    options.name = "j at URL";
    options.secret = kSecret;
    options.sleep = [this](std::chrono::milliseconds time) { waits_.push_back(time); };
    return ChatJudge(
        [this](const std::string&) {
          ++calls_;
          HttpResult next = script_.front();
          if (script_.size() > 1) {
            script_.pop_front();
          }
          return next;
        },
        *store_, std::move(options));
  }
  // What goes wrong with the only question, after a good answer to another one.
  std::string failure_of(std::deque<HttpResult> script) {
    script.push_front(reply(200, chat_reply()));
    ChatJudge asked = judge(std::move(script));
    asked.ask(request_of("first " + std::to_string(++failures_)));
    try {
      asked.ask(request_of("second"));
    } catch (const std::exception& error) {
      return error.what();
    }
    return "";
  }

  std::optional<AnswerStore> store_;
  std::deque<HttpResult> script_;
  int calls_ = 0;
  int failures_ = 0;
  std::vector<std::chrono::milliseconds> waits_;
};

TEST_F(ChatJudgeTest, AnswersAreKeptAndNotPaidTwice) {
  ChatJudge first =
      judge({reply(200, chat_reply("M"))}, {.name = "", .price = {10, 30}, .max_cost = 1});
  EXPECT_EQ(text_of_reply(*first.ask(request_of("a"))), "M");
  EXPECT_EQ(text_of_reply(*first.ask(request_of("a"))), "M");
  EXPECT_EQ(calls_, 1);
  EXPECT_DOUBLE_EQ(first.spent(), (1000 * 10 + 100 * 30) / 1e6);
  store_.reset();  // another run
  store_.emplace(folder_ / "judge.jsonl");
  ChatJudge second = judge({no_reply(HttpFailure::closed)});
  EXPECT_EQ(text_of_reply(*second.ask(request_of("a"))), "M");
  EXPECT_EQ(second.asked(), 0);
}

TEST_F(ChatJudgeTest, WaitsDoubleAndTheEndpointsOwnWaitsAreHonoured) {
  HttpResult busy = reply(429, R"({"error": {"message": "slow down"}})");
  busy.retry_after = 7s;
  ChatJudge asked = judge({reply(500, "oops"), no_reply(HttpFailure::closed), busy,
                           no_reply(HttpFailure::timed_out), reply(200, chat_reply())});
  EXPECT_TRUE(asked.ask(request_of("a")));
  ASSERT_EQ(waits_.size(), 4U);
  // A wait is shortened by the time that has passed since.
  const std::chrono::milliseconds expected[] = {1s, 2s, 7s, 8s};
  for (std::size_t i = 0; i < waits_.size(); ++i) {
    EXPECT_LE(waits_[i], std::max(expected[i], 7000ms));
    EXPECT_GT(waits_[i], 0ms);
  }
  EXPECT_LE(waits_[0], 1s);
  EXPECT_GT(waits_[3], 2s);
}

// A limit that others use up is no fault of the endpoint: such refusals are no tries.
TEST_F(ChatJudgeTest, ARequestWaitsWhileOthersUseUpTheLimit) {
  constexpr int kBusy = 5;
  int refusals = 0;
  std::optional<ChatJudge> asked;
  const auto post = [&](const std::string& body) {
    if (body.find("slow") == std::string::npos || refusals == kBusy) {
      return reply(200, chat_reply());
    }
    asked->ask(request_of("other " + std::to_string(++refusals)));
    return reply(429, "too many");
  };
  ChatJudgeOptions options{.name = "j", .tries = 2};
  options.sleep = [this](std::chrono::milliseconds time) { waits_.push_back(time); };
  asked.emplace(post, *store_, std::move(options));
  EXPECT_TRUE(asked->ask(request_of("slow")));
  EXPECT_EQ(asked->asked(), kBusy + 1);
  EXPECT_LE(waits_.back(), 1s);
}

TEST_F(ChatJudgeTest, ARunEndsAfterTheLastTryAndKeepsWhatItHas) {
  EXPECT_THAT(failure_of({reply(503, "no")}),
              AllOf(HasSubstr("no answer after 8 attempts: status 503: no"),
                    HasSubstr("1 answer is kept in"), HasSubstr("run the same command again")));
  EXPECT_EQ(calls_, 9);
  EXPECT_THAT(failure_of({reply(200, "")}), HasSubstr("its answer is empty"));
  EXPECT_THAT(failure_of({reply(200, "<html>")}), HasSubstr("not that of a chat: <html>"));
  EXPECT_THAT(failure_of({reply(200, R"({"choices": []})")}), HasSubstr("not that of a chat"));
  EXPECT_THAT(failure_of({no_reply(HttpFailure::closed)}), HasSubstr("it did not work"));
}

TEST_F(ChatJudgeTest, WhatCannotSucceedEndsAtOnce) {
  const auto first_failure = [&](const HttpResult& result) {
    calls_ = 0;
    ChatJudge asked = judge({result});
    std::string message = user_error_of([&] { asked.ask(request_of("never seen")); });
    EXPECT_EQ(calls_, 1) << message;
    return message;
  };
  EXPECT_THAT(first_failure(reply(401, R"({"error": {"message": "Incorrect API key"}})")),
              AllOf(HasSubstr("refuses the key: status 401: Incorrect API key"),
                    HasSubstr("OPENAI_API_KEY")));
  EXPECT_THAT(first_failure(reply(404, "no such model")), HasSubstr("status 404: no such model"));
  EXPECT_THAT(first_failure(reply(400, "no logprobs")), HasSubstr("refuses the first request"));
  EXPECT_THAT(
      first_failure(reply(429, R"({"error": {"message": "x", "code": "insufficient_quota"}})")),
      HasSubstr("cannot answer"));
  EXPECT_THAT(first_failure(no_reply(HttpFailure::unreachable)), HasSubstr("cannot be reached"));
  EXPECT_THAT(first_failure(reply(200, "<html>")), HasSubstr("does not speak OpenAI's API"));
}

TEST_F(ChatJudgeTest, ARefusedRequestHasNoAnswerAndIsAskedAgainLater) {
  ChatJudge asked =
      judge({reply(200, chat_reply()), reply(400, "too long"), reply(200, chat_reply())});
  EXPECT_TRUE(asked.ask(request_of("a")));
  EXPECT_FALSE(asked.ask(request_of("b")));
  EXPECT_EQ(asked.refused(), 1);
  EXPECT_TRUE(asked.ask(request_of("b")));
}

TEST_F(ChatJudgeTest, MoneyIsNotSpentBeyondItsLimit) {
  ChatJudge asked =
      judge({reply(200, chat_reply())}, {.name = "", .price = {10, 30}, .max_cost = 0.02});
  EXPECT_TRUE(asked.ask(request_of("a")));  // $0.013
  EXPECT_TRUE(asked.ask(request_of("b")));  // $0.026
  EXPECT_THAT(user_error_of([&] { asked.ask(request_of("c")); }),
              AllOf(HasSubstr("has cost $0.03"), HasSubstr("--max_cost")));
  EXPECT_TRUE(asked.ask(request_of("a")));  // kept
}

TEST_F(ChatJudgeTest, AKeyIsNeverShownOrKept) {
  const std::string echo = std::string("your key ") + kSecret + " is wrong";
  ChatJudge refused = judge({reply(401, echo)});
  EXPECT_THAT(user_error_of([&] { refused.ask(request_of("a")); }),
              AllOf(HasSubstr("your key *** is wrong"), Not(HasSubstr(kSecret))));
  ChatJudge asked = judge({reply(200, chat_reply(echo.c_str()))});
  asked.ask(request_of("a"));
  EXPECT_THAT(read_file(store_->file()), AllOf(HasSubstr("***"), Not(HasSubstr(kSecret))));
}

TEST_F(ChatJudgeTest, TheStoreCutsATornLineAndRefusesOthers) {
  judge({reply(200, chat_reply())}).ask(request_of("a"));
  store_.reset();
  const fs::path file = folder_ / "judge.jsonl";
  const std::string whole = read_file(file);
  write_file_atomically(file, whole + "{\"key\": \"tor");
  store_.emplace(file);
  EXPECT_EQ(store_->size(), 1);
  EXPECT_EQ(read_file(file), whole);
  EXPECT_THAT(user_error_of([&] { AnswerStore again(file); }),
              Not(::testing::IsEmpty()));  // locked
  store_.reset();
  write_file_atomically(file, "{\"a\": 1}\n");
  EXPECT_THAT(user_error_of([&] { AnswerStore other(file); }), HasSubstr("judge.jsonl:1"));
}

}  // namespace
}  // namespace lmpo::chat_judge_test
