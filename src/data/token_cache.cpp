#include "data/token_cache.h"

#include <array>
#include <bit>
#include <cstring>
#include <limits>
#include <memory>

#include "base/error.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/path_kind.h"

namespace lmpo {
namespace {

static_assert(std::endian::native == std::endian::little);

using Magic = std::array<char, 16>;
constexpr Magic kMagic = {'l', 'm', 'p', 'o', ' ', 't', 'o', 'k', 'e', 'n', 's', ' ', '2', '\n'};

struct TreeRecord {
  std::int64_t row;
  std::uint32_t sequences;
  std::uint32_t desirable;
};
struct SequenceRecord {
  std::uint32_t tokens;
  std::int32_t scored_begin;
  std::uint32_t gaps;
};
struct DropRecord {
  std::int64_t row;
  std::int64_t reason;
};
struct Footer {
  std::uint64_t tokens, trees, sequences, gaps, drops, facts;
  std::array<char, 32> checksum;
  Magic magic;
};
static_assert(sizeof(TreeRecord) == 16 && sizeof(SequenceRecord) == 12 &&
              sizeof(DropRecord) == 16 && sizeof(TokenRun) == 8 && sizeof(Footer) == 96);

// The counts of a dataset and their names in the facts.
constexpr std::array<std::pair<const char*, std::int64_t Dataset::*>, 7> kCounts = {{
    {"rows", &Dataset::rows},
    {"id_limit", &Dataset::id_limit},
    {"conversations", &Dataset::conversations},
    {"truncated", &Dataset::truncated},
    {"identical_after_truncation", &Dataset::identical_after_truncation},
    {"token_spans_boundary", &Dataset::token_spans_boundary},
    {"special_tokens_in_texts", &Dataset::special_tokens_in_texts},
}};

json facts_of(const Dataset& dataset, const std::string& key) {
  json facts = {{"key", key}};
  for (const auto& [name, count] : kCounts) {
    facts[name] = dataset.*count;
  }
  facts["notes"] = dataset.notes.to_json();
  facts["unused_columns"] = dataset.unused_columns.to_json();
  facts["too_long"] = dataset.too_long;
  return facts;
}

// Writes tokens as trees arrive; the records of the trees stay in memory until the end.
class TokenFileWriter {
 public:
  explicit TokenFileWriter(const fs::path& path) : file_(path) {
    write(kMagic.data(), kMagic.size());
  }

  void add(const Tree& tree) {
    trees_.push_back({tree.row, static_cast<std::uint32_t>(tree.sequences.size()),
                      static_cast<std::uint32_t>(tree.desirable)});
    for (const Sequence& sequence : tree.sequences) {
      sequences_.push_back({static_cast<std::uint32_t>(sequence.tokens.size()),
                            sequence.scored_begin,
                            static_cast<std::uint32_t>(sequence.gaps.size())});
      gaps_.insert(gaps_.end(), sequence.gaps.begin(), sequence.gaps.end());
      tokens_ += sequence.tokens.size();
      write(sequence.tokens.data(), sequence.tokens.size() * sizeof(std::int32_t));
    }
  }

  void commit(const Dataset& dataset, const std::string& key) {
    std::vector<DropRecord> drops;
    for (const Drop& drop : dataset.drops.drops()) {
      drops.push_back({drop.row, static_cast<std::int64_t>(drop.reason)});
    }
    const std::string facts = facts_of(dataset, key).dump();
    write_all(trees_);
    write_all(sequences_);
    write_all(gaps_);
    write_all(drops);
    write(facts.data(), facts.size());
    Footer footer{tokens_,      trees_.size(), sequences_.size(),
                  gaps_.size(), drops.size(),  facts.size(),
                  {},           kMagic};
    const std::string checksum = hash_.text();
    std::copy_n(checksum.begin(), footer.checksum.size(), footer.checksum.begin());
    file_.write(&footer, sizeof footer);
    file_.commit();
  }

 private:
  void write(const void* data, std::size_t size) {
    hash_.add_bytes(data, size);
    file_.write(data, size);
  }
  template <typename Record>
  void write_all(const std::vector<Record>& records) {
    write(records.data(), records.size() * sizeof(Record));
  }

  AtomicFile file_;
  Hash hash_;
  std::uint64_t tokens_ = 0;
  std::vector<TreeRecord> trees_;
  std::vector<SequenceRecord> sequences_;
  std::vector<TokenRun> gaps_;
};

// Reads the parts of a file in order.
class Parts {
 public:
  Parts(std::span<const std::byte> bytes, std::size_t begin) : rest_(bytes.subspan(begin)) {}

  std::span<const std::byte> take(std::uint64_t count, std::size_t size) {
    if (count > rest_.size() / size) {
      throw UserError("its parts do not match its size");
    }
    const auto part = rest_.first(count * size);
    rest_ = rest_.subspan(count * size);
    return part;
  }
  template <typename Record>
  std::vector<Record> take_all(std::uint64_t count) {
    const auto bytes = take(count, sizeof(Record));
    std::vector<Record> records(count);
    if (count > 0) {
      std::memcpy(records.data(), bytes.data(), bytes.size());
    }
    return records;
  }
  bool empty() const { return rest_.empty(); }

