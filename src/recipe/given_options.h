// What was given for the options of a list, and what is to be said about it.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/log.h"
#include "recipe/option.h"

namespace lmpo {

// Where a value came from; a later one wins over an earlier one.
enum class Source { builtin, file, environment, flag };

// A value as it was written.
struct RawValue {
  std::vector<std::string> texts = {};  // one, except for lists
  Source source = Source::builtin;
  std::string place = "";  // for errors: "recipe.yaml:7", "LMPO_SEED", "--seed"
  bool null = false;       // the default was asked for
  std::string name = "";   // the name that was used, which may be an old one
};

// A key of another program that is no option here, see foreign.h.
struct ForeignKey {
  std::string name;
  std::string text;
  Source source = Source::file;
  std::string place;
  bool allowed = true;  // its value changes nothing
};

// A notice, a warning or, where mistakes are collected, a mistake.
struct Remark {
  LogLevel level = LogLevel::info;
  std::string name;   // stable: "option_renamed", "option_unknown", ...
  std::string place;  // as of RawValue; "" if no single place is to blame
  std::string text;   // a sentence that names the place
};

// A mistake that knows its place.
struct RejectedOption : UserError {
  RejectedOption(std::string where, std::string_view message);
  std::string place;
};

// Notices and mistakes, in the order in which they were found.
class Remarks {
 public:
  // From now on mistakes become remarks, and refuse() does nothing.
  void collect_mistakes() { collects_ = true; }
  bool collects_mistakes() const { return collects_; }

  void add(Remark remark) { all_.push_back(std::move(remark)); }
  const std::vector<Remark>& all() const { return all_; }

  // Runs `body`. Keeps the UserError that it throws, if any, and returns false then. `name` and
  // `place` are those of the remark; a RejectedOption has a place of its own.
  bool attempt(const char* name, const std::string& place, const std::function<void()>& body);
  // Throws one UserError for all mistakes that were kept, each on its line.
  void refuse() const;

 private:
  std::vector<Remark> all_;
  std::vector<std::string> mistakes_;
  bool collects_ = false;
};

class GivenOptions {
 public:
  // Both must outlive it.
  GivenOptions(const OptionList& options, Remarks& remarks)
      : options_(options), remarks_(remarks) {}

  // Keeps a value under the option that `name` stands for, unless a stronger source has given one.
  // Lists of flags grow. Throws UserError for a contradiction in one file.
  void take(const std::string& name, const OptionName& meaning, RawValue value);
  void take(ForeignKey key) { foreign_.push_back(std::move(key)); }
  // What was given under one name belongs to another option.
  void pass_on(std::string_view from, std::string_view to);

  bool has(std::size_t option) const { return values_.contains(option); }
  // Null where nothing, or null, was given.
  const RawValue* find(std::size_t option) const;
  // "recipe.yaml:7: beta", "--beta", "LMPO_BETA", or the name alone where nothing was given.
  std::string place(std::size_t option) const;
  const std::vector<ForeignKey>& foreign_keys() const { return foreign_; }

  // Sets the option's variable. Throws UserError for a value of another kind.
  void assign(std::size_t option) const;
  // Sets the variables of all. A value that is refused becomes null.
  void assign_all();
  // Says which foreign keys are not used, and refuses those that would change the training.
  void settle_foreign_keys();

 private:
  void tell_renamed(const std::string& place, const std::string& old, const std::string& now);
  bool take_flag_value(const std::string& name, const OptionName& meaning, RawValue& value);
  bool take_elsewhere(const std::string& name, const Option& option, RawValue& value);
  void merge(const std::string& name, std::size_t option, RawValue value);

  const OptionList& options_;
  Remarks& remarks_;
  std::map<std::size_t, RawValue> values_;
  std::vector<ForeignKey> foreign_;
};

}  // namespace lmpo
