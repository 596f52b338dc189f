#include "train/event_file.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <chrono>
#include <ctime>

#include "base/error.h"
#include "base/growing_file.h"
#include "base/host_name.h"

namespace lmpo {
namespace {

constexpr std::string_view kPrefix = "events.out.tfevents.";

// CRC-32C (Castagnoli), reflected: RFC 3720, appendix B.4.
constexpr std::array<std::uint32_t, 256> crc_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < table.size(); ++byte) {
    std::uint32_t value = byte;
    for (int bit = 0; bit < 8; ++bit) {
      value = (value >> 1) ^ ((value & 1) != 0 ? 0x82F63B78U : 0U);
    }
    table[byte] = value;
  }
  return table;
}

// Masked, because a CRC of data that holds CRCs is weak.
std::uint32_t masked_crc(std::string_view data) {
  static constexpr std::array<std::uint32_t, 256> table = crc_table();
  std::uint32_t crc = ~0U;
  for (const char character : data) {
    crc = (crc >> 8) ^ table[(crc ^ static_cast<unsigned char>(character)) & 0xFF];
  }
  return std::rotr(~crc, 15) + 0xA282EAD8U;
}

template <typename Number>
void append_little_endian(std::string& out, Number number) {
  for (std::size_t i = 0; i < sizeof number; ++i) {
    out += static_cast<char>(static_cast<unsigned char>(number >> (8 * i)));
  }
}

std::string record(std::string_view payload) {
  std::string result;
  append_little_endian(result, std::uint64_t{payload.size()});
  append_little_endian(result, masked_crc(result));
  result += payload;
  append_little_endian(result, masked_crc(payload));
  return result;
}

// A message of protobuf: fields by number, in the wire types of
// https://protobuf.dev/programming-guides/encoding
class ProtobufMessage {
 public:
  ProtobufMessage& varint(std::uint64_t number, std::uint64_t value) {
    key(number, 0);
    put_varint(value);
    return *this;
  }
  ProtobufMessage& fixed(std::uint64_t number, double value) {
    key(number, 1);
    append_little_endian(bytes_, std::bit_cast<std::uint64_t>(value));
    return *this;
  }
  ProtobufMessage& fixed(std::uint64_t number, float value) {
    key(number, 5);
    append_little_endian(bytes_, std::bit_cast<std::uint32_t>(value));
    return *this;
  }
  ProtobufMessage& text(std::uint64_t number, std::string_view value) {
    key(number, 2);
    put_varint(value.size());
    bytes_ += value;
    return *this;
  }
  ProtobufMessage& message(std::uint64_t number, const ProtobufMessage& value) {
    return text(number, value.bytes_);
  }
  const std::string& bytes() const { return bytes_; }

 private:
  void key(std::uint64_t number, std::uint64_t wire_type) { put_varint(number << 3 | wire_type); }
  void put_varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) {
      bytes_ += static_cast<char>(static_cast<unsigned char>(value | 0x80));
    }
    bytes_ += static_cast<char>(static_cast<unsigned char>(value));
  }

  std::string bytes_;
};

// The functions below make the messages of TensorFlow's event.proto, summary.proto and tensor.proto.

ProtobufMessage event_now() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return ProtobufMessage().fixed(1, std::chrono::duration<double>(now).count());  // wall_time
}

std::string version_record() {
  return record(event_now().text(3, "brain.Event:2").bytes());  // file_version
}

std::string start_record(std::int64_t first_step) {
  return record(event_now()
                    .varint(2, static_cast<std::uint64_t>(first_step))
                    .message(7, ProtobufMessage().varint(1, 1))  // session_log: status START
                    .bytes());
}

std::string summary_record(std::int64_t step, const ProtobufMessage& summary) {
  return record(
      event_now().varint(2, static_cast<std::uint64_t>(step)).message(5, summary).bytes());
}

// A number. TensorBoard shows the description beside the chart; a tag's first number carries it.
ProtobufMessage number_value(std::string_view tag, float value, std::string_view description) {
  ProtobufMessage message = ProtobufMessage().text(1, tag).fixed(2, value);  // tag, simple_value
  if (!description.empty()) {
    const ProtobufMessage plugin = ProtobufMessage().text(1, "scalars");  // plugin_name
    message.message(9, ProtobufMessage()
                           .message(1, plugin)    // plugin_data
                           .text(3, description)  // summary_description
                           .varint(4, 1));        // data_class: DATA_CLASS_SCALAR
  }
  return message;
}

ProtobufMessage text_value(std::string_view tag, std::string_view text) {
  const ProtobufMessage plugin = ProtobufMessage().text(1, "text");       // plugin_name
  const ProtobufMessage metadata = ProtobufMessage().message(1, plugin);  // plugin_data
  const ProtobufMessage one = ProtobufMessage().varint(1, 1);             // a dimension of size 1
  const ProtobufMessage tensor = ProtobufMessage()
                                     .varint(1, 7)  // dtype: DT_STRING
                                     .message(2, ProtobufMessage().message(2, one))  // tensor_shape
                                     .text(8, text);                                 // string_val
  return ProtobufMessage().text(1, tag).message(9, metadata).message(8, tensor);
}

