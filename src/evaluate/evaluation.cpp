#include "evaluate/evaluation.h"

#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/progress.h"
#include "evaluate/encoder.h"
#include "evaluate/likelihood.h"
#include "generate/generator.h"

namespace lmpo {
namespace {

// A request as the model sees it, and its key.
struct EncodedRequest {
  std::vector<Sequence> scored = {};  // their log-probabilities are added; none where it writes
  std::vector<TokenId> prompt = {};
  const Decoding* decoding = nullptr;
};

std::string key_of(const EncodedRequest& request, const std::string& fingerprint) {
  Hash hash;
  hash.add(fingerprint);
  const auto add_tokens = [&](const auto& tokens) {
    hash.add(tokens.data(), tokens.size() * sizeof(TokenId));
  };
  for (const Sequence& sequence : request.scored) {
    add_tokens(sequence.tokens);
    hash.add(static_cast<std::uint64_t>(sequence.scored_begin));
  }
  if (request.decoding != nullptr) {
    add_tokens(request.prompt);
    hash.add(static_cast<std::uint64_t>(request.decoding->max_new_tokens));
    for (const std::string& text : request.decoding->until) {
      hash.add(text);
    }
  }
  return hash.text();
}

// The requests whose replies are not known, by their keys.
using Missing = std::map<std::string, EncodedRequest>;

std::vector<EncodedRequest> encode(const TaskInfo& task, const EvaluatedDocument& one,
                                   const PromptStyle& style, Encoder& encoder) {
  const std::string& place = one.document.place();
  if (task.whole_text) {
    return {{.scored = encoder.text(one.contexts.front(), place)}};
  }
  if (task.decoding) {
    return {{.prompt = encoder.prompt(one.contexts.front(), task.decoding->max_new_tokens, place),
             .decoding = &*task.decoding}};
  }
  std::vector<EncodedRequest> requests;
  for (std::size_t i = 0; i < one.requests(); ++i) {
    requests.push_back(
        {.scored = {encoder.choice(one.context(i), continuation_of(one.asked, i, style), place)}});
  }
  return requests;
}

// Computes replies and keeps them.
class Replying {
 public:
  Replying(const EvaluatedModel& model, ReplyFile& replies, std::int64_t batch_size,
           std::int64_t requests)
      : model_(model),
        replies_(replies),
        batch_size_(batch_size),
        progress_({.what = "evaluation", .unit = "requests", .total = requests}) {}

  void run(const Missing& missing) {
    score(missing);
    write(missing);
  }

 private:
  // What of a request with several sequences is known.
  struct Part {
    std::size_t left = 0;
    Reply reply = {.greedy = true};
  };

  void score(const Missing& missing) {
    std::vector<const Sequence*> sequences;
    std::vector<const std::string*> keys;
    std::map<std::string, Part> parts;
    for (const auto& [key, request] : missing) {
      for (const Sequence& sequence : request.scored) {
        sequences.push_back(&sequence);
        keys.push_back(&key);
      }
      parts[key].left = request.scored.size();
    }
    const LikelihoodStatistics statistics = score_likelihoods(
        model_.model, sequences, batch_size_, [&](std::size_t index, const Likelihood& likelihood) {
          Part& part = parts[*keys[index]];
          part.reply.logp += likelihood.logp;
          part.reply.greedy = part.reply.greedy && likelihood.greedy;
          if (--part.left == 0) {
            replies_.add(*keys[index], part.reply);
            progress_.step(1, std::ssize(sequences[index]->tokens));
          }
        });
    if (!sequences.empty()) {
      log_info("{} log-likelihoods over {} tokens, of which {} were computed", sequences.size(),
               statistics.tokens, statistics.computed);
    }
  }

  // Those that are decoded alike together.
  void write(const Missing& missing) {
    std::vector<const Decoding*> kinds;
    for (const auto& [key, request] : missing) {
      const Decoding* own = request.decoding;
      if (own != nullptr &&
          std::ranges::none_of(kinds, [&](const Decoding* kind) { return *kind == *own; })) {
        kinds.push_back(own);
      }
    }
    for (const Decoding* kind : kinds) {
      PromptTokens prompts;
      std::vector<const std::string*> keys;
      for (const auto& [key, request] : missing) {
        if (request.decoding != nullptr && *request.decoding == *kind) {
          prompts.push_back(request.prompt);
          keys.push_back(&key);
        }
      }
      write(*kind, prompts, keys);
    }
  }

