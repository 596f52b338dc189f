// lmpo import: a model comes back from GGUF, and files that cannot be one are refused before anything
// is written.
#include <cstring>

#include "cli/testing/llama3_model.h"

namespace lmpo::import_test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class Import : public Llama3Test {
 protected:
  fs::path exported(const char* type = "f32") const {
    const fs::path file = path("model.gguf");
    expect_done({"export", llama3_model().string(), "--format", "gguf", "--type", type, "--output",
                 file.string()});
    return file;
  }
  Words import(const fs::path& file, const Words& more = {}) const {
    Words words = {"import", file.string(), path("out").string()};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  // The message names the file; nothing in the test's folder has changed.
  void expect_refused(const fs::path& file, const ::testing::Matcher<const std::string&>& message,
                      const Words& more = {}) const {
    const Contents before = contents(folder_);
    const Result result = run(import(file, more));
    EXPECT_EQ(result.exit_code, 2) << result.err;
    EXPECT_THAT(result.err, AllOf(HasSubstr("error: " + file.string()), message));
    EXPECT_EQ(result.out, "");
    EXPECT_EQ(changes(before, contents(folder_)), Words());
  }
};

// What the header of a GGUF file says of a tensor, and where.
class TensorInHeader {
 public:
  TensorInHeader(std::string& file, const std::string& name) : file_(file) {
    const std::size_t sizes = file.find(name) + name.size();
    const std::size_t count = static_cast<unsigned char>(file.at(sizes));
    type_ = sizes + sizeof(std::uint32_t) + count * sizeof(std::uint64_t);
  }
  void set_type(std::uint32_t type) { std::memcpy(&file_.at(type_), &type, sizeof type); }
  std::uint64_t offset() const {
    std::uint64_t value = 0;
    std::memcpy(&value, &file_.at(type_ + sizeof(std::uint32_t)), sizeof value);
    return value;
  }
  void set_offset(std::uint64_t offset) {
    std::memcpy(&file_.at(type_ + sizeof(std::uint32_t)), &offset, sizeof offset);
  }

 private:
  std::string& file_;
  std::size_t type_;
};

TEST_F(Import, GivesTheModelBack) {
  const fs::path file = exported();
  const fs::path source = path("llama3");
  const Result result = run(import(file));
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, AllOf(HasSubstr("llama3: llama with "), HasSubstr("no value was rounded"),
                                HasSubstr("next: lmpo chat --model " + path("out").string())));
  EXPECT_EQ(read_file(path("out/model.safetensors")), read_file(source / "model.safetensors"));
  EXPECT_TRUE(fs::exists(path("out/README.md")));
  const auto scores = [&](const fs::path& folder) {
    return json_lines(run(score(folder, pairs())).out);
  };
  EXPECT_EQ(scores(path("out")), scores(source));
  EXPECT_EQ(scores(source).size(), 48U);
}

TEST_F(Import, RoundsWhereItIsAskedTo) {
  const Result result = run(import(exported("q8_0"), {"--dtype", "bfloat16"}));
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, AllOf(HasSubstr("Q8_0"), HasSubstr("weights as bfloat16"),
                                HasSubstr(" values rounded")));
  EXPECT_EQ(json::parse(read_file(path("out/config.json")))["torch_dtype"], "bfloat16");
}

TEST_F(Import, AFileThatIsNone) {
  expect_refused(path("none.gguf"), HasSubstr("cannot be read: No such file"));
  expect_refused(model(), HasSubstr("is a folder, a file was expected"));
  expect_refused(model() / "config.json", HasSubstr("not a GGUF file"));
}

TEST_F(Import, ATruncatedFile) {
  const fs::path file = exported();
  const std::string whole = read_file(file);
  const std::size_t tensors = whole.find("token_embd.weight");
  const std::pair<std::size_t, const char*> cuts[] = {
      {0, "not a GGUF file"},
      {20, "damaged: copy or download it again"},
      {tensors / 2, "damaged: copy or download it again"},
      {tensors + 20, "damaged: copy or download it again"},
      {whole.size() / 2, "it is cut short or damaged: copy or download it again"},
      {whole.size() - 64, "it is cut short or damaged: copy or download it again"}};
  for (const auto& [size, message] : cuts) {
    write_file_atomically(file, whole.substr(0, size));
    expect_refused(file, HasSubstr(message));
  }
}

