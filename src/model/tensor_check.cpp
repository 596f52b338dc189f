#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/log.h"
#include "model/family.h"

namespace lmpo {
namespace {

std::string shape_text(const std::vector<std::int64_t>& shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

// "  3 missing: a, b, c" with at most five named.
std::string list_line(const std::vector<std::string>& items, const char* what) {
  if (items.empty()) {
    return "";
  }
  const auto shown = std::min<std::ptrdiff_t>(5, std::ssize(items));
  return fmt::format("\n  {} {}: {}{}", items.size(), what,
                     fmt::join(items.begin(), items.begin() + shown, ", "),
                     std::ssize(items) > shown ? ", ..." : "");
}

// A tied model's checkpoint may hold the head again; one that differs is another model.
void check_tied_head(const Checkpoint& checkpoint) {
  const TensorView head = checkpoint.tensor("lm_head.weight");
  const TensorView embedding = checkpoint.tensor("model.embed_tokens.weight");
  const bool same = head.dtype == embedding.dtype && head.shape == embedding.shape &&
                    std::ranges::equal(head.bytes, embedding.bytes);
  if (!same) {
    user_error(
        "{}: lm_head.weight differs from model.embed_tokens.weight, though config.json says "
        "tie_word_embeddings: true; set it to false to use the head, or remove lm_head.weight",
        checkpoint.path().string());
  }
  log_info("{}: lm_head.weight equals the embedding it is tied to and is not read",
           checkpoint.path().string());
}

// What people take for a reward model deserves more than a list of names.
void check_reward_head(const ModelConfig& config, const Checkpoint& checkpoint) {
  const StoredTensor* score = checkpoint.find("score.weight");
  if (score == nullptr) {
    user_error(
        "{}: there is no score.weight; a reward model was expected: transformers' "
        "{}ForSequenceClassification with one label",
        checkpoint.path().string(), find_family(config.family).class_prefix);
  }
  if (!score->shape.empty() && score->shape[0] != 1) {
    user_error(
        "{}: score.weight is {}, a row for each of {} labels; a reward model has one label "
        "(num_labels=1)",
        checkpoint.path().string(), shape_text(score->shape), score->shape[0]);
  }
}

}  // namespace

void check_tensors(const ModelConfig& config, const Checkpoint& checkpoint) {
  if (!checkpoint.left_out().empty()) {
    log_info("{}: {} tensors are left out, which are not the language model's: {}, ...",
             checkpoint.path().string(), checkpoint.left_out().size(), checkpoint.left_out()[0]);
  }
  if (config.head == Head::reward) {
    check_reward_head(config, checkpoint);
  }
  std::set<std::string> known;
  std::vector<std::string> missing;
  std::vector<std::string> misshaped;
  for (const ModelTensor& expected : model_tensors(config)) {
    known.insert(expected.name);
    const StoredTensor* stored = checkpoint.find(expected.name);
    if (stored == nullptr) {
      missing.push_back(expected.name);
    } else if (stored->shape != expected.shape) {
      misshaped.push_back(fmt::format("{} is {}, config.json says {}", expected.name,
                                      shape_text(stored->shape), shape_text(expected.shape)));
    }
  }
  const bool tied = !config.stores_head();
  bool tied_head = false;
  std::vector<std::string> unexpected;
  for (const std::string& name : checkpoint.names()) {
    tied_head |= tied && name == "lm_head.weight";
    const bool ignored =
        name.ends_with("rotary_emb.inv_freq") || (tied && name == "lm_head.weight");
    if (!known.contains(name) && !ignored) {
      unexpected.push_back(name);
    }
  }
  const bool only_head = missing.size() == 1 && missing[0] == "lm_head.weight";
  const std::string problems =
      list_line(missing, "missing") +
      (only_head ? " (if the head is tied to the embedding, set tie_word_embeddings: true)" : "") +
      list_line(unexpected, "unexpected") + list_line(misshaped, "of another shape");
  if (!problems.empty()) {
    user_error("{}: the tensors do not fit config.json:{}", checkpoint.path().string(), problems);
  }
  if (tied_head) {
    check_tied_head(checkpoint);
  }
}

}  // namespace lmpo