// What to know about a metric before comparing it across runs; empty for most.
std::string_view description_of(std::string_view metric) {
  struct Description {
    std::string_view beginning;
    std::string_view text;
  };
  static constexpr Description kAll[] = {
      {"rewards/accuracies", "Share of pairs whose chosen response has the higher reward."},
      {"rewards/", "Scaled by the method's beta: not comparable across methods or betas."},
      {"logps/",
       "A mean per token in length-normalised methods, a sum in others: not comparable across "
       "methods. See logps_per_token and logps_sum."},
      {"logps_per_token/", "Mean over a response's tokens: the same for every method."},
      {"logps_sum/", "Sum over a response's tokens: the same for every method."}};
  metric.remove_prefix(metric.starts_with("eval_") ? 5 : 0);
  const auto* found = std::ranges::find_if(
      kAll, [&](const Description& each) { return metric.starts_with(each.beginning); });
  return found == std::end(kAll) ? std::string_view() : found->text;
}

bool is_event_file(const fs::path& path) {
  return path.filename().string().starts_with(kPrefix);
}

// The name of the last event file of a folder, as TensorBoard orders them; "" where there is none.
std::string last_event_file(const fs::path& folder) {
  std::string last;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (is_event_file(entry.path())) {
      last = std::max(last, entry.path().filename().string());
    }
  }
  return last;
}

// The seconds in an event file's name.
std::int64_t seconds_of(const std::string& name) {
  std::int64_t seconds = 0;
  if (name.size() > kPrefix.size()) {
    std::from_chars(name.data() + kPrefix.size(), name.data() + name.size(), seconds);
  }
  return seconds;
}

std::string host_in_names() {
  const std::string name = host_name();
  return name.empty() ? "localhost" : name;
}

}  // namespace

std::string event_tag(std::string_view metric) {
  for (const std::string_view split : {"eval", "test"}) {
    if (metric.starts_with(split) && metric.substr(split.size()).starts_with('_')) {
      return fmt::format("{}/{}", split, metric.substr(split.size() + 1));
    }
  }
  return fmt::format("train/{}", metric);
}

std::string literal_markdown(std::string_view text) {
  std::string result = "    ";
  for (const char character : text) {
    result += character;
    if (character == '\n') {
      result += "    ";
    }
  }
  return result;
}

EventFile::EventFile(const fs::path& folder, std::int64_t first_step)
    : beginning_(version_record()) {
  static int files = 0;  // of this process
  std::int64_t seconds = std::time(nullptr);
  if (const std::string last = last_event_file(folder); !last.empty()) {
    seconds = std::max(seconds, seconds_of(last) + 1);
    beginning_ += start_record(first_step);
  }
  path_ = folder /
          fmt::format("{}{:010}.{}.{}.{}", kPrefix, seconds, host_in_names(), ::getpid(), files++);
}

void EventFile::append(std::string_view records) {
  if (!beginning_.empty()) {
    std::error_code error;
    fs::create_directories(path_.parent_path(), error);
    if (error) {
      machine_error("{}: cannot create the folder: {}", path_.parent_path().string(),
                    error.message());
    }
  }
  append_to_file(path_, beginning_ + std::string(records));
  beginning_.clear();
}

void EventFile::scalars(std::int64_t step, const json& entry) {
  ProtobufMessage summary;
  std::vector<std::string> tags;
  for (const auto& [name, value] : entry.items()) {
    if (value.is_number() && name != "step") {
      const std::string tag = event_tag(name);
      const bool is_new = !described_.contains(tag);
      summary.message(1, number_value(tag, value.get<float>(), is_new ? description_of(name) : ""));
      tags.push_back(tag);
    }
  }
  append(summary_record(step, summary));
  described_.insert(tags.begin(), tags.end());
}

void EventFile::text(std::int64_t step, std::string_view tag, std::string_view markdown) {
  const ProtobufMessage value = text_value(fmt::format("{}/text_summary", tag), markdown);
  append(summary_record(step, ProtobufMessage().message(1, value)));
}

std::optional<fs::path> newest_event_folder(const fs::path& parent) {
  std::pair<std::string, fs::path> newest;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(parent, error)) {
    newest = std::max(newest, {last_event_file(entry.path()), entry.path()});
  }
  return newest.first.empty() ? std::nullopt : std::optional(newest.second);
}

fs::path new_event_folder(const fs::path& parent) {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  ::localtime_r(&now, &local);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%b%d_%H-%M-%S", &local);
  return parent / fmt::format("{}_{}", text.data(), host_name());
}

void remove_event_files(const fs::path& parent) {
  std::vector<fs::path> empty_then;
  std::error_code error;
  for (const auto& folder : fs::directory_iterator(parent, error)) {
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(folder.path(), error)) {
      if (is_event_file(entry.path())) {
        found.push_back(entry.path());
      }
    }
    for (const fs::path& file : found) {
      fs::remove(file);
    }
    empty_then.push_back(folder.path());
  }
  empty_then.push_back(parent);
  for (const fs::path& folder : empty_then) {
    if (fs::is_directory(folder) && fs::is_empty(folder)) {
      fs::remove(folder);
    }
  }
}

}  // namespace lmpo
