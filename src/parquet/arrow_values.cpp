#include "parquet/arrow_values.h"

#include <charconv>
#include <cmath>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/utf8.h"

namespace lmpo {
namespace {

bool bit(const void* bits, std::int64_t index) {
  return (static_cast<const std::uint8_t*>(bits)[index / 8] >> (index % 8) & 1) != 0;
}

// Which buffer of an array holds what; the first says which values are null.
constexpr std::size_t kValues = 1;   // numbers, bits, or where texts and lists begin
constexpr std::size_t kContent = 2;  // bytes of texts

template <typename T>
T number(const ArrowArray& array, std::int64_t index) {
  return static_cast<const T*>(array.buffers[kValues])[array.offset + index];
}

// From where to where the bytes of a text, or the items of a list, go.
struct Range {
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

template <typename Offset>
Range range(const ArrowArray& array, std::int64_t index) {
  return {number<Offset>(array, index), number<Offset>(array, index + 1)};
}

class ValueMaker {
 public:
  explicit ValueMaker(bool& valid_utf8) : valid_utf8_(valid_utf8) {}

  ordered_json value(const ArrowSchema& schema, const ArrowArray& array, std::int64_t index) {
    const bool has_nulls = array.n_buffers > 0 && array.buffers[0] != nullptr;
    if (has_nulls && !bit(array.buffers[0], array.offset + index)) {
      return nullptr;
    }
    if (schema.dictionary != nullptr) {
      return value(*schema.dictionary, *array.dictionary, integer(schema, array, index));
    }
    switch (schema.format[0]) {
      case 'n':
        return nullptr;
      case 'b':
        return bit(array.buffers[kValues], array.offset + index);
      case 'L':
        return number<std::uint64_t>(array, index);
      case 'f':
        return finite(number<float>(array, index));
      case 'g':
        return finite(number<double>(array, index));
      case 'z':
        return text(array, range<std::int32_t>(array, index));
      case 'Z':
        return text(array, range<std::int64_t>(array, index));
      case '+':
        return nested(schema, array, index);
      default:
        return integer(schema, array, index);
    }
  }

 private:
  static std::int64_t integer(const ArrowSchema& schema, const ArrowArray& array,
                              std::int64_t index) {
    switch (schema.format[0]) {
      case 'c':
        return number<std::int8_t>(array, index);
      case 'C':
        return number<std::uint8_t>(array, index);
      case 's':
        return number<std::int16_t>(array, index);
      case 'S':
        return number<std::uint16_t>(array, index);
      case 'i':
        return number<std::int32_t>(array, index);
      case 'I':
        return number<std::uint32_t>(array, index);
      default:
        LMPO_CHECK(schema.format[0] == 'l');
        return number<std::int64_t>(array, index);
    }
  }

  static ordered_json finite(double value) {
    return std::isfinite(value) ? ordered_json(value) : ordered_json();
  }

  ordered_json text(const ArrowArray& array, Range bytes) { return text(content(array, bytes)); }

  static std::string_view content(const ArrowArray& array, Range bytes) {
    if (bytes.begin == bytes.end) {
      return {};  // where no text has a byte there may be no buffer
    }
    return {static_cast<const char*>(array.buffers[kContent]) + bytes.begin,
            static_cast<std::size_t>(bytes.end - bytes.begin)};
  }

  std::string text(std::string_view bytes) {
    valid_utf8_ = valid_utf8_ && is_valid_utf8(bytes);
    return std::string(bytes);
  }

  ordered_json nested(const ArrowSchema& schema, const ArrowArray& array, std::int64_t index) {
    switch (schema.format[1]) {
      case 'l':
        return list(schema, array, range<std::int32_t>(array, index));
      case 'L':
        return list(schema, array, range<std::int64_t>(array, index));
      case 'w': {  // "+w:3", always three
        const std::string_view format = schema.format;
        std::int64_t size = 0;
        std::from_chars(format.data() + 3, format.data() + format.size(), size);
        const std::int64_t begin = (array.offset + index) * size;
        return list(schema, array, {begin, begin + size});
      }
      default:
        LMPO_CHECK(schema.format[1] == 's');
        return object(schema, array, index);
    }
  }

  ordered_json list(const ArrowSchema& schema, const ArrowArray& array, Range items) {
    ordered_json values = ordered_json::array();
    for (std::int64_t at = items.begin; at < items.end; ++at) {
      values.push_back(value(*schema.children[0], *array.children[0], at));
    }
    return values;
  }

  ordered_json object(const ArrowSchema& schema, const ArrowArray& array, std::int64_t index) {
    ordered_json values = ordered_json::object();
    for (std::int64_t child = 0; child < schema.n_children; ++child) {
      ordered_json one =
          value(*schema.children[child], *array.children[child], array.offset + index);
      if (!one.is_null()) {
        values[text(schema.children[child]->name)] = std::move(one);
      }
    }
    return values;
  }

  bool& valid_utf8_;
};

}  // namespace

ordered_json arrow_value(const ArrowSchema& schema, const ArrowArray& array, std::int64_t index,
                         bool& valid_utf8) {
  return ValueMaker(valid_utf8).value(schema, array, index);
}

}  // namespace lmpo
