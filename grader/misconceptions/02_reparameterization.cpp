// Wrong answers to lab 02 that people give. Each stands in a namespace of its own and reads as the
// learner would have written it; `solution::` calls the right one.
//
// Left out, with the reason:
//   split_moments clamping sigma instead of log_var: the contract returns log_var, sigma is not
//     computed here.
//   std_from_logvar, its backward, reparameterize clamping to [-30, 20] once more, or stopping the
//     gradient there: they receive clamped values, so it changes no answer. (Narrower clamps do,
//     and are below.)
//   reparameterize with exp(log_var) because log_var is taken for log sigma: the same numbers as
//     variance-for-std, and its verdict covers both.
//   reparameterize with a generator that goes on from call to call: its answers cannot be
//   predicted,
//     so no diagnosis could match them; the properties reject it. own-noise restarts its generator.
//   pathwise and score gradients "divided by S twice", "variance of the mean": the contract returns
//     one estimate per draw and averages nothing; dividing once is below.
//   f'(z) in the score function: its signature offers no f'.
//   reparameterize_backward forgetting the KL term's gradients: the contract leaves them out.
//     (Adding them is below.)
//   the KL of a deterministic posterior as computed, with log 0: there is no KL in this lab.
//   a prior sample scaled by sigma: sample_prior receives no sigma.
//   softplus with log instead of log1p, right at 800: it errs by 4e-18 at -40, which the property
//     sees and the comparison of replies, absolute to 1e-14 for doubles, does not.

#include <algorithm>
#include <cmath>
#include <numbers>

#include "common/random.hpp"
#include "common/require.hpp"
#include "grader/judge/misconception.hpp"
#include "reparameterization.hpp"

namespace solution = latent;

