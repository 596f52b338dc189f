#include "train/examples.h"

#include <algorithm>

#include "base/error.h"

namespace lmpo {
namespace {

std::vector<Tree> unpaired(std::vector<Tree> trees) {
  std::vector<Tree> single;
  for (Tree& tree : trees) {
    for (std::size_t i = 0; i < tree.sequences.size(); ++i) {
      Tree example;
      example.sequences.push_back(std::move(tree.sequences[i]));
      example.row = tree.row;
      example.desirable = tree.sequences.size() == 2 ? i == 0 : tree.desirable;
      single.push_back(std::move(example));
    }
  }
  return single;
}

Sequence mismatched(const Sequence& own, const Sequence& other,
                    std::optional<std::int64_t> max_length) {
  std::vector<std::int32_t> tokens(own.tokens.begin(), own.tokens.begin() + own.scored_begin);
  tokens.insert(tokens.end(), other.tokens.begin() + other.scored_begin, other.tokens.end());
  if (max_length && std::ssize(tokens) > *max_length) {
    const std::int64_t kept = std::max<std::int64_t>(*max_length, own.scored_begin + 1);
    tokens.resize(static_cast<std::size_t>(kept));
  }
  return {std::move(tokens), own.scored_begin};
}

void add_mismatched(std::vector<Tree>& trees, std::optional<std::int64_t> max_length) {
  if (trees.size() < 2) {
    user_error(
        "kto estimates its divergence on mismatched prompts and responses: the data needs "
        "at least two examples");
  }
  std::vector<Sequence> extra;
  for (std::size_t i = 0; i < trees.size(); ++i) {
    extra.push_back(
        mismatched(trees[i].sequences[0], trees[(i + 1) % trees.size()].sequences[0], max_length));
  }
  for (std::size_t i = 0; i < trees.size(); ++i) {
    trees[i].sequences.push_back(std::move(extra[i]));
  }
}

}  // namespace

void prepare_examples(std::vector<Tree>& trees, const Objective& objective,
                      std::optional<std::int64_t> max_length) {
  if (objective.form() == ExampleForm::labelled) {
    trees = unpaired(std::move(trees));
  }
  switch (objective.extra()) {
    case ExtraResponse::none:
      break;
    case ExtraResponse::conversation:
      for (Tree& tree : trees) {
        tree.sequences.push_back({tree.sequences[0].tokens, 1});
      }
      break;
    case ExtraResponse::mismatched:
      add_mismatched(trees, max_length);
      break;
  }
}

}  // namespace lmpo
