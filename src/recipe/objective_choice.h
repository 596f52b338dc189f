// What is trained where nobody says `objective`: what a recipe of another program tells by its other
// keys. A recipe that is plainly of one method never trains another.
#pragma once

#include <string>

#include "recipe/option_set.h"
#include "recipe/train_recipe.h"

namespace lmpo {

// Sets recipe.objective, whose present value is the command's own: of `lmpo train` a default, of
// `lmpo sft` what is asked for. Evidence, the stronger first:
//   objective, pref_loss, rl, or loss_type with an objective's name: as it is said;
//   stage; an axolotl recipe without rl; a trainer's name in a comment ("# DPOTrainer arguments");
//   options and old names that only some objectives have (simpo_gamma, cpo_alpha, rpo_alpha);
//   output_dir, run_name and hub_model_id with an objective's name, where the rest leaves a choice.
// Logs what was inferred. Throws UserError that says which to choose where the evidence contradicts
// itself, leaves a choice, or is missing in another program's recipe.
void choose_objective(OptionSet& options, TrainRecipe& recipe);

}  // namespace lmpo
