// An evaluation: tasks to requests, requests to replies, replies to numbers.
//
// All requests of all tasks are collected first; equal ones are computed once. Those that are on
// disk already are not computed again.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "evaluate/reply_file.h"
#include "evaluate/task_run.h"
#include "model/loaded_model.h"

namespace lmpo {

struct GroupResult {
  const GroupInfo* group;
  std::vector<const TaskInfo*> tasks = {};
  std::int64_t documents = 0;
  std::vector<MetricResult> metrics = {};
};

struct EvaluationResult {
  std::vector<TaskResult> tasks;
  std::vector<GroupResult> groups;
  std::int64_t requests = 0;
  std::int64_t found = 0;      // on disk
  std::int64_t truncated = 0;  // requests that lost the beginning of their context
};

// A model and what it reads. Thread-safe use by one thread at a time.
struct EvaluatedModel {
  fs::path folder;
  LoadedModel& model;
  const TextModel& text;
  std::string fingerprint;  // of all that decides its replies
};

// UserError as the parts throw: data that is missing or of another kind, a choice that does not fit.
// open_replies is called once, after all of that, so that a refusal leaves no file behind.
EvaluationResult evaluate(const EvaluationOptions& options, const EvaluatedModel& model,
                          const std::function<ReplyFile&()>& open_replies);

}  // namespace lmpo
