// What people get wrong besides the model. Each mistake ends the program with exit code 2 before
// anything is written, and the message names the file, line or key, what was expected and what to do.
#include "cli/testing/bad_input.h"

#include "base/testing/test_paths.h"

namespace lmpo::bad_input_test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr const char* kGoodRow =
    "{\"prompt\": \"first : cat\", \"chosen\": \" cat .\", \"rejected\": \" moon .\"}\n";

TEST_F(BadInput, RowsThatAreWrong) {
  const std::vector<std::pair<const char*, const char*>> rows = {
      {R"({"prompt": "a", "chosen": "b"})",
       "the keys {chosen, prompt} are not those of a preference row. Known keys:\n  prompt, "
       "chosen"},
      {R"({"prompt": "a", "chosen": null, "rejected": "b"})", "'chosen' is null; a text or a list"},
      {R"({})", "the keys {} are not those of a preference row"},
      {R"({"prompt": "a", "chosen": 5, "rejected": "b"})",
       "key 'chosen': a list of messages was expected"},
      {R"({"prompt": 7, "chosen": "a", "rejected": "b"})",
       "key 'prompt': a string was expected, not 7"},
      {R"({"prompt": [{"role": "user"}], "chosen": "a", "rejected": "b"})",
       "key 'prompt': a message's 'content' is missing; a string was expected"},
      {R"({"prompt": ["hello"], "chosen": "a", "rejected": "b"})",
       "key 'prompt': a message was expected"},
      {R"({"prompt": "a", "chosen": [{"content": "b"}], "rejected": "b"})",
       "key 'chosen': a message was expected, {\"role\": ..., \"content\": ...}"},
      {R"(["a", "b"])", "a row must be an object, '{...}', but this one begins with '['"},
      {R"("text")", "a row must be an object"},
      {R"({"prompt": "a", "chosen": "b", "rejected": "c")", "not valid JSON"},
      {R"(prompt,chosen,rejected)", "a row must be an object"}};
  for (const auto& [row, message] : rows) {
    const fs::path data = write("pairs.jsonl", std::string(kGoodRow) + row + "\n" + kGoodRow);
    const auto place = AllOf(HasSubstr("pairs.jsonl:2: "), HasSubstr(message));
    expect_refusal(train(model(), data), place);
    expect_refusal(score(model(), data), place);
  }
}

TEST_F(BadInput, FilesThatHoldNoRows) {
  for (const char* content : {"", "\n \n", "[]", " [ ] \n", "\xEF\xBB\xBF"}) {
    const fs::path data = write("pairs.json", content);
    const auto message =
        HasSubstr("pairs.json: this file has no rows; expected a JSON array of objects");
    expect_refusal(train(model(), data), message);
    expect_refusal(score(model(), data), message);
  }
  for (const char* content : {"PK\x03\x04", "\xFF\xFE{", "prompt,chosen\n"}) {
    const fs::path data = write("pairs.json", content);
    expect_refusal(train(model(), data),
                   HasSubstr("not a JSON array of objects, JSON Lines or Parquet"));
  }
  expect_refusal(train(model(), path("none.jsonl")),
                 HasSubstr("none.jsonl: cannot be read: No such file"));
  fs::create_directory(path("empty"));
  expect_refusal(
      train(model(), path("empty")),
      HasSubstr("empty: no data files in this folder; expected files ending in .parquet"));
  const fs::path packed = write("pairs.jsonl.gz", std::string("\x1F\x8B\x08\0\0\0\0", 7));
  expect_refusal(train(model(), packed), HasSubstr("pairs.jsonl.gz: not whole gzip data"));
  const fs::path cut = write("cut.json", "[" + std::string(kGoodRow) + ",{\"prompt\": \"fir");
  expect_refusal(train(model(), cut),
                 AllOf(HasSubstr("cut.json: row 1"), HasSubstr("is it incomplete?")));
}

