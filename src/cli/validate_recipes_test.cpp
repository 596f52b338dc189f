// lmpo validate on published recipes and on recipes of other trainers.
#include "base/testing/test_paths.h"
#include "cli/testing/validate.h"

namespace lmpo::validate_recipes_test {
namespace {

const fs::path kRecipes = source_folder() / "src/cli/testdata";

class ValidateRecipe : public Validate {
 protected:
  // A folder of the Hub's cache, as it leaves models and datasets.
  fs::path cached(const std::string& name) const {
    const fs::path folder = path("home/hub") / name;
    fs::create_directories(folder / "refs");
    write_file_atomically(folder / "refs/main", "abc\n");
    fs::create_directories(folder / "snapshots/abc");
    return folder / "snapshots/abc";
  }
  Surroundings home() const {
    return {.environment = {{"HF_HOME", path("home").string()}, {"HF_HUB_CACHE", ""}}};
  }
};

// The models' shapes are those of the published ones, their tokenizer a small one, and there are no
// weights: files, tokens, rows, batches, disk and memory are checked all the same.
TEST_F(ValidateRecipe, ThePapersRecipesPassAsTheyStand) {
  const std::string mistral =
      R"({"model_type": "mistral", "vocab_size": 32000, "hidden_size": 4096,
          "intermediate_size": 14336, "num_hidden_layers": 32, "num_attention_heads": 32,
          "num_key_value_heads": 8, "max_position_embeddings": 32768, "rms_norm_eps": 1e-5,
          "sliding_window": null, "torch_dtype": "bfloat16", "eos_token_id": 2})";
  const std::string llama =
      R"({"model_type": "llama", "vocab_size": 128256, "hidden_size": 4096,
          "intermediate_size": 14336, "num_hidden_layers": 32, "num_attention_heads": 32,
          "num_key_value_heads": 8, "max_position_embeddings": 8192, "rope_theta": 500000.0,
          "rms_norm_eps": 1e-5, "torch_dtype": "bfloat16", "eos_token_id": 2})";
  const std::vector<std::array<std::string, 4>> runs = {
      {"lmpo-mistral-base.yaml", "alignment-handbook--zephyr-7b-sft-full", mistral,
       "HuggingFaceH4--ultrafeedback_binarized"},
      {"lmpo-mistral-instruct.yaml", "mistralai--Mistral-7B-Instruct-v0.2", mistral,
       "princeton-nlp--mistral-instruct-ultrafeedback"},
      {"lmpo-llama-3-base.yaml", "princeton-nlp--Llama-3-Base-8B-SFT", llama,
       "HuggingFaceH4--ultrafeedback_binarized"},
      {"lmpo-llama-3-instruct.yaml", "meta-llama--Meta-Llama-3-8B-Instruct", llama,
       "princeton-nlp--llama3-ultrafeedback"}};
  for (const auto& [recipe, folder, config, dataset] : runs) {
    SCOPED_TRACE(recipe);
    const fs::path snapshot = cached("models--" + folder);
    fs::copy(model(), snapshot, fs::copy_options::recursive | fs::copy_options::skip_existing);
    fs::remove(snapshot / "model.safetensors");
    fs::remove(snapshot / "generation_config.json");
    ordered_json content = ordered_json::parse(config);
    content["eos_token_id"] = read_json(model() / "config.json")["eos_token_id"];
    write_file_atomically(snapshot / "config.json", content.dump());
    const bool prefs = recipe.find("base") != std::string::npos;
    const fs::path rows = cached("datasets--" + dataset) / "data";
    fs::create_directories(rows);
    for (const char* split : {"train", "test"}) {
      fs::copy_file(
          world(split == std::string("train") ? "preferences.jsonl" : "held_out_preferences.jsonl"),
          rows / fmt::format("{}{}-00000-of-00001.jsonl", split, prefs ? "_prefs" : ""),
          fs::copy_options::overwrite_existing);
    }
    const Report found = report({"validate", (kRecipes / recipe).string(), "--without_weights",
                                 "--max_memory", "200GB", "--max_disk", "1TB", "-t", "1"},
                                home());
    EXPECT_EQ(found.exit_code, 0) << found.content.dump(1) << found.err;
    EXPECT_EQ(found.names("error"), std::set<std::string>());
    // Written for four GPUs, a recipe names the share of one.
    EXPECT_TRUE(found.names("warning").contains("batch_not_published")) << found.content.dump(1);
    EXPECT_FALSE(found.names("warning").contains("learning_rate_high"));
    EXPECT_TRUE(found.names("note").contains("weights_missing"));
    EXPECT_TRUE(found.names("note").contains("option_renamed"));
  }
}

struct ForeignRecipe {
  std::string file;
  std::string objective;
  bool named = false;  // by the recipe
  friend void PrintTo(const ForeignRecipe& recipe, std::ostream* out) { *out << recipe.file; }
};

class ForeignRecipes : public ValidateRecipe,
                       public ::testing::WithParamInterface<ForeignRecipe> {};

// The recipes are read as they stand, by validate and by training.
TEST_P(ForeignRecipes, Train) {
  fs::copy(model(), cached("models--owner--base"), fs::copy_options::recursive);
  for (const auto& [name, train_file, test_file, ending] :
       {std::tuple("datasets--owner--preferences", "preferences.jsonl",
                   "held_out_preferences.jsonl", ""),
        std::tuple("datasets--owner--chats", "answers.jsonl", "answers.jsonl", "_sft")}) {
    const fs::path rows = cached(name) / "data";
    fs::create_directories(rows);
    fs::copy_file(world(train_file), rows / fmt::format("train{}-00000-of-00001.jsonl", ending));
    fs::copy_file(world(test_file), rows / fmt::format("test{}-00000-of-00001.jsonl", ending));
  }
  const auto& [recipe, objective, named_by_recipe] = GetParam();
  Words words = {
      "validate", (kRecipes / recipe).string(), "--output_dir", path("out").string(), "-t", "1"};
  if (!named_by_recipe) {
    words.insert(words.end(), {"--objective", objective});
  }
  const Report found = report(words, home());
  EXPECT_EQ(found.names("error"), std::set<std::string>()) << found.content.dump(1) << found.err;
  words[0] = "train";
  words.insert(words.end(), {"--max_steps", "1", "--reference_cache", path("cache").string()});
  const Result trained = run(words, home());
  EXPECT_EQ(trained.exit_code, 0) << trained.err;
  EXPECT_EQ(read_json(path("out/lmpo_run.json"))["options"]["objective"]["value"], objective);
}

INSTANTIATE_TEST_SUITE_P(All, ForeignRecipes,
                         ::testing::Values(ForeignRecipe{"trl-dpo.yaml", "dpo", false},
                                           ForeignRecipe{"trl-cpo.yaml", "simpo", true},
                                           ForeignRecipe{"handbook-sft.yaml", "sft", false}),
                         [](const auto& of) { return of.param.objective; });

}  // namespace
}  // namespace lmpo::validate_recipes_test
