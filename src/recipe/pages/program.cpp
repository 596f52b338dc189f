#include "recipe/pages/program.h"

#include <utility>

namespace lmpo {

ProgramDescription program_description(std::string version) {
  return {
      .version = std::move(version),
      .summary = "preference optimization of language models",
      .environment =
          "  A setting comes from the last of these that names it:\n"
          "    its default, which --help shows\n"
          "    a recipe: lmpo train RECIPE.yaml; its env: may set LMPO_*, CUDA_*, OMP_*, HF_*\n"
          "    the environment: LMPO_ and the option's name in capitals, LMPO_LEARNING_RATE\n"
          "    the command line\n"
          "\n"
          "  NO_COLOR              no colours\n"
          "  COLUMNS               width of help and tables, instead of the terminal's\n"
          "  LMPO_CACHE            folder for cached tokens and reference log-probabilities;\n"
          "                        else $XDG_CACHE_HOME/lmpo, else ~/.cache/lmpo\n"
          "  HF_HUB_CACHE, HF_HOME where models and datasets named owner/name are found; else\n"
          "                        $XDG_CACHE_HOME/huggingface, else ~/.cache/huggingface\n"
          "  CUDA_VISIBLE_DEVICES  the GPUs that may be used\n",
      .exit_codes =
          "  0    done\n"
          "  1    the machine failed\n"
          "  2    a mistake in the input\n"
          "  130  interrupted; what was computed is saved\n",
      .examples =
          "  lmpo example\n"
          "  lmpo train --model DIR --data pairs.jsonl --output_dir out\n"
          "  source <(lmpo --completion bash)      in ~/.bashrc: TAB completes; also zsh, fish\n"};
}

}  // namespace lmpo
