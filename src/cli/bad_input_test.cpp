// What people get wrong. Each mistake ends the program with exit code 2 before anything is written,
// and the message names the file, line or key, what was expected and what to do.

#include "cli/testing/bad_input.h"

#include "base/testing/test_paths.h"

namespace lmpo {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr const char* kGoodRow =
    "{\"prompt\": \"first : cat\", \"chosen\": \" cat .\", \"rejected\": \" moon .\"}\n";

// --- weights

constexpr std::size_t kLengthBytes = 8;  // before the header

std::size_t header_length(const std::string& file) {
  std::size_t length = 0;
  for (std::size_t i = 0; i < kLengthBytes; ++i) {
    length |= static_cast<std::size_t>(static_cast<unsigned char>(file[i])) << (8 * i);
  }
  return length;
}

std::string with_length(std::size_t length, const std::string& rest) {
  std::string file;
  for (std::size_t i = 0; i < kLengthBytes; ++i) {
    file += static_cast<char>(length >> (8 * i) & 0xFF);
  }
  return file + rest;
}

TEST_F(BadInput, APathThatNoSystemHas) {
  const std::string name(300, 'a');
  const auto too_long = AllOf(HasSubstr("error: " + name), HasSubstr(": File name too long"));
  expect_refusal(train(name, pairs()), too_long);
  expect_refusal(train(model(), name), too_long);
  expect_refusal(score(name, pairs()), too_long);
  expect_refusal({"report", name}, too_long);
}

TEST_F(BadInput, TruncatedWeights) {
  const fs::path folder = copy_of_model("model");
  const fs::path file = folder / "model.safetensors";
  const std::string whole = read_file(file);
  const std::size_t header = header_length(whole);
  const std::vector<std::pair<std::size_t, const char*>> cuts = {
      {0, "0 bytes are too few"},
      {5, "5 bytes are too few"},
      {kLengthBytes + header / 2, "truncated: a header of"},
      {kLengthBytes + header, "the file is truncated or its header is wrong"},
      {whole.size() - 1, "the file is truncated or its header is wrong"}};
  for (const auto& [size, message] : cuts) {
    write_file_atomically(file, whole.substr(0, size));
    for (const Words& words : {train(folder, pairs()), score(folder, pairs()), generate(folder)}) {
      expect_refusal(words, AllOf(HasSubstr(file.string()), HasSubstr(message)));
    }
  }
}

TEST_F(BadInput, LyingWeights) {
  const fs::path folder = copy_of_model("model");
  const fs::path file = folder / "model.safetensors";
  const std::string whole = read_file(file);
  const std::size_t length = header_length(whole);
  const std::string data = whole.substr(kLengthBytes + length);
  const auto expect = [&](const std::string& content, const std::string& message) {
    write_file_atomically(file, content);
    expect_refusal(train(folder, pairs()), AllOf(HasSubstr(file.string()), HasSubstr(message)));
  };
  expect(with_length(~std::size_t{0}, whole.substr(kLengthBytes)), "is announced, at most");
  expect(with_length(length, std::string(length, '{') + data),
         "the header is not valid JSON: parse error");
  expect(with_length(length, std::string(length, ' ') + data), "does not start with '{'");
  expect(whole + "tail", "4 bytes follow that belong to no tensor");

  const auto lie = [&](const std::function<void(json&)>& edit, const std::string& message) {
    json header = json::parse(whole.substr(kLengthBytes, length));
    edit(header["model.norm.weight"]);
    const std::string text = header.dump();
    expect(with_length(text.size(), text + data), "'model.norm.weight'" + message);
  };
  lie([](json& norm) { norm["shape"] = {64}; },
      ": F32 [64] needs 256 bytes, data_offsets give 128");
  lie([](json& norm) { norm["shape"] = {-32}; }, ": 'shape' must hold whole numbers");
  lie([](json& norm) { norm["shape"] = {1LL << 40, 1LL << 40}; }, ": the shape [");
  lie([](json& norm) { norm["dtype"] = "F33"; }, ": unknown dtype 'F33'");
  lie([](json& norm) { norm["dtype"] = "I32"; },
      " holds int32, a floating-point type was expected");
  lie([](json& norm) { norm["data_offsets"] = {128, 0}; }, ": data_offsets must be [begin, end]");
  lie(
      [](json& norm) {
        norm["data_offsets"] = {1LL << 60, (1LL << 60) + 128};
      },
      ": its bytes [1152921504606846976,");
  lie([](json& norm) { norm.erase("shape"); }, ": a list 'shape' was expected");
}

TEST_F(BadInput, WeightsThatAreNotThere) {
  const fs::path folder = copy_of_model("model");
  fs::remove(folder / "model.safetensors");
  expect_refusal(train(folder, pairs()), HasSubstr("no weights: model.safetensors or"));
  write_file_atomically(folder / "pytorch_model.bin", "pickle");
  expect_refusal(train(folder, pairs()), HasSubstr("only pytorch_model.bin is here"));
  fs::remove(folder / "pytorch_model.bin");
  const fs::path index = folder / "model.safetensors.index.json";
  write_file_atomically(index, "{\"weight_map\": {\"model.norm.weight\": \"../secret\"}}");
  expect_refusal(train(folder, pairs()), HasSubstr("must name a file of the same folder"));
  write_file_atomically(index, "{\"weight_map\": {\"model.norm.weight\": \"a.safetensors\"}}");
  expect_refusal(train(folder, pairs()), HasSubstr("this shard is missing"));
  expect_refusal(train("meta-llama/Llama-3.2-1B", pairs()),
                 HasSubstr("hf download meta-llama/Llama-3.2-1B"));
}

// --- configuration

TEST_F(BadInput, ConfigurationThatContradictsItsTensors) {
  const fs::path folder = copy_of_model("model");
  const std::string whole = read_file(folder / "config.json");
  const auto expect = [&](const char* key, const json& value,
                          const testing::Matcher<const std::string&>& message) {
    write_file_atomically(folder / "config.json", whole);
    edit_json(folder / "config.json", [&](ordered_json& config) { config[key] = value; });
    expect_refusal(train(folder, pairs()), message);
    expect_refusal(score(folder, pairs()), message);
  };
  const auto misfit = [](const char* message) {
    return AllOf(HasSubstr("the tensors do not fit config.json:"), HasSubstr(message));
  };
  expect("vocab_size", 512, misfit("model.embed_tokens.weight is ["));
  expect("intermediate_size", 49, misfit("mlp.down_proj.weight is [32, 48], config.json says"));
  expect("num_hidden_layers", 3, misfit("9 missing: model.layers.2.self_attn.q_proj.weight,"));
  expect("num_hidden_layers", 1, misfit("9 unexpected: "));
  expect("num_key_value_heads", 4, misfit("self_attn.k_proj.weight is [16, 32]"));
  expect("tie_word_embeddings", false, misfit("set tie_word_embeddings: true"));
}

TEST_F(BadInput, ConfigurationThatIsNone) {
  const fs::path folder = copy_of_model("model");
  const fs::path file = folder / "config.json";
  const std::string whole = read_file(file);
  const auto expect = [&](const char* key, const json& value, const char* message) {
    write_file_atomically(file, whole);
    edit_json(file, [&](ordered_json& config) { config[key] = value; });
    expect_refusal(train(folder, pairs()), AllOf(HasSubstr(file.string()), HasSubstr(message)));
  };
  expect("model_type", "gpt2", "llama and mistral");
  expect("hidden_size", "32", "key 'hidden_size': a whole number was expected, not \"32\"");
  expect("hidden_size", -32, "key 'hidden_size'");
  expect("num_attention_heads", 0, "key 'num_attention_heads'");
  expect("num_attention_heads", 3, "num_attention_heads");
  expect("num_hidden_layers", 1LL << 62, "key 'num_hidden_layers'");
  expect("rope_scaling", json{{"rope_type", "spiral"}, {"factor", 2}}, "spiral");
  write_file_atomically(file, whole.substr(0, whole.size() / 2));
  expect_refusal(train(folder, pairs()),
                 AllOf(HasSubstr(file.string()), HasSubstr("not valid JSON")));
  fs::remove(file);
  expect_refusal(train(folder, pairs()), HasSubstr("there is no config.json"));
}

// --- tokenizer and template

TEST_F(BadInput, TokenizerLargerThanTheEmbedding) {
  const fs::path folder = copy_of_model("model");
  edit_json(folder / "tokenizer.json", [](ordered_json& tokenizer) {
    ordered_json token = tokenizer["added_tokens"][0];
    token["id"] = tokenizer["model"]["vocab"].size();
    token["content"] = "<|extra|>";
    tokenizer["added_tokens"].push_back(token);
  });
  for (const Words& words : {train(folder, pairs()), score(folder, pairs()), generate(folder)}) {
    expect_refusal(words, AllOf(HasSubstr("the tokenizer has ids up to 303"),
                                HasSubstr("the model's embedding only"), HasSubstr("vocab_size")));
  }
  expect_refusal({"init", "--config", (folder / "config.json").string(), "--tokenizer",
                  folder.string(), path("out").string()},
                 HasSubstr("the tokenizer has ids up to 303"));
}

TEST_F(BadInput, TokenizerThatIsNone) {
  const fs::path folder = copy_of_model("model");
  const fs::path file = folder / "tokenizer.json";
  const std::string whole = read_file(file);
  for (const std::string& content :
       {whole.substr(0, whole.size() / 2), std::string("{}"), std::string("[]"), std::string()}) {
    write_file_atomically(file, content);
    expect_refusal(train(folder, pairs()), HasSubstr(file.string()));
  }
  fs::remove(file);
  expect_refusal(train(folder, pairs()), HasSubstr("tokenizer.json"));
}

TEST_F(BadInput, TemplateThatRaises) {
  const fs::path folder = copy_of_model("model");
  const fs::path data =
      write("chats.jsonl", std::string(kGoodRow) +
                               "{\"prompt\": [{\"role\": \"judge\", \"content\": \"cat\"}], "
                               "\"chosen\": [{\"role\": \"assistant\", \"content\": \"a\"}], "
                               "\"rejected\": [{\"role\": \"assistant\", \"content\": \"b\"}]}\n");
  write_file_atomically(folder / "chat_template.jinja",
                        "{% for m in messages %}\n{% if m.role == 'judge' %}"
                        "{{ raise_exception('no judges, ' + m.content) }}{% endif %}{% endfor %}");
  const auto message = AllOf(HasSubstr("chats.jsonl:2: "), HasSubstr("no judges, cat"),
                             HasSubstr("chat_template.jinja"));
  expect_refusal(train(folder, data), message);
  expect_refusal(score(folder, data), message);
  const Result result = run({"tokenize", "-m", folder.string()},
                            {.input = "[{\"role\": \"judge\", \"content\": \"cat\"}]\n"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err,
              AllOf(HasSubstr("standard input, line 1: "), HasSubstr("no judges, cat")));
}

TEST_F(BadInput, TemplateThatIsNone) {
  const fs::path folder = copy_of_model("model");
  const fs::path file = folder / "chat_template.jinja";
  write_file_atomically(file, "{% for m in messages %}\n{{ m.content }\n{% endfor %}");
  expect_refusal(train(folder, pairs()), HasSubstr(file.string() + ":2"));
  write_file_atomically(file, "\n\n{{ messages | shuffle }}");
  expect_refusal(train(folder, pairs()), AllOf(HasSubstr(":3"), HasSubstr("shuffle")));
  fs::remove(file);
  expect_refusal(train(folder, pairs()),
                 AllOf(HasSubstr("preferences.jsonl:1: "), HasSubstr("has no chat template"),
                       HasSubstr("add chat_template.jinja")));
  expect_refusal(train(folder, pairs(), {"--chat_template_path", path("none").string()}),
                 HasSubstr(path("none").string() + ": cannot be read"));
}

// --- data

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
  expect_refusal(train(model(), cut), AllOf(HasSubstr("cut.json: row 1"), HasSubstr("cut short")));
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

// --- options

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
      {{"--eval_strategy", "steps"}, "evaluation needs data: name it by eval_dataset"},
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

// --- the output folder

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
                 HasSubstr("is the folder of the model itself"));
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

// --- memory

TEST_F(BadInput, NotEnoughMemory) {
  expect_refusal(
      train(model(), pairs(), {"--max_memory", "1MB"}),
      AllOf(HasSubstr("the run needs"), HasSubstr("1.00 MB are allowed by --max_memory:\n"),
            HasSubstr("\n  weights "), HasSubstr("\n  program, data, libraries "),
            HasSubstr("\n  total "), HasSubstr("--recompute layers")));
}

}  // namespace
}  // namespace lmpo
