#include "convert/gguf_model.h"

#include <algorithm>

#include "base/folder_name.h"
#include "convert/gguf_vocabulary.h"

namespace lmpo {

void write_gguf_model(const fs::path& file, const fs::path& folder, const ModelConfig& config,
                      const Checkpoint& checkpoint, GgufType type) {
  GgufMetadata keys = gguf_architecture(config, folder_name(folder), type);
  std::ranges::move(gguf_vocabulary(folder, config), std::back_inserter(keys));
  write_gguf(file, keys, gguf_tensors(config, checkpoint, type));
}

}  // namespace lmpo
