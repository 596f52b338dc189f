#include "train/examples.h"

#include <algorithm>
#include <map>
#include <span>

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

using TokenView = std::span<const std::int32_t>;

TokenView prompt_of(const Tree& tree) {
  const Sequence& own = tree.sequences[0];
  return TokenView(own.tokens.data(), own.tokens.size())
      .first(static_cast<std::size_t>(own.scored_begin));
}

// Indices of the trees, grouped by prompt. Trees of one row are in one group.
std::vector<std::vector<std::size_t>> by_prompt(std::span<const Tree> trees) {
  std::vector<std::vector<std::size_t>> groups;
  const auto less = [](TokenView a, TokenView b) {
    return std::ranges::lexicographical_compare(a, b);
  };
  std::map<TokenView, std::size_t, decltype(less)> known(less);  // prompts
  std::size_t group = 0;
  for (std::size_t i = 0; i < trees.size(); ++i) {
    if (i == 0 || trees[i].row != trees[i - 1].row) {
      group = known.try_emplace(prompt_of(trees[i]), groups.size()).first->second;
      groups.resize(std::max(groups.size(), group + 1));
    }
    groups[group].push_back(i);
  }
  return groups;
}

// For each tree, a tree with another prompt. Trees are ordered by prompt and shifted by the size of
// the largest group, so each response is used once. If one prompt has more than half of the trees,
// some responses are used again.
std::vector<std::size_t> mismatched_trees(std::span<const Tree> trees) {
  const std::vector<std::vector<std::size_t>> groups = by_prompt(trees);
  if (groups.size() < 2) {
    user_error(
        "kto needs at least two different prompts, in the training data and in the evaluation "
        "data: its KL term pairs each prompt with a response to another prompt; found {}",
        groups.size());
  }
  std::vector<std::size_t> ordered;
  std::size_t most = 0;
  for (const auto& group : groups) {
    ordered.insert(ordered.end(), group.begin(), group.end());
    most = std::max(most, group.size());
  }
  std::vector<std::size_t> others(trees.size());
  std::size_t end = 0;  // of the group, in `ordered`
  for (const auto& group : groups) {
    end += group.size();
    for (std::size_t i = 0; i < group.size(); ++i) {
      const std::size_t step = (i + most - group.size()) % (trees.size() - group.size());
      others[group[i]] = ordered[(end + step) % trees.size()];
    }
  }
  return others;
}

void add_mismatched(std::vector<Tree>& trees, std::optional<std::int64_t> max_length) {
  const std::vector<std::size_t> others = mismatched_trees(trees);
  std::vector<Sequence> extra;
  for (std::size_t i = 0; i < trees.size(); ++i) {
    extra.push_back(mismatched(trees[i].sequences[0], trees[others[i]].sequences[0], max_length));
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