TEST_F(Import, TensorsThatOverlap) {
  const fs::path file = exported();
  std::string bytes = read_file(file);
  TensorInHeader(bytes, "blk.1.ffn_up.weight")
      .set_offset(TensorInHeader(bytes, "blk.0.ffn_up.weight").offset());
  write_file_atomically(file, bytes);
  expect_refused(file, AllOf(HasSubstr("ffn_up.weight': its bytes overlap with those of 'blk."),
                             HasSubstr("copy or download it again")));
}

TEST_F(Import, TypesThatAreNotRead) {
  const fs::path file = exported();
  std::string bytes = read_file(file);
  TensorInHeader tensor(bytes, "blk.1.ffn_up.weight");
  const std::pair<std::uint32_t, const char*> types[] = {
      {99, "its type 99 is unknown; F32, F16, "},
      {26, "is stored as I32, which is not read; F32,"}};
  for (const auto& [type, message] : types) {
    tensor.set_type(type);
    write_file_atomically(file, bytes);
    expect_refused(file, AllOf(HasSubstr("tensor 'blk.1.ffn_up.weight'"), HasSubstr(message),
                               HasSubstr("Q6_K")));
  }
}

TEST_F(Import, AnotherFamily) {
  const fs::path file = exported();
  std::string bytes = read_file(file);
  const std::string key = "general.architecture";
  // Behind the key: the type of the value and its length.
  bytes.replace(bytes.find(key) + key.size() + 12, 5, "mamba");
  write_file_atomically(file, bytes);
  expect_refused(file, AllOf(HasSubstr("key 'general.architecture': 'mamba' is not supported; "),
                             HasSubstr("these are: gemma, gemma2, ")));
}

TEST_F(Import, ASplitModelWithoutOneOfItsParts) {
  const fs::path parts = source_folder() / "src/io/testdata";
  const fs::path first = path("parts-00001-of-00002.gguf");
  fs::copy(parts / first.filename(), first);
  const Contents before = contents(folder_);
  const Result result = run(import(first));
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, AllOf(HasSubstr(path("parts-00002-of-00002.gguf").string()),
                                HasSubstr("part 2 of 2 is missing; it must lie beside parts-")));
  EXPECT_EQ(changes(before, contents(folder_)), Words());
}

TEST_F(Import, AnOutputThatIsThere) {
  const fs::path file = exported();
  fs::create_directories(path("out"));
  write("out/thesis.txt", "years of work");
  const Contents before = contents(folder_);
  for (const Words& words : {import(file), Words{"import", file.string(), file.string()}}) {
    const Result result = run(words);
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_THAT(result.err, AllOf(HasSubstr(words.back()),
                                  HasSubstr("already exists; choose another name or remove it")));
  }
  EXPECT_EQ(changes(before, contents(folder_)), Words());
}

// In a folder that is a disk of 64 KiB, seen by the program alone.
TEST_F(Import, ADiskThatIsTooSmall) {
  if (run({"-rm", "true"}, {.program = "/usr/bin/unshare"}).exit_code != 0) {
    GTEST_SKIP() << "this machine lets no process mount a disk of its own";
  }
  const fs::path file = exported();
  fs::create_directories(path("disk"));
  const Result result = run(
      {"-rm", "sh", "-c",
       "cd \"$0\" && mount -t tmpfs -o size=64k none disk && { \"$@\"; code=$?; } && ls -A disk "
       "&& exit $code",
       folder_.string(), lmpo_binary().string(), "import", file.string(),
       path("disk/out").string()},
      {.program = "/usr/bin/unshare"});
  EXPECT_EQ(result.exit_code, 2) << result.err;
  EXPECT_THAT(result.err, AllOf(HasSubstr("disk/out: the weights need "),
                                HasSubstr("but the disk has 65.5 kB left; free some, or choose a "
                                          "smaller --dtype")));
  EXPECT_EQ(result.out, "");  // of ls
}

TEST_F(Import, ADiskThatIsFullSooner) {
  const fs::path file = exported();
  const Contents before = contents(folder_);
  const Result result = run(import(file), {.largest_file = 32768});
  EXPECT_EQ(result.exit_code, 1) << result.err;
  EXPECT_THAT(result.err, AllOf(HasSubstr(path("out").string()), HasSubstr("writing failed")));
  EXPECT_EQ(changes(before, contents(folder_)), Words());
}

}  // namespace
}  // namespace lmpo::import_test
