// 5_entropy_terms.cpp on a GPU: what the contract says, around the kernels of 5_entropy_terms.cu.

#include "common/require.hpp"
#include "kernels.hpp"
#include "tokenizers.hpp"

namespace latent {
namespace {

void require_latents(const Matrix& z, double tau, double gamma) {
  require(z.rows() >= 1, "entropy_terms: expected at least one row, got " + shape_of(z));
  require(z.cols() >= 1 && z.cols() <= 16,
          "entropy_terms: expected from 1 to 16 columns, got " + shape_of(z));
  require(tau > 0.0, "entropy_terms: expected tau > 0, got " + std::to_string(tau));
  require(gamma >= 0.0, "entropy_terms: expected gamma >= 0, got " + std::to_string(gamma));
}

}  // namespace

EntropyTerms entropy_terms(const Matrix& z, double tau, double gamma) {
  require_latents(z, tau, gamma);
  const device::Buffer<float> latents(z.data(), z.size());
  device::Buffer<double> per_sample(1), codebook(1);
  device::entropy_terms(device::code_probabilities(latents.data(), tau, z.rows(), z.cols()),
                        per_sample.data(), codebook.data());
  EntropyTerms terms;
  per_sample.copy_to(&terms.per_sample);
  codebook.copy_to(&terms.codebook);
  terms.per_sample /= static_cast<double>(z.rows());
  terms.loss = terms.per_sample - gamma * terms.codebook;
  return terms;
}

Matrix entropy_backward(const Matrix& z, double tau, double gamma) {
  require_latents(z, tau, gamma);
  const device::Buffer<float> latents(z.data(), z.size());
  device::Buffer<float> gradient(z.size());
  device::entropy_backward(device::code_probabilities(latents.data(), tau, z.rows(), z.cols()),
                           latents.data(), tau, gamma, gradient.data());
  Matrix dz(z.rows(), z.cols());
  gradient.copy_to(dz.data());
  return dz;
}

}  // namespace latent