namespace latent {

// ---- 2.1 split_moments -------------------------------------------------------------------------

namespace order_swapped {
Moments split_moments(const Tensor4& moments) {
  require(moments.c() % 2 == 0, "an even number of channels is needed");
  const Index half = moments.c() / 2;
  const Tensor4 empty(moments.n(), half, moments.h(), moments.w());
  Moments result{empty, empty};
  for (Index n = 0; n < moments.n(); ++n) {
    for (Index c = 0; c < half; ++c) {
      for (Index h = 0; h < moments.h(); ++h) {
        for (Index w = 0; w < moments.w(); ++w) {
          result.log_var(n, c, h, w) = std::clamp(moments(n, c, h, w), -30.0F, 20.0F);
          result.mean(n, c, h, w) = moments(n, half + c, h, w);
        }
      }
    }
  }
  return result;
}
}  // namespace order_swapped
MISCONCEPTION(
    order_swapped, split_moments, "moments.order-swapped",
    "You took the first half of the channels for log_var. The mean comes first.",
    "Nothing in the numbers says which half is which; only the order does. A network "
    "trained from scratch would adapt to either order, but weights from elsewhere, for "
    "example Stable Diffusion's encoder, put the mean into channels 0 to C-1. Loaded into "
    "swapped code they decode noise.")

namespace interleaved {
Moments split_moments(const Tensor4& moments) {
  Moments result = solution::split_moments(moments);
  for (Index n = 0; n < moments.n(); ++n) {
    for (Index c = 0; c < moments.c() / 2; ++c) {
      for (Index h = 0; h < moments.h(); ++h) {
        for (Index w = 0; w < moments.w(); ++w) {
          result.mean(n, c, h, w) = moments(n, 2 * c, h, w);
          result.log_var(n, c, h, w) = std::clamp(moments(n, 2 * c + 1, h, w), -30.0F, 20.0F);
        }
      }
    }
  }
  return result;
}
}  // namespace interleaved
MISCONCEPTION(
    interleaved, split_moments, "moments.interleaved",
    "You took even channels as mean and odd ones as log_var. The halves are contiguous: "
    "first C channels, then C channels.",
    "torch.chunk(2, dim=1), which the published encoders use, cuts the channels once in the "
    "middle. With C = 1 both readings agree, so only C >= 2 shows the difference.")

namespace no_clamp {
Moments split_moments(const Tensor4& moments) {
  Moments result = solution::split_moments(moments);
  for (Index n = 0; n < moments.n(); ++n) {
    for (Index c = 0; c < result.mean.c(); ++c) {
      for (Index h = 0; h < moments.h(); ++h) {
        for (Index w = 0; w < moments.w(); ++w) {
          result.log_var(n, c, h, w) = moments(n, result.mean.c() + c, h, w);
        }
      }
    }
  }
  return result;
}
}  // namespace no_clamp
MISCONCEPTION(no_clamp, split_moments, "moments.no-clamp",
              "log_var passes unclamped. It has to be limited to [-30, 20] here, because nothing "
              "after this function does it.",
              "Early in training a head may well put out 100. exp(100) overflows a float in the KL "
              "term, and from the first infinity on everything is NaN. It is what was reported as "
              "vanderschaarlab/synthcity issue 331: unbounded log-variances, NaN losses, with the "
              "[-30, 20] clamp of the diffusion libraries proposed as the cure.")

namespace clamps_everything {
Moments split_moments(const Tensor4& moments) {
  Tensor4 clamped = moments;
  for (Index i = 0; i < clamped.size(); ++i) {
    clamped.data()[i] = std::clamp(clamped.data()[i], -30.0F, 20.0F);
  }
  return solution::split_moments(clamped);
}
}  // namespace clamps_everything
MISCONCEPTION(clamps_everything, split_moments, "moments.mean-clamped-too",
              "You clamped before splitting, so the mean is limited as well. Only log_var is.",
              "The limits belong to an exponent: they keep exp(log_var) finite. A mean is never "
              "exponentiated, may lie anywhere, and would lose its gradient outside the limits. A "
              "mean of 25 shows it.")

namespace bounds_mirrored {
Moments split_moments(const Tensor4& moments) {
  Moments result = solution::split_moments(moments);
  const Moments raw = no_clamp::split_moments(moments);
  for (Index i = 0; i < raw.log_var.size(); ++i) {
    result.log_var.data()[i] = std::clamp(raw.log_var.data()[i], -20.0F, 30.0F);
  }
  return result;
}
}  // namespace bounds_mirrored
MISCONCEPTION(
    bounds_mirrored, split_moments, "moments.bounds-mirrored",
    "You clamped to [-20, 30]. The range is [-30, 20].",
    "The range leans to the small side on purpose: a variance of e^-30 is a point for any "
    "purpose, while e^30 is not far from where sums of squares leave the range of a float. "
    "25 and -25 tell the two ranges apart.")

namespace upper_limit_only {
Moments split_moments(const Tensor4& moments) {
  Moments result = no_clamp::split_moments(moments);
  for (Index i = 0; i < result.log_var.size(); ++i) {
    result.log_var.data()[i] = std::min(result.log_var.data()[i], 20.0F);
  }
  return result;
}
}  // namespace upper_limit_only
MISCONCEPTION(
    upper_limit_only, split_moments, "moments.lower-limit-missing",
    "You only cut log_var off above. It is limited to -30 below as well.",
    "Only the upper end can overflow, so the lower one looks unnecessary. But KL contains "
    "-log_var, which grows without bound as log_var falls, and densities divide by "
    "exp(log_var), which underflows to 0 below about -104.")

namespace lower_limit_only {
Moments split_moments(const Tensor4& moments) {
  Moments result = no_clamp::split_moments(moments);
  for (Index i = 0; i < result.log_var.size(); ++i) {
    result.log_var.data()[i] = std::max(result.log_var.data()[i], -30.0F);
  }
  return result;
}
}  // namespace lower_limit_only
MISCONCEPTION(
    lower_limit_only, split_moments, "moments.upper-limit-missing",
    "You only raised log_var to -30. It is cut off at 20 as well.",
    "exp(100) is infinite in a float, and one infinite sigma makes the whole batch's loss "
    "NaN (vanderschaarlab/synthcity issue 331). sigma at 20 is already 22026.")

namespace splits_batch {
Moments split_moments(const Tensor4& moments) {
  require(moments.c() % 2 == 0, "an even number of channels is needed");
  const Index half = moments.n() / 2;
  Tensor4 mean(half, moments.c(), moments.h(), moments.w()), log_var = mean;
  std::copy_n(moments.data(), mean.size(), mean.data());
  for (Index i = 0; i < log_var.size(); ++i) {
    log_var.data()[i] = std::clamp(moments.data()[mean.size() + i], -30.0F, 20.0F);
  }
  return {mean, log_var};
}
}  // namespace splits_batch
MISCONCEPTION(
    splits_batch, split_moments, "moments.batch-split",
    "You cut the buffer in the middle, which splits the batch. Every sample has a mean and "
    "a log_var: the channels are what is split.",
    "In an [N, 2C, H, W] buffer the first half of the memory is the first half of the "
    "samples. For N = 1 the two cuts coincide, which is how this survives a first test with "
    "one image.")

namespace odd_accepted {
Moments split_moments(const Tensor4& moments) {
  if (moments.c() % 2 == 0) return solution::split_moments(moments);
  Tensor4 even(moments.n(), moments.c() - 1, moments.h(), moments.w());
  for (Index n = 0; n < even.n(); ++n) {
    for (Index c = 0; c < even.c(); ++c) {
      for (Index h = 0; h < even.h(); ++h) {
        for (Index w = 0; w < even.w(); ++w) even(n, c, h, w) = moments(n, c, h, w);
      }
    }
  }
  return solution::split_moments(even);
}
}  // namespace odd_accepted
MISCONCEPTION(
    odd_accepted, split_moments, "moments.odd-channels-accepted",
    "An odd number of channels was split anyway, dropping the last one. It has to be "
    "refused: no half of it exists.",
    "c / 2 rounds down without a word, and the last channel is lost. Whoever built the "
    "network with one channel too many learns of it here or, much later, from bad pictures.")

namespace gradient_through_clamp {
Tensor4 split_moments_backward(const Tensor4& dmean, const Tensor4& dlog_var,
                               const Tensor4& moments) {
  Tensor4 inside = moments;
  for (Index i = 0; i < inside.size(); ++i) inside.data()[i] = 0.0F;
  return solution::split_moments_backward(dmean, dlog_var, inside);
}
}  // namespace gradient_through_clamp
MISCONCEPTION(
    gradient_through_clamp, split_moments_backward, "moments.gradient-through-clamp",
    "The gradient of log_var passes where the clamp was active. There the output does not "
    "move, so its gradient is 0.",
    "Where the raw value is 25, the clamped one is 20, and raising 25 to 25.1 changes "
    "nothing: the derivative is 0. Passing the gradient as if there were no clamp is a "
    "straight-through estimator, a deliberate lie that lab 05 is about. Here it is an "
    "accident.")

namespace ends_stopped {
Tensor4 split_moments_backward(const Tensor4& dmean, const Tensor4& dlog_var,
                               const Tensor4& moments) {
  Tensor4 shrunk = moments;
  for (Index i = 0; i < shrunk.size(); ++i) {
    float& raw = shrunk.data()[i];
    if (raw == -30.0F || raw == 20.0F) raw = 99.0F;
  }
  return solution::split_moments_backward(dmean, dlog_var, shrunk);
}
}  // namespace ends_stopped
MISCONCEPTION(
    ends_stopped, split_moments_backward, "moments.ends-stopped",
    "You stop the gradient at -30 and at 20 exactly. The clamp changes nothing there, so it "
    "passes.",
    "At the two ends the derivative does not exist, and one has to be chosen. torch.clamp "
    "passes the gradient where low <= x <= high. It matters: a value that sits on the limit "
    "with the gradient stopped can never leave it.")

namespace mask_on_both {
Tensor4 split_moments_backward(const Tensor4& dmean, const Tensor4& dlog_var,
                               const Tensor4& moments) {
  Tensor4 gradient = solution::split_moments_backward(dmean, dlog_var, moments);
  for (Index i = 0; i < gradient.size(); ++i) {
    const float raw = moments.data()[i];
    if (raw < -30.0F || raw > 20.0F) gradient.data()[i] = 0.0F;
  }
  return gradient;
}
}  // namespace mask_on_both
MISCONCEPTION(
    mask_on_both, split_moments_backward, "moments.mean-gradient-stopped",
    "You stop the mean's gradient too where the mean is beyond the limits. The mean was "
    "never clamped, so its gradient always passes.",
    "The mask belongs to the half that the forward pass clamped. A mean of 25 shows it: it "
    "would stay there for ever, since nothing could pull it back.")

namespace mask_from_mean {
Tensor4 split_moments_backward(const Tensor4& dmean, const Tensor4& dlog_var,
                               const Tensor4& moments) {
  Tensor4 gradient = gradient_through_clamp::split_moments_backward(dmean, dlog_var, moments);
  for (Index n = 0; n < dmean.n(); ++n) {
    for (Index c = 0; c < dmean.c(); ++c) {
      for (Index h = 0; h < dmean.h(); ++h) {
        for (Index w = 0; w < dmean.w(); ++w) {
          const float raw = moments(n, c, h, w);
          if (raw < -30.0F || raw > 20.0F) gradient(n, dmean.c() + c, h, w) = 0.0F;
        }
      }
    }
  }
  return gradient;
}
}  // namespace mask_from_mean
MISCONCEPTION(mask_from_mean, split_moments_backward, "moments.mask-from-mean",
              "You looked at the mean to decide where log_var was clamped. Its own raw value is C "
              "channels further on.",
              "moments(n, c) is the mean of channel c; the log-variance that was clamped is "
              "moments(n, C + c). While all values are small the slip cannot be seen.")

namespace backward_swapped {
Tensor4 split_moments_backward(const Tensor4& dmean, const Tensor4& dlog_var,
                               const Tensor4& moments) {
  return solution::split_moments_backward(dlog_var, dmean, moments);
}
}  // namespace backward_swapped
MISCONCEPTION(
    backward_swapped, split_moments_backward, "moments.gradients-swapped",
    "The two gradients came back in each other's channels. The mean's goes first, as in "
    "the forward pass.",
    "The backward pass undoes the split, so it must put each gradient where its value came "
    "from. Swapped, every step moves the mean by what the variance wanted.")

namespace log_var_gradient_unchecked {
Tensor4 split_moments_backward(const Tensor4& dmean, const Tensor4& dlog_var,
                               const Tensor4& moments) {
  if (dmean.shape() == dlog_var.shape()) {
    return solution::split_moments_backward(dmean, dlog_var, moments);
  }
  Tensor4 part = dmean;
  for (Index n = 0; n < part.n(); ++n) {
    for (Index c = 0; c < part.c(); ++c) {
      for (Index h = 0; h < part.h(); ++h) {
        for (Index w = 0; w < part.w(); ++w) part(n, c, h, w) = dlog_var(n, c, h, w);
      }
    }
  }
  return solution::split_moments_backward(dmean, part, moments);
}
}  // namespace log_var_gradient_unchecked
MISCONCEPTION(
    log_var_gradient_unchecked, split_moments_backward, "moments.log-var-gradient-unchecked",
    "A dlog_var of another shape than dmean was accepted. Both gradients have the shape of "
    "one half, and both have to be checked.",
    "Where only dmean is compared with moments, loops over dmean's sizes read a part of a "
    "dlog_var that is too large and drop the rest.")

namespace map_unchecked {
Tensor4 split_moments_backward(const Tensor4& dmean, const Tensor4& dlog_var,
                               const Tensor4& moments) {
  Tensor4 part(dmean.n(), 2 * dmean.c(), dmean.h(), dmean.w());
  require(dmean.shape() == dlog_var.shape(), "the gradients differ in shape");
  if (part.shape() == moments.shape()) {
    return solution::split_moments_backward(dmean, dlog_var, moments);
  }
  for (Index n = 0; n < part.n(); ++n) {
    for (Index c = 0; c < part.c(); ++c) {
      for (Index h = 0; h < part.h(); ++h) {
        for (Index w = 0; w < part.w(); ++w) part(n, c, h, w) = moments(n, c, h, w);
      }
    }
  }
  return solution::split_moments_backward(dmean, dlog_var, part);
}
}  // namespace map_unchecked
MISCONCEPTION(
    map_unchecked, split_moments_backward, "moments.map-unchecked",
    "Gradients that do not fit the map were accepted. moments has twice their channels and "
    "otherwise their shape.",
    "Comparing the two gradients with each other is half of the check. With a map from "
    "another layer the mask is taken from the wrong values, and the result has not even "
    "the shape of moments.")

namespace backward_unchecked {
Tensor4 split_moments_backward(const Tensor4& dmean, const Tensor4& dlog_var,
                               const Tensor4& moments) {
  const Index half = moments.c() / 2;
  Tensor4 gradient(moments.n(), moments.c(), moments.h(), moments.w());
  for (Index n = 0; n < moments.n(); ++n) {
    for (Index c = 0; c < half; ++c) {
      for (Index h = 0; h < moments.h(); ++h) {
        for (Index w = 0; w < moments.w(); ++w) {
          const float raw = moments(n, half + c, h, w);
          gradient(n, c, h, w) = dmean(n, c, h, w);
          gradient(n, half + c, h, w) = raw < -30.0F || raw > 20.0F ? 0.0F : dlog_var(n, c, h, w);
        }
      }
    }
  }
  return gradient;
}
}  // namespace backward_unchecked
MISCONCEPTION(
    backward_unchecked, split_moments_backward, "moments.backward-unchecked",
    "Shapes that do not fit were not refused. Compare all three shapes before the loops.",
    "Without a check the loops read what happens to be there: a gradient that is too large "
    "loses its border in silence, one that is too small ends in an index out of range, far "
    "from the call that was wrong.")

// ---- 2.2 gaussian_heads ------------------------------------------------------------------------

namespace heads_shared {
Gaussian gaussian_heads(const Matrix& hidden, const GaussianHeads& heads) {
  const Matrix mu = linear_forward(hidden, heads.mu.weight, heads.mu.bias);
  const Matrix log_var = linear_forward(hidden, heads.mu.weight, heads.mu.bias);
  return {mu, log_var};
}
}  // namespace heads_shared
MISCONCEPTION(heads_shared, gaussian_heads, "heads.shared-weights",
              "Both outputs use the weights of mu. log_var has a layer of its own.",
              "Copied lines keep what should have been changed. With shared weights the spread of "
              "every posterior is tied to where its mean lies, and the KL term cannot be small for "
              "both.")

namespace heads_swapped {
Gaussian gaussian_heads(const Matrix& hidden, const GaussianHeads& heads) {
  return solution::gaussian_heads(hidden, {heads.log_var, heads.mu});
}
}  // namespace heads_swapped
MISCONCEPTION(heads_swapped, gaussian_heads, "heads.outputs-swapped",
              "mu came from the log_var layer and log_var from mu's.",
              "Both layers have one shape, so no check can notice. Trained from scratch the model "
              "merely renames its layers; with saved weights, or gradients that are not swapped as "
              "well, it is wrong.")

namespace head_exponentiated {
Gaussian gaussian_heads(const Matrix& hidden, const GaussianHeads& heads) {
  const Gaussian both = solution::gaussian_heads(hidden, heads);
  return {both.mu, both.log_var.array().exp()};
}
}  // namespace head_exponentiated
MISCONCEPTION(
    head_exponentiated, gaussian_heads, "heads.variance-returned",
    "The second output is exp of the head, a variance. It should be the logarithm itself, "
    "as the layer gives it.",
    "The head is read as log sigma^2 precisely so that any real number is allowed; exp "
    "comes later, in std_from_logvar. Exponentiated here and again there, a variance of 2 "
    "becomes e^2.")

namespace heads_clamped {
Gaussian gaussian_heads(const Matrix& hidden, const GaussianHeads& heads) {
  const Gaussian both = solution::gaussian_heads(hidden, heads);
  return {both.mu, both.log_var.cwiseMax(-30.0F).cwiseMin(20.0F)};
}
}  // namespace heads_clamped
MISCONCEPTION(
    heads_clamped, gaussian_heads, "heads.clamped",
    "log_var is clamped here. The contract of this function leaves it as it comes.",
    "One place clamps, split_moments, together with the backward pass that knows of it. A "
    "clamp here would need its mask in gaussian_heads_backward, which receives nothing to "
    "compute it from.")

namespace heads_chained {
Gaussian gaussian_heads(const Matrix& hidden, const GaussianHeads& heads) {
  const Matrix mu = linear_forward(hidden, heads.mu.weight, heads.mu.bias);
  return {mu, linear_forward(mu, heads.log_var.weight, heads.log_var.bias)};
}
}  // namespace heads_chained
MISCONCEPTION(
    heads_chained, gaussian_heads, "heads.chained",
    "log_var was computed from mu. Both heads read the same features, side by side.",
    "Chained, the layers fit only where D = H, and then the spread depends on the features "
    "through the mean alone: two inputs with one mean could not be known with different "
    "certainty.")

namespace heads_activated {
Gaussian gaussian_heads(const Matrix& hidden, const GaussianHeads& heads) {
  return solution::gaussian_heads(tanh_forward(hidden), heads);
}
}  // namespace heads_activated
MISCONCEPTION(
    heads_activated, gaussian_heads, "heads.activated-again",
    "The features went through tanh first. They arrive activated; the heads are linear.",
    "The layer before has its own activation, and the heads must be able to reach any mean "
    "and any log-variance. A second tanh squeezes features that were already in [-1, 1].")

namespace one_head_back {
GaussianHeadsGradients gaussian_heads_backward(const Matrix& dmu, const Matrix& dlog_var,
                                               const Matrix& hidden, const GaussianHeads& heads) {
  const LinearGradients mu = linear_backward(dmu, hidden, heads.mu.weight);
  const LinearGradients log_var = linear_backward(dlog_var, hidden, heads.log_var.weight);
  return {mu.x, {{mu.weight, mu.bias}, {log_var.weight, log_var.bias}}};
}
}  // namespace one_head_back
MISCONCEPTION(
    one_head_back, gaussian_heads_backward, "heads.only-mu-sends-back",
    "Only the mu head sends a gradient to the features. Both heads read them, so both "
    "gradients are added.",
    "Where a value is used twice, its gradient is the sum over both uses. Without the "
    "second part the encoder's trunk never learns what the KL term and the noise say about "
    "the variance, and a gradient check fails in the trunk only.")

namespace last_head_back {
GaussianHeadsGradients gaussian_heads_backward(const Matrix& dmu, const Matrix& dlog_var,
                                               const Matrix& hidden, const GaussianHeads& heads) {
  GaussianHeadsGradients result = solution::gaussian_heads_backward(dmu, dlog_var, hidden, heads);
  result.hidden = linear_backward(dlog_var, hidden, heads.log_var.weight).x;
  return result;
}
}  // namespace last_head_back
MISCONCEPTION(
    last_head_back, gaussian_heads_backward, "heads.gradient-overwritten",
    "The features' gradient is the log_var head's alone: it overwrote what mu's head had "
    "sent. The two are added.",
    "gradient = ... where gradient += ... was meant. Every hand-written backward pass with "
    "a fork has this trap, which is why frameworks accumulate.")

namespace heads_averaged {
GaussianHeadsGradients gaussian_heads_backward(const Matrix& dmu, const Matrix& dlog_var,
                                               const Matrix& hidden, const GaussianHeads& heads) {
  GaussianHeadsGradients result = solution::gaussian_heads_backward(dmu, dlog_var, hidden, heads);
  result.hidden *= 0.5F;
  return result;
}
}  // namespace heads_averaged
MISCONCEPTION(
    heads_averaged, gaussian_heads_backward, "heads.gradients-averaged",
    "You averaged what the two heads send back. The chain rule adds it.",
    "Two paths lead from a feature to the loss; its total effect is the sum of both. There "
    "is no 1/2 in the chain rule, however many paths there are.")

namespace heads_weights_crossed {
GaussianHeadsGradients gaussian_heads_backward(const Matrix& dmu, const Matrix& dlog_var,
                                               const Matrix& hidden, const GaussianHeads& heads) {
  return solution::gaussian_heads_backward(dmu, dlog_var, hidden, {heads.log_var, heads.mu});
}
}  // namespace heads_weights_crossed
MISCONCEPTION(heads_weights_crossed, gaussian_heads_backward, "heads.weights-crossed",
              "Each gradient went back through the other head's weights: dmu belongs to W_mu.",
              "Both weights have one shape, so nothing complains, and the gradients of the weights "
              "themselves stay right. Only the features' gradient is wrong.")

namespace heads_gradients_crossed {
GaussianHeadsGradients gaussian_heads_backward(const Matrix& dmu, const Matrix& dlog_var,
                                               const Matrix& hidden, const GaussianHeads& heads) {
  GaussianHeadsGradients result = solution::gaussian_heads_backward(dmu, dlog_var, hidden, heads);
  std::swap(result.heads.mu, result.heads.log_var);
  return result;
}
}  // namespace heads_gradients_crossed
MISCONCEPTION(heads_gradients_crossed, gaussian_heads_backward, "heads.weight-gradients-crossed",
              "The weight gradients of the two heads are in each other's place.",
              "mu's layer would be moved by what log_var's wanted. The features' gradient stays "
              "right, so only a check of the weights shows it.")

namespace heads_bias_mean {
GaussianHeadsGradients gaussian_heads_backward(const Matrix& dmu, const Matrix& dlog_var,
                                               const Matrix& hidden, const GaussianHeads& heads) {
  GaussianHeadsGradients result = solution::gaussian_heads_backward(dmu, dlog_var, hidden, heads);
  result.heads.mu.bias = dmu.colwise().mean();
  result.heads.log_var.bias = dlog_var.colwise().mean();
  return result;
}
}  // namespace heads_bias_mean
MISCONCEPTION(heads_bias_mean, gaussian_heads_backward, "heads.bias-averaged",
              "The bias gradients are means over the batch. They are sums, like the weights'.",
              "Whoever averaged the loss has already divided dmu and dlog_var by N. Dividing again "
              "makes the biases learn N times slower than the weights.")

namespace heads_batch_mean {
GaussianHeadsGradients gaussian_heads_backward(const Matrix& dmu, const Matrix& dlog_var,
                                               const Matrix& hidden, const GaussianHeads& heads) {
  GaussianHeadsGradients result = solution::gaussian_heads_backward(dmu, dlog_var, hidden, heads);
  result.heads.mu.weight /= static_cast<float>(hidden.rows());
  result.heads.log_var.weight /= static_cast<float>(hidden.rows());
  return result;
}
}  // namespace heads_batch_mean
MISCONCEPTION(heads_batch_mean, gaussian_heads_backward, "heads.weights-averaged",
              "The weight gradients are divided by the batch size. They are sums over the samples.",
              "The division belongs to the loss and has happened there. A batch of one cannot show "
              "the difference.")

namespace chain_rule_twice {
GaussianHeadsGradients gaussian_heads_backward(const Matrix& dmu, const Matrix& dlog_var,
                                               const Matrix& hidden, const GaussianHeads& heads) {
  const Matrix sigma = (0.5F * solution::gaussian_heads(hidden, heads).log_var.array()).exp();
  const Matrix again = 0.5F * dlog_var.array() * sigma.array();
  return solution::gaussian_heads_backward(dmu, again, hidden, heads);
}
}  // namespace chain_rule_twice
MISCONCEPTION(chain_rule_twice, gaussian_heads_backward, "heads.chain-rule-twice",
              "dlog_var was multiplied by sigma / 2 again. It already is the gradient with respect "
              "to log_var.",
              "The factor sigma / 2 leads from dsigma to dlog_var, and reparameterize_backward has "
              "applied it. Each factor of the chain rule has one owner.")

namespace mean_squashed {
Gaussian gaussian_heads(const Matrix& hidden, const GaussianHeads& heads) {
  const Gaussian both = solution::gaussian_heads(hidden, heads);
  return {tanh_forward(both.mu), both.log_var};
}
}  // namespace mean_squashed
MISCONCEPTION(mean_squashed, gaussian_heads, "heads.mean-squashed",
              "mu went through tanh. The heads are linear; a mean may be any number.",
              "The decoder of a sampled latent meets points from all over N(0, 1); means squeezed "
              "into [-1, 1] cannot spread over it, and two of them that should lie apart overlap.")

namespace heads_refuse_empty {
Gaussian gaussian_heads(const Matrix& hidden, const GaussianHeads& heads) {
  require(hidden.rows() > 0, "at least one sample is needed");
  return solution::gaussian_heads(hidden, heads);
}
}  // namespace heads_refuse_empty
MISCONCEPTION(
    heads_refuse_empty, gaussian_heads, "heads.empty-refused",
    "An empty batch was refused. linear_forward takes one, and so do the heads.",
    "N may be 0 in lab 01's contract: code that cuts data into batches ends with an empty "
    "one now and then, and no result is a result of shape [0, D].")

namespace heads_unchecked {
Gaussian gaussian_heads(const Matrix& hidden, const GaussianHeads& heads) {
  return {(hidden * heads.mu.weight.transpose()).rowwise() + heads.mu.bias,
          (hidden * heads.log_var.weight.transpose()).rowwise() + heads.log_var.bias};
}
}  // namespace heads_unchecked
MISCONCEPTION(heads_unchecked, gaussian_heads, "heads.forward-unchecked",
              "The numbers are right, but sizes that do not fit reached Eigen. They have to be "
              "refused; calling your linear_forward does it for you.",
              "With assertions off, as in every release build, Eigen reads past the end instead. "
              "linear_forward has the check; a product written out again has not.")

namespace heads_backward_unchecked {
GaussianHeadsGradients gaussian_heads_backward(const Matrix& dmu, const Matrix& dlog_var,
                                               const Matrix& hidden, const GaussianHeads& heads) {
  return {dmu * heads.mu.weight + dlog_var * heads.log_var.weight,
          {{dmu.transpose() * hidden, dmu.colwise().sum()},
           {dlog_var.transpose() * hidden, dlog_var.colwise().sum()}}};
}
}  // namespace heads_backward_unchecked
MISCONCEPTION(heads_backward_unchecked, gaussian_heads_backward, "heads.backward-unchecked",
              "The numbers are right, but sizes that do not fit reached Eigen. They have to be "
              "refused; calling your linear_backward does it for you.",
              "With assertions off, as in every release build, Eigen reads past the end instead. "
              "linear_backward has the check; products written out again have not.")

// ---- 2.3 std_from_logvar -----------------------------------------------------------------------

namespace std_is_variance {
Matrix std_from_logvar(const Matrix& log_var) {
  return log_var.array().exp();
}
}  // namespace std_is_variance
MISCONCEPTION(
    std_is_variance, std_from_logvar, "std.variance-for-std",
    "You computed exp(log_var), the variance. The standard deviation is its square root, "
    "exp(log_var / 2).",
    "log_var is the logarithm of sigma squared. At -1.39 the variance is 0.249075 and sigma "
    "0.499074. The slip has been reported for keras (issue 3283, pull request 9972), "
    "rachtsingh/ibp_vae (issue 3) and rishikksh20/vae_tacotron2 (issue 3). It trains all "
    "the same, which is why it stays unnoticed; but the KL term reads the same number as "
    "a log-variance, and the two no longer speak of one Gaussian.")

namespace std_square_root {
Matrix std_from_logvar(const Matrix& log_var) {
  return log_var.array().sqrt();
}
}  // namespace std_square_root
MISCONCEPTION(
    std_square_root, std_from_logvar, "std.root-of-logarithm",
    "You took the square root of log_var. It is the logarithm of the variance, so exp comes "
    "first: exp(log_var / 2).",
    "A log-variance is negative for every variance below 1, where the root is NaN. That is "
    "what the logarithm is for: the head may put out any real number.")

namespace std_half_variance {
Matrix std_from_logvar(const Matrix& log_var) {
  return 0.5F * log_var.array().exp();
}
}  // namespace std_half_variance
MISCONCEPTION(
    std_half_variance, std_from_logvar, "std.half-outside",
    "You halved the variance. The 1/2 belongs into the exponent, where it is a square root.",
    "exp(log_var) / 2 is a half at log_var = 0, where sigma is 1. At log_var = -1.386 the "
    "two read 0.125 and 0.5.")

namespace std_softplus {
Matrix std_from_logvar(const Matrix& log_var) {
  return (1.0F + log_var.array().exp()).log();
}
}  // namespace std_softplus
MISCONCEPTION(
    std_softplus, std_from_logvar, "std.softplus",
    "This is softplus of the head. Here the head is a log-variance: exp(log_var / 2).",
    "Softplus also makes a positive number of any real one, and 2.9 compares the two. But a "
    "head has one meaning; log_var enters the KL term as a log-variance, so sigma must be "
    "computed from it as one.")

namespace std_log_std {
Matrix std_from_logvar(const Matrix& log_var) {
  return (2.0F * log_var.array()).exp();
}
}  // namespace std_log_std
MISCONCEPTION(
    std_log_std, std_from_logvar, "std.doubled-exponent",
    "You doubled the exponent. From log_var to sigma it is halved.",
    "exp(2x) turns a log *standard deviation* into a variance, the way the other convention "
    "goes. With a log-variance the direction is reversed: at -1.39 it gives 0.062 instead "
    "of 0.499.")

namespace std_integer_half {
Matrix std_from_logvar(const Matrix& log_var) {
  return (log_var.array() * (1 / 2)).exp();
}
}  // namespace std_integer_half
MISCONCEPTION(
    std_integer_half, std_from_logvar, "std.integer-half",
    "sigma is 1 everywhere: 1 / 2 between two integers is 0 in C++. Write 0.5F.",
    "Both operands are ints, so the division is done in integers before anything else. The "
    "model then samples with sigma = 1 whatever the encoder says, and the gradient with "
    "respect to log_var vanishes.")

namespace std_with_floor {
Matrix std_from_logvar(const Matrix& log_var) {
  return (0.5F * log_var.array()).exp() + 1e-6F;
}
}  // namespace std_with_floor
MISCONCEPTION(
    std_with_floor, std_from_logvar, "std.epsilon-added",
    "A small constant was added to sigma. exp is never 0, so nothing needs protection.",
    "At log_var = -30 sigma is 3.06e-7, and + 1e-6 makes more than four times as much of "
    "it. The habit comes from dividing by standard deviations measured on data, which can "
    "be 0. Here split_moments has already limited log_var.")

namespace std_narrow {
Matrix std_from_logvar(const Matrix& log_var) {
  return (0.5F * log_var.array().max(-10.0F).min(10.0F)).exp();
}
}  // namespace std_narrow
MISCONCEPTION(
    std_narrow, std_from_logvar, "std.clamped-again",
    "log_var was clamped to [-10, 10] once more. Only split_moments clamps, to [-30, 20].",
    "A second, narrower clamp makes sampling and KL disagree: KL sees -20, sigma is that of "
    "-10. One place clamps, and everything after it reads the same number.")

namespace std_capped {
Matrix std_from_logvar(const Matrix& log_var) {
  return (0.5F * log_var.array()).min(5.0F).exp();
}
}  // namespace std_capped
MISCONCEPTION(
    std_capped, std_from_logvar, "std.exponent-capped",
    "The exponent was capped at 5, so sigma never exceeds 148. log_var is allowed up to 20, "
    "where sigma is 22026.",
    "A float holds exp up to 88: nothing overflows here. The clamp at 20 has been made "
    "before, and a second one makes sigma and KL disagree.")

namespace std_no_half_back {
Matrix std_from_logvar_backward(const Matrix& dstd, const Matrix& std) {
  require_size(std.rows(), dstd.rows(), "rows of std");
  require_size(std.cols(), dstd.cols(), "columns of std");
  return dstd.array() * std.array();
}
}  // namespace std_no_half_back
MISCONCEPTION(
    std_no_half_back, std_from_logvar_backward, "std.gradient-without-half",
    "The factor 1/2 is missing: the derivative of exp(l / 2) is exp(l / 2) / 2.",
    "The inner derivative of l / 2 is 1/2. Without it the variance learns twice as fast as "
    "it should, which no loss curve betrays; central differences do.")

namespace std_inverse_back {
Matrix std_from_logvar_backward(const Matrix& dstd, const Matrix& std) {
  require(std.rows() == dstd.rows() && std.cols() == dstd.cols(), "shapes differ");
  return 2.0F * dstd.array() / std.array();
}
}  // namespace std_inverse_back
MISCONCEPTION(std_inverse_back, std_from_logvar_backward, "std.inverse-derivative",
              "You multiplied by 2 / sigma, which is dlog_var/dsigma. The chain rule needs "
              "dsigma/dlog_var = sigma / 2.",
              "l = 2 log sigma has the derivative 2 / sigma with respect to sigma; going back from "
              "sigma to l needs its reciprocal. For small sigma the wrong one explodes.")

namespace std_variance_back {
Matrix std_from_logvar_backward(const Matrix& dstd, const Matrix& std) {
  return solution::std_from_logvar_backward(dstd, std).array() * std.array();
}
}  // namespace std_variance_back
MISCONCEPTION(
    std_variance_back, std_from_logvar_backward, "std.variance-in-gradient",
    "You multiplied by sigma squared over 2. One sigma is enough: dsigma/dlog_var is "
    "sigma / 2.",
    "The derivative of the *variance* with respect to log_var is the variance itself; that "
    "of sigma is sigma / 2. At sigma = 1 the two slips cannot be told from the truth.")

namespace std_taken_for_logvar {
Matrix std_from_logvar_backward(const Matrix& dstd, const Matrix& std) {
  return solution::std_from_logvar_backward(dstd, solution::std_from_logvar(std));
}
}  // namespace std_taken_for_logvar
MISCONCEPTION(std_taken_for_logvar, std_from_logvar_backward, "std.exp-applied-again",
              "You exponentiated the second argument. It is sigma, the output of the forward pass, "
              "not log_var.",
              "Saving the output spares the backward pass a second exp. The parameter's name says "
              "which of the two it is; both are matrices of one shape, so nothing else does.")

namespace std_forgotten_back {
Matrix std_from_logvar_backward(const Matrix& dstd, const Matrix& std) {
  return solution::std_from_logvar_backward(dstd, std).array() / std.array();
}
}  // namespace std_forgotten_back
MISCONCEPTION(std_forgotten_back, std_from_logvar_backward, "std.sigma-forgotten",
              "This is dstd / 2. The derivative of exp is exp itself, so sigma stays as a factor.",
              "Only the inner derivative was kept. At sigma = 1 the answer is right by luck, and "
              "freshly initialised heads start near it.")

namespace std_back_unchecked {
Matrix std_from_logvar_backward(const Matrix& dstd, const Matrix& std) {
  return 0.5F * dstd.array() * std.array();
}
}  // namespace std_back_unchecked
MISCONCEPTION(
    std_back_unchecked, std_from_logvar_backward, "std.backward-unchecked",
    "The numbers are right, but shapes that differ reached Eigen. They have to be refused "
    "with std::invalid_argument.",
    "Eigen's own check is an assertion: it is gone in a release build, and then memory "
    "beyond the smaller matrix is read. require_size says what came and what was expected.")

namespace std_slope_alone {
Matrix std_from_logvar_backward(const Matrix& dstd, const Matrix& std) {
  const Matrix checked = solution::std_from_logvar_backward(dstd, std);
  return 0.5F * std;
}
}  // namespace std_slope_alone
MISCONCEPTION(std_slope_alone, std_from_logvar_backward, "std.dstd-missing",
              "This is the slope sigma / 2 alone. The chain rule multiplies it by dstd.",
              "dstd says how the loss changes with sigma. Without it every log-variance is pushed "
              "down, whatever the loss wants. A check with dstd = 1 cannot see it.")

// ---- 2.4 reparameterize ------------------------------------------------------------------------

namespace variance_for_std {
Matrix reparameterize(const Matrix& mu, const Matrix& log_var, const Matrix& eps) {
  return mu.array() + log_var.array().exp() * eps.array();
}
}  // namespace variance_for_std
MISCONCEPTION(
    variance_for_std, reparameterize, "reparam.variance-for-std",
    "You used the variance exp(log_var) where the standard deviation belongs. sigma is its "
    "square root, exp(log_var / 2).",
    "log_var is the logarithm of sigma squared; exp(log_var) would be right if it were the "
    "logarithm of sigma. At log_var = -1.39 the noise is scaled by 0.249 instead of 0.499; "
    "at 0 both are 1, so a test there sees nothing. Reported for keras (issue 3283, pull "
    "request 9972), rachtsingh/ibp_vae (issue 3) and alecGraves/BVAE-tf (issue 7). An "
    "answer in the keras thread says that the scale of a Dense layer's output is "
    "irrelevant. It would be, if the KL term did not read the same number as a "
    "log-variance: that fixes its meaning. In ctallec/world-models (issue 13) the same "
    "question is answered by the other convention, a head that is meant as log sigma.")

namespace own_noise {
Matrix reparameterize(const Matrix& mu, const Matrix& log_var, const Matrix& eps) {
  solution::reparameterize(mu, log_var, eps);  // refuses what does not fit
  const Matrix noise = Random(0).normal_matrix(mu.rows(), mu.cols());
  return solution::reparameterize(mu, log_var, noise);
}
}  // namespace own_noise
MISCONCEPTION(
    own_noise, reparameterize, "reparam.own-noise",
    "z does not depend on eps: fresh noise was drawn inside. The noise is an argument.",
    "The point of the exercise is that the randomness comes from outside. With a generator "
    "inside, the backward pass cannot know which eps was used, no test can repeat an "
    "answer, and the same image gives another latent on every call.")

namespace noise_scaled_down {
Matrix reparameterize(const Matrix& mu, const Matrix& log_var, const Matrix& eps) {
  return solution::reparameterize(mu, log_var, 0.01F * eps);
}
}  // namespace noise_scaled_down
MISCONCEPTION(
    noise_scaled_down, reparameterize, "reparam.noise-scaled",
    "eps was multiplied by 0.01. It has variance 1 and is used as it is.",
    "keras' example had epsilon_std = 0.01 until pull request 4211: samples looked better "
    "and the reported bound was wrong, since the KL term still described a Gaussian a "
    "hundred times wider than the one that was sampled.")

namespace one_noise_row {
Matrix reparameterize(const Matrix& mu, const Matrix& log_var, const Matrix& eps) {
  solution::reparameterize(mu, log_var, eps);  // refuses what does not fit
  return solution::reparameterize(mu, log_var, eps.row(0).replicate(eps.rows(), 1));
}
}  // namespace one_noise_row
MISCONCEPTION(
    one_noise_row, reparameterize, "reparam.one-noise-row",
    "Every sample received the first row of eps. Each sample has noise of its own.",
    "With one noise for the whole batch every estimate still averages to the right "
    "gradient, but the errors of the samples no longer cancel: a batch of 64 is as noisy as "
    "one sample. A batch of one cannot show it.")

namespace mean_only {
Matrix reparameterize(const Matrix& mu, const Matrix& log_var, const Matrix& eps) {
  solution::reparameterize(mu, log_var, eps);  // refuses what does not fit
  return mu;
}
}  // namespace mean_only
MISCONCEPTION(
    mean_only, reparameterize, "reparam.mean-only",
    "This is mu alone. Without the noise the model is a plain autoencoder.",
    "The mean is what posterior_mode returns, for the time after training. During training "
    "the decoder has to see samples, or nothing makes neighbouring latents decode to "
    "similar images, and log_var receives no gradient from the reconstruction.")

namespace noise_subtracted {
Matrix reparameterize(const Matrix& mu, const Matrix& log_var, const Matrix& eps) {
  return solution::reparameterize(mu, log_var, -eps);
}
}  // namespace noise_subtracted
MISCONCEPTION(
    noise_subtracted, reparameterize, "reparam.noise-subtracted",
    "The noise is subtracted. z = mu + sigma eps.",
    "Since eps is symmetric, the distribution of z is the same and no statistical test "
    "could tell. But the backward pass assumes dz/dsigma = +eps: together they push sigma "
    "the wrong way.")

namespace noise_multiplies {
Matrix reparameterize(const Matrix& mu, const Matrix& log_var, const Matrix& eps) {
  solution::reparameterize(mu, log_var, eps);  // refuses what does not fit
  return mu.array() * (1.0F + (0.5F * log_var.array()).exp() * eps.array());
}
}  // namespace noise_multiplies
MISCONCEPTION(
    noise_multiplies, reparameterize, "reparam.noise-multiplies-mean",
    "The noise was multiplied onto mu. It is added: mu shifts, sigma scales the noise only.",
    "mu (1 + sigma eps) has standard deviation |mu| sigma: at mu = 0 there is no noise at "
    "all, and far from 0 there is too much.")

namespace half_outside {
Matrix reparameterize(const Matrix& mu, const Matrix& log_var, const Matrix& eps) {
  solution::reparameterize(mu, log_var, eps);  // refuses what does not fit
  return mu.array() + 0.5F * log_var.array().exp() * eps.array();
}
}  // namespace half_outside
MISCONCEPTION(
    half_outside, reparameterize, "reparam.half-outside",
    "You scaled the noise by exp(log_var) / 2. The 1/2 belongs into the exponent.",
    "Half the variance is no standard deviation: at log_var = 0, where sigma is 1, it is a "
    "half.")

namespace logarithm_as_sigma {
Matrix reparameterize(const Matrix& mu, const Matrix& log_var, const Matrix& eps) {
  solution::reparameterize(mu, log_var, eps);  // refuses what does not fit
  return mu.array() + log_var.array() * eps.array();
}
}  // namespace logarithm_as_sigma
MISCONCEPTION(
    logarithm_as_sigma, reparameterize, "reparam.exp-missing",
    "The noise was scaled by log_var itself. It is a logarithm: sigma = exp(log_var / 2).",
    "A log-variance of 0 means sigma = 1, not 0; and a negative one would give a negative "
    "width.")

namespace everything_scaled {
Matrix reparameterize(const Matrix& mu, const Matrix& log_var, const Matrix& eps) {
  solution::reparameterize(mu, log_var, eps);  // refuses what does not fit
  return (0.5F * log_var.array()).exp() * (mu.array() + eps.array());
}
}  // namespace everything_scaled
MISCONCEPTION(
    everything_scaled, reparameterize, "reparam.mean-scaled-too",
    "sigma multiplies mu as well. It scales the noise only: mu + sigma eps.",
    "A bracket too far: sigma (mu + eps) has its mean at sigma mu. With eps = 0 the answer "
    "should be mu.")

namespace zeros_taken_for_none {
Matrix reparameterize(const Matrix& mu, const Matrix& log_var, const Matrix& eps) {
  const Matrix z = solution::reparameterize(mu, log_var, eps);
  if (!eps.isZero(0.0F)) return z;
  return solution::reparameterize(mu, log_var, Random(0).normal_matrix(mu.rows(), mu.cols()));
}
}  // namespace zeros_taken_for_none
MISCONCEPTION(
    zeros_taken_for_none, reparameterize, "reparam.zeros-taken-for-none",
    "You took noise of zeros for no noise, and drew some. Zeros are an answer: z is mu then.",
    "Python code writes \"if eps is None: draw\". A matrix has no None, and zeros do not mean it: "
    "they are how a caller asks for the middle of the distribution.")

namespace noise_truncated {
Matrix reparameterize(const Matrix& mu, const Matrix& log_var, const Matrix& eps) {
  return solution::reparameterize(mu, log_var, eps.cwiseMax(-4.0F).cwiseMin(4.0F));
}
}  // namespace noise_truncated
MISCONCEPTION(noise_truncated, reparameterize, "reparam.noise-truncated",
              "Noise far from 0 was cut off. It is used as it comes.",
              "Truncating the noise trades variety for quality when a finished model generates. In "
              "training it changes the distribution that the KL term describes, and the gradient "
              "with respect to log_var no longer belongs to the value.")

namespace sample_narrow {
Matrix reparameterize(const Matrix& mu, const Matrix& log_var, const Matrix& eps) {
  return solution::reparameterize(mu, log_var.cwiseMax(-10.0F).cwiseMin(10.0F), eps);
}
}  // namespace sample_narrow
MISCONCEPTION(
    sample_narrow, reparameterize, "reparam.clamped-again",
    "log_var was clamped to [-10, 10] once more. Only split_moments clamps, to [-30, 20].",
    "KL would see 18 where the sample is drawn with 10, and the gradient would not know "
    "of the second clamp. One place clamps.")

namespace log_var_unchecked {
Matrix reparameterize(const Matrix& mu, const Matrix& log_var, const Matrix& eps) {
  require_size(eps.rows(), mu.rows(), "rows of eps");
  require_size(eps.cols(), mu.cols(), "columns of eps");
  return mu.array() + (0.5F * log_var.array()).exp() * eps.array();
}
}  // namespace log_var_unchecked
MISCONCEPTION(log_var_unchecked, reparameterize, "reparam.log-var-unchecked",
              "The noise is checked, but a log_var of another shape reached Eigen. It has to be "
              "refused as well.",
              "mu and log_var usually come from one function and fit, until somebody slices one of "
              "them. Eigen's assertion is gone in a release build, require_size is not.")

namespace noise_broadcast {
Matrix reparameterize(const Matrix& mu, const Matrix& log_var, const Matrix& eps) {
  if (eps.rows() != 1 || eps.cols() != mu.cols()) {
    return solution::reparameterize(mu, log_var, eps);
  }
  return solution::reparameterize(mu, log_var, eps.replicate(mu.rows(), 1));
}
}  // namespace noise_broadcast
MISCONCEPTION(
    noise_broadcast, reparameterize, "reparam.noise-broadcast",
    "One row of noise was spread over several samples. eps must have mu's shape, or be "
    "refused.",
    "Broadcasting is a convenience that hides exactly this mistake: a caller who draws one "
    "row of noise for a batch gets a result of the right shape, and samples that all move "
    "together.")

namespace sample_unchecked {
Matrix reparameterize(const Matrix& mu, const Matrix& log_var, const Matrix& eps) {
  return mu.array() + (0.5F * log_var.array()).exp() * eps.array();
}
}  // namespace sample_unchecked
MISCONCEPTION(
    sample_unchecked, reparameterize, "reparam.unchecked",
    "The numbers are right, but shapes that differ reached Eigen. They have to be refused "
    "with std::invalid_argument.",
    "Eigen's own check is an assertion: it is gone in a release build, and then memory "
    "beyond the smaller matrix is read. require_size says what came and what was expected.")

// ---- 2.5 reparameterize_backward ---------------------------------------------------------------

namespace stops_at_sigma {
Gaussian reparameterize_backward(const Matrix& dz, const Matrix& mu, const Matrix& log_var,
                                 const Matrix& eps) {
  for (const Matrix* other : {&mu, &log_var, &eps}) {
    require_size(other->rows(), dz.rows(), "rows");
    require_size(other->cols(), dz.cols(), "columns");
  }
  return {dz, dz.array() * eps.array()};
}
}  // namespace stops_at_sigma
MISCONCEPTION(stops_at_sigma, reparameterize_backward, "reparam.gradient-of-sigma",
              "dz eps is the gradient with respect to sigma. log_var is one step further: times "
              "sigma / 2.",
              "Many texts stop at dz/dsigma = eps, but the encoder puts out log_var, and "
              "dsigma/dlog_var = sigma / 2 is missing. With sigma = 2 the slip would be invisible.")

namespace half_forgotten {
Gaussian reparameterize_backward(const Matrix& dz, const Matrix& mu, const Matrix& log_var,
                                 const Matrix& eps) {
  const Gaussian right = solution::reparameterize_backward(dz, mu, log_var, eps);
  return {right.mu, 2.0F * right.log_var};
}
}  // namespace half_forgotten
MISCONCEPTION(
    half_forgotten, reparameterize_backward, "reparam.gradient-without-half",
    "The gradient of log_var is twice too large: dsigma/dlog_var is sigma / 2, not sigma.",
    "exp(log_var / 2) has the inner derivative 1/2. dz eps sigma would be right for a head "
    "that puts out log sigma.")

namespace variance_in_gradient {
Gaussian reparameterize_backward(const Matrix& dz, const Matrix& mu, const Matrix& log_var,
                                 const Matrix& eps) {
  return solution::reparameterize_backward(dz, mu, 2.0F * log_var, eps);
}
}  // namespace variance_in_gradient
MISCONCEPTION(variance_in_gradient, reparameterize_backward, "reparam.variance-in-gradient",
              "You multiplied by the variance. The derivative of sigma contains sigma: dz eps "
              "sigma / 2.",
              "Here exp(log_var) stands where exp(log_var / 2) belongs, perhaps with the right "
              "forward pass. Such a pair passes every test of the value and trains badly; central "
              "differences find it.")

namespace fresh_noise {
Gaussian reparameterize_backward(const Matrix& dz, const Matrix& mu, const Matrix& log_var,
                                 const Matrix& eps) {
  const Gaussian right = solution::reparameterize_backward(dz, mu, log_var, eps);
  const Matrix noise = Random(0).normal_matrix(dz.rows(), dz.cols());
  return {right.mu, solution::reparameterize_backward(dz, mu, log_var, noise).log_var};
}
}  // namespace fresh_noise
MISCONCEPTION(
    fresh_noise, reparameterize_backward, "reparam.fresh-noise-backward",
    "The gradient does not depend on eps: new noise was drawn. It needs the noise of the "
    "forward pass.",
    "dz was computed at one z; only the eps that led there tells how sigma moved it. With "
    "independent noise the gradient of log_var averages to 0 and the variance never learns.")

namespace mean_gradient_scaled {
Gaussian reparameterize_backward(const Matrix& dz, const Matrix& mu, const Matrix& log_var,
                                 const Matrix& eps) {
  const Gaussian right = solution::reparameterize_backward(dz, mu, log_var, eps);
  return {dz.array() * (0.5F * log_var.array()).exp(), right.log_var};
}
}  // namespace mean_gradient_scaled
MISCONCEPTION(mean_gradient_scaled, reparameterize_backward, "reparam.mean-gradient-scaled",
              "You multiplied dmu by sigma. z = mu + ..., so dz/dmu is 1.",
              "sigma scales the noise, not the mean. A sure posterior, with small sigma, would "
              "otherwise hardly be able to move.")

namespace kl_included {
Gaussian reparameterize_backward(const Matrix& dz, const Matrix& mu, const Matrix& log_var,
                                 const Matrix& eps) {
  const Gaussian right = solution::reparameterize_backward(dz, mu, log_var, eps);
  return {right.mu + mu, right.log_var.array() + 0.5F * (log_var.array().exp() - 1.0F)};
}
}  // namespace kl_included
MISCONCEPTION(
    kl_included, reparameterize_backward, "reparam.kl-included",
    "The KL term's gradients are in it as well. This function answers for z alone.",
    "mu and (exp(log_var) - 1) / 2 are right, in lab 03. Added here they would be counted "
    "twice, and beta could not weigh them.")

namespace batch_averaged {
Gaussian reparameterize_backward(const Matrix& dz, const Matrix& mu, const Matrix& log_var,
                                 const Matrix& eps) {
  return solution::reparameterize_backward(dz / static_cast<float>(dz.rows()), mu, log_var, eps);
}
}  // namespace batch_averaged
MISCONCEPTION(
    batch_averaged, reparameterize_backward, "reparam.gradient-averaged",
    "The gradients were divided by the batch size. Each sample has its own mu and log_var; "
    "nothing is averaged here.",
    "If the loss is a mean over the batch, dz already contains 1/N. A batch of one cannot "
    "show it.")

namespace noise_forgotten {
Gaussian reparameterize_backward(const Matrix& dz, const Matrix& mu, const Matrix& log_var,
                                 const Matrix& eps) {
  const Gaussian right = solution::reparameterize_backward(dz, mu, log_var, eps);
  return {right.mu, 0.5F * dz.array() * (0.5F * log_var.array()).exp()};
}
}  // namespace noise_forgotten
MISCONCEPTION(noise_forgotten, reparameterize_backward, "reparam.noise-forgotten",
              "eps is missing: dz/dsigma is eps, not 1.",
              "How far sigma moves z depends on where the noise lies. Without eps the gradient has "
              "the sign of dz alone, as if a larger sigma always raised z.")

namespace sign_flipped {
Gaussian reparameterize_backward(const Matrix& dz, const Matrix& mu, const Matrix& log_var,
                                 const Matrix& eps) {
  return solution::reparameterize_backward(dz, mu, log_var, -eps);
}
}  // namespace sign_flipped
MISCONCEPTION(sign_flipped, reparameterize_backward, "reparam.gradient-sign",
              "The gradient of log_var has the wrong sign.",
              "z = mu + sigma eps rises with sigma where eps is positive. The flipped sign makes "
              "sigma grow where it should shrink; the loss still falls, through mu.")

namespace latent_for_noise {
Gaussian reparameterize_backward(const Matrix& dz, const Matrix& mu, const Matrix& log_var,
                                 const Matrix& eps) {
  const Matrix z = solution::reparameterize(mu, log_var, eps);
  return {dz, solution::reparameterize_backward(dz, mu, log_var, z).log_var};
}
}  // namespace latent_for_noise
MISCONCEPTION(
    latent_for_noise, reparameterize_backward, "reparam.latent-for-noise",
    "You multiplied by z where eps belongs.",
    "z contains mu, which does not change with sigma. Only the noise part does: dz/dsigma = "
    "(z - mu) / sigma = eps.")

namespace gradient_with_floor {
Gaussian reparameterize_backward(const Matrix& dz, const Matrix& mu, const Matrix& log_var,
                                 const Matrix& eps) {
  const Gaussian right = solution::reparameterize_backward(dz, mu, log_var, eps);
  const Matrix sigma = (0.5F * log_var.array()).exp() + 1e-6F;
  return {right.mu, 0.5F * dz.array() * eps.array() * sigma.array()};
}
}  // namespace gradient_with_floor
MISCONCEPTION(
    gradient_with_floor, reparameterize_backward, "reparam.gradient-epsilon",
    "A small constant was added to sigma. Near log_var = -30 it is all that is left of it.",
    "sigma is 3.06e-7 there, and + 1e-6 makes the gradient four times too large. Nothing is "
    "divided by sigma here, so nothing needs protection, and the forward pass added none.")

namespace gradient_narrow {
Gaussian reparameterize_backward(const Matrix& dz, const Matrix& mu, const Matrix& log_var,
                                 const Matrix& eps) {
  const Gaussian right = solution::reparameterize_backward(dz, mu, log_var, eps);
  return {right.mu, (log_var.array() > 10.0F).select(0.0F * dz, right.log_var)};
}
}  // namespace gradient_narrow
MISCONCEPTION(
    gradient_narrow, reparameterize_backward, "reparam.gradient-clamped-again",
    "The gradient of log_var stops above 10. No clamp is active in this function.",
    "The mask of a clamp belongs to the function that clamps, split_moments. Here log_var "
    "moves z all the way to 20, so its gradient lives all the way.")

namespace mean_unchecked {
Gaussian reparameterize_backward(const Matrix& dz, const Matrix& /*mu*/, const Matrix& log_var,
                                 const Matrix& eps) {
  return solution::reparameterize_backward(dz, dz, log_var, eps);
}
}  // namespace mean_unchecked
MISCONCEPTION(mean_unchecked, reparameterize_backward, "reparam.mean-unchecked",
              "A mu of another shape was accepted, since no formula reads it. The contract refuses "
              "it all the same.",
              "A mu that does not fit says that the caller has mixed up two batches; the gradients "
              "would then be those of nobody. An argument that is not used is the cheapest check.")

namespace gradient_unchecked {
Gaussian reparameterize_backward(const Matrix& dz, const Matrix& mu, const Matrix& log_var,
                                 const Matrix& eps) {
  require_size(mu.rows(), dz.rows(), "rows of mu");
  require_size(mu.cols(), dz.cols(), "columns of mu");
  return {dz, 0.5F * dz.array() * eps.array() * (0.5F * log_var.array()).exp()};
}
}  // namespace gradient_unchecked
MISCONCEPTION(
    gradient_unchecked, reparameterize_backward, "reparam.backward-unchecked",
    "The numbers are right, but eps or log_var of another shape reached Eigen. They have "
    "to be refused with std::invalid_argument.",
    "Eigen's own check is an assertion: it is gone in a release build, and then memory "
    "beyond the smaller matrix is read. All four matrices have one shape, so compare all.")

// ---- 2.6 gradient_estimators -------------------------------------------------------------------

namespace variance_not_divided {
GradientSamples score_function_gradient(const DoubleVector& f, const DoubleVector& z, double mu,
                                        double sigma) {
  require_size(z.size(), f.size(), "size of z");
  require(sigma > 0.0, "sigma must be above 0");
  const Eigen::ArrayXd away = z.array() - mu;
  return {f.array() * away, f.array() * (away.square() / std::pow(sigma, 3) - 1.0 / sigma)};
}
}  // namespace variance_not_divided
MISCONCEPTION(
    variance_not_divided, score_function_gradient, "score.mean-not-divided",
    "The estimate for mu lacks 1 / sigma^2: d log q / dmu = (z - mu) / sigma^2.",
    "At sigma = 1 nothing is missing. At sigma = 0.5 the gradient is four times too small.")

namespace score_sign {
GradientSamples score_function_gradient(const DoubleVector& f, const DoubleVector& z, double mu,
                                        double sigma) {
  return solution::score_function_gradient(-f, z, mu, sigma);
}
}  // namespace score_sign
MISCONCEPTION(
    score_sign, score_function_gradient, "score.sign",
    "Both estimates have the wrong sign: this is the slope of -log q.",
    "log q contains -(z - mu)^2 / (2 sigma^2); its derivative with respect to mu is "
    "+(z - mu) / sigma^2, since mu stands inside with a minus. Where f is large, mu should "
    "move towards z.")

namespace own_baseline {
GradientSamples score_function_gradient(const DoubleVector& f, const DoubleVector& z, double mu,
                                        double sigma) {
  const double baseline = f.size() > 0 ? f.mean() : 0.0;
  return solution::score_function_gradient(f.array() - baseline, z, mu, sigma);
}
}  // namespace own_baseline
MISCONCEPTION(own_baseline, score_function_gradient, "score.correlated-baseline",
              "The mean of f was subtracted. No baseline belongs here, and this one contains the "
              "sample itself, which makes the estimate biased.",
              "A baseline reduces the variance and keeps the mean as long as it does not depend on "
              "the draw it is used for. The batch mean contains every draw with weight 1/S, which "
              "shrinks the gradient by (S - 1) / S; with one draw it is 0. Leave-one-out means are "
              "the remedy.")

namespace standardised {
GradientSamples score_function_gradient(const DoubleVector& f, const DoubleVector& z, double mu,
                                        double sigma) {
  const GradientSamples right = solution::score_function_gradient(f, z, mu, sigma);
  return {right.mu * sigma, right.sigma * sigma};
}
}  // namespace standardised
MISCONCEPTION(standardised, score_function_gradient, "score.sigma-dropped",
              "You used eps and eps^2 - 1 alone. With respect to mu and sigma both are divided by "
              "sigma once more.",
              "With eps = (z - mu) / sigma the slopes of log q are eps / sigma and "
              "(eps^2 - 1) / sigma. At sigma = 1 the division cannot be seen.")

namespace divided_by_draws {
GradientSamples score_function_gradient(const DoubleVector& f, const DoubleVector& z, double mu,
                                        double sigma) {
  const GradientSamples right = solution::score_function_gradient(f, z, mu, sigma);
  const double draws = std::max<double>(1.0, static_cast<double>(f.size()));
  return {right.mu / draws, right.sigma / draws};
}
}  // namespace divided_by_draws
MISCONCEPTION(
    divided_by_draws, score_function_gradient, "score.divided-by-draws",
    "Every estimate was divided by the number of draws. The contract returns them as they "
    "are; whoever averages divides.",
    "Each of the S numbers is an unbiased estimate on its own. Divided here and averaged by "
    "the caller, the gradient shrinks with the number of draws.")

namespace normaliser_forgotten {
GradientSamples score_function_gradient(const DoubleVector& f, const DoubleVector& z, double mu,
                                        double sigma) {
  const GradientSamples right = solution::score_function_gradient(f, z, mu, sigma);
  return {right.mu, right.sigma + f / sigma};
}
}  // namespace normaliser_forgotten
MISCONCEPTION(
    normaliser_forgotten, score_function_gradient, "score.normaliser-forgotten",
    "The -1 / sigma is missing: log q also contains -log sigma.",
    "The factor 1 / sigma in front of the exponential depends on sigma. Without it a "
    "constant f gets a gradient, although its expectation does not depend on sigma at all.")

namespace slope_of_log_var {
GradientSamples score_function_gradient(const DoubleVector& f, const DoubleVector& z, double mu,
                                        double sigma) {
  const GradientSamples right = solution::score_function_gradient(f, z, mu, sigma);
  return {right.mu, right.sigma * (sigma / 2.0)};
}
}  // namespace slope_of_log_var
MISCONCEPTION(
    slope_of_log_var, score_function_gradient, "score.log-var-for-sigma",
    "The second estimate is the gradient with respect to log_var. Here it is asked for "
    "with respect to sigma.",
    "((z - mu)^2 / sigma^2 - 1) / 2 is d log q / dlog_var, sigma / 2 times the right one. At "
    "sigma = 2 they agree.")

namespace mean_not_subtracted {
GradientSamples score_function_gradient(const DoubleVector& f, const DoubleVector& z, double /*mu*/,
                                        double sigma) {
  return solution::score_function_gradient(f, z, 0.0, sigma);
}
}  // namespace mean_not_subtracted
MISCONCEPTION(
    mean_not_subtracted, score_function_gradient, "score.mean-not-subtracted",
    "mu was not subtracted from z. The score measures the distance from the mean.",
    "z / sigma^2 is the score of a Gaussian around 0. For a constant f its average is not 0, "
    "so it pulls towards larger |mu| whatever f says.")

namespace log_density {
GradientSamples score_function_gradient(const DoubleVector& f, const DoubleVector& z, double mu,
                                        double sigma) {
  solution::score_function_gradient(f, z, mu, sigma);
  const Eigen::ArrayXd eps = (z.array() - mu) / sigma;
  const Eigen::ArrayXd log_q =
      -0.5 * eps.square() - std::log(sigma) - 0.5 * std::log(2.0 * std::numbers::pi);
  return {f.array() * log_q, f.array() * log_q};
}
}  // namespace log_density
MISCONCEPTION(
    log_density, score_function_gradient, "score.log-density-itself",
    "This is f log q. The estimator is f times the *derivative* of log q.",
    "f log q is what one writes down for an automatic differentiator, which then takes the "
    "derivative. Here nobody takes it but you.")

namespace sigma_protected {
GradientSamples score_function_gradient(const DoubleVector& f, const DoubleVector& z, double mu,
                                        double sigma) {
  solution::score_function_gradient(f, z, mu, sigma);
  const Eigen::ArrayXd away = z.array() - mu;
  const double safe = sigma * sigma + 1e-12;
  return {f.array() * away / safe, f.array() * (away.square() / safe - 1.0) / sigma};
}
}  // namespace sigma_protected
MISCONCEPTION(
    sigma_protected, score_function_gradient, "score.epsilon-in-denominator",
    "A small constant was added to sigma^2. sigma is above 0 by contract; nothing needs "
    "protection.",
    "At sigma = 1e-4, sigma^2 is 1e-8 and the constant 1e-12 shifts the fourth digit. The "
    "estimator really does explode for small sigma: that is its price, not an error to be "
    "softened.")

namespace sigma_unchecked {
GradientSamples score_function_gradient(const DoubleVector& f, const DoubleVector& z, double mu,
                                        double sigma) {
  require_size(z.size(), f.size(), "size of z");
  const Eigen::ArrayXd eps = (z.array() - mu) / sigma;
  return {f.array() * eps / sigma, f.array() * (eps.square() - 1.0) / sigma};
}
}  // namespace sigma_unchecked
MISCONCEPTION(
    sigma_unchecked, score_function_gradient, "score.sigma-unchecked",
    "A sigma of 0 or below was accepted. It has to be refused: there is no such Gaussian.",
    "At 0 the division gives infinities; a negative sigma gives plausible numbers with the "
    "wrong sign, which is worse.")

namespace score_sizes_unchecked {
GradientSamples score_function_gradient(const DoubleVector& f, const DoubleVector& z, double mu,
                                        double sigma) {
  require(sigma > 0.0, "sigma must be above 0");
  const Eigen::ArrayXd eps = (z.array() - mu) / sigma;
  return {f.array() * eps / sigma, f.array() * (eps.square() - 1.0) / sigma};
}
}  // namespace score_sizes_unchecked
MISCONCEPTION(
    score_sizes_unchecked, score_function_gradient, "score.sizes-unchecked",
    "The numbers are right, but f and z of different sizes reached Eigen. They have to be "
    "refused with std::invalid_argument.",
    "Every f(z) belongs to one z. Sizes that differ say that the caller has lost count; "
    "Eigen's assertion, gone in a release build, is no refusal.")

namespace noise_missing {
GradientSamples pathwise_gradient(const DoubleVector& df, const DoubleVector& eps) {
  require_size(eps.size(), df.size(), "size of eps");
  return {df, df};
}
}  // namespace noise_missing
MISCONCEPTION(noise_missing, pathwise_gradient, "pathwise.noise-missing",
              "The estimate for sigma is f' alone. dz/dsigma is eps, so it is f' eps.",
              "z = mu + sigma eps moves by 1 with mu and by eps with sigma. Without eps both "
              "parameters would receive the same gradient always.")

namespace parameters_swapped {
GradientSamples pathwise_gradient(const DoubleVector& df, const DoubleVector& eps) {
  const GradientSamples right = solution::pathwise_gradient(df, eps);
  return {right.sigma, right.mu};
}
}  // namespace parameters_swapped
MISCONCEPTION(
    parameters_swapped, pathwise_gradient, "pathwise.swapped",
    "The two estimates are in each other's place: eps belongs to sigma's.",
    "mu shifts z by exactly as much as itself, so its estimate is f'. sigma stretches the "
    "noise, so eps appears there.")

namespace noise_on_both {
GradientSamples pathwise_gradient(const DoubleVector& df, const DoubleVector& eps) {
  const GradientSamples right = solution::pathwise_gradient(df, eps);
  return {right.sigma, right.sigma};
}
}  // namespace noise_on_both
MISCONCEPTION(
    noise_on_both, pathwise_gradient, "pathwise.noise-on-both",
    "eps multiplies the estimate for mu as well. dz/dmu is 1.",
    "This looks like the score function, in which eps does appear in mu's estimate. On the "
    "path z = mu + sigma eps it does not.")

namespace path_averaged {
GradientSamples pathwise_gradient(const DoubleVector& df, const DoubleVector& eps) {
  const GradientSamples right = solution::pathwise_gradient(df, eps);
  return {DoubleVector::Constant(1, right.mu.mean()),
          DoubleVector::Constant(1, right.sigma.mean())};
}
}  // namespace path_averaged
MISCONCEPTION(path_averaged, pathwise_gradient, "pathwise.averaged",
              "The estimates were averaged into one number. The contract returns one per draw.",
              "Only the single estimates show how much they scatter, and the scatter is what this "
              "exercise compares.")

namespace path_divided {
GradientSamples pathwise_gradient(const DoubleVector& df, const DoubleVector& eps) {
  const GradientSamples right = solution::pathwise_gradient(df, eps);
  const double draws = std::max<double>(1.0, static_cast<double>(df.size()));
  return {right.mu / draws, right.sigma / draws};
}
}  // namespace path_divided
MISCONCEPTION(path_divided, pathwise_gradient, "pathwise.divided-by-draws",
              "Every estimate was divided by the number of draws. Whoever averages divides.",
              "Each number is an unbiased estimate on its own. Divided here and averaged by the "
              "caller, the gradient shrinks with the number of draws.")

namespace path_half {
GradientSamples pathwise_gradient(const DoubleVector& df, const DoubleVector& eps) {
  const GradientSamples right = solution::pathwise_gradient(df, eps);
  return {right.mu, right.sigma / 2.0};
}
}  // namespace path_half
MISCONCEPTION(
    path_half, pathwise_gradient, "pathwise.half-of-log-var",
    "The estimate for sigma is halved. The 1/2 belongs to log_var, which is not asked for "
    "here.",
    "dz/dsigma = eps; dz/dlog_var = sigma eps / 2. This exercise differentiates with respect "
    "to sigma.")

namespace path_unchecked {
GradientSamples pathwise_gradient(const DoubleVector& df, const DoubleVector& eps) {
  return {df, df.array() * eps.array()};
}
}  // namespace path_unchecked
MISCONCEPTION(path_unchecked, pathwise_gradient, "pathwise.unchecked",
              "The numbers are right, but sizes that differ reached Eigen. They have to be refused "
              "with std::invalid_argument.",
              "Every derivative belongs to one draw of noise. Eigen's assertion, gone in a release "
              "build, is no refusal.")

// ---- 2.7 sample_prior --------------------------------------------------------------------------

namespace uniform_noise {
Matrix sample_prior(std::int64_t samples, std::int64_t features, std::uint64_t seed) {
  require(samples >= 0, "samples must not be negative");
  require(features >= 1, "at least one feature is needed");
  Random random(seed);
  Matrix z(samples, features);
  for (Index i = 0; i < z.size(); ++i) z.data()[i] = static_cast<float>(random.uniform(-1.0, 1.0));
  return z;
}
}  // namespace uniform_noise
MISCONCEPTION(
    uniform_noise, sample_prior, "prior.uniform",
    "These are uniform numbers from [-1, 1]. The prior is a standard normal: use normal().",
    "KL pulls every posterior towards N(0, I), so the decoder has learned latents of that "
    "distribution. Uniform ones never reach beyond 1, where a third of each coordinate's "
    "mass lies.")

namespace column_by_column {
Matrix sample_prior(std::int64_t samples, std::int64_t features, std::uint64_t seed) {
  Matrix z = solution::sample_prior(samples, features, seed);
  Random random(seed);
  for (Index d = 0; d < features; ++d) {
    for (Index n = 0; n < samples; ++n) z(n, d) = static_cast<float>(random.normal());
  }
  return z;
}
}  // namespace column_by_column
MISCONCEPTION(
    column_by_column, sample_prior, "prior.column-by-column",
    "The numbers were drawn column by column. Draw a whole sample, then the next one.",
    "Row by row, the first samples stay the same when more are asked for, so a picture can "
    "be found again by its number. Column by column, every added sample changes all others.")

namespace reseeded_rows {
Matrix sample_prior(std::int64_t samples, std::int64_t features, std::uint64_t seed) {
  Matrix z = solution::sample_prior(samples, features, seed);
  for (Index n = 0; n < samples; ++n) {
    Random random(seed);
    for (Index d = 0; d < features; ++d) z(n, d) = static_cast<float>(random.normal());
  }
  return z;
}
}  // namespace reseeded_rows
MISCONCEPTION(reseeded_rows, sample_prior, "prior.reseeded-rows",
              "All samples are the same: the generator starts anew for every row.",
              "A generator remembers where it stands; one that is built inside the loop never gets "
              "beyond its first numbers. Build it once, before the loop.")

namespace row_number_as_seed {
Matrix sample_prior(std::int64_t samples, std::int64_t features, std::uint64_t seed) {
  Matrix z = solution::sample_prior(samples, features, seed);
  for (Index n = 0; n < samples; ++n) {
    z.row(n) = Random(seed + static_cast<std::uint64_t>(n)).normal_matrix(1, features);
  }
  return z;
}
}  // namespace row_number_as_seed
MISCONCEPTION(
    row_number_as_seed, sample_prior, "prior.row-number-added-to-seed",
    "Each row has a generator of its own with seed + n. One generator draws all numbers.",
    "With neighbouring seeds as row numbers, the second sample of seed 7 is the first one "
    "of seed 8: runs that should be independent share samples.")

namespace seed_truncated {
Matrix sample_prior(std::int64_t samples, std::int64_t features, std::uint64_t seed) {
  return solution::sample_prior(samples, features, static_cast<std::uint32_t>(seed));
}
}  // namespace seed_truncated
MISCONCEPTION(seed_truncated, sample_prior, "prior.seed-truncated",
              "Only 32 bits of the seed were used. It has 64.",
              "An int or unsigned in between drops the upper half without an error, and seeds that "
              "differ there give the same pictures.")

namespace seed_ignored {
Matrix sample_prior(std::int64_t samples, std::int64_t features, std::uint64_t /*seed*/) {
  return solution::sample_prior(samples, features, 0);
}
}  // namespace seed_ignored
MISCONCEPTION(seed_ignored, sample_prior, "prior.seed-ignored",
              "Every seed gives the same numbers: the generator was built without it.",
              "Randomness is an argument. A generator with a seed of its own makes the results "
              "repeatable, but leaves nothing to vary.")

namespace seed_zero_replaced {
Matrix sample_prior(std::int64_t samples, std::int64_t features, std::uint64_t seed) {
  return solution::sample_prior(samples, features, seed == 0 ? 1 : seed);
}
}  // namespace seed_zero_replaced
MISCONCEPTION(seed_zero_replaced, sample_prior, "prior.seed-zero-replaced",
              "You took seed 0 for no seed and put another in its place. 0 is a seed.",
              "Some generators are stuck at a state of 0, and some programs write 0 for \"choose "
              "one\". Random computes from seed and counter, so that all 2^64 seeds are alike.")

namespace seed_as_stream {
Matrix sample_prior(std::int64_t samples, std::int64_t features, std::uint64_t seed) {
  solution::sample_prior(samples, features, seed);
  return Random(0, seed).normal_matrix(samples, features);
}
}  // namespace seed_as_stream
MISCONCEPTION(
    seed_as_stream, sample_prior, "prior.seed-as-stream",
    "The seed was passed as the stream. Random's first argument is the seed.",
    "Both choose a sequence, so the numbers look as random as the right ones. They are not "
    "the ones that the contract names, and nobody else could repeat them.")

namespace empty_refused {
Matrix sample_prior(std::int64_t samples, std::int64_t features, std::uint64_t seed) {
  require(samples >= 1, "at least one sample is needed");
  return solution::sample_prior(samples, features, seed);
}
}  // namespace empty_refused
MISCONCEPTION(empty_refused, sample_prior, "prior.empty-refused",
              "Zero samples were refused. An empty batch is a batch: the answer has shape [0, D].",
              "Code that cuts work into batches ends with an empty one now and then. The contract "
              "refuses negative numbers only.")

namespace features_unchecked {
Matrix sample_prior(std::int64_t samples, std::int64_t features, std::uint64_t seed) {
  require(samples >= 0, "samples must not be negative");
  return Random(seed).normal_matrix(samples, std::max<std::int64_t>(features, 0));
}
}  // namespace features_unchecked
MISCONCEPTION(features_unchecked, sample_prior, "prior.no-features-accepted",
              "A latent without features was accepted. At least one is needed.",
              "N samples of nothing decode to N equal pictures, and the mistake shows far from its "
              "cause.")

namespace samples_unchecked {
Matrix sample_prior(std::int64_t samples, std::int64_t features, std::uint64_t seed) {
  return solution::sample_prior(std::max<std::int64_t>(samples, 0), features, seed);
}
}  // namespace samples_unchecked
MISCONCEPTION(samples_unchecked, sample_prior, "prior.negative-accepted",
              "A negative number of samples was taken for none. It has to be refused.",
              "A negative count is a subtraction gone wrong somewhere. An empty answer hides it.")

// ---- 2.8 posterior -----------------------------------------------------------------------------

namespace flag_ignored {
Matrix posterior_sample(const Posterior& posterior, const Matrix& eps) {
  require_size(eps.rows(), posterior.mean.rows(), "rows of eps");
  require_size(eps.cols(), posterior.mean.cols(), "columns of eps");
  const Matrix sigma = (posterior.log_var.array() / 2.0F).exp();
  return posterior.mean.array() + sigma.array() * eps.array();
}
}  // namespace flag_ignored
MISCONCEPTION(
    flag_ignored, posterior_sample, "posterior.flag-ignored-by-sample",
    "A deterministic posterior was sampled with noise. It is a point: its mean.",
    "The flag says that log_var means nothing. Noise added all the same makes the encoding "
    "of an image change from call to call where the caller asked for the opposite.")

namespace flag_inverted {
Matrix posterior_sample(const Posterior& posterior, const Matrix& eps) {
  return solution::posterior_sample({posterior.mean, posterior.log_var, !posterior.deterministic},
                                    eps);
}
}  // namespace flag_inverted
MISCONCEPTION(
    flag_inverted, posterior_sample, "posterior.flag-inverted",
    "The flag is read the wrong way round: noise where the posterior is deterministic, "
    "none where it is not.",
    "if (deterministic) must lead to the mean. Both branches return plausible latents, so "
    "only a known eps shows it.")

namespace sample_is_mean {
Matrix posterior_sample(const Posterior& posterior, const Matrix& eps) {
  return solution::posterior_sample({posterior.mean, posterior.log_var, true}, eps);
}
}  // namespace sample_is_mean
MISCONCEPTION(sample_is_mean, posterior_sample, "posterior.sample-is-mean",
              "A sample was asked for and the mean came. That is posterior_mode.",
              "Both are legitimate latents of an image, for different purposes: the decoder was "
              "trained on samples, a repeatable encoding wants the mode.")

namespace sample_with_variance {
Matrix posterior_sample(const Posterior& posterior, const Matrix& eps) {
  return solution::posterior_sample(
      {posterior.mean, 2.0F * posterior.log_var, posterior.deterministic}, eps);
}
}  // namespace sample_with_variance
MISCONCEPTION(sample_with_variance, posterior_sample, "posterior.variance-for-std",
              "The noise was scaled by the variance. It is scaled by the standard deviation, "
              "exp(log_var / 2).",
              "The same slip as in 2.4; calling your own reparameterize avoids it.")

namespace deterministic_unit_noise {
Matrix posterior_sample(const Posterior& posterior, const Matrix& eps) {
  const Matrix z = solution::posterior_sample(posterior, eps);
  return posterior.deterministic ? Matrix(z + eps) : z;
}
}  // namespace deterministic_unit_noise
MISCONCEPTION(
    deterministic_unit_noise, posterior_sample, "posterior.log-var-zeroed",
    "A deterministic posterior was sampled with sigma = 1, as from log_var = 0. Its sigma "
    "is 0.",
    "log_var = 0 means a variance of 1. No finite log-variance means 0, which is why the "
    "flag exists at all.")

namespace deterministic_zero {
Matrix posterior_sample(const Posterior& posterior, const Matrix& eps) {
  const Matrix z = solution::posterior_sample(posterior, eps);
  return posterior.deterministic ? Matrix(0.0F * z) : z;
}
}  // namespace deterministic_zero
MISCONCEPTION(deterministic_zero, posterior_sample, "posterior.deterministic-sample-zero",
              "A deterministic posterior gave zeros. Its width is zero, its place is the mean.",
              "What vanishes is the noise, not the latent.")

namespace noise_shape_unchecked {
Matrix posterior_sample(const Posterior& posterior, const Matrix& eps) {
  if (posterior.deterministic) return posterior.mean;
  return posterior.mean.array() + (0.5F * posterior.log_var.array()).exp() * eps.array();
}
}  // namespace noise_shape_unchecked
MISCONCEPTION(
    noise_shape_unchecked, posterior_sample, "posterior.noise-unchecked",
    "The numbers are right, but noise of another shape reached Eigen. It has to be refused "
    "with std::invalid_argument.",
    "Your reparameterize has the check already. Written out again, the formula has lost it.")

namespace mode_samples {
Matrix posterior_mode(const Posterior& posterior) {
  if (posterior.deterministic) return posterior.mean;
  const Matrix eps = Random(0).normal_matrix(posterior.mean.rows(), posterior.mean.cols());
  return solution::reparameterize(posterior.mean, posterior.log_var, eps);
}
}  // namespace mode_samples
MISCONCEPTION(mode_samples, posterior_mode, "posterior.mode-is-sample",
              "The mode came with noise. The most probable point of a Gaussian is its mean.",
              "mode and sample are two answers on purpose. An editing tool that encodes with mode "
              "relies on getting the same latent for the same image.")

namespace mode_clamped {
Matrix posterior_mode(const Posterior& posterior) {
  return posterior.mean.cwiseMax(-30.0F).cwiseMin(20.0F);
}
}  // namespace mode_clamped
MISCONCEPTION(mode_clamped, posterior_mode, "posterior.mode-clamped",
              "The mean was clamped to the limits of log_var. A mean may lie anywhere.",
              "[-30, 20] protects an exponent, and the mean is none. A mean of 50 shows it.")

namespace mode_zero {
Matrix posterior_mode(const Posterior& posterior) {
  return posterior.deterministic ? Matrix(0.0F * posterior.mean) : posterior.mean;
}
}  // namespace mode_zero
MISCONCEPTION(mode_zero, posterior_mode, "posterior.deterministic-mode-zero",
              "A deterministic posterior has its mode at the mean, like any other.",
              "The flag sets the width to zero, not the place.")

namespace width_kept {
Spread posterior_spread(const Posterior& posterior) {
  return {(0.5F * posterior.log_var.array()).exp(), posterior.log_var.array().exp()};
}
}  // namespace width_kept
MISCONCEPTION(width_kept, posterior_spread, "posterior.flag-ignored-by-spread",
              "A deterministic posterior kept the width that log_var names. It has none: zeros.",
              "log_var is ignored where the flag is set. A caller who adds noise of this width by "
              "hand would undo the flag.")

namespace std_as_variance {
Spread posterior_spread(const Posterior& posterior) {
  const Spread right = solution::posterior_spread(posterior);
  return {right.std, right.std};
}
}  // namespace std_as_variance
MISCONCEPTION(
    std_as_variance, posterior_spread, "posterior.std-as-variance",
    "var holds the standard deviation. The variance is its square, exp(log_var).",
    "KL needs the variance; with sigma in its place a posterior of sigma = 0.5 looks twice "
    "as wide as it is in that term.")

namespace variance_as_std {
Spread posterior_spread(const Posterior& posterior) {
  const Spread right = solution::posterior_spread(posterior);
  return {right.var, right.var};
}
}  // namespace variance_as_std
MISCONCEPTION(
    variance_as_std, posterior_spread, "posterior.variance-as-std",
    "std holds the variance. The standard deviation is its square root, exp(log_var / 2).",
    "At log_var = 0 both are 1. Everywhere else a sample drawn with it has the wrong width.")

namespace spread_swapped {
Spread posterior_spread(const Posterior& posterior) {
  const Spread right = solution::posterior_spread(posterior);
  return {right.var, right.std};
}
}  // namespace spread_swapped
MISCONCEPTION(spread_swapped, posterior_spread, "posterior.std-and-variance-swapped",
              "std and var are in each other's place.",
              "A struct filled by position keeps the order of its members: first std, then var.")

namespace unit_width {
Spread posterior_spread(const Posterior& posterior) {
  if (!posterior.deterministic) return solution::posterior_spread(posterior);
  const Matrix one = Matrix::Ones(posterior.mean.rows(), posterior.mean.cols());
  return {one, one};
}
}  // namespace unit_width
MISCONCEPTION(
    unit_width, posterior_spread, "posterior.width-one",
    "A deterministic posterior has width 0, not 1. Setting log_var to 0 gives exp(0) = 1.",
    "Zero is not the logarithm of zero. The zeros have to be written into std and var "
    "themselves.")

namespace width_scalar {
Spread posterior_spread(const Posterior& posterior) {
  if (!posterior.deterministic) return solution::posterior_spread(posterior);
  return {Matrix::Zero(1, 1), Matrix::Zero(1, 1)};
}
}  // namespace width_scalar
MISCONCEPTION(
    width_scalar, posterior_spread, "posterior.width-without-shape",
    "The zeros of a deterministic posterior came as one number. They have the mean's shape.",
    "One zero broadcasts in PyTorch, where the KL of a deterministic posterior is returned "
    "as a tensor with a single 0; whoever reduces over axes trips over it there as well.")

namespace spread_with_floor {
Spread posterior_spread(const Posterior& posterior) {
  if (posterior.deterministic) return solution::posterior_spread(posterior);
  const Matrix var = posterior.log_var.array().exp() + 1e-7F;
  return {var.cwiseSqrt(), var};
}
}  // namespace spread_with_floor
MISCONCEPTION(
    spread_with_floor, posterior_spread, "posterior.epsilon-added",
    "A small constant was added to the variance. exp is never 0, so nothing needs protection.",
    "Variances measured on data can be 0, and normalisation layers add an epsilon for that. "
    "Here it drowns a variance that is a million times smaller: e^-30 is 9e-14.")

namespace spread_capped {
Spread posterior_spread(const Posterior& posterior) {
  return solution::posterior_spread(
      {posterior.mean, posterior.log_var.cwiseMin(10.0F), posterior.deterministic});
}
}  // namespace spread_capped
MISCONCEPTION(spread_capped, posterior_spread, "posterior.width-capped",
              "You capped log_var at 10, so sigma never exceeds 148. It is allowed up to 20.",
              "The largest variance is e^20, 4.9e8, and a float holds 3.4e38: nothing overflows. "
              "split_moments has limited log_var, and a second limit is one too many.")

namespace spread_narrow {
Spread posterior_spread(const Posterior& posterior) {
  return solution::posterior_spread({posterior.mean,
                                     posterior.log_var.cwiseMax(-10.0F).cwiseMin(10.0F),
                                     posterior.deterministic});
}
}  // namespace spread_narrow
MISCONCEPTION(
    spread_narrow, posterior_spread, "posterior.clamped-again",
    "log_var was clamped to [-10, 10] once more. Only split_moments clamps, to [-30, 20].",
    "The width would differ from the one that sampling and KL use.")

// ---- 2.9 sigma_parameterisations ---------------------------------------------------------------

namespace overflowing_softplus {
double softplus(double x) {
  return std::log1p(std::exp(x));  // log(1 + exp(x)) gives the same to 1e-16, and is named as well
}
}  // namespace overflowing_softplus
MISCONCEPTION(
    overflowing_softplus, softplus, "softplus.overflow",
    "e^x overflows for large x: at 800 this is infinite. And without log1p, log(1 + e^x) "
    "rounds to 0 for very negative x.",
    "e^800 is infinite, and 1 + e^-40 is 1 in a double, whose logarithm is 0. Take e^x out of "
    "the logarithm where x is positive: x + log1p(e^-x). Both cases in one line are "
    "max(x, 0) + log1p(e^-|x|), whose exponential never exceeds 1.")

namespace linear_too_early {
double softplus(double x) {
  return x > 1.0 ? x : std::log1p(std::exp(x));
}
}  // namespace linear_too_early
MISCONCEPTION(
    linear_too_early, softplus, "softplus.linear-too-early",
    "For x above a threshold you return x itself, but the threshold is too low: there "
    "log(1 + e^x) still differs from x by log(1 + e^-x).",
    "torch switches to the identity above 20, where the difference is 2e-9; that is below a "
    "float's precision, but not below a double's. No threshold is needed: "
    "max(x, 0) + log1p(e^-|x|) is exact everywhere.")

namespace relu {
double softplus(double x) {
  return std::max(x, 0.0);
}
}  // namespace relu
MISCONCEPTION(
    relu, softplus, "softplus.relu",
    "This is max(x, 0). The softplus adds log(1 + e^-|x|) to it, so that it is smooth and "
    "never 0.",
    "The two agree far from 0. Near it max has a corner, and for negative x it is 0: a "
    "sigma of 0 has no density.")

namespace sigmoid {
double softplus(double x) {
  return 1.0 / (1.0 + std::exp(-x));
}
}  // namespace sigmoid
MISCONCEPTION(sigmoid, softplus, "softplus.sigmoid",
              "This is the sigmoid, the derivative of softplus.",
              "The sigmoid stays below 1, so it could never name a sigma above it. softplus(0) is "
              "log 2 = 0.693, the sigmoid's value there is 0.5.")

namespace softplus_base_two {
double softplus(double x) {
  return solution::softplus(x) / std::numbers::ln2;
}
}  // namespace softplus_base_two
MISCONCEPTION(softplus_base_two, softplus, "softplus.base-two",
              "You took the logarithm to base 2. Softplus uses the natural one.",
              "Only with the natural logarithm is the derivative the sigmoid, and only then does "
              "softplus(x) approach x for large x.")

namespace softplus_of_minus {
double softplus(double x) {
  return solution::softplus(-x);
}
}  // namespace softplus_of_minus
MISCONCEPTION(
    softplus_of_minus, softplus, "softplus.sign", "This is log(1 + e^-x). Softplus rises with x.",
    "log(1 + e^-x) is the loss of a logistic regression; it falls with x. The two differ by "
    "exactly x.")

namespace log_sigma {
SigmaParameterisation exp_parameterisation(double sigma) {
  require(sigma > 0.0, "sigma must be above 0");
  return {std::log(sigma), sigma, (sigma - 1.0 / sigma) * sigma};
}
}  // namespace log_sigma
MISCONCEPTION(
    log_sigma, exp_parameterisation, "sigma.log-std",
    "You took x for log sigma. Here sigma = exp(x / 2), so x = 2 log sigma.",
    "Both conventions exist. This workbook's heads put out log-variances, so x is twice as "
    "large and both slopes are half as steep.")

namespace exp_inverse_halved {
SigmaParameterisation exp_parameterisation(double sigma) {
  const SigmaParameterisation right = solution::exp_parameterisation(sigma);
  return {std::log(sigma) / 2.0, right.dsigma_dx, right.dkl_dx};
}
}  // namespace exp_inverse_halved
MISCONCEPTION(
    exp_inverse_halved, exp_parameterisation, "sigma.inverse-halved",
    "You halved the logarithm. From sigma = exp(x / 2) follows x = 2 log sigma.",
    "Undoing a half means doubling. Put your x into exp(x / 2): it yields the fourth root "
    "of sigma.")

namespace exp_half_missing {
SigmaParameterisation exp_parameterisation(double sigma) {
  const SigmaParameterisation right = solution::exp_parameterisation(sigma);
  return {right.x, 2.0 * right.dsigma_dx, 2.0 * right.dkl_dx};
}
}  // namespace exp_half_missing
MISCONCEPTION(
    exp_half_missing, exp_parameterisation, "sigma.exp-slope-without-half",
    "The slope of exp(x / 2) is sigma / 2: the inner derivative is missing.",
    "The same factor as in std_from_logvar_backward. x is right here, only the derivatives "
    "are twice too large.")

namespace exp_chain_dropped {
SigmaParameterisation exp_parameterisation(double sigma) {
  const SigmaParameterisation right = solution::exp_parameterisation(sigma);
  return {right.x, right.dsigma_dx, sigma - 1.0 / sigma};
}
}  // namespace exp_chain_dropped
MISCONCEPTION(exp_chain_dropped, exp_parameterisation, "sigma.exp-chain-dropped",
              "This is dKL/dsigma. With respect to x it is multiplied by dsigma/dx.",
              "Near sigma = 0, dKL/dsigma = sigma - 1/sigma explodes; it is the factor dsigma/dx "
              "= sigma / 2 that tames it to -1/2. Leaving it out turns a finite gradient into an "
              "infinite one.")

namespace exp_slope_at_sigma {
SigmaParameterisation exp_parameterisation(double sigma) {
  const SigmaParameterisation right = solution::exp_parameterisation(sigma);
  const double slope = std::exp(sigma / 2.0) / 2.0;
  return {right.x, slope, (sigma - 1.0 / sigma) * slope};
}
}  // namespace exp_slope_at_sigma
MISCONCEPTION(exp_slope_at_sigma, exp_parameterisation, "sigma.exp-slope-at-sigma",
              "The slope was evaluated at sigma. It is the slope at x, where exp(x / 2) = sigma.",
              "d/dx exp(x / 2) = exp(x / 2) / 2, and the exponential at x is sigma itself. Feeding "
              "sigma in place of x exponentiates twice.")

namespace exp_kl_sign {
SigmaParameterisation exp_parameterisation(double sigma) {
  const SigmaParameterisation right = solution::exp_parameterisation(sigma);
  return {right.x, right.dsigma_dx, -right.dkl_dx};
}
}  // namespace exp_kl_sign
MISCONCEPTION(exp_kl_sign, exp_parameterisation, "sigma.exp-kl-sign",
              "dKL/dx has the wrong sign. For sigma below 1, KL falls as sigma grows.",
              "KL(N(0, sigma^2) || N(0, 1)) is smallest at sigma = 1. Below it the slope is "
              "negative, so that descent makes sigma larger.")

namespace exp_unchecked {
SigmaParameterisation exp_parameterisation(double sigma) {
  const double slope = sigma / 2.0;
  return {2.0 * std::log(sigma), slope, (sigma - 1.0 / sigma) * slope};
}
}  // namespace exp_unchecked
MISCONCEPTION(
    exp_unchecked, exp_parameterisation, "sigma.exp-unchecked",
    "A sigma of 0 or below was accepted. It has to be refused: no x yields it.",
    "exp is positive everywhere, so its inverse has nothing to answer; log(0) is -infinity "
    "and log of a negative number NaN, both of which travel on.")

namespace gradient_said_to_die {
SigmaParameterisation softplus_parameterisation(double sigma) {
  require(sigma > 0.0, "sigma must be above 0");
  const double x = sigma > 30.0 ? sigma : std::log(std::expm1(sigma));
  const double slope = sigma < 0.01 ? 0.0 : -std::expm1(-sigma);
  return {x, slope, (sigma - 1.0 / sigma) * slope};
}
}  // namespace gradient_said_to_die
MISCONCEPTION(
    gradient_said_to_die, softplus_parameterisation, "softplus.gradient-said-to-die",
    "You let the gradient of softplus die near sigma = 0. It does not: dsigma/dx is about "
    "sigma, twice that of exp(x / 2).",
    "It is often said that softplus is a trap because its gradient vanishes at sigma near 0. "
    "The slope 1 - e^-sigma does shrink with sigma, but so does sigma / 2 of the exponential "
    "form, and that is half as large: 9.995e-4 against 5e-4 at sigma = 1e-3. What counts for "
    "learning, dKL/dx, stays near -1 against -1/2.")

namespace slope_too_small {
SigmaParameterisation softplus_parameterisation(double sigma) {
  const SigmaParameterisation right = solution::softplus_parameterisation(sigma);
  const double slope = right.dsigma_dx * right.dsigma_dx;
  return {right.x, slope, (sigma - 1.0 / sigma) * slope};
}
}  // namespace slope_too_small
MISCONCEPTION(slope_too_small, softplus_parameterisation, "softplus.slope-squared",
              "Your slope shrinks like sigma^2. It is 1 - e^-sigma, which shrinks like sigma.",
              "The sigmoid's own derivative contains a square, sigmoid (1 - sigmoid), and that is "
              "where the tale of the dying gradient fits: for the derivative of a sigmoid. The "
              "derivative of softplus is the sigmoid itself.")

namespace softplus_slope_one {
SigmaParameterisation softplus_parameterisation(double sigma) {
  const SigmaParameterisation right = solution::softplus_parameterisation(sigma);
  return {right.x, 1.0, sigma - 1.0 / sigma};
}
}  // namespace softplus_slope_one
MISCONCEPTION(
    softplus_slope_one, softplus_parameterisation, "softplus.chain-dropped",
    "You left dsigma/dx at 1. It is 1 - e^-sigma, and dKL/dx contains it as a factor.",
    "Far from 0 softplus is the identity and its slope is 1; near 0 it is not. dKL/dsigma "
    "alone, -1/sigma, would say that the gradient explodes there; times the slope it is "
    "about -1.")

namespace softplus_same_as_exp {
SigmaParameterisation softplus_parameterisation(double sigma) {
  const SigmaParameterisation right = solution::softplus_parameterisation(sigma);
  return {right.x, sigma / 2.0, (sigma * sigma - 1.0) / 2.0};
}
}  // namespace softplus_same_as_exp
MISCONCEPTION(
    softplus_same_as_exp, softplus_parameterisation, "softplus.slope-of-exp",
    "These are the slopes of exp(x / 2). The softplus is 1 - e^-sigma steep: about sigma, "
    "twice as much near 0.",
    "Near 0, softplus(x) is about e^x, not e^(x/2): the logarithm of sigma itself, so its "
    "slope is sigma and not sigma / 2.")

namespace sigmoid_at_sigma {
SigmaParameterisation softplus_parameterisation(double sigma) {
  const SigmaParameterisation right = solution::softplus_parameterisation(sigma);
  const double slope = 1.0 / (1.0 + std::exp(-sigma));
  return {right.x, slope, (sigma - 1.0 / sigma) * slope};
}
}  // namespace sigmoid_at_sigma
MISCONCEPTION(
    sigmoid_at_sigma, softplus_parameterisation, "softplus.slope-at-sigma",
    "The sigmoid was evaluated at sigma. It is needed at x, where it equals 1 - e^-sigma.",
    "The derivative of softplus at x is sigmoid(x), and x is not sigma. At sigma = 1e-3, "
    "sigmoid(sigma) is 0.5, sigmoid(x) is 9.995e-4.")

namespace inverse_is_log {
SigmaParameterisation softplus_parameterisation(double sigma) {
  const SigmaParameterisation right = solution::softplus_parameterisation(sigma);
  return {std::log(sigma), right.dsigma_dx, right.dkl_dx};
}
}  // namespace inverse_is_log
MISCONCEPTION(inverse_is_log, softplus_parameterisation, "softplus.inverse-is-log",
              "x = log sigma is the inverse for tiny sigma only. In general x = log(e^sigma - 1).",
              "Near 0 softplus(x) is about e^x, and log sigma is right to all digits at 1e-12. At "
              "sigma = 1 it gives 0 instead of 0.541.")

namespace inverse_cancels {
SigmaParameterisation softplus_parameterisation(double sigma) {
  SigmaParameterisation result = solution::softplus_parameterisation(sigma);
  result.x = std::log(std::exp(sigma) - 1.0);
  return result;
}
}  // namespace inverse_cancels
MISCONCEPTION(
    inverse_cancels, softplus_parameterisation, "softplus.inverse-cancels",
    "log(e^sigma - 1) loses its digits for small sigma. Use expm1.",
    "At sigma = 1e-12, e^sigma is 1.000000000001 with about four digits of the difference "
    "left, so x is off by 9e-5. Below 1e-16 the difference is 0 and x is -infinity. expm1 "
    "computes it without forming the 1.")

namespace slope_cancels {
SigmaParameterisation softplus_parameterisation(double sigma) {
  const SigmaParameterisation right = solution::softplus_parameterisation(sigma);
  const double slope = 1.0 - std::exp(-sigma);
  return {right.x, slope, (sigma - 1.0 / sigma) * slope};
}
}  // namespace slope_cancels
MISCONCEPTION(slope_cancels, softplus_parameterisation, "softplus.slope-cancels",
              "1 - e^-sigma loses its digits for small sigma. Use -expm1(-sigma).",
              "Below 1e-16 this rounds to 0: a gradient that really dies, though of arithmetic and "
              "not of mathematics. At 1e-12 it is already off in the fourth digit.")

namespace softplus_is_variance {
SigmaParameterisation softplus_parameterisation(double sigma) {
  const SigmaParameterisation of =
      solution::softplus_parameterisation(sigma > 0 ? sigma * sigma : 0);
  const double slope = of.dsigma_dx / (2.0 * sigma);
  return {of.x, slope, (sigma - 1.0 / sigma) * slope};
}
}  // namespace softplus_is_variance
MISCONCEPTION(
    softplus_is_variance, softplus_parameterisation, "softplus.taken-for-variance",
    "You let softplus yield the variance. Here it yields sigma itself.",
    "Libraries differ: some networks put softplus on the variance. Then x belongs to "
    "sigma^2 and the slope is divided by 2 sigma. Read what the contract says is positive.")

namespace exp_one_sided {
SigmaParameterisation exp_parameterisation(double sigma) {
  const SigmaParameterisation right = solution::exp_parameterisation(sigma);
  return {right.x, right.dsigma_dx, -std::abs(right.dkl_dx)};
}
}  // namespace exp_one_sided
MISCONCEPTION(
    exp_one_sided, exp_parameterisation, "sigma.exp-kl-always-falls",
    "Your dKL/dx is never above 0. For sigma above 1, KL grows with sigma.",
    "The prior has sigma = 1, and the KL pulls there from both sides. The numbers that one "
    "looks at are near 0, where the slope is -1/2; at sigma = 2 it is 3/2.")

namespace softplus_one_sided {
SigmaParameterisation softplus_parameterisation(double sigma) {
  const SigmaParameterisation right = solution::softplus_parameterisation(sigma);
  return {right.x, right.dsigma_dx, std::min(right.dkl_dx, 0.0)};
}
}  // namespace softplus_one_sided
MISCONCEPTION(
    softplus_one_sided, softplus_parameterisation, "softplus.kl-one-sided",
    "You let the KL pull only on a sigma that is too small. Above 1 it pulls the other way.",
    "A posterior wider than the prior costs as well: at sigma = 2 dKL/dx is 1.30. A cut at 0 "
    "belongs to free bits, which act on the KL's value and not on one side of sigma.")

namespace softplus_kl_sign {
SigmaParameterisation softplus_parameterisation(double sigma) {
  const SigmaParameterisation right = solution::softplus_parameterisation(sigma);
  return {right.x, right.dsigma_dx, -right.dkl_dx};
}
}  // namespace softplus_kl_sign
MISCONCEPTION(softplus_kl_sign, softplus_parameterisation, "softplus.kl-sign",
              "dKL/dx has the wrong sign. For sigma below 1, KL falls as sigma grows.",
              "KL(N(0, sigma^2) || N(0, 1)) is smallest at sigma = 1. Below it the slope is "
              "negative, so that descent makes sigma larger.")

namespace softplus_unchecked {
SigmaParameterisation softplus_parameterisation(double sigma) {
  const double slope = -std::expm1(-sigma);
  return {sigma + std::log(slope), slope, (sigma - 1.0 / sigma) * slope};
}
}  // namespace softplus_unchecked
MISCONCEPTION(
    softplus_unchecked, softplus_parameterisation, "softplus.unchecked",
    "A sigma of 0 or below was accepted. It has to be refused: no x yields it.",
    "softplus is positive everywhere. log(0) is -infinity and log of a negative number NaN, "
    "both of which travel on.")

}  // namespace latent
