#include "tensor/tensor.h"

#include <algorithm>

namespace lmpo {

Tensor::Tensor(void* data, Dtype dtype, std::initializer_list<std::int64_t> shape)
    : data_(data), dtype_(dtype), rank_(static_cast<int>(shape.size())) {
  LMPO_CHECK(shape.size() <= shape_.size());
  std::copy(shape.begin(), shape.end(), shape_.begin());
}

std::int64_t Tensor::elements() const {
  std::int64_t product = rank_ == 0 ? 0 : 1;
  for (int axis = 0; axis < rank_; ++axis) {
    product *= dim(axis);
  }
  return product;
}

Tensor Tensor::moved_by(std::int64_t elements) const {
  Tensor result = *this;
  if (data_ != nullptr) {  // a plan's tensors have no memory
    result.data_ =
        static_cast<char*>(data_) + static_cast<std::size_t>(elements) * dtype_size(dtype_);
  }
  return result;
}

Tensor Tensor::rows(std::int64_t begin, std::int64_t end) const {
  LMPO_CHECK(rank_ >= 1 && begin >= 0 && begin <= end && end <= dim(0));
  const std::int64_t row = is_contiguous() ? (dim(0) == 0 ? 0 : elements() / dim(0)) : row_stride_;
  Tensor result = moved_by(begin * row);
  result.shape_[0] = end - begin;
  return result;
}

Tensor Tensor::columns(std::int64_t begin, std::int64_t end) const {
  LMPO_CHECK(rank_ == 2 && begin >= 0 && begin <= end && end <= dim(1));
  Tensor result = moved_by(begin);
  result.shape_[1] = end - begin;
  result.row_stride_ = end - begin == row_stride() ? 0 : row_stride();
  return result;
}

Tensor Tensor::reshaped(std::initializer_list<std::int64_t> shape) const {
  Tensor result(data(), dtype_, shape);
  LMPO_CHECK(result.elements() == elements());
  return result;
}

bool Tensor::same_shape(const Tensor& other) const {
  return rank_ == other.rank_ &&
         std::equal(shape_.begin(), shape_.begin() + rank_, other.shape_.begin());
}

std::string Tensor::describe() const {
  std::string text = fmt::format("{} [", dtype_name(dtype_));
  for (int axis = 0; axis < rank_; ++axis) {
    text += fmt::format("{}{}", axis == 0 ? "" : ", ", dim(axis));
  }
  return text + "]";
}

}  // namespace lmpo
