#include "evaluate/reply_file.h"

#include "base/growing_file.h"
#include "base/json.h"
#include "base/log.h"

namespace lmpo {
namespace {

ordered_json line_of(const std::string& key, const Reply& reply) {
  return reply.text ? ordered_json{{"key", key}, {"text", *reply.text}}
                    : ordered_json{{"key", key}, {"logp", reply.logp}, {"greedy", reply.greedy}};
}

// None where the line is no reply.
std::optional<std::pair<std::string, Reply>> parsed(std::string_view line) {
  const json value = json::parse(line, nullptr, false);
  if (!value.is_object() || !value.contains("key") || !value["key"].is_string()) {
    return std::nullopt;
  }
  Reply reply;
  if (value.contains("text") && value["text"].is_string()) {
    reply.text = value["text"].get<std::string>();
  } else if (value.contains("logp") && value["logp"].is_number() && value.contains("greedy") &&
             value["greedy"].is_boolean()) {
    reply.logp = value["logp"].get<double>();
    reply.greedy = value["greedy"].get<bool>();
  } else {
    return std::nullopt;
  }
  return std::pair(value["key"].get<std::string>(), std::move(reply));
}

}  // namespace

ReplyFile::ReplyFile(fs::path path) : path_(std::move(path)) {
  if (!path_.empty()) {
    append_to_file(path_, "");
    lock_.emplace(path_);
    read();
  }
}

void ReplyFile::read() {
  const std::string text = read_file(path_);
  std::int64_t line_number = 0;
  std::int64_t strange = 0;
  std::int64_t first_strange = 0;
  std::size_t whole = 0;
  for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', whole)) {
    ++line_number;
    auto reply = parsed(std::string_view(text).substr(whole, end - whole));
    whole = end + 1;
    if (reply) {
      replies_.insert_or_assign(std::move(reply->first), std::move(reply->second));
    } else if (++strange == 1) {
      first_strange = line_number;
    }
  }
  if (whole < text.size()) {
    fs::resize_file(path_, whole);
  }
  if (strange > 0) {
    log_warning("{}: {} lines are not replies, the first is line {}; they are computed again",
                path_.string(), strange, first_strange);
  }
}

const Reply* ReplyFile::find(const std::string& key) const {
  const auto found = replies_.find(key);
  return found == replies_.end() ? nullptr : &found->second;
}

void ReplyFile::add(const std::string& key, Reply reply) {
  if (!path_.empty()) {
    append_to_file(path_, json_line(line_of(key, reply)) + "\n");
  }
  replies_.insert_or_assign(key, std::move(reply));
}

}  // namespace lmpo
