#include "cli/testing/program.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <sstream>
#include <stdexcept>

#include "cli/testing/execute.h"
#include "example/world_files.h"
#include "io/checkpoint.h"

namespace lmpo {
namespace {

fs::path new_folder() {
  std::string name = (fs::path(::testing::TempDir()) / "lmpo_cli_XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) {
    throw std::runtime_error("no temporary folder " + name);
  }
  return name;
}

// Runs in the child.
void redirect_standard_error(StandardError to, int err) {
  std::array<int, 2> ends{};
  switch (to) {
    case StandardError::read:
      ::dup2(err, STDERR_FILENO);
      break;
    case StandardError::full:
      ::dup2(::open("/dev/full", O_WRONLY), STDERR_FILENO);
      break;
    case StandardError::closed:
      ::close(STDERR_FILENO);
      break;
    case StandardError::unread:
      if (::pipe(ends.data()) == 0) {
        ::dup2(ends[1], STDERR_FILENO);
        ::close(ends[0]);
        ::close(ends[1]);
      }
      break;
  }
}

// Runs in the child.
[[noreturn]] void become_program(const Words& arguments, const Surroundings& surroundings,
                                 const fs::path& folder, int err) {
  const fs::path out = surroundings.out_to.value_or(folder / "out");
  ::dup2(::open((folder / "in").c_str(), O_RDONLY), STDIN_FILENO);
  ::dup2(::open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644), STDOUT_FILENO);
  redirect_standard_error(surroundings.err_to, err);
  execute_program(arguments, surroundings);
}

// What all tests of a process share; gone with the process.
class World {
 public:
  World() : folder_(new_folder()) {
    write_world(
        folder_,
        {.answers = 40, .preferences = 48, .held_out_preferences = 8, .held_out_prompts = 4}, 7);
    ordered_json config = ordered_json::parse(read_file(folder_ / "config.json"));
    config.update(ordered_json{{"hidden_size", 32},
                               {"intermediate_size", 48},
                               {"num_hidden_layers", 2},
                               {"num_attention_heads", 4},
                               {"num_key_value_heads", 2}});
    write_file_atomically(folder_ / "config.json", config.dump());
    const Result made = run({"init", "--config", (folder_ / "config.json").string(), "--tokenizer",
                             folder_.string(), "--seed", "1", (folder_ / "model").string()});
    if (made.exit_code != 0) {
      throw std::runtime_error("lmpo init: " + made.err);
    }
  }
  ~World() { fs::remove_all(folder_); }
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  const fs::path& folder() const { return folder_; }

 private:
  fs::path folder_;
};

const World& shared_world() {
  static const World world;
  return world;
}

}  // namespace

Program::Program(const Words& arguments, Surroundings surroundings)
    : surroundings_(std::move(surroundings)),
      folder_(new_folder()),
      end_(std::chrono::steady_clock::now() + surroundings_.timeout) {
  write_file_atomically(folder_ / "in", surroundings_.input);
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    throw std::runtime_error("no pipe");
  }
  ::fcntl(ends[0], F_SETPIPE_SZ, 4096);
  child_ = ::fork();
  if (child_ == 0) {
    become_program(arguments, surroundings_, folder_, ends[1]);
  }
  ::close(ends[1]);
  pipe_ = ends[0];
}

Program::~Program() {
  if (child_ > 0) {
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
  }
  ::close(pipe_);
  fs::remove_all(folder_);
}

bool Program::read_more() {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
      end_ - std::chrono::steady_clock::now());
  pollfd waiting = {.fd = pipe_, .events = POLLIN, .revents = 0};
  if (left.count() <= 0 || ::poll(&waiting, 1, static_cast<int>(left.count())) <= 0) {
    ADD_FAILURE() << "the program did not end in time; it said:\n" << err_;
    signal(SIGKILL);
    return false;
  }
  std::array<char, 512> buffer{};
  const ssize_t got = ::read(pipe_, buffer.data(), buffer.size());
  err_.append(buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  return got > 0;
}

bool Program::read_until(const std::string& text) {
  while (err_.find(text) == std::string::npos) {
    if (!read_more()) {
      ADD_FAILURE() << "'" << text << "' was expected in what the program said:\n" << err_;
      return false;
    }
  }
  return true;
}

