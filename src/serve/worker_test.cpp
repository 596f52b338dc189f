// The worker, with an engine whose answers are known.
#include "serve/worker.h"

#include <gmock/gmock.h>

#include <future>

#include "serve/testing/scripted_source.h"

namespace lmpo::worker_test {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

constexpr auto kLongest = 20'000ms;

EngineRequest request_for(std::vector<std::int32_t> prompt, std::int64_t length = 100) {
  return {.prompt = std::move(prompt), .max_new_tokens = length};
}

std::vector<std::int32_t> echo(const EngineRequest& request) {
  return request.prompt;
}

// The tokens of each request, read to their ends.
std::vector<std::vector<std::int32_t>> read_all(Ticket& ticket, std::size_t count) {
  std::vector<std::vector<std::int32_t>> tokens(count);
  for (std::size_t ended = 0; ended < count;) {
    for (const News& news : ticket.wait(kLongest)) {
      if (news.event.token) {
        tokens[news.index].push_back(news.event.token->token);
      }
      ended += news.event.end ? 1 : 0;
    }
  }
  return tokens;
}

template <typename Condition>
void wait_until(const Condition& condition) {
  const auto end = std::chrono::steady_clock::now() + kLongest;
  while (!condition()) {
    ASSERT_LT(std::chrono::steady_clock::now(), end) << "it did not come to that";
    std::this_thread::sleep_for(1ms);
  }
}

ApiError error_of(Ticket& ticket) {
  try {
    while (true) {
      ticket.wait(kLongest);
    }
  } catch (const ApiError& error) {
    return error;
  }
}

TEST(Worker, ManyClientsGetTheirOwnTokens) {
  ScriptedSource one(echo);
  ScriptedSource other(echo);
  Worker worker({&one, &other}, 10'000);
  std::vector<std::future<void>> clients;
  for (std::int32_t client = 0; client < 8; ++client) {
    clients.push_back(std::async(std::launch::async, [&worker, client] {
      for (std::int32_t i = 0; i < 20; ++i) {
        const std::vector<std::int32_t> a = {client, i, 1};
        const std::vector<std::int32_t> b = {client, i, 2, 3};
        const auto ticket =
            worker.submit(static_cast<std::size_t>(client % 2), {request_for(a), request_for(b)});
        EXPECT_THAT(read_all(*ticket, 2), ::testing::ElementsAre(a, b));
      }
    }));
  }
  for (std::future<void>& client : clients) {
    client.get();
  }
  EXPECT_EQ(one.running() + other.running(), 0);
  EXPECT_EQ(one.cancelled() + other.cancelled(), 0);
}

TEST(Worker, ATicketThatGoesTakesItsRequestsAlong) {
  ScriptedSource source(echo);
  source.holds = true;
  Worker worker({&source}, 100);
  auto gone = worker.submit(0, {request_for({1}), request_for({2})});
  const auto stays = worker.submit(0, {request_for({3})});
  wait_until([&] { return source.running() == 3; });
  gone.reset();
  wait_until([&] { return source.cancelled() == 2; });
  source.holds = false;
  EXPECT_THAT(read_all(*stays, 1), ::testing::ElementsAre(std::vector<std::int32_t>{3}));
}

TEST(Worker, OneRequestOfATicketCanBeCancelled) {
  ScriptedSource source(echo);
  source.holds = true;
  Worker worker({&source}, 100);
  const auto ticket = worker.submit(0, {request_for({1}), request_for({2})});
  wait_until([&] { return source.running() == 2; });
  ticket->cancel(0);
  wait_until([&] { return source.cancelled() == 1; });
  source.holds = false;
  const std::vector<News> news = ticket->wait(kLongest);
  ASSERT_EQ(news.size(), 1U);
  EXPECT_EQ(news[0].index, 1U);
}

TEST(Worker, AFullQueueRefuses) {
  ScriptedSource source(echo);
  source.holds = true;
  Worker worker({&source}, 2);
  auto first = worker.submit(0, {request_for({1}), request_for({2})});
  try {
    worker.submit(0, {request_for({3})});
    ADD_FAILURE() << "it was taken";
  } catch (const ApiError& error) {
    EXPECT_EQ(error.status(), 429);
    EXPECT_THAT(error.what(), HasSubstr("Rate limit reached"));
    EXPECT_EQ(error.body()["error"]["code"], "rate_limit_exceeded");
  }
  source.holds = false;
  read_all(*first, 2);
  const auto next = worker.submit(0, {request_for({3})});
  EXPECT_EQ(read_all(*next, 1).size(), 1U);
}

TEST(Worker, CancelledRequestsMakeRoom) {
  ScriptedSource source(echo);
  source.holds = true;
  Worker worker({&source}, 1);
  worker.submit(0, {request_for({1})}).reset();
  std::unique_ptr<Ticket> next;
  wait_until([&] {
    try {
      next = worker.submit(0, {request_for({2})});
    } catch (const ApiError&) {
    }
    return next != nullptr;
  });
}

TEST(Worker, ARequestThatTheEngineRefusesFailsAlone) {
  ScriptedSource source(echo);
  source.refusal = "the request has a fault";
  Worker worker({&source}, 100);
  const auto ticket = worker.submit(0, {request_for({1})});
  const ApiError error = error_of(*ticket);
  EXPECT_EQ(error.status(), 400);
  EXPECT_STREQ(error.what(), "the request has a fault");
  EXPECT_EQ(worker.failure(), "");
}

TEST(Worker, AnEngineThatThrowsEndsAll) {
  ScriptedSource source(echo);
  source.holds = true;
  std::promise<void> told;
  Worker worker({&source}, 100, [&] { told.set_value(); });
  const auto ticket = worker.submit(0, {request_for({1}), request_for({2})});
  wait_until([&] { return source.running() == 2; });
  source.fails = true;
  const ApiError error = error_of(*ticket);
  EXPECT_EQ(error.status(), 500);
  EXPECT_EQ(error.body()["error"]["type"], "server_error");
  told.get_future().wait();
  EXPECT_EQ(worker.failure(), "the scripted engine is broken");
  EXPECT_THROW(worker.submit(0, {request_for({3})}), ApiError);
}

TEST(Worker, EndsWhatRunsWhenItIsToldTo) {
  ScriptedSource source(echo);
  source.holds = true;
  Worker worker({&source}, 100);
  const auto ticket = worker.submit(0, {request_for({1})});
  wait_until([&] { return source.running() == 1; });
  worker.refuse();
  EXPECT_THROW(worker.submit(0, {request_for({2})}), ApiError);
  worker.end_all();
  EXPECT_EQ(error_of(*ticket).status(), 503);
  wait_until([&] { return source.running() == 0; });
}

TEST(Worker, WaitingForNewsEnds) {
  ScriptedSource source(echo);
  source.holds = true;
  Worker worker({&source}, 100);
  const auto ticket = worker.submit(0, {request_for({1})});
  EXPECT_TRUE(ticket->wait(1ms).empty());
}

}  // namespace
}  // namespace lmpo::worker_test
