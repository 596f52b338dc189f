// Requests, examples and scores against the harness itself (tools/oracle/eval_golden.py), and against
// what its version of June 2023 stored of whole datasets.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/python_random.h"
#include "base/sha256.h"
#include "base/testing/test_paths.h"
#include "evaluate/task_run.h"

namespace lmpo::golden_test {
namespace {

const fs::path kTestdata = source_folder() / "src/evaluate/testdata";

const TextModel& chat_model() {
  static const TextModel model = TextModel::load(source_folder() / "src/data/testdata/chatml");
  return model;
}

EvaluationOptions options_of(const json& given) {
  EvaluationOptions options;
  options.data = {kTestdata};
  if (given.contains("num_fewshot")) {
    options.examples = given["num_fewshot"].get<std::int64_t>();
  }
  options.style.chat_template = given.value("apply_chat_template", false);
  options.style.examples_as_turns = given.value("fewshot_as_multiturn", true);
  options.style.system_instruction = given.value("system_instruction", "");
  return options;
}

// Gives replies in the order of all requests.
void reply(TaskResult& result, const json& answers) {
  PythonRandom random(42);
  std::size_t number = 0;
  for (EvaluatedDocument& one : result.documents) {
    for (std::size_t i = 0; i < one.requests(); ++i, ++number) {
      if (result.task->decoding) {
        one.replies.push_back({.text = answers[number % answers.size()].get<std::string>()});
      } else {
        const double logp = -random.random();
        one.replies.push_back({.logp = logp, .greedy = random.random() < 0.5});
      }
    }
  }
}

void compare_requests(const TaskResult& result, const json& documents, const PromptStyle& style) {
  ASSERT_EQ(result.documents.size(), documents.size());
  for (std::size_t d = 0; d < documents.size(); ++d) {
    const EvaluatedDocument& one = result.documents[d];
    const json& requests = documents[d].at("requests");
    ASSERT_EQ(one.requests(), requests.size());
    for (std::size_t i = 0; i < requests.size(); ++i) {
      EXPECT_EQ(one.context(i), requests[i][0].get<std::string>());
      if (result.task->decoding) {
        EXPECT_EQ(json(result.task->decoding->until), requests[i][1].at("until"));
      } else {
        EXPECT_EQ(continuation_of(one.asked, i, style), requests[i][1].get<std::string>());
      }
    }
  }
}

void compare_scores(const TaskResult& result, const json& documents) {
  for (std::size_t d = 0; d < documents.size(); ++d) {
    for (const Judgement& judgement : result.documents[d].judgements) {
      for (const auto& [metric, value] : documents[d].at("scores").at(judgement.filter).items()) {
        const auto found = std::ranges::find(judgement.metrics, metric, &MetricValue::name);
        ASSERT_NE(found, judgement.metrics.end()) << metric;
        EXPECT_NEAR(found->values.at(0), value.get<double>(), 1e-12) << metric << " of " << d;
      }
      if (!judgement.taken.empty()) {
        EXPECT_EQ(json(judgement.taken), documents[d].at("filtered").at(judgement.filter));
      }
    }
  }
}

void compare_results(const TaskResult& result, const json& expected) {
  for (const MetricResult& metric : result.metrics) {
    EXPECT_NEAR(metric.value, expected.at(metric.metric + "," + metric.filter).get<double>(),
                1e-12);
    const json& error = expected.at(metric.metric + "_stderr," + metric.filter);
    EXPECT_NEAR(metric.stderr_.value_or(-1), error.is_number() ? error.get<double>() : -1, 1e-12);
  }
  EXPECT_EQ(result.metrics.size() * 2, expected.size());
}

TEST(GoldenTasks, RequestsAndScoresAreThoseOfTheHarness) {
  const json golden = read_json(kTestdata / "golden.json");
  ASSERT_GT(golden.at("runs").size(), 20U);
  for (const json& run : golden.at("runs")) {
    SCOPED_TRACE(run.at("task").get<std::string>() + " " + run.at("options").dump());
    const EvaluationOptions options = options_of(run.at("options"));
    const ChosenTasks chosen = choose_tasks({run.at("task")}, Harness::current);
    TaskResult result = ask_task(*chosen.tasks.at(0), options, chat_model());
    compare_requests(result, run.at("documents"), options.style);
    reply(result, golden.at("answers"));
    judge_task(result);
    compare_scores(result, run.at("documents"));
    compare_results(result, run.at("results"));
  }
}

TEST(GoldenTasks, GroupsAreWeightedAndPooledAsInTheHarness) {
  const json golden = read_json(kTestdata / "golden.json");
  for (const json& group : golden.at("groups")) {
    std::vector<std::vector<MetricResult>> own;
    std::vector<MemberResult> members;
    for (std::size_t i = 0; i < group.at("values").size(); ++i) {
      own.push_back({{.metric = "acc",
                      .filter = "none",
                      .value = group.at("values")[i],
                      .stderr_ = group.at("stderrs")[i].get<double>()}});
    }
    for (std::size_t i = 0; i < own.size(); ++i) {
      members.push_back({own[i], group.at("sizes")[i]});
    }
    const std::vector<std::string> metrics = {"acc"};
    const auto results = aggregate_group(metrics, members);
    ASSERT_EQ(results.size(), 1U);
    EXPECT_NEAR(results[0].value, group.at("value").get<double>(), 1e-15);
    EXPECT_NEAR(*results[0].stderr_, group.at("stderr").get<double>(), 1e-15);
  }
}

// As Python's json.dumps writes a list of pairs.
std::string dumped(const std::vector<std::pair<std::string, json>>& requests) {
  const auto ascii = [](const json& value) { return value.dump(-1, ' ', true); };
  std::string text = "[";
  for (const auto& [context, argument] : requests) {
    text += (text.size() > 1 ? ", [" : "[") + ascii(context) + ", " + ascii(argument) + "]";
  }
  return text + "]";
}

class WholeDatasets : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(folder_)) {
      GTEST_SKIP() << "needs ../shared/eval/tasks";
    }
  }
  TaskResult asked(const std::string& name) const {
    EvaluationOptions options{.tasks = {name}, .harness = Harness::open_llm_v1, .data = {folder_}};
    options.examples = 0;
    const ChosenTasks chosen = choose_tasks({name}, Harness::open_llm_v1);
    return ask_task(*chosen.tasks.at(0), options, chat_model());
  }
  const fs::path folder_ = source_folder() / "../shared/eval/tasks";
};

