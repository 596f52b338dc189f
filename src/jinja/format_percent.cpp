// Python's "%d of %s" % (1, "a").
#include <cmath>

#include "jinja/format_spec.h"
#include "jinja/formatting.h"
#include "jinja/functions.h"

namespace lmpo::jinja {
namespace {

// One "%..." of a text, after the %.
class PercentField {
 public:
  explicit PercentField(Reader& reader) {
    if (reader.take('(')) {
      const std::size_t close = reader.text.find(')', reader.at);
      if (close == std::string_view::npos) {
        fail("format: '%(' has no ')'");
      }
      name_ = std::string(reader.text.substr(reader.at, close - reader.at));
      reader.at = close + 1;
    }
    for (bool more = true; more;) {
      more = take_flag(reader);
    }
    spec_.width = reader.number(kGreatestWidth).value_or(0);
    if (reader.take('.')) {
      spec_.precision = reader.number(kGreatestPrecision).value_or(0);
    }
    while (reader.take('h') || reader.take('l') || reader.take('L')) {
    }
    spec_.type = reader.peek();
    ++reader.at;
  }

  bool is_percent() const {
    return spec_.type == '%' && spec_.width == 0 && spec_.align == 0 && !spec_.zeros;
  }
  const std::optional<std::string>& name() const { return name_; }

  std::string write(const Value& value) {
    if (is_one_of(spec_.type, "srac")) {
      spec_.align = spec_.align != 0 ? spec_.align : '>';
      spec_.zeros = false;
      return text_of(spec_.type == 's'   ? value.str().string()
                     : spec_.type == 'c' ? character_of(value)
                                         : value.repr(),
                     spec_);
    }
    if (is_one_of(spec_.type, "diu")) {
      const bool is_float = value.is<double>();
      if (is_float && !(std::abs(value.as<double>()) < 9e18)) {
        fail("format: {} is too large for '%d'", value.as<double>());
      }
      spec_.type = 'd';
      return number_text(is_float ? Value(static_cast<std::int64_t>(value.as<double>())) : value,
                         spec_);
    }
    if (!is_one_of(spec_.type, "xXoeEfFgG")) {
      fail("format: '%{}' is not supported", spec_.type);
    }
    return number_text(value, spec_);
  }

 private:
  bool take_flag(Reader& reader) {
    switch (reader.peek()) {
      case '-':
        spec_.align = '<';
        break;
      case '+':
        spec_.sign = '+';
        break;
      case ' ':
        spec_.sign = spec_.sign == '+' ? '+' : ' ';
        break;
      case '#':
        spec_.alternate = true;
        break;
      case '0':
        spec_.zeros = true;
        break;
      default:
        return false;
    }
    ++reader.at;
    return true;
  }

  std::optional<std::string> name_;
  Spec spec_;
};

}  // namespace

Value format_percent(std::string_view format, const Value& values) {
  const List* tuple = values.is_list(ListKind::tuple) ? values.as_list() : nullptr;
  const std::size_t count = tuple != nullptr ? tuple->items.size() : 1;
  std::size_t used = 0;
  TextWriter text("'%'");
  Reader reader{format};
  while (!reader.done()) {
    const std::size_t sign = std::min(format.find('%', reader.at), format.size());
    text.add(format.substr(reader.at, sign - reader.at));
    reader.at = sign + 1;
    if (sign == format.size()) {
      break;
    }
    charge_work(kStepWork);
    PercentField field(reader);
    if (field.is_percent()) {
      text.add("%");
    } else if (field.name()) {
      if (values.as_dict() == nullptr) {
        fail("format: '%({})' expects a dictionary", *field.name());
      }
      const Value found = item_of(values, *field.name());
      if (found.is_undefined()) {
        found.as<Undefined>().refuse();
      }
      text.add(field.write(found));
    } else {
      if (used >= count) {
        fail("format: there are not enough arguments");
      }
      text.add(field.write(tuple != nullptr ? tuple->items[used] : values));
      ++used;
    }
  }
  const bool may_be_unused =
      values.is_list(ListKind::list) || values.is_list(ListKind::range) || values.is_undefined() ||
      (values.as_dict() != nullptr && values.as_dict()->kind == Dict::Kind::dict);
  if (used < count && (tuple != nullptr || !may_be_unused)) {
    fail("format: not all arguments are used");
  }
  return text.take();
}

}  // namespace lmpo::jinja
