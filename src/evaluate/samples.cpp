#include "evaluate/samples.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/sha256.h"

namespace lmpo {
namespace {

// As Python writes them in text.
std::string python_text(double value) {
  return json(value).dump();
}
std::string python_text(bool value) {
  return value ? "True" : "False";
}

ordered_json decoding_json(const Decoding& decoding) {
  return {{"until", decoding.until},
          {"do_sample", false},
          {"temperature", 0.0},
          {"max_gen_toks", decoding.max_new_tokens}};
}

// A choice's reply is a pair of texts, an answer is one text, that of a whole text a number.
ordered_json reply_json(const TaskInfo& task, const Reply& reply) {
  if (reply.text) {
    return *reply.text;
  }
  if (task.whole_text) {
    return python_text(reply.logp);
  }
  return ordered_json::array({python_text(reply.logp), python_text(reply.greedy)});
}

ordered_json arguments_of(const TaskInfo& task, const EvaluatedDocument& one,
                          const PromptStyle& style) {
  ordered_json arguments = ordered_json::object();
  for (std::size_t i = 0; i < one.replies.size(); ++i) {
    ordered_json& argument = arguments[fmt::format("gen_args_{}", i)];
    argument["arg_0"] = one.context(i);
    if (task.decoding) {
      argument["arg_1"] = decoding_json(*task.decoding);
    } else if (!task.whole_text) {
      argument["arg_1"] = continuation_of(one.asked, i, style);
    }
  }
  return arguments;
}

ordered_json value_json(const TaskInfo& task, const MetricValue& value) {
  for (const MetricInfo& info : task.metrics) {
    if (info.name == value.name && info.aggregation == Aggregation::mean) {
      return value.values.front();
    }
  }
  return value.values;
}

bool is_metric(const TaskInfo& task, const std::string& name) {
  return std::ranges::any_of(task.metrics,
                             [&](const MetricInfo& info) { return info.name == name; });
}

std::string target_of(const Asked& asked) {
  if (!asked.target.empty()) {
    return asked.target;
  }
  const bool by_index = !asked.choices.empty() && asked.prompts.size() == 1;
  return by_index ? std::to_string(asked.gold) : asked.answer;
}

}  // namespace

ordered_json sample_of(const TaskResult& task, std::size_t index, std::size_t filter,
                       const PromptStyle& style) {
  const EvaluatedDocument& one = task.documents[index];
  const Judgement& judgement = one.judgements[filter];
  const std::string target = target_of(one.asked);
  ordered_json resps = ordered_json::array();
  ordered_json filtered = ordered_json::array();
  for (std::size_t i = 0; i < one.replies.size(); ++i) {
    ordered_json reply = reply_json(*task.task, one.replies[i]);
    filtered.push_back(judgement.taken.empty() ? reply : ordered_json(judgement.taken[i]));
    resps.push_back(ordered_json::array({std::move(reply)}));
  }
  ordered_json metrics = ordered_json::array();
  ordered_json values = ordered_json::object();
  for (const MetricValue& value : judgement.metrics) {
    if (is_metric(*task.task, value.name)) {
      metrics.push_back(value.name);
      values[value.name] = value_json(*task.task, value);
    }
  }
  ordered_json sample = {{"doc_id", index},
                         {"doc", one.document.row()},
                         {"target", target},
                         {"arguments", arguments_of(*task.task, one, style)},
                         {"resps", std::move(resps)},
                         {"filtered_resps", std::move(filtered)},
                         {"filter", judgement.filter},
                         {"metrics", std::move(metrics)},
                         {"doc_hash", sha256(one.document.row().dump(2))},
                         {"prompt_hash", sha256(one.contexts.front())},
                         {"target_hash", sha256(target)}};
  sample.update(values);
  return sample;
}

}  // namespace lmpo
