// What the options of a run say about themselves, as findings.
#pragma once

#include <span>

#include "recipe/option_set.h"
#include "validate/finding.h"

namespace lmpo {

// Where to read about options, as a remedy.
inline constexpr const char* kSeeHelp =
    "lmpo train --help explains each option, docs/options.md lists them";

Findings findings_of(std::span<const Remark> remarks);

}  // namespace lmpo
