// config.json of a model, in the spellings of transformers 4 and 5.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "io/checkpoint.h"
#include "ops/op_list.h"
#include "tensor/dtype.h"

namespace lmpo {

// How a rotary table is made (transformers' modeling_rope_utils.py). Fields that a kind does not use
// keep their defaults.
struct Rope {
  enum class Kind : std::uint8_t { plain, linear, dynamic, yarn, longrope, llama3 };
  Kind kind = Kind::plain;
  double theta = 10000;
  std::int64_t columns = 0;  // R: the first columns of a head turn; even
  double factor = 1;         // linear, dynamic, yarn, llama3: how far the context is stretched
  // yarn, llama3: the context before it was stretched. longrope: a sequence longer than this takes
  // the long factors. dynamic: none may be longer, because its frequencies would then depend on
  // the batch.
  std::int64_t original_positions = 0;
  double low_frequency_factor = 1;         // llama3
  double high_frequency_factor = 4;        // llama3
  double beta_fast = 32;                   // yarn
  double beta_slow = 1;                    // yarn
  bool truncate = true;                    // yarn: whether the ends of its ramp are whole numbers
  double table_factor = 1;                 // yarn, longrope: of cosines and sines
  std::vector<double> short_factors = {};  // longrope: R/2
  std::vector<double> long_factors = {};   // longrope: R/2

  bool operator==(const Rope&) const = default;
};

// What attention does in one layer, where layers differ.
struct LayerAttention {
  // A query sees this many last keys, itself among them; 0: all.
  std::int64_t window = 0;
  // Which of the model's rotary tables turns queries and keys; none: they have no positions.
  std::optional<std::size_t> rope = 0;

  bool operator==(const LayerAttention&) const = default;
};

// Norms of queries and keys, before they are turned.
enum class QueryKeyNorm : std::uint8_t {
  none,
  head,  // each head by itself; one weight [E] for all heads
  whole  // all heads of a token together; weights [H*E] and [K*E]
};

// What reads the last hidden states.
enum class Head : std::uint8_t {
  tokens,  // lm_head.weight [V, D], or the embedding when tied: a language model
  reward,  // score.weight [1, D]: transformers' sequence classification with one label
};

struct ModelConfig {
  std::string family;                  // model_type: one of family.h
  std::int64_t vocab_size = 0;         // V
  std::int64_t hidden_size = 0;        // D
  std::int64_t intermediate_size = 0;  // F
  std::int64_t layers = 0;             // L
  std::int64_t heads = 0;              // H
  std::int64_t key_heads = 0;          // K, divides H
  std::int64_t head_size = 0;          // E, even
  std::int64_t max_positions = 0;
  float rms_norm_eps = 1e-6F;
  std::vector<Rope> ropes;  // the rotary tables that layers choose from
  // Which projections have a bias.
  bool qkv_bias = false;
  bool output_bias = false;  // o_proj
  bool mlp_bias = false;     // gate_proj, up_proj, down_proj
  // The block, x = x + residual_scale * norm(sublayer(norm(x))) for attention and for the MLP.
  std::vector<LayerAttention> layer_attention;  // L
  bool norms_before = true;                     // of a sublayer's input
  bool norms_after = false;                     // of a sublayer's output, before it is added
  float norm_offset = 0;  // every norm multiplies by offset + weight; Gemma: 1
  QueryKeyNorm query_key_norm = QueryKeyNorm::none;
  Activation activation = Activation::silu;
  float attention_scale = 0;    // of q.k
  float attention_softcap = 0;  // 0: none
  // A query at position p is multiplied by 1 + beta log(1 + floor(p / positions)); beta 0: by 1.
  double query_scale_beta = 0;
  std::int64_t query_scale_positions = 0;
  float embedding_scale = 1;  // of the embedding's rows as inputs
  // Whether embedding_scale is rounded to the type of the weights, as Gemma's is.
  bool rounds_embedding_scale = false;
  float residual_scale = 1;
  float logit_scale = 1;    // logits = softcap(logit_scale * (head times hidden))
  float logit_softcap = 0;  // 0: none
  bool tie_word_embeddings = false;
  double initializer_range = 0.02;
  std::optional<std::int64_t> bos_id;
  std::vector<std::int64_t> eos_ids;  // the checkpoint may name one or several
  std::optional<std::int64_t> pad_id;
  Dtype dtype = Dtype::f32;  // of the stored weights
  Head head = Head::tokens;  // chosen by who loads the model; config.json does not decide it

  ordered_json original;  // every key of the file, known or not; empty for a new model

  // Whether the head is a tensor of its own.
  bool stores_head() const { return head == Head::reward || !tie_word_embeddings; }
  const char* head_name() const { return head == Head::reward ? "score.weight" : "lm_head.weight"; }
  std::int64_t head_rows() const { return head == Head::reward ? 1 : vocab_size; }
};

// Absent keys have transformers' defaults. Refuses, by name, what lmpo does not compute and what
// contradicts itself: UserError. `source` names the file in errors.
ModelConfig parse_model_config(const ordered_json& content, const std::string& source);
// DIR/config.json, or the file itself.
ModelConfig read_model_config(const fs::path& path);
// Where generation stops: eos_token_id of generation_config.json when it says so, else of
// config.json.
std::vector<std::int64_t> read_stop_ids(const fs::path& folder, const ModelConfig& config);

// The content of config.json: the original's keys in their order, changed only where a field
// differs, and what is missing of those that say what the model computes. Rope has the spelling of
// transformers 4 too. dtype is the type of the stored weights, written as torch_dtype, and as dtype
// if that was there; use_cache is true.
ordered_json config_to_json(const ModelConfig& config, Dtype dtype);
void write_model_config(const ModelConfig& config, Dtype dtype, const fs::path& folder);

// What a rotary table is made of: cos_sin = factor * cos, sin(position * inverse[i]).
struct RotaryFrequencies {
  std::vector<float> inverse;  // [R/2]
  float factor = 1;
};

// In transformers' float32 arithmetic; powers are rounded correctly, where PyTorch's are one unit
// off in one case of a hundred. `is_long`: the sequence has more than original_positions tokens; only
// longrope asks.
RotaryFrequencies rotary_frequencies(const Rope& rope, bool is_long = false);

// The longest window of the layers that have one; 0: none has.
std::int64_t widest_window(const ModelConfig& config);

// UserError where a checkpoint does not hold the tensors of the configuration (tensor_table.h): it
// names every kind of misfit (missing, unexpected, wrongly shaped: the first five of each and their
// number), and for a reward model first of all what its head lacks. Stored rotary frequencies are
// ignored, and so is the head of a tied model if it equals the embedding.
void check_tensors(const ModelConfig& config, const Checkpoint& checkpoint);

}  // namespace lmpo
