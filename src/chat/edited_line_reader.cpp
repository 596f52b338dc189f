// Editing of lines by libedit.
#include <histedit.h>
#include <unistd.h>

#include <clocale>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "base/log.h"
#include "base/path_kind.h"
#include "base/temporary_name.h"
#include "chat/line_reader.h"

namespace lmpo {
namespace {

constexpr int kKept = 1000;  // lines of history

class EditedLineReader : public LineReader {
 public:
  EditedLineReader(std::string prompt, fs::path history)
      : prompt_(std::move(prompt)), file_(std::move(history)) {
    // Without a locale of UTF-8 libedit would take a character's bytes for characters.
    if (std::setlocale(LC_CTYPE, "") == nullptr || MB_CUR_MAX == 1) {
      std::setlocale(LC_CTYPE, "C.UTF-8");
    }
    editor_ = ::el_init("lmpo", stdin, stdout, stderr);
    history_ = ::history_init();
    HistEvent event{};
    ::history(history_, &event, H_SETSIZE, kKept);
    ::history(history_, &event, H_SETUNIQUE, 1);
    if (!file_.empty() && is_file(file_)) {
      ::history(history_, &event, H_LOAD, file_.c_str());
    }
    ::el_set(editor_, EL_CLIENTDATA, this);
    ::el_set(editor_, EL_PROMPT, &EditedLineReader::prompt_of);
    ::el_set(editor_, EL_EDITOR, "emacs");
    ::el_set(editor_, EL_HIST, ::history, history_);
    ::el_source(editor_, nullptr);  // the user's ~/.editrc
    // While a line is edited Ctrl-C is a key like others.
    ::el_set(editor_, EL_SETTY, "-d", "-isig", nullptr);
    ::el_set(editor_, EL_ADDFN, "lmpo-interrupt", "Ends the line", &EditedLineReader::on_interrupt);
    ::el_set(editor_, EL_BIND, "^C", "lmpo-interrupt", nullptr);
  }

  ~EditedLineReader() override {
    ::el_end(editor_);
    ::history_end(history_);
  }
  EditedLineReader(const EditedLineReader&) = delete;
  EditedLineReader& operator=(const EditedLineReader&) = delete;

  ReadLine read() override {
    interrupted_ = false;
    int count = 0;
    // A Ctrl-C before libedit has the keyboard must not end the conversation.
    std::signal(SIGINT, SIG_IGN);
    const char* typed = ::el_gets(editor_, &count);
    std::signal(SIGINT, SIG_DFL);
    if (interrupted_) {
      std::fputs("^C\n", stdout);
      return {.kind = ReadLine::Kind::interrupted};
    }
    if (typed == nullptr || count <= 0) {
      return {};
    }
    std::string line(typed, static_cast<std::size_t>(count));
    while (line.ends_with('\n') || line.ends_with('\r')) {
      line.pop_back();
    }
    if (!line.empty()) {
      remember(line);
    }
    return {.kind = ReadLine::Kind::line, .text = line};
  }

 private:
  static EditedLineReader& of(EditLine* editor) {
    void* reader = nullptr;
    ::el_get(editor, EL_CLIENTDATA, &reader);
    return *static_cast<EditedLineReader*>(reader);
  }
  static char* prompt_of(EditLine* editor) { return of(editor).prompt_.data(); }
  static unsigned char on_interrupt(EditLine* editor, int) {
    of(editor).interrupted_ = true;
    return CC_EOF;
  }

  // libedit makes the file readable for its owner alone.
  void remember(const std::string& line) {
    HistEvent event{};
    ::history(history_, &event, H_ENTER, line.c_str());
    if (file_.empty()) {
      return;
    }
    std::error_code error;
    fs::create_directories(file_.parent_path(), error);
    remove_incomplete(file_.parent_path());
    const fs::path temporary = temporary_beside(file_);
    if (::history(history_, &event, H_SAVE, temporary.c_str()) >= 0) {
      fs::rename(temporary, file_, error);
      return;
    }
    fs::remove(temporary, error);
    log_warning("{}: cannot keep what you type for later sessions", file_.string());
    file_.clear();
  }

  std::string prompt_;
  fs::path file_;
  EditLine* editor_ = nullptr;
  History* history_ = nullptr;
  bool interrupted_ = false;
};

}  // namespace

std::unique_ptr<LineReader> make_edited_line_reader(const std::string& prompt,
                                                    const fs::path& history) {
  return std::make_unique<EditedLineReader>(prompt, history);
}

}  // namespace lmpo

#ifdef __SANITIZE_ADDRESS__
// libedit never gives back the names that EL_ADDFN copies.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() {
  return "leak:wcsdup\n";
}
#endif
