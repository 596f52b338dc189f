#include "judge/answer_store.h"

#include <utility>

#include "base/error.h"
#include "base/growing_file.h"
#include "base/hash.h"
#include "base/log.h"

namespace lmpo {

AnswerStore::AnswerStore(fs::path file) : file_(std::move(file)) {
  if (!fs::exists(file_)) {
    write_file_atomically(file_, "");
  }
  lock_.emplace(file_);
  read();
}

std::string AnswerStore::key_of(std::string_view judge, const ordered_json& question) {
  Hash hash;
  hash.add(judge);
  hash.add(json_line(question));
  return hash.text();
}

void AnswerStore::read() {
  const std::string text = read_file(file_);
  std::size_t at = 0;
  std::int64_t line = 1;
  for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', at)) {
    const std::string place = fmt::format("{}:{}", file_.string(), line++);
    ordered_json value = parse_ordered_json(std::string_view(text).substr(at, end - at), place);
    if (!value.is_object() || !value.contains("key") || !value["key"].is_string() ||
        !value.contains("answer")) {
      user_error(
          "{}: an answer of a judge with its key was expected; choose another folder, or "
          "remove the file",
          place);
    }
    answers_[value["key"].get<std::string>()] = std::move(value["answer"]);
    at = end + 1;
  }
  if (at < text.size()) {
    log_info("{}: the last answer was cut short and is asked for again", file_.string());
    fs::resize_file(file_, at);
  }
}

std::optional<ordered_json> AnswerStore::find(const std::string& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = answers_.find(key);
  return found == answers_.end() ? std::nullopt : std::optional(found->second);
}

void AnswerStore::add(const std::string& key, const ordered_json& answer) {
  const std::lock_guard lock(mutex_);
  append_to_file(file_, json_line({{"key", key}, {"answer", answer}}) + "\n");
  answers_[key] = answer;
}

std::int64_t AnswerStore::size() const {
  const std::lock_guard lock(mutex_);
  return std::ssize(answers_);
}

}  // namespace lmpo
