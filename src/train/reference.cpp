#include "train/reference.h"

#include <algorithm>
#include <cstdlib>

#include "base/error.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/log.h"
#include "base/path_kind.h"
#include "base/progress.h"
#include "base/threads.h"
#include "model/model_folder.h"
#include "train/scorer.h"
#include "train/train_state.h"

namespace lmpo {
namespace {

constexpr std::int64_t kVersion = 3;

std::string cache_key(std::span<const Tree> trees, const std::vector<Trees>& packs,
                      const ReferenceOptions& options) {
  Hash hash;
  hash.add(static_cast<std::uint64_t>(kVersion));
  hash.add(data_fingerprint(trees));
  for (const auto& pack : packs) {
    hash.add(pack.size());
    for (const Tree* tree : pack) {
      hash.add(static_cast<std::uint64_t>(tree - trees.data()));
    }
  }
  hash.add(static_cast<std::uint64_t>(options.storage));
  hash.add(static_cast<std::uint64_t>(options.compute));
  hash.add(options.device->name());
  hash.add(static_cast<std::uint64_t>(threads()));
  add_model_files(hash, options.model);
  return hash.text();
}

std::string checksum(const std::vector<double>& logps) {
  Hash hash;
  hash.add(logps.data(), logps.size() * sizeof(double));
  return hash.text();
}

// The cached scores in the order of the trees; empty if the file is missing or damaged.
std::vector<double> read_cache(const fs::path& path, const std::string& key, std::size_t count) {
  if (!is_file(path)) {
    return {};
  }
  try {
    const json content = read_json(path);
    auto logps = content.at("logps").get<std::vector<double>>();
    if (content.at("key") == key && content.at("checksum") == checksum(logps) &&
        logps.size() == count) {
      return logps;
    }
  } catch (const std::exception&) {
    // Torn or changed: reported below, as is a file of another key.
  }
  log_warning("{}: the file is damaged; computing the reference again", path.string());
  return {};
}

void write_cache(const fs::path& path, const std::string& key, const std::vector<double>& logps) {
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  remove_incomplete(path.parent_path());
  try {
    write_file_atomically(
        path, json({{"key", key}, {"checksum", checksum(logps)}, {"logps", logps}}).dump() + "\n");
  } catch (const std::exception& failure) {
    log_warning("cannot cache the reference's scores: {}", failure.what());
  }
}

void check_tokens(const ModelConfig& config, std::span<const Tree> trees, const fs::path& folder) {
  for (const Tree& tree : trees) {
    for (const Sequence& sequence : tree.sequences) {
      for (const std::int32_t token : sequence.tokens) {
        if (token >= config.vocab_size) {
          user_error(
              "{}: the reference model has {} tokens, but row {} of the data has token {}: the "
              "reference must share the policy's tokenizer",
              folder.string(), config.vocab_size, tree.row, token);
        }
      }
    }
  }
}

void compute(std::vector<Tree>& trees, const std::vector<Trees>& packs,
             const ReferenceOptions& options, std::string_view what) {
  Scorer scorer(options.model, options.storage, options.device, options.compute);
  check_tokens(scorer.config(), trees, options.model);
  Progress progress({.what = fmt::format("reference of {}", what),
                     .unit = "examples",
                     .total = std::ssize(packs),
                     .bar = options.bar,
                     .delay = kBarDelay});
  scorer.score(packs, [&](const Trees& pack, std::span<const double> sums) {
    std::int64_t tokens = 0;
    for (const Tree* scored : pack) {
      Tree& tree = trees[static_cast<std::size_t>(scored - trees.data())];
      tree.reference_logps.assign(sums.begin(), sums.begin() + std::ssize(tree.sequences));
      sums = sums.subspan(tree.sequences.size());
      tokens += tree.input_tokens();
    }
    progress.step(std::ssize(pack), tokens);
  });
}

}  // namespace

void add_reference_logps(std::vector<Tree>& trees, const std::vector<Trees>& packs,
                         const ReferenceOptions& options, std::string_view what) {
  std::size_t count = 0;
  for (const Tree& tree : trees) {
    count += tree.sequences.size();
  }
  const std::string key = cache_key(trees, packs, options);
  const fs::path path =
      options.cache.empty() ? fs::path() : options.cache / fmt::format("reference-{}.json", key);
  std::vector<double> logps;
  if (!path.empty()) {
    logps = read_cache(path, key, count);
  }
  if (!logps.empty()) {
    log_info("{}: reference log-probabilities read from {}", what, path.string());
    std::size_t next = 0;
    for (Tree& tree : trees) {
      const auto first = logps.begin() + static_cast<std::ptrdiff_t>(next);
      tree.reference_logps.assign(first, first + std::ssize(tree.sequences));
      next += tree.sequences.size();
    }
    return;
  }
  log_info("{}: computing log-probabilities of {} responses under the reference {}", what, count,
           options.model.string());
  compute(trees, packs, options, what);
  for (const Tree& tree : trees) {
    logps.insert(logps.end(), tree.reference_logps.begin(), tree.reference_logps.end());
  }
  if (!path.empty() &&
      std::ranges::all_of(logps, [](double logp) { return std::isfinite(logp); })) {
    write_cache(path, key, logps);
  }
}

}  // namespace lmpo