 private:
  std::span<const std::byte> rest_;
};

Footer read_footer(std::span<const std::byte> bytes) {
  if (bytes.size() < kMagic.size() + sizeof(Footer)) {
    throw UserError("it is incomplete");
  }
  if (std::memcmp(bytes.data(), kMagic.data(), kMagic.size()) != 0) {
    throw UserError("it is not a token file of this version");
  }
  Footer footer;
  std::memcpy(&footer, bytes.data() + bytes.size() - sizeof footer, sizeof footer);
  if (footer.magic != kMagic) {
    throw UserError("it is incomplete");
  }
  Hash hash;
  hash.add_bytes(bytes.data(), bytes.size() - sizeof footer);
  if (hash.text() != std::string_view(footer.checksum.data(), footer.checksum.size())) {
    throw UserError("its checksum is wrong");
  }
  return footer;
}

void read_facts(std::span<const std::byte> bytes, const std::string& key, Dataset& dataset) {
  const json facts =
      json::parse(reinterpret_cast<const char*>(bytes.data()),
                  reinterpret_cast<const char*>(bytes.data()) + bytes.size(), nullptr, false);
  if (!facts.is_object() || facts.value("key", json()) != key) {
    throw UserError("it belongs to other data");
  }
  for (const auto& [name, count] : kCounts) {
    dataset.*count = required<std::int64_t>(facts, name, "its facts");
  }
  try {
    dataset.notes = NoteCounts::from_json(facts.at("notes"));
    dataset.unused_columns = UnusedColumns::from_json(facts.at("unused_columns"));
    facts.at("too_long").get_to(dataset.too_long);
  } catch (const json::exception& error) {
    user_error("its facts: {}", short_message(error));
  }
}

}  // namespace

Dataset read_token_file(const fs::path& path, const std::string& key) {
  const auto file = std::make_shared<const MappedFile>(path);
  const Footer footer = read_footer(file->bytes());
  Parts parts(file->bytes().first(file->bytes().size() - sizeof(Footer)), kMagic.size());
  const auto token_bytes = parts.take(footer.tokens, sizeof(std::int32_t));
  const auto trees = parts.take_all<TreeRecord>(footer.trees);
  const auto sequences = parts.take_all<SequenceRecord>(footer.sequences);
  const auto gaps = parts.take_all<TokenRun>(footer.gaps);
  const auto drops = parts.take_all<DropRecord>(footer.drops);
  Dataset dataset;
  read_facts(parts.take(footer.facts, 1), key, dataset);

  // The ids are aligned, since the magic before them has 16 bytes.
  const std::span<const std::int32_t> tokens(
      reinterpret_cast<const std::int32_t*>(token_bytes.data()), footer.tokens);
  std::size_t token = 0;
  std::size_t next = 0;
  std::size_t gap = 0;
  dataset.trees.reserve(trees.size());
  for (const TreeRecord& record : trees) {
    Tree& tree = dataset.trees.emplace_back();
    tree.row = record.row;
    tree.desirable = record.desirable != 0;
    for (std::uint32_t i = 0; i < record.sequences; ++i, ++next) {
      if (next == sequences.size() || sequences[next].tokens > tokens.size() - token ||
          sequences[next].gaps > gaps.size() - gap) {
        throw UserError("its trees do not match its tokens");
      }
      const auto own = std::span(gaps).subspan(gap, sequences[next].gaps);
      const std::size_t length = sequences[next].tokens;
      tree.sequences.push_back({Tokens(file, tokens.subspan(token, length)),
                                sequences[next].scored_begin,
                                {own.begin(), own.end()}});
      if (!tree.sequences.back().is_valid()) {
        throw UserError("its trees do not match its tokens");
      }
      token += length;
      gap += own.size();
    }
  }
  for (const DropRecord& drop : drops) {
    if (drop.reason < 0 || drop.reason >= static_cast<std::int64_t>(kDropReasons)) {
      throw UserError("it has an unknown reason for a dropped row");
    }
    dataset.drops.add(drop.row, static_cast<DropReason>(drop.reason));
  }
  if (next != sequences.size() || gap != gaps.size() || token != tokens.size() || !parts.empty()) {
    throw UserError("its trees do not match its tokens");
  }
  return dataset;
}

std::optional<Dataset> TokenCache::find(const std::string& key) const {
  if (!keeps() || !is_file(path(key))) {
    return std::nullopt;
  }
  try {
    return read_token_file(path(key), key);
  } catch (const std::exception& error) {
    log_warning("{}: cached tokens are not used and will be replaced: {}", path(key).string(),
                error.what());
    return std::nullopt;
  }
}

Dataset TokenCache::get(const std::string& key, const Make& make) const {
  const auto in_memory = [&] {
    std::vector<Tree> trees;
    Dataset dataset = make([&](Tree&& tree) { trees.push_back(std::move(tree)); });
    dataset.trees = std::move(trees);
    return dataset;
  };
  if (!keeps()) {
    return in_memory();
  }
  if (auto kept = find(key)) {
    return std::move(*kept);
  }
  try {
    fs::create_directories(folder_);
    remove_incomplete(folder_);
    TokenFileWriter writer(path(key));
    const Dataset dataset = make([&](const Tree& tree) { writer.add(tree); });
    writer.commit(dataset, key);
    return read_token_file(path(key), key);
  } catch (const MachineError& error) {
    log_warning("cannot cache the tokens for later runs: {}", error.what());
  } catch (const fs::filesystem_error& error) {
    log_warning("cannot cache the tokens for later runs: {}", error.what());
  }
  return in_memory();
}

}  // namespace lmpo
