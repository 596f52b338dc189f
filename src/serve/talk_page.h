// The page at /, to talk to the models.
#pragma once

namespace lmpo {

// The whole page in UTF-8, from src/serve/page/: no other file is loaded. It asks the API under v1/
// beside its own address.
extern const char* const kTalkPage;

}  // namespace lmpo
