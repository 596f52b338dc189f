#include "recipe/pages/completion.h"

#include "base/error.h"

namespace lmpo {

std::string completion_script(std::string_view shell, std::span<const ListedCommand> commands) {
  if (shell == "bash") {
    return bash_completion(commands);
  }
  if (shell == "zsh") {
    return zsh_completion(commands);
  }
  if (shell == "fish") {
    return fish_completion(commands);
  }
  user_error("--completion: bash, zsh or fish was expected, not '{}'", shell);
}

std::string shell_quoted(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) {
    quoted += c == '\'' ? "'\\''" : std::string(1, c);
  }
  return quoted + "'";
}

}  // namespace lmpo
