// Products by oneDNN: primitives are compiled for their exact shape, so each thread keeps those it
// has met.
#include "ops/cpu/product.h"

#ifndef LMPO_ONEDNN

namespace lmpo::cpu {

bool multiply_by_onednn(const Product&, Precision) {
  return false;
}

}  // namespace lmpo::cpu

#else

#include <dlfcn.h>

#include <array>
#include <dnnl.hpp>
#include <memory>
#include <unordered_map>

#include "base/error.h"
#include "ops/cpu/buffer.h"
#include "ops/cpu/convert.h"

namespace lmpo::cpu {
namespace {

// Shapes change with the packs of a run; a pack has about forty. Old ones are forgotten together.
constexpr std::size_t kMostPrimitives = 64;
// Smaller products, those of attention, come in too many shapes to compile each.
constexpr std::int64_t kCompiledWork = std::int64_t{1} << 22;

struct Shape {
  std::array<std::int64_t, 9> sizes;
  std::array<float, 2> factors;

  bool operator==(const Shape&) const = default;
};

struct ShapeHash {
  std::size_t operator()(const Shape& shape) const {
    std::size_t hash = 0;
    for (const std::int64_t size : shape.sizes) {
      hash = (hash ^ static_cast<std::size_t>(size)) * 0x9E3779B97F4A7C15U;
      hash ^= hash >> 29;
    }
    return hash;
  }
};

Shape shape_of(const Product& p, Precision precision) {
  return {{p.m, p.n, p.k, p.lda, p.ldb, p.ldc, p.ta == Transpose::yes, p.tb == Transpose::yes,
           precision == Precision::bf16},
          {p.alpha, p.beta}};
}

// [rows, columns], stored in rows of that stride, or where transposed in columns of it. Strides of
// one element in both dimensions are misread, so a single row or column gets the other's length.
dnnl::memory::desc matrix(std::int64_t rows, std::int64_t columns, std::int64_t stride,
                          Transpose transpose, dnnl::memory::data_type type) {
  const bool transposed = transpose == Transpose::yes;
  const std::int64_t lines = transposed ? columns : rows;
  const std::int64_t along = stride == 1 ? lines : 1;
  return {{rows, columns},
          type,
          transposed ? dnnl::memory::dims{along, stride} : dnnl::memory::dims{stride, along}};
}

// A compiled product with its arguments, which only need their addresses.
class Primitive {
 public:
  Primitive(const Product& p, dnnl::memory::data_type type, const dnnl::engine& engine) {
    dnnl::primitive_attr attributes;
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    if (p.alpha != 1.0F) {
      attributes.set_output_scales(0, {p.alpha});
    }
    if (p.beta != 0.0F) {
      dnnl::post_ops sum;
      sum.append_sum(p.beta);
      attributes.set_post_ops(sum);
    }
    const dnnl::matmul::primitive_desc descriptor(
        {matrix(p.m, p.k, p.lda, p.ta, type), matrix(p.k, p.n, p.ldb, p.tb, type),
         matrix(p.m, p.n, p.ldc, Transpose::no, dnnl::memory::data_type::f32)},
        attributes, engine);
    primitive_ = dnnl::matmul(descriptor);
    const auto placeless = [&](const dnnl::memory::desc& shape) {
      return dnnl::memory(shape, engine, DNNL_MEMORY_NONE);
    };
    memories_ = {placeless(descriptor.src_desc()), placeless(descriptor.weights_desc()),
                 placeless(descriptor.dst_desc()), placeless(descriptor.scratchpad_desc())};
    constexpr std::array<int, 4> kNames = {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST,
                                           DNNL_ARG_SCRATCHPAD};
    for (std::size_t i = 0; i < kNames.size(); ++i) {
      arguments_[i] = {kNames[i], memories_[i].get()};
    }
    scratch_bytes_ = descriptor.scratchpad_desc().get_size();
  }

  std::size_t scratch_bytes() const { return scratch_bytes_; }

  void execute(const dnnl::stream& stream, const std::array<void*, 4>& addresses) {
    for (std::size_t i = 0; i < addresses.size(); ++i) {
      dnnl_memory_set_data_handle_v2(arguments_[i].memory, addresses[i], stream.get());
    }
    const dnnl_status_t status = dnnl_primitive_execute(
        primitive_.get(), stream.get(), static_cast<int>(arguments_.size()), arguments_.data());
    LMPO_CHECK(status == dnnl_success);
  }

