// Keys of other programs' recipes that are no options here. Those that change nothing are accepted
// with a notice, so that published recipes run as they are; those that would train something else
// than was asked for are refused. foreign_table.cpp lists them.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lmpo {

// Keys that share a reason and the values that change nothing.
struct ForeignFamily {
  std::string_view reason;  // "nothing is uploaded"
  // What may be given: anything, only "off" (false, no, null, 0), only "on", or off and a list.
  enum class Accepts { anything, off, on } accepts = Accepts::anything;
  std::string_view names = {};                // with spaces between; "wandb_*": all that begin so
  std::vector<std::string_view> values = {};  // more values that change nothing
  // Families of one group are refused together: with use_peft also lora_r, which alone says
  // nothing.
  std::string_view group = {};

  bool allows(std::string_view text) const;
};

// Null where the key is not one of them.
const ForeignFamily* find_foreign_key(std::string_view name);

// The lists it looks through.
std::span<const ForeignFamily> foreign_families();

// The program whose recipes have this key and no other program's: "axolotl", "LLaMA-Factory";
// "" where none has.
std::string_view program_of_key(std::string_view name);

// What a file is that has this key and is no recipe at all, as "a configuration of accelerate";
// "" where it may be a recipe.
std::string_view not_a_recipe(std::string_view key);

}  // namespace lmpo