void Program::signal(int number) const {
  ::kill(child_, number);
}

bool Program::is_running() const {
  siginfo_t info{};
  return ::waitid(P_PID, static_cast<id_t>(child_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         info.si_pid == 0;
}

Result Program::wait() {
  while (read_more()) {
  }
  int status = 0;
  ::waitpid(child_, &status, 0);
  child_ = -1;
  return {.exit_code = WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status),
          .out = surroundings_.out_to ? "" : read_file(folder_ / "out"),
          .err = err_};
}

Result run(const Words& arguments, Surroundings surroundings) {
  return Program(arguments, std::move(surroundings)).wait();
}

void execute_program(const Words& arguments, const Surroundings& surroundings) {
  if (surroundings.largest_file) {
    const rlimit limit = {*surroundings.largest_file, *surroundings.largest_file};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    std::signal(SIGXFSZ, SIG_IGN);  // writing fails instead
  }
  for (const auto& [name, value] : surroundings.environment) {
    ::setenv(name.c_str(), value.c_str(), 1);
  }
  std::vector<char*> words = {const_cast<char*>("lmpo")};
  for (const std::string& argument : arguments) {
    words.push_back(const_cast<char*>(argument.c_str()));
  }
  words.push_back(nullptr);
  ::execv(surroundings.program.c_str(), words.data());
  ::_exit(127);
}

void ProgramTest::SetUp() {
  folder_ = new_folder();
}

void ProgramTest::TearDown() {
  fs::remove_all(folder_);
}

const fs::path& ProgramTest::model() {
  static const fs::path folder = shared_world().folder() / "model";
  return folder;
}

fs::path ProgramTest::world(const std::string& file) {
  return shared_world().folder() / file;
}

Words ProgramTest::training(const fs::path& out, const Words& more) {
  Words words = {"train",
                 "-m",
                 model().string(),
                 "--data",
                 world("preferences.jsonl").string(),
                 "--output_dir",
                 out.string(),
                 "--learning_rate",
                 "1e-3",
                 "--logging_steps",
                 "1",
                 "--per_device_train_batch_size",
                 "4",
                 "-t",
                 "2"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

fs::path ProgramTest::write(const std::string& name, const std::string& content) const {
  write_file_atomically(path(name), content);
  return path(name);
}

fs::path ProgramTest::copy_of_model(const std::string& name) const {
  fs::copy(model(), path(name), fs::copy_options::recursive);
  return path(name);
}

fs::path ProgramTest::reward_model(const std::string& name, std::int64_t labels) const {
  fs::path folder = copy_of_model(name);
  const Checkpoint checkpoint = Checkpoint::open(model());
  std::vector<TensorSource> tensors;
  for (const std::string& tensor : checkpoint.names()) {
    const TensorView view = checkpoint.tensor(tensor);
    tensors.push_back(tensor_from_memory(view.name, view.dtype, view.shape, view.bytes.data()));
  }
  std::vector<float> score;
  for (std::int64_t i = 0; i < labels * 32; ++i) {
    score.push_back(std::sin(3 * static_cast<float>(i)));
  }
  tensors.push_back(tensor_from_memory("score.weight", Dtype::f32, {labels, 32}, score.data()));
  write_checkpoint(folder, tensors, std::int64_t{1} << 30);
  return folder;
}

Contents contents(const fs::path& folder) {
  Contents files;
  if (fs::exists(folder)) {
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      files[fs::relative(entry.path(), folder).string()] =
          entry.is_directory() ? "" : read_file(entry.path());
    }
  }
  return files;
}

std::vector<std::string> changes(const Contents& before, const Contents& after) {
  std::vector<std::string> names;
  for (const auto& [name, content] : before) {
    if (!after.contains(name) || after.at(name) != content) {
      names.push_back(name);
    }
  }
  for (const auto& [name, content] : after) {
    if (!before.contains(name)) {
      names.push_back(name);
    }
  }
  return names;
}

std::vector<json> json_lines(const std::string& text) {
  std::vector<json> values;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    values.push_back(json::parse(line));
  }
  return values;
}

}  // namespace lmpo
