#include "torch_kernels.hpp"

#include <torch/torch.h>
#include <torch/version.h>

#include "torch_tae.hpp"
#include "torch_vae.hpp"

namespace latent {
namespace {

using at::Tensor;

template <class Derived>
Tensor tensor(const Eigen::PlainObjectBase<Derived>& x) {
  const auto kind = std::is_same_v<typename Derived::Scalar, double> ? at::kDouble : at::kFloat;
  return at::from_blob(const_cast<typename Derived::Scalar*>(x.data()), {x.rows(), x.cols()}, kind)
      .clone();
}

Tensor tensor(const std::vector<std::int64_t>& x) {
  return at::from_blob(const_cast<std::int64_t*>(x.data()), {std::ssize(x)}, at::kLong).clone();
}

Matrix matrix(const Tensor& x) {
  const Tensor flat = x.to(at::kFloat).contiguous();
  const Index cols = x.dim() > 0 ? x.size(-1) : 1;
  return Eigen::Map<const Matrix>(flat.data_ptr<float>(), cols > 0 ? x.numel() / cols : 0, cols);
}

/// A contender whose function returns `tensors` floats, then perhaps indices.
template <class Make>
Contender of_tensors(std::string name, Make make) {
  return contender(
      std::move(name),
      [make] {
        const c10::InferenceMode no_gradients;
        return make();
      },
      [](const std::vector<Tensor>& made) {
        Result result;
        for (const Tensor& x : made) {
          if (x.scalar_type() != at::kLong) {
            result.numbers.push_back(matrix(x));
            continue;
          }
          const Tensor flat = x.contiguous();
          const auto* from = flat.data_ptr<std::int64_t>();
          result.indices.assign(from, from + flat.numel());
        }
        return result;
      });
}

using Tensors = std::vector<Tensor>;

Tensor nearest(const Tensor& z, const Tensor& e) {
  return at::addmm(e.square().sum(1), z, e.t(), 1, -2).argmin(1);
}

}  // namespace

Contenders rivals(const NearestInput& in) {
  const Tensor z = tensor(in.z), e = tensor(in.codebook);
  return {of_tensors("cdist(z, e).argmin(1)", [=] { return Tensors{at::cdist(z, e).argmin(1)}; }),
          of_tensors("addmm(e2, z, e.t()).argmin(1)", [=] { return Tensors{nearest(z, e)}; })};
}

// As lucidrains' vector-quantize-pytorch has it.
Contenders rivals(const FsqInput& in) {
  const Tensor z = tensor(in.z), levels = tensor(in.levels);
  std::vector<std::int64_t> weights{1};
  for (const std::int64_t l : in.levels) weights.push_back(weights.back() * l);
  weights.pop_back();
  const Tensor basis = tensor(weights);
  return {of_tensors("bound, round, divide; sum over basis", [=] {
    const Tensor half_l = (levels - 1).to(at::kFloat) * (1.0 + 1e-3) / 2;
    const Tensor offset = at::where(levels % 2 == 0, 0.5, 0.0).to(at::kFloat);
    const Tensor shift = (offset / half_l).atanh(), half_width = levels.floor_divide(2);
    const Tensor codes = ((z + shift).tanh() * half_l - offset).round() / half_width;
    const Tensor index = ((codes * half_width + half_width) * basis).sum(-1).to(at::kLong);
    return Tensors{index};
  })};
}

// With one_hot: as in the notebook that most implementations descend from (zalandoresearch).
Contenders rivals(const EmaInput& in) {
  const Tensor z = tensor(in.z), e = tensor(in.state.codebook), sum = tensor(in.state.average.sum);
  const Tensor size = tensor(in.state.average.size).to(at::kFloat).reshape(-1);
  const EmaOptions options = in.options;
  const bool one_hot = in.one_hot;
  return {of_tensors(one_hot ? "one_hot" : "bincount, index_add_", [=] {
    const std::int64_t k = e.size(0);
    const Tensor index = nearest(z, e);
    Tensor counts, sums;
    if (one_hot) {
      const Tensor encodings = at::zeros({z.size(0), k}).scatter_(1, index.unsqueeze(1), 1);
      counts = encodings.sum(0);
      sums = encodings.t().mm(z);
    } else {
      counts = index.bincount({}, k).to(at::kFloat);
      sums = at::zeros_like(e).index_add_(0, index, z);
    }
    const Tensor z_q = e.index_select(0, index);
    const Tensor commitment = options.beta * at::mse_loss(z_q, z);
    Tensor size_next = size * options.decay + (1 - options.decay) * counts;
    const Tensor n = size_next.sum();
    const Tensor smooth = (size_next + options.epsilon) / (n + k * options.epsilon) * n;
    const Tensor sum_next = sum * options.decay + (1 - options.decay) * sums;
    return Tensors{z_q, commitment, sum_next / smooth.unsqueeze(1), index};
  })};
}

Contenders rivals(const VaeInput& in) {
  const auto vae = std::make_shared<TorchVae>(in.initial, in.images);
  const auto step = [&in](TorchVae& of) {
    StepTimes times;
    of.step(in.rows, in.eps, times);
  };
  return {{"torch::nn::Linear, autograd, torch::optim::Adam", [=] { step(*vae); },
           [&in, step] {
             TorchVae fresh(in.initial, in.images);
             for (int i = 0; i < kStepsCompared; ++i) step(fresh);
             const auto nats = static_cast<float>(fresh.neg_elbo(in.images, in.eps));
             return Result{{Matrix::Constant(1, 1, nats)}, {}};
           }}};
}

Contenders rivals(const TaeInput& in) {
  const auto tae = std::make_shared<TorchTae>(in.model.encoder, in.model.decoder);
  return {contender(
      "conv2d, relu, upsample", [tae, &in] { return tae->encode_decode(in.image); },
      [](const Tensor4& x) {
        return Result{{Eigen::Map<const Matrix>(x.data(), 1, x.size())}, {}};
      })};
}

Contenders rivals(const LinearInput& in) {
  const Tensor x = tensor(in.x), w = tensor(in.weight), b = tensor(in.bias).reshape(-1),
               dy = tensor(in.dy);
  if (in.backward)
    return {of_tensors("dy.mm(w), dy.t().mm(x), dy.sum(0)", [=] {
      return Tensors{dy.mm(w), dy.t().mm(x), dy.sum(0)};
    })};
  return {of_tensors("linear(x, w, b)", [=] { return Tensors{at::linear(x, w, b)}; })};
}

Contenders rivals(const GaussianInput& in) {
  const Tensor mu = tensor(in.mu), log_var = tensor(in.log_var), eps = tensor(in.eps),
               dz = tensor(in.dz);
  const double n = static_cast<double>(mu.size(0));
  if (in.divergence)
    return {of_tensors("sums, and the gradients' formulas", [=] {
      const Tensor var = log_var.exp();
      const Tensor per_sample = -0.5 * (1 + log_var - mu.square() - var).sum(1);
      return Tensors{per_sample.mean(), per_sample, mu / n, (var - 1) / (2 * n)};
    })};
  return {of_tensors("mu + std * eps, and its gradients", [=] {
    const Tensor std = (0.5 * log_var).exp();
    return Tensors{mu + std * eps, dz, 0.5 * dz * eps * std};
  })};
}

Contenders rivals(const BceInput& in) {
  const Tensor logits = tensor(in.logits), x = tensor(in.x);
  const double n = static_cast<double>(x.size(0));
  return {of_tensors("binary_cross_entropy_with_logits, sigmoid", [=] {
    const Tensor sum =
        at::binary_cross_entropy_with_logits(logits, x, {}, {}, at::Reduction::Sum) / n;
    return Tensors{sum, (logits.sigmoid() - x) / n};
  })};
}

// torch.optim.Adam's own operations, in place.
Contenders rivals(const AdamInput& in) {
  const Tensor g = tensor(in.gradient);
  const Tensors initial{tensor(in.state.parameter), tensor(in.state.first_moment),
                        tensor(in.state.second_moment)};
  const auto step = [=, o = in.options, t = static_cast<double>(in.step)](const Tensors& state) {
    const c10::InferenceMode no_gradients;
    state[1].mul_(o.beta1).add_(g, 1 - o.beta1);
    state[2].mul_(o.beta2).addcmul_(g, g, 1 - o.beta2);
    const Tensor root = (state[2].sqrt() / std::sqrt(1 - std::pow(o.beta2, t))).add_(o.epsilon);
    state[0].addcdiv_(state[1], root, -o.learning_rate / (1 - std::pow(o.beta1, t)));
  };
  const auto copy = [=] {
    Tensors state;
    for (const Tensor& x : initial) state.push_back(x.clone());
    return state;
  };
  return {{"Adam's operations, in place", [=, state = copy()] { step(state); },
           [=] {
             const Tensors state = copy();
             step(state);
             return Result{{matrix(state[0]), matrix(state[1]), matrix(state[2])}, {}};
           }}};
}

Contenders rivals(const AssignedInput& in) {
  const Tensor z = tensor(in.z), e = tensor(in.codebook), dz_q = tensor(in.dz_q),
               index = tensor(in.indices);
  if (in.statistics)
    return {of_tensors("bincount, index_add_", [=] {
      return Tensors{index.bincount({}, e.size(0)).to(at::kFloat),
                     at::zeros_like(e).index_add_(0, index, z)};
    })};
  return {of_tensors("mean square, index_add_", [=] {
    const Tensor difference = z - e.index_select(0, index);
    const Tensor mean = difference.square().mean();
    const Tensor pull = difference * (2.0 / static_cast<double>(z.numel()));
    return Tensors{mean + kBeta * mean, dz_q, at::zeros_like(e).index_add_(0, index, pull, -1),
                   kBeta * pull};
  })};
}

Contenders rivals(const LfqInput& in) {
  const Tensor z = tensor(in.z);
  const Tensor mask =
      at::pow(2, at::arange(z.size(1), at::TensorOptions().dtype(at::kLong))).to(at::kInt);
  return {of_tensors("where(z > 0, 1, -1); sum over mask", [=] {
    const Tensor bits = z > 0;
    return Tensors{at::where(bits, 1.0, -1.0).to(at::kFloat), (bits.to(at::kInt) * mask).sum(-1)};
  })};
}

Contenders rivals(const RvqInput& in) {
  const Tensor x = tensor(in.x);
  Tensors codebooks;
  for (const RvqStage& stage : in.stages) codebooks.push_back(tensor(stage.codebook));
  return {of_tensors("addmm, argmin, index_select a stage", [=] {
    Tensor residual = x, quantized = at::zeros_like(x);
    Tensors indices, norms;
    for (const Tensor& e : codebooks) {
      indices.push_back(nearest(residual, e));
      const Tensor code = e.index_select(0, indices.back());
      quantized = quantized + code;
      residual = residual - code;
      norms.push_back(residual.norm(2, 1));
    }
    return Tensors{quantized, at::stack(norms, 1), at::stack(indices, 1)};
  })};
}

// As diffusers' DDIMScheduler has it.
Contenders rivals(const NoiseInput& in) {
  const Tensor x0 = tensor(in.x0), eps = tensor(in.eps), t = tensor(in.t),
               alphas = tensor(in.alphas).reshape(-1).to(at::kFloat);
  const double a = in.alphas(kFromStep), next = in.alphas(kToStep);
  return {of_tensors("DDIMScheduler's operations", [=] {
    const Tensor a_t = alphas.index_select(0, t).unsqueeze(1);
    const Tensor x_t = a_t.sqrt() * x0 + (1 - a_t).sqrt() * eps;
    const Tensor clean = (x_t - std::sqrt(1 - a) * eps) / std::sqrt(a);
    return Tensors{std::sqrt(next) * clean + std::sqrt(1 - next) * eps, clean};
  })};
}

std::string torch_version() {
  return TORCH_VERSION;
}

}  // namespace latent