TEST_F(BadInput, AParquetFileThatCannotBeRead) {
  const fs::path data = source_folder() / "src/parquet/testdata/other_columns.parquet";
  const fs::path alone = path("bin/lmpo");
  const auto message = [&] {
    const Result result = run(score(model(), data), {.program = alone});
    EXPECT_EQ(result.exit_code, 2) << result.err;
    EXPECT_THAT(result.err,
                HasSubstr("other_columns.parquet: this is a Parquet file, but this build of lmpo"));
    EXPECT_THAT(result.err, HasSubstr("Run ./setup"));
    return result.err;
  };
  fs::create_directory(path("bin"));
  fs::copy_file(lmpo_binary(), alone);
  EXPECT_THAT(message(), HasSubstr("there is no " + path("bin/lmpo_parquet.so").string()));
  write("bin/lmpo_parquet.so", "not a library");
  EXPECT_THAT(message(), HasSubstr("lmpo_parquet.so: "));

  const fs::path plugin = lmpo_binary().parent_path() / "lmpo_parquet.so";
  if (!fs::exists(plugin)) {
    GTEST_SKIP() << "built without Arrow's library, which ./setup fetches";
  }
  expect_refusal(score(model(), data),
                 HasSubstr("none of its columns, promt, chosen_response, id, is one that is read"));
  const std::string content = read_file(data);
  const fs::path cut = write("cut.parquet", content.substr(0, content.size() / 2));
  expect_refusal(score(model(), cut), HasSubstr("cut.parquet: a Parquet file that does not end"));
}

TEST_F(BadInput, NoRowThatCanBeUsed) {
  const fs::path data =
      write("pairs.jsonl",
            "{\"prompt\": \"cat\", \"chosen\": \"\", \"rejected\": \"a\"}\n"
            "{\"prompt\": \"cat\", \"chosen\": \"a\", \"rejected\": \" \\n\"}\n"
            "{\"prompt\": \"cat\", \"chosen\": \"a\", \"rejected\": \"a\"}\n"
            "{\"prompt\": \"\xC3\x28\", \"chosen\": \"a\", \"rejected\": \"b\"}\n");
  expect_refusal(train(model(), data),
                 HasSubstr("no row can be used: 4 dropped: invalid UTF-8 1 (row 3), empty response "
                           "2 (rows 0, 1), identical responses 1 (row 2)"));
}

TEST_F(BadInput, RowsThatAreLeftOutAreCounted) {
  const fs::path data = write("pairs.jsonl", std::string(kGoodRow) +
                                                 "{\"prompt\": \"\xFF\", \"chosen\": \"a\", "
                                                 "\"rejected\": \"b\"}\n" +
                                                 kGoodRow);
  const Result result = run(train(model(), data));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("3 rows, 1 dropped: invalid UTF-8 1 (row 1)"));
  const json record = json::parse(read_file(path("out") / "lmpo_run.json"))["train_data"];
  EXPECT_EQ(record["rows"], 3);
  EXPECT_EQ(record["used"], 2);
  EXPECT_EQ(record["dropped"], (json{{"invalid UTF-8", 1}}));
}

TEST_F(BadInput, AVeryLongLine) {
  constexpr std::size_t kLong = 10'000'000;
  for (const std::string& word : {std::string(" cat"), std::string("x"), std::string("é")}) {
    std::string text;
    while (text.size() < kLong) {
      text += word;
    }
    const fs::path data =
        write("long.jsonl",
              json{{"prompt", "repeat :"}, {"chosen", text}, {"rejected", " cat ."}}.dump() + "\n" +
                  kGoodRow);
    const Result result = run(train(model(), data, {"--max_length", "16"}));
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_THAT(result.err, HasSubstr("1 row truncated"));
    fs::remove_all(path("out"));
  }
  const fs::path rubbish = write("rubbish.jsonl", "{" + std::string(kLong, 'x') + "\n");
  expect_refusal(train(model(), rubbish), HasSubstr("rubbish.jsonl:1: not valid JSON"));
  const fs::path deep = write("deep.jsonl", "{\"prompt\": " + std::string(kLong, '[') + "\n");
  expect_refusal(train(model(), deep), HasSubstr("deep.jsonl:1: nested deeper than"));
  const fs::path number = write("number.jsonl", "{\"prompt\": " + std::string(kLong, '1') + "}\n");
  expect_refusal(train(model(), number), HasSubstr("number.jsonl:1: "));
}

