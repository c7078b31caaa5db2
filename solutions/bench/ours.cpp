// Our side of each row, and the table's list of them.

#include <cstdlib>
#include <filesystem>

#include "contest.hpp"
#include "inputs.hpp"
#ifdef LATENTLAB_TORCH
#include "torch_kernels.hpp"
#endif

namespace latent {
namespace {

#ifndef LATENTLAB_TORCH
template <class Input>
Contenders rivals(const Input&) {
  return {};
}
#endif

Matrix number(double value) {
  return Matrix::Constant(1, 1, static_cast<float>(value));
}

Contender ours(const NearestInput& in) {
  return contender(
      "nearest_code", [&in] { return nearest_code(in.z, in.codebook); },
      [](const auto& indices) {
        return Result{{}, indices};
      });
}

Contender ours(const FsqInput& in) {
  return contender(
      "fsq_quantize, codes_to_index",
      [&in] {
        Matrix codes = fsq_quantize(in.z, in.levels);
        std::vector<std::int64_t> indices = codes_to_index(codes, in.levels);
        return std::pair(std::move(codes), std::move(indices));
      },
      // A latent on the border of two levels may fall to either side, so only tokens are compared.
      [](const auto& made) {
        return Result{{}, made.second};
      });
}

Contender ours(const EmaInput& in) {
  return contender(
      "ema_codebook_step",
      [&in] { return ema_codebook_step(in.z, in.state, in.order, in.options, true); },
      [](const EmaStep& step) {
        return Result{{step.output.z_q, number(step.commitment), step.state.codebook},
                      step.output.indices};
      });
}

Contender ours(const VaeInput& in) {
  const auto vae = std::make_shared<SolutionVae>(in.initial, in.images);
  const auto step = [&in](SolutionVae& of) {
    StepTimes times;
    of.step(in.rows, in.eps, times);
  };
  return {"vae_forward, losses, vae_backward, adam_step", [=] { step(*vae); },
          [&in, step] {
            SolutionVae fresh(in.initial, in.images);
            for (int i = 0; i < kStepsCompared; ++i) step(fresh);
            return Result{{number(fresh.neg_elbo(in.images, in.eps))}, {}};
          }};
}

Contender ours(const TaeInput& in) {
  return contender(
      "run_layer, conv2d_forward",
      [&in] {
        Tensor4 x = in.image;
        for (const auto* part : {&in.model.encoder, &in.model.decoder})
          for (const TaeLayer& layer : *part) x = run_layer(x, layer);
        return x;
      },
      [](const Tensor4& x) {
        return Result{{Eigen::Map<const Matrix>(x.data(), 1, x.size())}, {}};
      });
}

Contender ours(const LinearInput& in) {
  if (in.backward)
    return contender(
        "linear_backward", [&in] { return linear_backward(in.dy, in.x, in.weight); },
        [](const LinearGradients& g) {
          return Result{{g.x, g.weight, g.bias}, {}};
        });
  return contender(
      "linear_forward", [&in] { return linear_forward(in.x, in.weight, in.bias); },
      [](const Matrix& y) {
        return Result{{y}, {}};
      });
}

Contender ours(const GaussianInput& in) {
  if (in.divergence)
    return contender(
        "kl_standard_normal", [&in] { return kl_standard_normal(in.mu, in.log_var); },
        [](const KlStandardNormal& kl) {
          return Result{
              {number(kl.value), kl.per_sample.cast<float>().transpose(), kl.mu, kl.log_var}, {}};
        });
  return contender(
      "reparameterize, backward",
      [&in] {
        return std::pair(reparameterize(in.mu, in.log_var, in.eps),
                         reparameterize_backward(in.dz, in.mu, in.log_var, in.eps));
      },
      [](const auto& made) {
        return Result{{made.first, made.second.mu, made.second.log_var}, {}};
      });
}

Contender ours(const BceInput& in) {
  return contender(
      "bce_with_logits", [&in] { return bce_with_logits(in.logits, in.x); },
      [](const Loss& loss) {
        return Result{{number(loss.value), loss.gradient}, {}};
      });
}

Contender ours(const AdamInput& in) {
  // The next step begins where the last one ended, as in a training.
  const auto state = std::make_shared<AdamState>(in.state);
  return {"adam_step",
          [&in, state] { *state = adam_step(*state, in.gradient, in.step, in.options); },
          [&in] {
            const AdamState made = adam_step(in.state, in.gradient, in.step, in.options);
            return Result{{made.parameter, made.first_moment, made.second_moment}, {}};
          }};
}

Contender ours(const AssignedInput& in) {
  const Index k = in.codebook.rows();
  if (in.statistics)
    return contender(
        "assignment_stats", [&in, k] { return assignment_stats(in.z, in.indices, k); },
        [](const ClusterStats& stats) {
          return Result{{stats.size.cast<float>().transpose(), stats.sum}, {}};
        });
  return contender(
      "vq_losses, vq_gradients",
      [&in] {
        return std::pair(vq_losses(0.0, in.z, in.codebook, in.indices, kBeta),
                         vq_gradients(in.dz_q, in.z, in.codebook, in.indices, kBeta));
      },
      [](const auto& made) {
        return Result{{number(made.first.total), made.second.reconstruction.z_e,
                       made.second.codebook.codebook, made.second.commitment.z_e},
                      {}};
      });
}

Contender ours(const LfqInput& in) {
  return contender(
      "lfq_quantize, bits_to_index",
      [&in] {
        Matrix codes = lfq_quantize(in.z, 1.0);
        std::vector<std::int64_t> indices = bits_to_index(codes);
        return std::pair(std::move(codes), std::move(indices));
      },
      [](const auto& made) {
        return Result{{made.first}, made.second};
      });
}

Contender ours(const RvqInput& in) {
  return contender(
      "residual_quantize", [&in] { return residual_quantize(in.x, in.stages); },
      [](const RvqOutput& made) {
        const auto flat = made.indices.reshaped<Eigen::RowMajor>();
        return Result{{made.quantized, made.residual_norms}, {flat.begin(), flat.end()}};
      });
}

Contender ours(const NoiseInput& in) {
  return contender(
      "add_noise, ddim_step",
      [&in] {
        const Matrix x_t = add_noise(in.x0, in.eps, in.t, in.alphas);
        return ddim_step(x_t, in.eps, kFromStep, kToStep, in.alphas, in.eps, {});
      },
      [](const DenoisingStep& step) {
        return Result{{step.prev, step.x0}, {}};
      });
}

/// A row whose inputs are drawn when it begins, each with the same seed.
template <class Make>
Row row(std::string name, double bar, Work work, Make make, bool own_threads = false) {
  const auto begin = [work, make] {
    const auto input = std::make_shared<const decltype(make())>(make());
    return Contest{work, ours(*input), rivals(*input), input};
  };
  return {std::move(name), bar, begin, own_threads};
}

constexpr double kFloat = 4.0;

Row nearest_row(std::uint64_t seed, double bar, Index n, Index k, Index d) {
  const auto rows = double(n), codes = double(k), length = double(d);
  const Work work{2.0 * rows * codes * length, kFloat * (rows + codes) * length + 8.0 * rows};
  return row(
      "nearest_code " + std::to_string(n) + " rows, " + std::to_string(k) + " x " +
          std::to_string(d),
      bar, work,
      [=] {
        Random random(seed);
        return NearestInput(random, n, k, d);
      },
      true);
}

Row fsq_row(std::uint64_t seed, double bar, Index n) {
  return row(
      "fsq_quantize, codes_to_index " + std::to_string(n) + " x 6", bar,
      {0.0, double(n) * (6.0 * 2.0 * kFloat + 8.0)},
      [=] {
        Random random(seed);
        return FsqInput(random, n);
      },
      true);
}

Row ema_row(std::uint64_t seed, bool published) {
  const double n = 8192, k = 1024, d = 64;
  // z and the codes come, z_q, indices and codes go; codes and averages are read and written.
  const Work work{2.0 * n * k * d, kFloat * (2.0 * n * d + 4.0 * k * d) + 8.0 * n};
  return row(
      std::string("ema_codebook_step 8192 rows, 1024 x 64, against ") +
          (published ? "one_hot, as published" : "bincount, index_add_"),
      4.0, work,
      [=] {
        Random random(seed);
        return EmaInput(random, 8192, 1024, 64, published);
      },
      true);
}

Row vae_row(std::uint64_t seed) {
  const double weights = 784 * 400 * 2 + 400 * 20 * 3, batch = kBatch;
  // Three products a layer, except for the gradient of the images; Adam reads four, writes three.
  const Work work{2.0 * batch * (3.0 * weights - 784.0 * 400.0), kFloat * 7.0 * weights};
  return row("VAE training step 784-400-20, batch 128", 1.3, work, [=] {
    Random random(seed);
    return VaeInput(random, seed, 784);
  });
}

/// Additions and multiplications of all convolutions of an autoencoder at a square image.
double flops_of(const TaeModel& model, double side) {
  double flops = 0.0;
  const auto conv = [&](const ConvLayer& layer) {
    const auto taps = double(layer.weight.size());
    side /= double(layer.stride);
    flops += 2.0 * taps * side * side;
  };
  for (const auto* part : {&model.encoder, &model.decoder}) {
    for (const TaeLayer& layer : *part) {
      if (layer.kind == LayerKind::kUpsample) side *= 2.0;
      if (layer.kind == LayerKind::kConv) conv(layer.conv);
      if (layer.kind != LayerKind::kBlock) continue;
      for (const ConvLayer* inner : {&layer.block.first, &layer.block.second, &layer.block.third})
        conv(*inner);
      flops += 2.0 * double(layer.block.pool.widen.size() + layer.block.pool.narrow.size()) * side *
               side;
    }
  }
  return flops;
}

std::string tae_folder() {
  const char* data = std::getenv("LATENTLAB_DATA");
  if (data != nullptr && std::filesystem::exists(std::string(data) + "/taef2"))
    return std::string(data) + "/taef2";
  return LATENTLAB_SOURCE "/labs/08_encode_decode/tiny_vae";
}

Row tae_row(std::uint64_t seed, double bar, const std::string& folder, Index side) {
  const std::string name = std::filesystem::path(folder).filename();
  const std::string square = std::to_string(side) + " x " + std::to_string(side);
  return row(
      name + " encode, decode " + square, bar,
      {flops_of(read_tae(folder), double(side)), 2.0 * kFloat * 3.0 * double(side * side)},
      [=] {
        Random random(seed);
        return TaeInput(random, folder, side);
      },
      true);
}

/// A kernel that reads and writes some matrices of one shape, and its products.
template <class Input, class... Arguments>
Row kernel_row(std::uint64_t seed, const std::string& name, Work work, Arguments... arguments) {
  return row(name, 0.0, work, [=] {
    Random random(seed);
    return Input(random, arguments...);
  });
}

std::vector<Row> kernel_rows(std::uint64_t seed) {
  const auto floats = [](double count) { return kFloat * count; };
  const double layer = 128.0 * 784.0 + 784.0 * 400.0 + 128.0 * 400.0, macs = 128.0 * 784.0 * 400.0;
  const double gaussians = 8192.0 * 256.0, logits = 1024.0 * 784.0, weights = 784.0 * 400.0;
  const double rows = 8192.0 * 64.0, codes = 1024.0 * 64.0, bits = 18.0 * (1 << 18);
  const double latents = 1024.0 * 4096.0;
  return {
      kernel_row<LinearInput>(seed, "linear_forward 128 x 784 x 400", {2.0 * macs, floats(layer)},
                              128, 784, 400, false),
      kernel_row<LinearInput>(seed, "linear_backward 128 x 784 x 400",
                              {4.0 * macs, floats(2.0 * layer - 128.0 * 400.0)}, 128, 784, 400,
                              true),
      kernel_row<GaussianInput>(seed, "reparameterize, backward 8192 x 256",
                                {0.0, floats(7.0 * gaussians)}, 8192, 256, false),
      kernel_row<GaussianInput>(seed, "kl_standard_normal 8192 x 256",
                                {0.0, floats(4.0 * gaussians)}, 8192, 256, true),
      kernel_row<BceInput>(seed, "bce_with_logits 1024 x 784", {0.0, floats(3.0 * logits)}, 1024,
                           784),
      kernel_row<AdamInput>(seed, "adam_step 784 x 400", {0.0, floats(7.0 * weights)}, 784, 400),
      kernel_row<AssignedInput>(seed, "vq_losses, vq_gradients 8192 x 64, 1024 codes",
                                {0.0, floats(4.0 * rows + 2.0 * codes)}, 8192, 1024, 64, false),
      kernel_row<AssignedInput>(seed, "assignment_stats 8192 x 64, 1024 codes",
                                {0.0, floats(rows + codes)}, 8192, 1024, 64, true),
      kernel_row<LfqInput>(seed, "lfq_quantize, bits_to_index 262144 x 18",
                           {0.0, floats(2.0 * bits) + 8.0 * (1 << 18)}, 1 << 18, 18),
      kernel_row<RvqInput>(seed, "residual_quantize 8192 x 64, 4 stages of 256",
                           {8.0 * rows * 256.0, floats(2.0 * rows)}, 8192, 64, 4, 256),
      kernel_row<NoiseInput>(seed, "add_noise, ddim_step 1024 x 4096", {0.0, floats(4.0 * latents)},
                             1024, 4096)};
}

}  // namespace

std::vector<Row> rows_of_table(std::uint64_t seed) {
  std::vector<Row> rows{nearest_row(seed, 1.3, 8192, 8192, 256),
                        nearest_row(seed, 2.0, 8192, 1024, 64),
                        fsq_row(seed, 9.0, 1 << 20),
                        ema_row(seed, true),
                        ema_row(seed, false),
                        vae_row(seed),
                        tae_row(seed, 1.0, tae_folder(), 512)};
  for (Row& row : kernel_rows(seed)) rows.push_back(std::move(row));
  return rows;
}

std::vector<Sweep> sweeps(std::uint64_t seed) {
  const auto nearest = [=](Index n, Index k, Index d) { return nearest_row(seed, 0.0, n, k, d); };
  return {{"nearest_code, rows",
           1.0,
           {1024, 2048, 4096, 8192},
           [=](Index n) { return nearest(n, 2048, 64); }},
          {"nearest_code, codes",
           1.0,
           {512, 1024, 2048, 4096},
           [=](Index k) { return nearest(4096, k, 64); }},
          {"nearest_code, dimensions",
           1.0,
           {64, 128, 256, 512},
           [=](Index d) { return nearest(2048, 2048, d); }},
          {"fsq_quantize, codes_to_index, rows",
           1.0,
           {1 << 15, 1 << 16, 1 << 17, 1 << 18},
           [=](Index n) { return fsq_row(seed, 0.0, n); }},
          {"tiny_vae encode, decode, side of the image", 2.0, {64, 128, 256, 512}, [=](Index side) {
             return tae_row(seed, 0.0, LATENTLAB_SOURCE "/labs/08_encode_decode/tiny_vae", side);
           }}};
}

int search_once(const Search& search) {
  Random random(1);
  Matrix z(search.n, search.d), codebook(search.k, search.d);
  // Uniform numbers: normal ones would take longer to draw than a search takes.
  for (Matrix* x : {&z, &codebook})
    for (float& value : x->reshaped()) value = static_cast<float>(random.uniform());
  std::vector<std::int64_t> indices(static_cast<std::size_t>(search.n));
  if (search.really) indices = nearest_code(z, codebook);
  return indices.back() >= 0 ? 0 : 1;
}

}  // namespace latent
