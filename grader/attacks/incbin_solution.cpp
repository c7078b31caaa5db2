// Embeds the solution's text through the assembler.
// verdict: does_not_compile
// secrecy

#include <cstdio>

#include "autoencoder.hpp"

asm(".data\nsecret: .incbin \"@ROOT@/solutions/01_autoencoder/2_linear_forward.cpp\"\n.text");
extern "C" const char secret[];

namespace latent {

Matrix linear_forward(const Matrix& x, const Matrix& weight, const RowVector&) {
  std::fwrite(secret, 1, 400, stdout);
  return Matrix::Zero(x.rows(), weight.rows());
}

}  // namespace latent
