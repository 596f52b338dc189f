// Products of few or many rows that give a row the same bits whatever the others.
#pragma once

#include "ops/cpu/attention_block.h"

namespace lmpo::cpu {

// c[m,n] += a[m,k] b[k,n], by the calling thread. The products of an element are added to it one by
// one in the order of k, whatever m and n: unlike matmul's, whose sums depend on the sizes.
void add_row_products(HeadResult c, HeadRows a, HeadRows b, std::int64_t m, std::int64_t n,
                      std::int64_t k);

}  // namespace lmpo::cpu
