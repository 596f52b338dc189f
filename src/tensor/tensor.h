// A tensor is a view: it owns nothing, is contiguous and row-major, and has at most four
// dimensions.
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

  void* data() const { return data_; }
  Dtype dtype() const { return dtype_; }
  int rank() const { return rank_; }
  std::int64_t dim(int axis) const {
    LMPO_CHECK(axis >= 0 && axis < rank_);
    return shape_[static_cast<std::size_t>(axis)];
  }
  std::int64_t elements() const;
  std::size_t bytes() const { return static_cast<std::size_t>(elements()) * dtype_size(dtype_); }
  bool empty() const { return rank_ == 0 || elements() == 0; }

  // The elements, typed; the type must match.
  float* f32() const { return typed<float>(Dtype::f32); }
  bfloat16* bf16() const { return typed<bfloat16>(Dtype::bf16); }
  float16* f16() const { return typed<float16>(Dtype::f16); }
  std::int32_t* i32() const { return typed<std::int32_t>(Dtype::i32); }
  std::int16_t* i16() const { return typed<std::int16_t>(Dtype::i16); }
  std::uint8_t* u8() const { return typed<std::uint8_t>(Dtype::u8); }

  // Rows [begin, end) of the first dimension.
  Tensor rows(std::int64_t begin, std::int64_t end) const;
  // The same elements in another shape.
  Tensor reshaped(std::initializer_list<std::int64_t> shape) const;
  bool same_shape(const Tensor& other) const;
  std::string describe() const;  // "float32 [512, 64]", for messages

 private:
  template <typename T>
  T* typed(Dtype expected) const {
    LMPO_CHECK(dtype_ == expected);
    return static_cast<T*>(data_);
  }

  void* data_ = nullptr;
  Dtype dtype_ = Dtype::f32;
  int rank_ = 0;
  std::array<std::int64_t, 4> shape_{};
};

}  // namespace lmpo
