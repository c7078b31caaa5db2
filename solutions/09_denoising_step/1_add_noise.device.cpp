// 1_add_noise.cpp on a GPU: what the contract says, around the kernels of 1_add_noise.cu.

#include "on_device.hpp"

namespace latent {
namespace {

using Turner = void (*)(const float*, const float*, const device::Turn*, float*, device::Size,
                        device::Size);

Matrix turned(Turner turn, const Matrix& x0, const Matrix& eps, const std::vector<std::int64_t>& t,
              const DoubleVector& alphas_cumprod) {
  require_noise_fits(x0, eps, t, alphas_cumprod);
  const device::Buffer<float> clean(x0.data(), x0.size()), noise(eps.data(), eps.size());
  const device::Buffer<std::int64_t> steps(t.data(), std::ssize(t));
  const device::Buffer<double> alphas(alphas_cumprod.data(), alphas_cumprod.size());
  device::Buffer<device::Turn> turns(x0.rows());
  device::Buffer<float> made(x0.size());
  device::turns_of(steps.data(), alphas.data(), turns.data(), x0.rows());
  turn(clean.data(), noise.data(), turns.data(), made.data(), x0.rows(), x0.cols());
  Matrix result(x0.rows(), x0.cols());
  made.copy_to(result.data());
  return result;
}

}  // namespace

Matrix add_noise(const Matrix& x0, const Matrix& eps, const std::vector<std::int64_t>& t,
                 const DoubleVector& alphas_cumprod) {
  return turned(device::add_noise, x0, eps, t, alphas_cumprod);
}

Matrix velocity(const Matrix& x0, const Matrix& eps, const std::vector<std::int64_t>& t,
                const DoubleVector& alphas_cumprod) {
  return turned(device::velocity, x0, eps, t, alphas_cumprod);
}

}  // namespace latent
