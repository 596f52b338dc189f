// The plugin lmpo_parquet.so: reads a Parquet file's batches by Arrow's library, converts them to the
// few types of plugin.h and returns them as C structures. No exception leaves it.
#include <arrow/api.h>
#include <arrow/c/abi.h>
#include <arrow/c/bridge.h>
#include <arrow/extension_type.h>
#include <arrow/io/memory.h>
#include <arrow/util/float16.h>
#include <parquet/arrow/reader.h>
#include <parquet/column_reader.h>
#include <parquet/exception.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/properties.h>
#include <parquet/schema.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "parquet/plugin.h"

namespace {

constexpr std::int64_t kRowsAtOnce = 512;
// A damaged or hostile file may claim, or unpack to, pages of any size; no batch of text needs this
// much.
constexpr std::int64_t kMostMemory = std::int64_t{1} << 30;

using Array = std::shared_ptr<arrow::Array>;
using ArrayResult = arrow::Result<Array>;

ArrayResult plain(const Array& array);

// The same buffers under a type that is laid out alike.
Array retyped(const arrow::Array& array, std::shared_ptr<arrow::DataType> type) {
  const auto data = array.data()->Copy();
  data->type = std::move(type);
  return arrow::MakeArray(data);
}

// The same with plain items.
ArrayResult plain_items(const arrow::Array& array) {
  const auto data = array.data()->Copy();
  arrow::FieldVector fields = data->type->fields();
  for (std::size_t i = 0; i < data->child_data.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(const Array item, plain(arrow::MakeArray(data->child_data[i])));
    data->child_data[i] = item->data();
    fields[i] = fields[i]->WithType(item->type());
  }
  switch (array.type_id()) {
    case arrow::Type::STRUCT:
      data->type = arrow::struct_(fields);
      break;
    case arrow::Type::LARGE_LIST:
      data->type = arrow::large_list(fields[0]);
      break;
    case arrow::Type::FIXED_SIZE_LIST:
      data->type = arrow::fixed_size_list(
          fields[0], static_cast<const arrow::FixedSizeListType&>(*array.type()).list_size());
      break;
    default:  // LIST, and MAP, which is a list of structs {key, value}
      data->type = arrow::list(fields[0]);
  }
  return arrow::MakeArray(data);
}

ArrayResult plain_dictionary(const arrow::Array& array) {
  const auto& source = static_cast<const arrow::DictionaryArray&>(array);
  ARROW_ASSIGN_OR_RAISE(const Array values, plain(source.dictionary()));
  return arrow::DictionaryArray::FromArrays(
      arrow::dictionary(source.indices()->type(), values->type()), source.indices(), values);
}

ArrayResult from_half(const arrow::Array& array) {
  const auto& source = static_cast<const arrow::HalfFloatArray&>(array);
  arrow::FloatBuilder builder;
  for (std::int64_t i = 0; i < source.length(); ++i) {
    const float value = arrow::util::Float16::FromBits(source.Value(i)).ToFloat();
    ARROW_RETURN_NOT_OK(source.IsNull(i) ? builder.AppendNull() : builder.Append(value));
  }
  return builder.Finish();
}

ArrayResult in_words(const arrow::Array& array) {
  const bool text = arrow::is_binary_view_like(*array.type());
  arrow::LargeBinaryBuilder builder;
  for (std::int64_t i = 0; i < array.length(); ++i) {
    if (array.IsNull(i)) {
      ARROW_RETURN_NOT_OK(builder.AppendNull());
    } else if (text) {
      ARROW_RETURN_NOT_OK(
          builder.Append(static_cast<const arrow::BinaryViewArray&>(array).GetView(i)));
    } else {
      ARROW_ASSIGN_OR_RAISE(const auto value, array.GetScalar(i));
      ARROW_RETURN_NOT_OK(builder.Append(value->ToString()));
    }
  }
  return builder.Finish();
}

// Types that plugin.h names as they are.
bool is_plain(arrow::Type::type type) {
  switch (type) {
    case arrow::Type::NA:
    case arrow::Type::BOOL:
    case arrow::Type::FLOAT:
    case arrow::Type::DOUBLE:
    case arrow::Type::BINARY:
    case arrow::Type::LARGE_BINARY:
      return true;
    default:
      return arrow::is_integer(type);
  }
}

// An array of the types of plugin.h.
ArrayResult plain(const Array& array) {
  if (is_plain(array->type_id())) {
    return array;
  }
  switch (array->type_id()) {
    case arrow::Type::STRING:
      return retyped(*array, arrow::binary());
    case arrow::Type::LARGE_STRING:
      return retyped(*array, arrow::large_binary());
    case arrow::Type::STRUCT:
    case arrow::Type::LIST:
    case arrow::Type::LARGE_LIST:
    case arrow::Type::FIXED_SIZE_LIST:
    case arrow::Type::MAP:
      return plain_items(*array);
    case arrow::Type::DICTIONARY:
      return plain_dictionary(*array);
    case arrow::Type::EXTENSION:
      return plain(static_cast<const arrow::ExtensionArray&>(*array).storage());
    case arrow::Type::HALF_FLOAT:
      return from_half(*array);
    default:
      return in_words(*array);
  }
}

// An open file; behind LmpoParquetRows.
class Reader {
 public:
  arrow::Status open(std::shared_ptr<arrow::Buffer> bytes,
                     bool (*wanted)(void* context, const char* column), void* context) {
    parquet::ReaderProperties properties(&memory_);
    properties.set_page_checksum_verification(true);
    auto file = parquet::ParquetFileReader::Open(
        std::make_shared<arrow::io::BufferReader>(std::move(bytes)), properties);
    columns_ = choose(*file->metadata()->schema(), wanted, context);
    parquet::ArrowReaderProperties arrow_properties(/*use_threads=*/false);
    arrow_properties.set_batch_size(kRowsAtOnce);
    arrow_properties.set_pre_buffer(false);
    return parquet::arrow::FileReader::Make(&memory_, std::move(file), arrow_properties)
        .Value(&file_);
  }

