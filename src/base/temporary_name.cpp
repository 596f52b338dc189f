#include "base/temporary_name.h"

#include <random>
#include <string>

#include "base/error.h"
#include "base/hash.h"

namespace lmpo {
namespace {

constexpr std::string_view kMark = ".incomplete-";
constexpr std::size_t kDigits = 8;

std::string check_digits(std::string_view name, std::string_view random) {
  Hash hash;
  hash.add(name);
  hash.add(random);
  return hash.text().substr(0, kDigits);
}

}  // namespace

fs::path temporary_beside(const fs::path& path) {
  const std::string random = fmt::format("{:08x}", std::random_device()());
  fs::path result = path;
  result += fmt::format("{}{}{}", kMark, random, check_digits(path.filename().string(), random));
  return result;
}

std::string_view final_name(std::string_view temporary) {
  constexpr std::size_t kEnding = kMark.size() + 2 * kDigits;
  if (temporary.size() <= kEnding) {
    return {};
  }
  const std::string_view name = temporary.substr(0, temporary.size() - kEnding);
  const std::string_view random = temporary.substr(name.size() + kMark.size(), kDigits);
  const bool ours = temporary.substr(name.size()).starts_with(kMark) &&
                    temporary.substr(temporary.size() - kDigits) == check_digits(name, random);
  return ours ? name : std::string_view();
}

}  // namespace lmpo
