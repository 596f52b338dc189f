// The numbers of one AdamW step as every device uses them. Nothing but a structure, so that any
// compiler can read it.
#pragma once

namespace lmpo {

// Rounded to float32 where torch rounds them.
struct AdamWConstants {
  float scale;       // of the gradient
  float decay;       // of the weight
  float beta1_rest;  // 1 - beta1
  float beta1;
  float beta2;
  float beta2_rest;
  float correction2_root;
  float epsilon;
  float minus_step;
};

}  // namespace lmpo
