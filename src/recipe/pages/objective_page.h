// The pages of lmpo help about objectives.
#pragma once

#include <string>

#include "objective/registry.h"
#include "recipe/pages/help_text.h"

namespace lmpo {

// All of them, a line each.
std::string objectives_page(const HelpStyle& style);
// One: its loss, its options with the defaults that lmpo train has, its paper.
std::string objective_page(const ObjectiveInfo& info, const HelpStyle& style);

}  // namespace lmpo
