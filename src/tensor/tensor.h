// A tensor is a view: it owns nothing, is row-major and has at most four dimensions. It is
// contiguous, unless it is made by columns().
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>

#include "base/error.h"
#include "tensor/dtype.h"

namespace lmpo {

class Tensor {
 public:
  Tensor() = default;
  Tensor(void* data, Dtype dtype, std::initializer_list<std::int64_t> shape);

  Dtype dtype() const { return dtype_; }
  int rank() const { return rank_; }
  std::int64_t dim(int axis) const {
    LMPO_CHECK(axis >= 0 && axis < rank_);
    return shape_[static_cast<std::size_t>(axis)];
  }
  std::int64_t elements() const;
  std::size_t bytes() const { return static_cast<std::size_t>(elements()) * dtype_size(dtype_); }
  bool empty() const { return rank_ == 0 || elements() == 0; }

  // The elements; the type must match and the tensor be contiguous.
  void* data() const {
    LMPO_CHECK(is_contiguous());
    return data_;
  }
  float* f32() const { return typed<float>(Dtype::f32); }
  bfloat16* bf16() const { return typed<bfloat16>(Dtype::bf16); }
  float16* f16() const { return typed<float16>(Dtype::f16); }
  std::int32_t* i32() const { return typed<std::int32_t>(Dtype::i32); }
  std::int16_t* i16() const { return typed<std::int16_t>(Dtype::i16); }
  std::int8_t* i8() const { return typed<std::int8_t>(Dtype::i8); }
  std::uint8_t* u8() const { return typed<std::uint8_t>(Dtype::u8); }

  // Rows [begin, end) of the first dimension.
  Tensor rows(std::int64_t begin, std::int64_t end) const;
  // Columns [begin, end) of a matrix. Rows are then row_stride() elements apart: for the ops that
  // say so, which use the two members below.
  Tensor columns(std::int64_t begin, std::int64_t end) const;
  // The same elements in another shape.
  Tensor reshaped(std::initializer_list<std::int64_t> shape) const;
  bool same_shape(const Tensor& other) const;
  std::string describe() const;  // "float32 [512, 64]", for messages

  bool is_contiguous() const { return row_stride_ == 0; }
  // Elements from row to row of a matrix.
  std::int64_t row_stride() const { return is_contiguous() ? dim(1) : row_stride_; }
  // The first element, whether contiguous or not.
  void* strided_data() const { return data_; }

 private:
  template <typename T>
  T* typed(Dtype expected) const {
    LMPO_CHECK(dtype_ == expected && is_contiguous());
    return static_cast<T*>(data_);
  }
  Tensor moved_by(std::int64_t elements) const;

  void* data_ = nullptr;
  Dtype dtype_ = Dtype::f32;
  int rank_ = 0;
  std::array<std::int64_t, 4> shape_{};
  std::int64_t row_stride_ = 0;  // 0: contiguous
};

}  // namespace lmpo
