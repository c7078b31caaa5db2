#include "device_rows.hpp"

#include <memory>

#include "common/random.hpp"
#include "solutions/01_autoencoder/kernels.hpp"
#include "solutions/02_reparameterization/kernels.hpp"
#include "solutions/03_elbo/kernels.hpp"
#include "solutions/04_training_a_vae/kernels.hpp"
#include "solutions/05_vq_straight_through/kernels.hpp"
#include "solutions/06_codebook_ema/kernels.hpp"
#include "solutions/07_fsq/kernels.hpp"
#include "solutions/08_encode_decode/kernels.hpp"
#include "solutions/09_denoising_step/kernels.hpp"
#include "solutions/10_tokenizers/kernels.hpp"

namespace latent {
namespace {

using device::Buffer;
using device::Size;

/// Arrays that live as long as what is timed.
template <class T = float>
std::shared_ptr<Buffer<T>> array(Size size) {
  return std::make_shared<Buffer<T>>(size);
}

/// Normal numbers: a block of them, over and over, for the host is slow at drawing.
std::shared_ptr<Buffer<float>> normal(Size size) {
  static const std::vector<float> drawn = [] {
    Random random(1);
    std::vector<float> x(1 << 16);
    for (float& value : x) value = static_cast<float>(random.normal());
    return x;
  }();
  std::vector<float> host(static_cast<std::size_t>(size));
  for (std::size_t i = 0; i < host.size(); ++i) host[i] = drawn[i % drawn.size()];
  return std::make_shared<Buffer<float>>(host.data(), size);
}

/// Distinct rows: blocks of normal() come again after 65,536 numbers.
std::shared_ptr<Buffer<float>> rows(Size n, Size d, std::uint64_t seed) {
  const Matrix host = Random(seed).normal_matrix(n, d);
  return std::make_shared<Buffer<float>>(host.data(), n * d);
}

std::shared_ptr<Buffer<std::int64_t>> indices_below(Size n, Size k) {
  Random random(2);
  std::vector<std::int64_t> host(static_cast<std::size_t>(n));
  for (std::int64_t& index : host) index = random.integer(0, k - 1);
  return std::make_shared<Buffer<std::int64_t>>(host.data(), n);
}

std::string sized(const std::string& what, std::initializer_list<Size> sizes) {
  std::string text;
  for (const Size size : sizes) text += (text.empty() ? " " : "x") + std::to_string(size);
  return what + text;
}

double product(std::initializer_list<Size> sizes) {
  double all = 1.0;
  for (const Size size : sizes) all *= static_cast<double>(size);
  return all;
}

// ---- labs 01 to 04
// ---------------------------------------------------------------------------------

void add_element_wise(std::vector<DeviceRow>& rows, Size n, Size d) {
  const Size count = n * d;
  const double floats = 4.0 * static_cast<double>(count);
  rows.push_back({sized("reparameterize", {n, d}), 4 * floats, 0, false, [=] {
                    auto mu = normal(count), log_var = normal(count), eps = normal(count);
                    auto z = array(count);
                    return [=] {
                      device::reparameterize(mu->data(), log_var->data(), eps->data(), z->data(),
                                             count);
                    };
                  }});
  rows.push_back({sized("kl_standard_normal", {n, d}), 4 * floats, 0, false, [=] {
                    auto mu = normal(count), log_var = normal(count);
                    auto dmu = array(count), dlog_var = array(count);
                    auto per_sample = array<double>(n), value = array<double>(1);
                    return [=] {
                      device::kl_standard_normal(mu->data(), log_var->data(), per_sample->data(),
                                                 value->data(), dmu->data(), dlog_var->data(), n, d,
                                                 1.0);
                    };
                  }});
  rows.push_back({sized("bce_with_logits", {n, d}), 3 * floats, 0, false, [=] {
                    auto logits = normal(count), gradient = array(count);
                    auto x = std::make_shared<Buffer<float>>(
                        std::vector<float>(static_cast<std::size_t>(count), 0.25F).data(), count);
                    auto value = array<double>(1);
                    return [=] {
                      device::bce_with_logits(logits->data(), x->data(), value->data(),
                                              gradient->data(), n, d);
                    };
                  }});
  rows.push_back({sized("adam_step", {count}), 7 * floats, 0, false, [=] {
                    auto parameter = normal(count), gradient = normal(count);
                    const std::vector<float> zeros(static_cast<std::size_t>(count), 0.0F);
                    auto m = std::make_shared<Buffer<float>>(zeros.data(), count);
                    auto v = std::make_shared<Buffer<float>>(zeros.data(), count);
                    return [=] {
                      device::adam_step(parameter->data(), m->data(), v->data(), gradient->data(),
                                        count, 1, {1e-3, 0.9, 0.999, 1e-8});
                    };
                  }});
}

void add_vae(std::vector<DeviceRow>& rows, Size batch, bool tiny) {
  const device::VaeSizes sizes =
      tiny ? device::VaeSizes{5, 4, 2, 4} : device::VaeSizes{784, 400, 20, 400};
  const double weights =
      product({sizes.d, sizes.h}) + 3 * product({sizes.h, sizes.l}) + product({sizes.k, sizes.d});
  // Forward, and two products each on the way back, but for the gradient of x, which nobody needs.
  const double flops =
      2.0 * static_cast<double>(batch) * (3 * weights - product({sizes.d, sizes.h}));
  rows.push_back(
      {sized("vae_train_step", {batch, sizes.d, sizes.h, sizes.l}),
       4.0 * 7 * weights + 8.0 * product({batch, sizes.d}), flops, false, [=] {
         auto trainer = std::make_shared<device::VaeTrainer>(sizes, batch);
         const std::vector<float> small(static_cast<std::size_t>(trainer->parameters.size()),
                                        0.01F);
         trainer->parameters = Buffer<float>(small.data(), trainer->parameters.size());
         auto x = normal(batch * sizes.d), eps = normal(batch * sizes.l);
         return [=] {
           device::vae_train_step(*trainer, x->data(), eps->data(), 1.0, {1e-3, 0.9, 0.999, 1e-8});
         };
       }});
}

// ---- labs 05 to 07, 10
// -----------------------------------------------------------------------------

using NearestCode = void (*)(const float*, const float*, std::int64_t*, Size, Size, Size);

void add_nearest(std::vector<DeviceRow>& rows_of_table, Size n, Size k, Size d) {
  const std::pair<const char*, NearestCode> versions[] = {
      {"nearest_code_1", device::nearest_code_1},
      {"nearest_code_2", device::nearest_code_2},
      {"nearest_code_3", device::nearest_code_3}};
  for (const auto& [name, version] : versions) {
    const NearestCode run = version;
    rows_of_table.push_back({sized(name, {n, k, d}), 4 * product({n + k, d}) + 8 * product({n}),
                             2 * product({n, k, d}), run == device::nearest_code_3, [=] {
                               auto z = rows(n, d, 1), codebook = rows(k, d, 2);
                               auto indices = array<std::int64_t>(n);
                               return [=] {
                                 run(z->data(), codebook->data(), indices->data(), n, k, d);
                               };
                             }});
  }
}

void add_vq(std::vector<DeviceRow>& rows_of_table, Size n, Size k, Size d) {
  const double matrix = 4 * product({n, d}), table = 4 * product({k, d}), index = 8 * product({n});
  rows_of_table.push_back(
      {sized("vq_gradients", {n, k, d}), 2 * matrix + 2 * table + index, 0, false, [=] {
         auto z = normal(n * d), codebook = normal(k * d);
         auto dz = array(n * d), dcodebook = array(k * d);
         auto indices = indices_below(n, k);
         return [=] {
           device::vq_gradients(z->data(), codebook->data(), indices->data(), 0.25F, dz->data(),
                                dcodebook->data(), n, k, d);
         };
       }});
  rows_of_table.push_back(
      {sized("assignment_stats", {n, k, d}), matrix + table + index, 0, false, [=] {
         auto z = normal(n * d), sum = array(k * d);
         auto indices = indices_below(n, k);
         auto size = array<double>(k);
         return [=] {
           device::assignment_stats(z->data(), indices->data(), size->data(), sum->data(), n, k, d);
         };
       }});
}

void add_tokens(std::vector<DeviceRow>& rows_of_table, Size n) {
  constexpr Size kDims = 6, kBits = 18;
  rows_of_table.push_back(
      {sized("fsq_quantize, codes_to_index", {n, kDims}),
       8 * product({n, kDims}) + 8 * product({n}), 0, false, [=] {
         const std::vector<std::int64_t> levels{8, 8, 8, 5, 5, 5};
         std::vector<device::FsqColumn> columns;
         for (const std::int64_t l : levels)
           columns.push_back({0.5F * static_cast<float>(l - 1), l % 2 == 0 ? 0.5F : 0.0F, 0.1F,
                              static_cast<float>(l / 2)});
         auto column = std::make_shared<Buffer<device::FsqColumn>>(columns.data(), kDims);
         auto place =
             std::make_shared<Buffer<device::FsqPlace>>(device::fsq_places(levels).data(), kDims);
         auto z = normal(n * kDims), codes = array(n * kDims);
         auto indices = array<std::int64_t>(n);
         auto refused = array<unsigned long long>(1);
         return [=] {
           device::fsq_quantize(z->data(), column->data(), codes->data(), n, kDims);
           device::codes_to_index(codes->data(), place->data(), indices->data(), refused->data(), n,
                                  kDims);
         };
       }});
  rows_of_table.push_back({sized("lfq_quantize, bits_to_index", {n, kBits}),
                           8 * product({n, kBits}) + 8 * product({n}), 0, false, [=] {
                             auto z = normal(n * kBits), codes = array(n * kBits);
                             auto indices = array<std::int64_t>(n);
                             return [=] {
                               device::lfq_quantize(z->data(), codes->data(), 1.0F, n * kBits);
                               device::bits_to_index(codes->data(), indices->data(), n, kBits);
                             };
                           }});
}

// ---- labs 08 and 09
// --------------------------------------------------------------------------------

void add_convolution(std::vector<DeviceRow>& rows_of_table, Size channels, Size side) {
  const device::TaeConvSizes sizes{1, channels, side, side, channels, 3, 1};
  rows_of_table.push_back(
      {sized("convolution 3x3 with relu", {channels, side, side}),
       8 * product({channels, side, side}), 2 * 9 * product({channels, channels, side, side}),
       false, [=] {
         auto x = normal(channels * side * side), y = array(x->size());
         auto weight = normal(9 * channels * channels), bias = normal(channels);
         return [=] {
           device::tae_convolve(
               sizes, {x->data(), weight->data(), bias->data(), nullptr, y->data()}, true);
         };
       }});
}

void add_denoising(std::vector<DeviceRow>& rows_of_table, Size count) {
  const double floats = 4.0 * static_cast<double>(count);
  rows_of_table.push_back(
      {sized("ddim_step", {count}), 4 * floats, 0, false, [=] {
         auto x = normal(count), output = normal(count);
         auto prev = array(count), x0 = array(count);
         const device::Conversion of_noise{1.25, -0.75, 0.0, 1.0};
         const device::Step step = device::ddim(of_noise, 0.64, 0.81, 0.0, INFINITY, false);
         return [=] {
           device::denoising_step(
               step, {x->data(), output->data(), nullptr, prev->data(), x0->data()}, count);
         };
       }});
  rows_of_table.push_back(
      {sized("scale_latents", {count}), 2 * floats, 0, false, [=] {
         auto z = normal(count), scaled = array(count);
         return [=] { device::scale_latents(z->data(), 0.18215, 0.0, scaled->data(), count); };
       }});
}

}  // namespace

std::vector<DeviceRow> device_rows(bool tiny) {
  std::vector<DeviceRow> all;
  add_nearest(all, tiny ? 65 : 8192, tiny ? 67 : 8192, tiny ? 5 : 256);
  add_nearest(all, tiny ? 33 : 8192, tiny ? 31 : 1024, tiny ? 3 : 64);
  add_element_wise(all, tiny ? 7 : 65536, tiny ? 5 : 784);
  add_vae(all, tiny ? 3 : 128, tiny);
  add_vae(all, tiny ? 5 : 8192, tiny);
  add_vq(all, tiny ? 65 : 65536, tiny ? 7 : 1024, tiny ? 5 : 64);
  add_tokens(all, tiny ? 65 : Size{1} << 22);
  add_convolution(all, tiny ? 3 : 64, tiny ? 7 : 512);
  add_denoising(all, tiny ? 100 : Size{1} << 26);
  return all;
}

}  // namespace latent
