#include "convert/gguf_model.h"

#include <algorithm>

#include "convert/gguf_vocabulary.h"

namespace lmpo {

void write_gguf_model(const fs::path& file, const fs::path& folder, const ModelConfig& config,
                      const Checkpoint& checkpoint, GgufType type) {
  const std::string name = fs::absolute(folder / "").lexically_normal().parent_path().filename();
  GgufMetadata keys = gguf_architecture(config, name, type);
  std::ranges::move(gguf_vocabulary(folder, config), std::back_inserter(keys));
  write_gguf(file, keys, gguf_tensors(config, checkpoint, type));
}

}  // namespace lmpo