  void write(const Decoding& decoding, const PromptTokens& prompts,
             const std::vector<const std::string*>& keys) {
    const Tokenizer& tokenizer = model_.text.tokenizer;
    GenerationOptions options{.sampling = {.temperature = 0},
                              .max_new_tokens = decoding.max_new_tokens,
                              .batch_size = batch_size_,
                              .stop_ids = stop_tokens(model_.folder, model_.model.config),
                              .stop_strings = decoding.until,
                              .tokenizer = &tokenizer};
    // A special token is not in the text, so it is looked for by its id.
    for (const std::string& text : decoding.until) {
      if (const auto id = tokenizer.find(text); id && tokenizer.has_special_tokens(text)) {
        options.stop_ids.push_back(*id);
      }
    }
    Arena counting = Arena::counting();
    count_generation(generation_size(prompts, options, model_.model.config), *model_.model.weights,
                     *make_plan_ops(*model_.model.ops), counting);
    Arena arena = model_.model.device->make_arena(counting.peak());
    generate_with(*model_.model.weights, *model_.model.ops, arena, prompts, options,
                  [&](const Completion& completion) {
                    replies_.add(*keys[static_cast<std::size_t>(completion.prompt)],
                                 {.text = text_of(completion, decoding)});
                    progress_.step(1, std::ssize(completion.tokens));
                  });
  }

  // As one text, whatever its tokens are, up to the first of the texts that end it.
  std::string text_of(const Completion& completion, const Decoding& decoding) const {
    std::string text = model_.text.tokenizer.decode(completion.tokens, true);
    for (const std::string& end : decoding.until) {
      text.resize(std::min(text.size(), text.find(end)));
    }
    return text;
  }

  const EvaluatedModel& model_;
  ReplyFile& replies_;
  std::int64_t batch_size_;
  Progress progress_;
};

std::int64_t found_replies(std::span<const TaskResult> tasks, const ReplyFile& replies) {
  std::int64_t found = 0;
  for (const TaskResult& task : tasks) {
    for (const EvaluatedDocument& one : task.documents) {
      found += std::ranges::count_if(
          one.keys, [&](const std::string& key) { return replies.find(key) != nullptr; });
    }
  }
  return found;
}

void take_replies(TaskResult& result, const ReplyFile& replies) {
  for (EvaluatedDocument& one : result.documents) {
    for (const std::string& key : one.keys) {
      const Reply* reply = replies.find(key);
      LMPO_CHECK(reply != nullptr);
      one.replies.push_back(*reply);
    }
  }
}

GroupResult group_result(const GroupInfo& group, std::span<const TaskResult> tasks,
                         Harness harness) {
  GroupResult result{.group = &group, .tasks = tasks_of(group, harness)};
  std::vector<MemberResult> members;
  for (const TaskResult& task : tasks) {
    if (std::ranges::find(result.tasks, task.task) != result.tasks.end()) {
      members.push_back({task.metrics, std::ssize(task.documents)});
      result.documents += std::ssize(task.documents);
    }
  }
  result.metrics = aggregate_group(group.metrics, members);
  return result;
}

}  // namespace

EvaluationResult evaluate(const EvaluationOptions& options, const EvaluatedModel& model,
                          const std::function<ReplyFile&()>& open_replies) {
  const ChosenTasks chosen = choose_tasks(options.tasks, options.harness);
  const std::int64_t context = model.model.config.max_positions;
  Encoder encoder(model.text.tokenizer, options.max_length == 0 ? context : options.max_length,
                  options.harness);
  EvaluationResult result;
  Missing missing;
  for (const TaskInfo* task : chosen.tasks) {
    TaskResult& prepared = result.tasks.emplace_back(ask_task(*task, options, model.text));
    for (EvaluatedDocument& one : prepared.documents) {
      for (EncodedRequest& request : encode(*task, one, options.style, encoder)) {
        one.keys.push_back(key_of(request, model.fingerprint));
        ++result.requests;
        missing.emplace(one.keys.back(), std::move(request));
      }
    }
    log_info("{}: {} of {} documents, {} examples before each", task->name,
             prepared.documents.size(), prepared.available, prepared.examples);
  }
  result.truncated = encoder.truncated();
  if (result.truncated > 0) {
    log_warning(
        "{} of {} requests are longer than the model's context: their beginning was cut "
        "off, as the harness does",
        result.truncated, result.requests);
  }
  ReplyFile& replies = open_replies();
  result.found = found_replies(result.tasks, replies);
  std::erase_if(missing, [&](const auto& one) { return replies.find(one.first) != nullptr; });
  if (result.found > 0) {
    log_info("{} of {} replies are there from before", result.found, result.requests);
  }
  Replying(model, replies, options.batch_size, std::ssize(missing)).run(missing);
  for (TaskResult& task : result.tasks) {
    take_replies(task, replies);
    judge_task(task);
  }
  for (const GroupInfo* group : chosen.groups) {
    result.groups.push_back(group_result(*group, result.tasks, options.harness));
  }
  return result;
}

}  // namespace lmpo
