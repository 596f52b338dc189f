#include "evaluate/examples.h"

#include <numeric>

#include "base/error.h"

namespace lmpo {

ExampleSource::ExampleSource(const TaskInfo& task, std::int64_t count, std::vector<Document> pool,
                             PythonRandom random)
    : task_(task), count_(count), pool_(std::move(pool)), random_(random) {
  const std::int64_t needed = count == 0 ? 0 : count + (task.draws_one_more ? 1 : 0);
  if (needed > std::ssize(pool_)) {
    user_error("{}: {} examples were asked for, and its data has {}{}", task.name, count,
               pool_.size(), task.draws_one_more ? "; one more than asked for is needed" : "");
  }
}

std::vector<const Document*> ExampleSource::take(const std::vector<std::size_t>& indices) const {
  std::vector<const Document*> documents;
  for (const std::size_t index : indices) {
    documents.push_back(&pool_[index]);
  }
  return documents;
}

std::vector<const Document*> ExampleSource::next(const Document& document) {
  const auto count = static_cast<std::size_t>(count_);
  if (count == 0) {
    return {};
  }
  if (task_.first_examples) {
    std::vector<std::size_t> first(count);
    std::iota(first.begin(), first.end(), std::size_t{0});
    return take(first);
  }
  if (!task_.draws_one_more) {
    return take(random_.sample(pool_.size(), count));
  }
  const auto is_document = [&](const Document* other) { return other->row() == document.row(); };
  std::vector<const Document*> drawn = take(random_.sample(pool_.size(), count + 1));
  std::erase_if(drawn, is_document);
  if (drawn.size() < count) {  // the pool has copies of the document
    std::vector<const Document*> others;
    for (const Document& other : pool_) {
      others.push_back(&other);
    }
    std::erase_if(others, is_document);
    if (others.size() < count) {
      user_error("{}: of the {} examples in its data only {} are not the document itself",
                 task_.name, pool_.size(), others.size());
    }
    drawn.clear();
    for (const std::size_t index : random_.sample(others.size(), count)) {
      drawn.push_back(others[index]);
    }
  }
  drawn.resize(count);
  return drawn;
}

}  // namespace lmpo