TEST_F(BadInput, UnknownNames) {
  const std::vector<std::pair<Words, const char*>> mistakes = {
      {{"trian"}, "there is no command 'trian' (did you mean 'train'?)"},
      {{"train", "--learning_rat", "1"},
       "unknown option --learning_rat (did you mean --learning_rate?); lmpo train --help lists"},
      {{"score", "--modle", "x"}, "unknown option --modle (did you mean --model?)"},
      {{"generate", "--max_new_token", "4"}, "(did you mean --max_new_tokens?)"},
      {{"train", "-x"}, "unknown option -x"},
      {{"train", "--use_peft"}, "use_peft: 'true' is not supported (lmpo trains every weight"},
      {{"env", "now"}, "unexpected argument 'now'"}};
  for (const auto& [words, message] : mistakes) {
    expect_refusal(words, HasSubstr(message));
  }
}

TEST_F(BadInput, ValuesThatAreNone) {
  const std::vector<std::pair<Words, const char*>> mistakes = {
      {{"--beta", "much"}, "--beta: a number > 0 was expected, not 'much'"},
      {{"--beta", "-1"}, "--beta: a number > 0 was expected, not '-1'"},
      {{"--max_length", "1"}, "--max_length: a whole number >= 2 was expected, not '1'"},
      {{"--objective", "dpoo"}, "--objective: "},
      {{"--zscore", "sometimes"}, "--zscore: "},
      {{"--eval_strategy", "steps"}, "evaluation needs data: give eval_dataset"},
      {{"--max_memory", "lots"}, "--max_memory: "},
      {{"--dtype"}, "--dtype: "}};
  for (const auto& [more, message] : mistakes) {
    expect_refusal(train(model(), pairs(), more), HasSubstr(message));
  }
  expect_refusal({"train", "-m", model().string()}, HasSubstr("--dataset is needed"));
  expect_refusal({"train", "-m", model().string(), "--data", pairs().string()},
                 HasSubstr("a folder for the results is needed: --output_dir DIR"));
  Result result = run(train(model(), pairs()), {.environment = {{"LMPO_SEED", "x"}}});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("LMPO_SEED: a whole number"));
}

TEST_F(BadInput, RecipesThatAreWrong) {
  const std::vector<std::pair<const char*, const char*>> recipes = {
      {"beta: 2\nlearning_rat: 1\n",
       "recipe.yaml:2: unknown key 'learning_rat' (did you mean 'learning_rate'?)"},
      {"\n\nbeta: much\n", "recipe.yaml:3: beta: a number > 0 was expected, not 'much'"},
      {"beta: {a: 1}\n", "recipe.yaml:1: beta: a value or a list was expected, not a mapping"},
      {"beta: 2\nbeta: 3\n", "recipe.yaml:2: 'beta' contradicts "},
      {"- beta\n", "a mapping of option names to values was expected"},
      {"beta: [1\n", "not valid YAML"}};
  for (const auto& [text, message] : recipes) {
    const fs::path recipe = write("recipe.yaml", text);
    expect_refusal(train(model(), pairs(), {recipe.string()}), HasSubstr(message));
  }
  expect_refusal(train(model(), pairs(), {"none.yaml"}), HasSubstr("none.yaml: cannot be read"));
}

TEST_F(BadInput, OutputFolderInUse) {
  fs::create_directories(path("out"));
  write("out/thesis.txt", "years of work");
  expect_refusal(train(model(), pairs()),
                 AllOf(HasSubstr(path("out").string()), HasSubstr("the folder is not empty"),
                       HasSubstr("no checkpoint"), HasSubstr("--overwrite_output_dir")));
  const Result result = run(train(model(), pairs(), {"--overwrite_output_dir"}));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(read_file(path("out/thesis.txt")), "years of work");
}

TEST_F(BadInput, OutputFolderThatCannotBe) {
  const fs::path folder = copy_of_model("model");
  expect_refusal({"train", "-m", folder.string(), "--data", pairs().string(), "--output_dir",
                  folder.string(), "--overwrite_output_dir"},
                 HasSubstr("is the model's own folder"));
  const Result first = run(train(model(), pairs()));
  EXPECT_EQ(first.exit_code, 0) << first.err;
  expect_refusal(train(model(), pairs()),
                 AllOf(HasSubstr("--resume_from_checkpoint"), HasSubstr("--overwrite_output_dir")));
  expect_refusal(train(path("out/checkpoint-1"), pairs(), {"--overwrite_output_dir"}),
                 HasSubstr("would delete the model"));
  for (const Words& more : {Words{}, Words{"--overwrite_output_dir"}, Words{"--resume"}}) {
    const fs::path file = write("file", "a file");
    Words words = {"train",          "-m",           folder.string(), "--data",
                   pairs().string(), "--output_dir", file.string()};
    words.insert(words.end(), more.begin(), more.end());
    expect_refusal(words, AllOf(HasSubstr(file.string()), HasSubstr("is a file")));
    EXPECT_EQ(read_file(file), "a file");
  }
  expect_refusal({"score", "-m", model().string(), "--data", pairs().string(), "--output",
                  path("no/scores.jsonl").string()},
                 AllOf(HasSubstr("--output"), HasSubstr(path("no").string())));
}

