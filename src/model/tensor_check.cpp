#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/log.h"
#include "model/config.h"

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
void check_reward_head(const Checkpoint& checkpoint) {
  const StoredTensor* score = checkpoint.find("score.weight");
  if (score == nullptr) {
    user_error(
        "{}: there is no score.weight; a reward model was expected, LlamaForSequenceClassification "
        "or MistralForSequenceClassification of transformers with one label",
        checkpoint.path().string());
  }
  if (!score->shape.empty() && score->shape[0] != 1) {
    user_error(
        "{}: score.weight is {}, a row for each of {} labels; a reward model has one label "
        "(num_labels=1)",
        checkpoint.path().string(), shape_text(score->shape), score->shape[0]);
  }
}

}  // namespace

std::vector<ExpectedTensor> expected_tensors(const ModelConfig& config) {
  const std::int64_t hidden = config.hidden_size;
  const std::int64_t query_size = config.heads * config.head_size;
  const std::int64_t key_size = config.key_heads * config.head_size;
  const std::int64_t feed_forward = config.intermediate_size;
  std::vector<ExpectedTensor> tensors = {
      {"model.embed_tokens.weight", {config.vocab_size, hidden}}};
  for (std::int64_t l = 0; l < config.layers; ++l) {
    const auto add = [&](const char* name, std::vector<std::int64_t> shape) {
      tensors.push_back({fmt::format("model.layers.{}.{}.weight", l, name), std::move(shape)});
    };
    add("self_attn.q_proj", {query_size, hidden});
    add("self_attn.k_proj", {key_size, hidden});
    add("self_attn.v_proj", {key_size, hidden});
    add("self_attn.o_proj", {hidden, query_size});
    add("mlp.gate_proj", {feed_forward, hidden});
    add("mlp.up_proj", {feed_forward, hidden});
    add("mlp.down_proj", {hidden, feed_forward});
    add("input_layernorm", {hidden});
    add("post_attention_layernorm", {hidden});
  }
  tensors.push_back({"model.norm.weight", {hidden}});
  if (config.stores_head()) {
    tensors.push_back({config.head_name(), {config.head_rows(), hidden}});
  }
  return tensors;
}

void check_tensors(const ModelConfig& config, const Checkpoint& checkpoint) {
  if (config.head == Head::reward) {
    check_reward_head(checkpoint);
  }
  std::set<std::string> known;
  std::vector<std::string> missing;
  std::vector<std::string> misshaped;
  for (const ExpectedTensor& expected : expected_tensors(config)) {
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
