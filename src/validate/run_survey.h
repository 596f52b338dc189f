// Everything that can be wrong with a run, looked for before it starts.
#pragma once

#include "validate/checks.h"

namespace lmpo {

// Of a run that is checked on one machine and will start on another.
struct ElsewhereOptions {
  bool without_weights = false;  // weights that are not there yet are a note
  Bytes max_disk;                // room for the run's files; 0: what is free here
};

// Reads what training would read and continues after what is refused: each refusal is a finding.
// Then the checks. Changes nothing but caches, and trains nothing. `recipe` must be complete but for
// what its options refused.
Findings survey_run(const TrainRecipe& recipe, const SettingPlaces& places,
                    const ElsewhereOptions& elsewhere);

}  // namespace lmpo