TEST_F(WholeDatasets, ArcOfJune2023IsTheStoredOne) {
  TaskResult result = asked("arc_challenge");
  std::vector<std::pair<std::string, json>> requests;
  PythonRandom random(42);
  for (EvaluatedDocument& one : result.documents) {
    for (std::size_t i = 0; i < one.requests(); ++i) {
      requests.emplace_back(one.context(i), continuation_of(one.asked, i, {}));
      one.replies.push_back({.logp = -random.random()});
    }
  }
  EXPECT_EQ(sha256(dumped(requests)),
            "41c34c96cca8ace661911d0033d630c554b283f5a3953bcdc50720ae6b00a9c1");
  judge_task(result);
  EXPECT_NEAR(result.metrics.at(0).value, 0.24488054607508533, 1e-12);
  EXPECT_NEAR(result.metrics.at(1).value, 0.2440273037542662, 1e-12);
}

// Stored before the answer's ends became what they are.
TEST_F(WholeDatasets, Gsm8kOfJune2023HasTheStoredPrompts) {
  std::vector<std::pair<std::string, json>> requests;
  for (const EvaluatedDocument& one : asked("gsm8k").documents) {
    requests.emplace_back(one.context(0), json::array({"\n"}));
  }
  EXPECT_EQ(sha256(dumped(requests)),
            "e7292dbdd7fd8419ba954f2e0701e04c8d0e8842fe053dbf2fe47d926630e35e");
}

}  // namespace
}  // namespace lmpo::golden_test
