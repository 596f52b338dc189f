// Python's == and <. Each comparison is work: two values may share their parts many times over.
#include <algorithm>

#include "jinja/value.h"

namespace lmpo::jinja {
namespace {

void too_deep(int depth) {
  if (depth > kDeepestValue) {
    fail("lists and dictionaries are nested more than {} deep", kDeepestValue);
  }
}

bool equal(const Value& a, const Value& b, int depth);

bool equal_lists(const List& a, const List& b, int depth) {
  return &a == &b ||
         (a.kind == b.kind && a.kind != ListKind::generator && a.items.size() == b.items.size() &&
          std::equal(a.items.begin(), a.items.end(), b.items.begin(),
                     [depth](const Value& x, const Value& y) { return equal(x, y, depth + 1); }));
}

bool equal_dicts(const Dict& a, const Dict& b, int depth) {
  return &a == &b || (a.kind == Dict::Kind::dict && b.kind == Dict::Kind::dict &&
                      a.entries.size() == b.entries.size() &&
                      std::all_of(a.entries.begin(), a.entries.end(), [&](const auto& entry) {
                        const Value* found = b.find(entry.first);
                        return found != nullptr && equal(*found, entry.second, depth + 1);
                      }));
}

bool equal(const Value& a, const Value& b, int depth) {
  too_deep(depth);
  charge_work(kItemWork / 10);
  if (a.is_number() && b.is_number()) {
    return a.is_integer() && b.is_integer() ? a.integer("==") == b.integer("==")
                                            : a.number("==") == b.number("==");
  }
  if (a.is_string() && b.is_string()) {
    if (a.string().size() != b.string().size()) {
      return false;
    }
    charge_work(a.string().size());
    return a.string() == b.string();
  }
  if (const List* x = a.as_list(), *y = b.as_list(); x != nullptr && y != nullptr) {
    return equal_lists(*x, *y, depth);
  }
  if (const Dict* x = a.as_dict(), *y = b.as_dict(); x != nullptr && y != nullptr) {
    return equal_dicts(*x, *y, depth);
  }
  if (a.as_callable() != nullptr || a.as_loop() != nullptr) {
    return a.as_callable() == b.as_callable() && a.as_loop() == b.as_loop();
  }
  return (a.is_none() && b.is_none()) || (a.is_undefined() && b.is_undefined());
}

std::partial_ordering order(const Value& a, const Value& b, int depth) {
  too_deep(depth);
  charge_work(kItemWork / 10);
  if (a.is_integer() && b.is_integer()) {
    return a.integer("<") <=> b.integer("<");
  }
  if (a.is_number() && b.is_number()) {
    return a.number("<") <=> b.number("<");
  }
  if (a.is_string() && b.is_string()) {
    charge_work(std::min(a.string().size(), b.string().size()));
    return a.string() <=> b.string();
  }
  if (const List* x = a.as_list(), *y = b.as_list();
      x != nullptr && y != nullptr && x->kind == y->kind && x->kind <= ListKind::group) {
    for (std::size_t i = 0; i < std::min(x->items.size(), y->items.size()); ++i) {
      if (!equal(x->items[i], y->items[i], depth + 1)) {
        return order(x->items[i], y->items[i], depth + 1);
      }
    }
    return x->items.size() <=> y->items.size();
  }
  fail("{} and {} have no order", a.type_name(), b.type_name());
}

}  // namespace

bool Value::operator==(const Value& other) const {
  return equal(*this, other, 0);
}

std::partial_ordering order(const Value& a, const Value& b) {
  return order(a, b, 0);
}

}  // namespace lmpo::jinja
