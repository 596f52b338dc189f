// The characters whose decomposition or combining class `tokenizers` does not know, because its
// tables are older than utf8proc's: to it they change nothing and keep their neighbours apart.
#pragma once

namespace lmpo {

bool is_newer_than_tokenizers(char32_t character);

}  // namespace lmpo