 private:
  dnnl::matmul primitive_;
  std::array<dnnl::memory, 4> memories_;
  std::array<dnnl_exec_arg_t, 4> arguments_;
  std::size_t scratch_bytes_ = 0;
};

// What one thread keeps between products.
class Multiplier {
 public:
  Multiplier() {
    // What the library keeps itself is for the other threads, which meet the same shapes.
    dnnl::set_primitive_cache_capacity(static_cast<int>(kMostPrimitives));
    // The library must not start threads of its own beside ours. Looked up by name: it may have
    // been built with another pool.
    using SetThreads = void (*)(int);
    if (void* symbol = ::dlsym(RTLD_DEFAULT, "omp_set_num_threads"); symbol != nullptr) {
      reinterpret_cast<SetThreads>(symbol)(1);
    }
  }

  bool multiply(const Product& p, Precision precision) {
    if (precision == Precision::f32) {
      const bool small = !p.recurring && p.m * p.n * p.k < kCompiledWork;
      return small ? multiply_small(p) : run(p, precision, p.a, p.b);
    }
    Product dense = p;
    dense.lda = p.ta == Transpose::yes ? p.m : p.k;
    dense.ldb = p.tb == Transpose::yes ? p.k : p.n;
    const auto rows_of = [](Transpose transpose, std::int64_t rows, std::int64_t columns) {
      return transpose == Transpose::yes ? columns : rows;
    };
    auto* a = static_cast<bfloat16*>(rounded_.bytes(rounded_bytes(p.m, p.n, p.k)));
    bfloat16* b = a + (rounded_bytes(p.m, 0, p.k) / sizeof(bfloat16));
    round(a, p.a, rows_of(p.ta, p.m, p.k), dense.lda, p.lda);
    round(b, p.b, rows_of(p.tb, p.k, p.n), dense.ldb, p.ldb);
    return run(dense, precision, a, b);
  }

 private:
  static bool multiply_small(const Product& p) {
    const auto letter = [](Transpose transpose) { return transpose == Transpose::yes ? 'T' : 'N'; };
    return dnnl_sgemm(letter(p.ta), letter(p.tb), p.m, p.n, p.k, p.alpha, p.a, p.lda, p.b, p.ldb,
                      p.beta, p.c, p.ldc) == dnnl_success;
  }

  static void round(bfloat16* out, const float* in, std::int64_t rows, std::int64_t columns,
                    std::int64_t stride) {
    for (std::int64_t row = 0; row < rows; ++row) {
      narrow_bf16(out + row * columns, in + row * stride, columns);
    }
  }

  bool run(const Product& p, Precision precision, const void* a, const void* b) {
    Primitive* primitive = find(p, precision);
    if (primitive == nullptr) {
      return false;
    }
    void* scratch = scratch_.bytes(primitive->scratch_bytes());
    primitive->execute(stream_, {const_cast<void*>(a), const_cast<void*>(b), p.c, scratch});
    return true;
  }

  Primitive* find(const Product& p, Precision precision) {
    const Shape shape = shape_of(p, precision);
    const auto found = primitives_.find(shape);
    if (found != primitives_.end()) {
      return found->second.get();
    }
    if (primitives_.size() >= kMostPrimitives) {
      primitives_.clear();
    }
    std::unique_ptr<Primitive> made;
    try {
      made =
          std::make_unique<Primitive>(p,
                                      precision == Precision::bf16 ? dnnl::memory::data_type::bf16
                                                                   : dnnl::memory::data_type::f32,
                                      engine_);
    } catch (const dnnl::error& error) {
      if (error.status != dnnl_unimplemented) {
        throw;
      }
    }
    return primitives_.emplace(shape, std::move(made)).first->second.get();
  }

  dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream_{engine_};
  std::unordered_map<Shape, std::unique_ptr<Primitive>, ShapeHash> primitives_;
  Buffer scratch_;
  Buffer rounded_;  // both factors
};

}  // namespace

#ifdef __SANITIZE_THREAD__
// The library is not built for the thread sanitizer, which so does not see that its static objects
// and its primitive cache are guarded.
extern "C" const char* __tsan_default_suppressions();
extern "C" const char* __tsan_default_suppressions() {
  return "called_from_lib:libdnnl.so\nrace:libdnnl.so\n";
}
#endif

bool multiply_by_onednn(const Product& product, Precision precision) {
  thread_local Multiplier multiplier;
  return multiplier.multiply(product, precision);
}

}  // namespace lmpo::cpu

#endif