// Whatever refuses a run must do so before the earlier run in the folder is touched.
TEST_F(BadInput, ARefusedRunLeavesTheEarlierOne) {
  const Result first = run(train(model(), pairs()));
  ASSERT_EQ(first.exit_code, 0) << first.err;
  const fs::path folder = copy_of_model("model");
  edit_json(folder / "config.json", [](ordered_json& config) { config["num_hidden_layers"] = 3; });
  expect_refusal(train(folder, pairs(), {"--overwrite_output_dir"}),
                 HasSubstr("the tensors do not fit"));
  expect_refusal(train(model(), pairs(), {"--overwrite_output_dir", "--max_memory", "1MB"}),
                 HasSubstr("of memory"));
  expect_refusal(train(model(), world("held_out_preferences.jsonl"), {"--resume"}),
                 AllOf(HasSubstr("checkpoint-1: "), HasSubstr("was trained on other data")));
  expect_refusal(train(model(), pairs(), {"--resume", "--dtype", "bfloat16"}),
                 HasSubstr("the checkpoint was written with another --dtype or --optim?"));
}

TEST_F(BadInput, NothingToResume) {
  expect_refusal(train(model(), pairs(), {"--resume"}),
                 AllOf(HasSubstr("there is no checkpoint in"), HasSubstr(path("out").string())));
  expect_refusal(train(model(), pairs(), {"--resume", path("none").string()}),
                 HasSubstr("there is no such folder"));
  expect_refusal(train(model(), pairs(), {"--resume", model().string()}),
                 AllOf(HasSubstr("not a checkpoint of lmpo"), HasSubstr("lmpo_state.json")));
}

TEST_F(BadInput, DamagedCheckpoint) {
  const Result first = run(train(model(), pairs()));
  ASSERT_EQ(first.exit_code, 0) << first.err;
  const fs::path checkpoint = path("out") / "checkpoint-1";
  const Words resume = train(model(), pairs(), {"--resume"});
  for (const char* name : {"lmpo_state.json", "optimizer.safetensors", "model.safetensors"}) {
    const std::string whole = read_file(checkpoint / name);
    write_file_atomically(checkpoint / name, whole.substr(0, whole.size() / 2));
    expect_refusal(resume, HasSubstr((checkpoint / name).string()));
    write_file_atomically(checkpoint / name, whole);
  }
  const fs::path file = checkpoint / "lmpo_state.json";
  const std::string whole = read_file(file);
  const json state = json::parse(whole);
  for (const auto& [key, value] : state.items()) {
    for (const json& wrong : {json(), json("text"), json(-1)}) {
      json changed = state;
      changed[key] = wrong;
      write_file_atomically(file, changed.dump());
      const Result result = run(resume);
      EXPECT_TRUE(result.exit_code == 0 || result.exit_code == 2)
          << key << " " << wrong << ": " << result.exit_code << " " << result.err;
      EXPECT_TRUE(result.exit_code == 0 ||
                  result.err.find(checkpoint.string()) != std::string::npos)
          << key << " " << wrong << ": " << result.err;
    }
  }
}

TEST_F(BadInput, NotEnoughMemory) {
  expect_refusal(
      train(model(), pairs(), {"--max_memory", "1MB"}),
      AllOf(HasSubstr("the run needs"), HasSubstr("1.00 MB are allowed by --max_memory:\n"),
            HasSubstr("\n  weights "), HasSubstr("\n  program, data, libraries "),
            HasSubstr("\n  total "), HasSubstr("--recompute layers")));
}

}  // namespace
}  // namespace lmpo::bad_input_test
