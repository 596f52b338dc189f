// What a task is: where its documents are, what of each the model is asked, how its answer is judged.
//
// A task is an entry of a table, in a file of tasks/; registry.cpp lists them. Prompts, examples,
// filters and numbers are those of the language model evaluation harness (EleutherAI, version
// 0.4.13), or of its state of June 2023 that the first Open LLM Leaderboard used.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "evaluate/document.h"

namespace lmpo {

// A dataset of the Hugging Face Hub.
struct TaskData {
  std::string dataset;             // "allenai/ai2_arc"; "": the user's own file
  std::string config = "";         // "ARC-Challenge"
  std::string split;               // whose documents are asked
  std::string example_split = "";  // which the examples come from
  std::vector<std::string> columns;
};

// A document as the model is asked. Each choice is a request: what is its likelihood after the
// prompt? Without choices the model writes an answer.
struct Asked {
  // One; or one for each choice, where choices differ in the prompt. Then the choice is what
  // follows all of them.
  std::vector<std::string> prompts;
  std::vector<std::string> choices = {};
  std::int64_t gold = 0;    // the right choice; -1: the data's answer is none of the choices
  std::string answer = "";  // what follows the prompt in an example
  // The right answer in samples files; "": the index of the right choice, else the answer.
  std::string target = "";

  // As an example for other documents: the right prompt and its answer.
  const std::string& example_prompt() const {
    return prompts[prompts.size() == 1 ? 0 : static_cast<std::size_t>(gold)];
  }
};

// With choices, and with the right one as the answer.
Asked asked_choices(std::string prompt, std::vector<std::string> choices, std::int64_t gold);

// How an answer is written: greedily, up to one of these texts.
struct Decoding {
  std::vector<std::string> until = {};
  std::int64_t max_new_tokens = 256;
  bool operator==(const Decoding&) const = default;
};

// The model's reply to a request.
struct Reply {
  double logp = 0;                       // of a choice, or of a whole text
  bool greedy = false;                   // each token was the likeliest
  std::optional<std::string> text = {};  // of an answer that was written
};

enum class Aggregation : std::uint8_t {
  mean,
  mean_of_parts,        // of all parts of all documents, such as a prompt's instructions
  weighted_perplexity,  // exp(-sum of the first / sum of the second)
  bits_per_byte         // -sum of the first / sum of the second, in bits
};

struct MetricInfo {
  std::string name;
  Aggregation aggregation = Aggregation::mean;
  bool higher_is_better = true;
};

// What the judgement of one document found.
struct MetricValue {
  std::string name;
  std::vector<double> values;  // one; parts; or the two of a perplexity
};
struct Judgement {
  std::string filter = "none";          // what was taken of the replies
  std::vector<std::string> taken = {};  // by a filter that changes them
  std::vector<MetricValue> metrics;
};

struct TaskInfo {
  std::string name;
  std::string summary;  // one line
  std::string version = "1.0";
  TaskData data;
  std::string description = "";  // stands before everything
  // Examples before each document, unless the user asks for others; always as many where `fixed`.
  std::int64_t examples = 0;
  bool fixed_examples = false;
  bool first_examples = false;  // the first of them, not random ones
  // Random ones are drawn as the harness does where the documents are a validation split: one more
  // than is wanted, so that the document itself can be left out.
  bool draws_one_more = false;
  std::vector<ordered_json> own_examples = {};  // instead of documents of a split
  // The documents that count, in their order, with what the task adds to them.
  std::function<void(std::vector<Document>&)> prepare = {};
  std::function<Asked(const Document&)> ask;
  std::optional<Decoding> decoding = {};  // where an answer is written
  bool whole_text = false;                // where the likelihood of the prompt itself is asked for
  std::vector<MetricInfo> metrics;
  // `replies`: one for each request of `asked`.
  std::function<std::vector<Judgement>(const Document&, const Asked&, std::span<const Reply>)>
      judge;
};

// Tasks that are reported together, with means weighted by the number of documents.
struct GroupInfo {
  std::string name;
  std::string summary;
  std::string version = "N/A";
  std::vector<std::string> members;  // tasks or groups
  std::vector<std::string> metrics;
};

}  // namespace lmpo