  arrow::Status next(ArrowSchema* schema, ArrowArray* array) {
    std::shared_ptr<arrow::RecordBatch> batch;
    while (batch == nullptr) {
      if (batches_ == nullptr) {
        if (row_group_ == file_->num_row_groups()) {
          return arrow::Status::OK();
        }
        ARROW_RETURN_NOT_OK(open_row_group());
      }
      ARROW_RETURN_NOT_OK(batches_->ReadNext(&batch));
      if (batch == nullptr) {
        ARROW_RETURN_NOT_OK(close_row_group());
      }
    }
    rows_left_ -= batch->num_rows();
    ARROW_ASSIGN_OR_RAISE(const Array rows, batch->ToStructArray());
    ARROW_ASSIGN_OR_RAISE(const Array plain_rows, plain(rows));
    ARROW_RETURN_NOT_OK(plain_rows->ValidateFull());
    return arrow::ExportArray(*plain_rows, array, schema);
  }

  // Does something that may fail in either way; null, or what is wrong.
  template <typename Action>
  const char* run(Action&& action) {
    try {
      const arrow::Status status = action();
      if (status.ok()) {
        return nullptr;
      }
      message_ = status.IsOutOfMemory()
                     ? "512 of its rows, or one of its pages, unpack to more than 1 GB"
                     : status.ToStringWithoutContextLines();
    } catch (const std::exception& error) {
      message_ = error.what();
    }
    return message_.c_str();
  }

  const std::string& message() const { return message_; }

 private:
  // The leaves of the wanted columns.
  static std::vector<int> choose(const parquet::SchemaDescriptor& schema,
                                 bool (*wanted)(void* context, const char* column), void* context) {
    const parquet::schema::GroupNode& root = *schema.group_node();
    std::vector<bool> chosen;
    for (int field = 0; field < root.field_count(); ++field) {
      chosen.push_back(wanted(context, root.field(field)->name().c_str()));
    }
    std::vector<int> leaves;
    for (int leaf = 0; leaf < schema.num_columns(); ++leaf) {
      const int field = root.FieldIndex(*schema.GetColumnRoot(leaf));
      if (field >= 0 && chosen[static_cast<std::size_t>(field)]) {
        leaves.push_back(leaf);
      }
    }
    return leaves;
  }

  // Row groups are read one by one: where a damaged column is too short, Arrow would go on with the
  // next group's values, beside the other columns' values of this one.
  arrow::Status open_row_group() {
    const auto group = file_->parquet_reader()->RowGroup(row_group_);
    rows_left_ = group->metadata()->num_rows();
    for (const int leaf : columns_) {
      const auto pages = group->GetColumnPageReader(leaf);
      std::int64_t values = 0;
      pages->set_data_page_filter([&](const parquet::DataPageStats& page) {
        values += page.num_values;
        return true;  // not decoded
      });
      while (pages->NextPage() != nullptr) {
      }
      if (values != group->metadata()->ColumnChunk(leaf)->num_values()) {
        return arrow::Status::Invalid("its pages do not hold as many values as they should");
      }
    }
    return file_->GetRecordBatchReader({row_group_}, columns_).Value(&batches_);
  }

  arrow::Status close_row_group() {
    batches_.reset();
    ++row_group_;
    return rows_left_ == 0
               ? arrow::Status::OK()
               : arrow::Status::Invalid("its columns do not hold as many rows as they should");
  }

  arrow::CappedMemoryPool memory_{arrow::system_memory_pool(), kMostMemory};
  std::unique_ptr<parquet::arrow::FileReader> file_;
  std::vector<int> columns_;
  std::unique_ptr<arrow::RecordBatchReader> batches_;
  int row_group_ = 0;  // the present one, of which `batches_`, where there are any, are
  std::int64_t rows_left_ = 0;
  std::string message_;
};

Reader& reader_of(LmpoParquetRows* rows) {
  return *static_cast<Reader*>(rows->state);
}

}  // namespace

extern "C" [[gnu::visibility("default")]] const char* lmpo_open_parquet(
    const void* bytes, std::size_t size, bool (*wanted)(void* context, const char* column),
    void* context, LmpoParquetRows* rows) {
  auto reader = std::make_unique<Reader>();
  const char* problem = reader->run([&] {
    return reader->open(std::make_shared<arrow::Buffer>(static_cast<const std::uint8_t*>(bytes),
                                                        static_cast<std::int64_t>(size)),
                        wanted, context);
  });
  if (problem != nullptr) {
    static thread_local std::string message;
    message = reader->message();
    return message.c_str();
  }
  rows->state = reader.release();
  rows->next = [](LmpoParquetRows* self, ArrowSchema* schema, ArrowArray* array) {
    return reader_of(self).run([&] { return reader_of(self).next(schema, array); });
  };
  rows->close = [](LmpoParquetRows* self) { delete &reader_of(self); };
  return nullptr;
}
