// lmpo serve as a program: its answers are those of lmpo generate, and it ends well.
#include <csignal>
#include <thread>

#include "cli/testing/commands.h"
#include "http/testing/raw_client.h"

namespace lmpo::serve_test {
namespace {

using ::testing::HasSubstr;

// A port that was free a moment ago.
int free_port() {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ::bind(socket, reinterpret_cast<const sockaddr*>(&address), size);
  ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
  ::close(socket);
  return ntohs(address.sin_port);
}

class Serve : public Commands {
 protected:
  Words words(const Words& more = {}) const {
    Words all = {"serve", "-m", model().string(), "--port", std::to_string(port_), "-t", "1"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  HttpAnswer post(const std::string& path, const json& body) const {
    RawClient client(port_);
    client.send(http_post(path, body.dump()));
    return client.answer();
  }
  std::string chat_text(json body) const {
    const HttpAnswer answer = post("/v1/chat/completions", body);
    EXPECT_EQ(answer.status, 200) << answer.body;
    return answer.value()["choices"][0]["message"]["content"];
  }
  static void end(Program& program) {
    program.signal(SIGTERM);
    const Result result = program.wait();
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_THAT(result.err, HasSubstr("the server has ended"));
  }

  int port_ = free_port();
};

TEST_F(Serve, AnswersAreThoseOfGenerate) {
  Program program(words());
  ASSERT_TRUE(program.read_until("listening on"));
  for (const char* prompt : {"first : cat moon", "last : red"}) {
    const json messages = json::array({turn("user", prompt)});
    const json greedy = {{"messages", messages}, {"temperature", 0}, {"max_tokens", 12}};
    EXPECT_EQ(chat_text(greedy), generate({"--prompt", prompt})[0]["output"]);
    const json drawn = {{"messages", messages}, {"seed", 5}, {"max_tokens", 12}, {"top_k", 7}};
    EXPECT_EQ(chat_text(drawn), generate({"--prompt", prompt, "--temperature", "1", "--seed", "5",
                                          "--top_k", "7"})[0]["output"]);
    const json plain =
        post("/v1/completions", {{"prompt", prompt}, {"temperature", 0}, {"max_tokens", 12}})
            .value();
    const json same = generate({"--no_chat_template", "--prompt", prompt})[0];
    EXPECT_EQ(plain["choices"][0]["text"], same["output"]);
    EXPECT_EQ(plain["choices"][0]["finish_reason"], same["finish_reason"]);
    EXPECT_EQ(plain["usage"]["completion_tokens"], same["output_tokens"]);
  }
  end(program);
}

TEST_F(Serve, LogProbabilitiesOfPromptsDoNotDependOnWhatIsRemembered) {
  const json prompt = tokenize("\"first : cat moon\"\n")[0]["ids"];
  Program program(words());
  ASSERT_TRUE(program.read_until("listening on"));
  const auto scored = [&](const json& ids) {
    return post("/v1/completions",
                {{"prompt", ids}, {"echo", true}, {"logprobs", 1}, {"max_tokens", 0}})
        .value()["choices"][0]["logprobs"]["token_logprobs"];
  };
  const json all = scored(prompt);
  ASSERT_EQ(all.size(), prompt.size());
  EXPECT_TRUE(all[0].is_null());
  // A shorter prompt has the same log-probabilities, found in the cache or not.
  const json shorter = scored(json(prompt.begin(), prompt.end() - 1));
  for (std::size_t i = 1; i < shorter.size(); ++i) {
    EXPECT_EQ(shorter[i], all[i]) << i;
  }
  EXPECT_EQ(scored(prompt), all);
  end(program);
}

TEST_F(Serve, ServesTwoModelsByTheirNames) {
  const fs::path other = copy_of_model("second");
  Program program(words({"--other", other.string()}));
  ASSERT_TRUE(program.read_until("listening on"));
  const json body = {{"prompt", "cat"}, {"temperature", 0}, {"model", "second"}};
  EXPECT_EQ(post("/v1/completions", body).value()["model"], "second");
  end(program);
}

TEST_F(Serve, LogsALineForARequestAndContentsOnlyIfAsked) {
  const json body = {{"prompt", "cat moon red"}, {"temperature", 0}, {"max_tokens", 2}};
  for (const bool contents : {false, true}) {
    Program program(words(contents ? Words{"--log_contents"} : Words()));
    ASSERT_TRUE(program.read_until("listening on"));
    EXPECT_EQ(post("/v1/completions", body).status, 200);
    program.signal(SIGINT);
    const Result result = program.wait();
    EXPECT_EQ(result.exit_code, 0);
    EXPECT_THAT(result.err, HasSubstr("POST /v1/completions: 200, "));
    EXPECT_THAT(result.err, HasSubstr("+ 2 tokens"));
    EXPECT_EQ(result.err.find("cat moon red") != std::string::npos, contents) << result.err;
  }
}

TEST_F(Serve, ComesBackAfterItWasKilled) {
  {
    Program program(words());
    ASSERT_TRUE(program.read_until("listening on"));
    RawClient client(port_);
    client.send(http_post("/v1/completions", R"({"prompt": "cat", "max_tokens": 60, "n": 50})"));
    program.signal(SIGKILL);
    EXPECT_EQ(program.wait().exit_code, -SIGKILL);
    client.answer();  // ends, whether it came or not
  }
  Program program(words());
  ASSERT_TRUE(program.read_until("listening on"));
  EXPECT_EQ(post("/v1/completions", {{"prompt", "cat"}}).status, 200);
  end(program);
}

TEST_F(Serve, MistakesAreNamedBeforeItListens) {
  const auto refused = [&](const Words& more, const char* message) {
    const Result result = run(words(more));
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_THAT(result.err, HasSubstr(message));
  };
  refused({"--context", "1000000"}, "the model was made for");
  refused({"--cache_tokens", "1"}, "a cache of 1 tokens was asked for");
  refused({"--other", model().string()}, "two models are called 'model'");
  refused({"--port", "99999"}, "port");
  refused({"--host", "256.0.0.1"}, "cannot listen on 256.0.0.1");
}

}  // namespace
}  // namespace lmpo::serve_test
