// Wrong answers to lab 03 that people give. Each stands in a namespace of its own and reads as the
// learner would have written it; `solution::` calls the right one.
//
// Left out, with the reason:
//   kl_standard_normal_1d as (exp(l) - 1 - l) / 2 in double: it errs by 2e-16 at log_var = 1e-9,
//     which the property sees and the comparison of replies, absolute to 1e-14 for doubles, does
//     not. In float it is below.
//   e^{2l} because the head is taken for log sigma, in one dimension: the batch has it.
//   kl_diag_gaussians reducing over the batch too (one number for per_sample): the contract's type
//     has one number per sample; the wrong average of them is below.
//   jensen_chain with q normalised instead of refused: named by its refusals, below; a q that does
//     sum to 1 is not changed by it.
//   elbo_gap with the gap as log p(x) - elbo: that is right, to rounding.
//   "the bound tested only at the exact q": a test's mistake, not a function's.
//   kl_monte_carlo with the variance divided by S twice: it returns one estimate per draw.
//   neg_elbo without the decoder's path in dmu: the contract leaves that path out.
//   neg_elbo with beta squared: it has no beta.
//   iwae_bound over the batch axis: it receives one sample's weights.

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "common/require.hpp"
#include "elbo.hpp"
#include "grader/judge/misconception.hpp"

namespace solution = latent;

namespace latent {

// ---- 3.1 kl_standard_normal --------------------------------------------------------------------

namespace kl_mean_over_dims {
KlStandardNormal kl_standard_normal(const Matrix& mu, const Matrix& log_var) {
  require(mu.rows() == log_var.rows() && mu.cols() == log_var.cols(), "shapes differ");
  require(mu.size() > 0, "no element");
  const auto samples = static_cast<float>(mu.rows());
  const Matrix each = 0.5F * (mu.array().square() + log_var.array().exp() - 1.0F - log_var.array());
  const DoubleVector per_sample = each.rowwise().mean().cast<double>();
  return {per_sample, per_sample.mean(), mu / samples,
          (log_var.array().exp() - 1.0F) / (2.0F * samples)};
}
}  // namespace kl_mean_over_dims
MISCONCEPTION(
    kl_mean_over_dims, kl_standard_normal, "kl.mean-over-dims",
    "You averaged over latent dimensions. The ELBO sums them.",
    "log q(z|x) of independent dimensions is a sum of their log densities, so the divergence is a "
    "sum too. A mean over D makes the KL term D times too weak against the reconstruction, which "
    "is beta = 1/D without anybody having chosen it. Reported, in one or the other of the two "
    "terms, for podgorskiy/VAE (issue 1), orybkin/sigma-vae-tensorflow (issue 2) and "
    "zfjsail/gae-pytorch (issue 3). With one dimension it cannot be seen.")

namespace kl_mean_over_dims_throughout {
KlStandardNormal kl_standard_normal(const Matrix& mu, const Matrix& log_var) {
  const KlStandardNormal right = solution::kl_standard_normal(mu, log_var);
  const auto dims = static_cast<float>(mu.cols());
  return {right.per_sample / dims, right.value / dims, right.mu / dims, right.log_var / dims};
}
}  // namespace kl_mean_over_dims_throughout
MISCONCEPTION(
    kl_mean_over_dims_throughout, kl_standard_normal, "kl.mean-over-everything",
    "Value and gradients are divided by D as well as by N. The divergence is summed over the "
    "latent dimensions, and averaged over samples only.",
    "torch.mean() over a [N, D] tensor divides by both. pytorch/examples once divided its KL by "
    "the batch size times the number of *pixels*, 784, while the latent had 20 dimensions (issue "
    "290 asks about it): the two terms of a loss may share a divisor, but each has to say which.")

namespace kl_per_sample_mean {
KlStandardNormal kl_standard_normal(const Matrix& mu, const Matrix& log_var) {
  KlStandardNormal result = solution::kl_standard_normal(mu, log_var);
  result.per_sample /= static_cast<double>(mu.cols());
  return result;
}
}  // namespace kl_per_sample_mean
MISCONCEPTION(
    kl_per_sample_mean, kl_standard_normal, "kl.per-sample-averaged",
    "per_sample holds averages over the dimensions, while value is right. It holds the sums.",
    "value should be the plain average of per_sample. If the two are reduced differently, whoever "
    "logs one and trains on the other compares numbers that differ by the factor D.")

namespace kl_batch_sum {
KlStandardNormal kl_standard_normal(const Matrix& mu, const Matrix& log_var) {
  KlStandardNormal result = solution::kl_standard_normal(mu, log_var);
  result.value = result.per_sample.sum();
  return result;
}
}  // namespace kl_batch_sum
MISCONCEPTION(
    kl_batch_sum, kl_standard_normal, "kl.batch-summed",
    "You summed over the samples too. value is their average: divide by N.",
    "A sum over the batch makes the loss grow with the batch size, and a learning rate tuned for "
    "64 samples wrong for 256. With a reconstruction that *is* averaged, the KL term becomes N "
    "times too strong. A batch of one cannot show it.")

namespace kl_half_missing {
KlStandardNormal kl_standard_normal(const Matrix& mu, const Matrix& log_var) {
  KlStandardNormal result = solution::kl_standard_normal(mu, log_var);
  result.per_sample *= 2.0;
  result.value *= 2.0;
  return result;
}
}  // namespace kl_half_missing
MISCONCEPTION(
    kl_half_missing, kl_standard_normal, "kl.half-missing",
    "The factor 1/2 is missing from the value.",
    "It comes from the 1/2 in the exponent of the Gaussian density. Without it the table's second "
    "row reads 7.65 instead of 3.83, and value and gradient no longer belong together.")

namespace kl_sign {
KlStandardNormal kl_standard_normal(const Matrix& mu, const Matrix& log_var) {
  KlStandardNormal result = solution::kl_standard_normal(mu, log_var);
  result.per_sample = -result.per_sample;
  result.value = -result.value;
  return result;
}
}  // namespace kl_sign
MISCONCEPTION(
    kl_sign, kl_standard_normal, "kl.sign-flipped",
    "The divergence came out negative: the sign is flipped. It is never below 0.",
    "The formula is often printed as -1/2 (1 + l - mu^2 - e^l), and one of the two minus signs "
    "gets lost in copying. In AntixK/PyTorch-VAE (issue 68) the *logged* KL is the negative of the "
    "one that is trained on, which is how a chart can show a divergence below 0.")

namespace kl_log_var_added {
KlStandardNormal kl_standard_normal(const Matrix& mu, const Matrix& log_var) {
  KlStandardNormal result = solution::kl_standard_normal(mu, log_var);
  result.per_sample += log_var.cast<double>().rowwise().sum();
  result.value = result.per_sample.mean();
  return result;
}
}  // namespace kl_log_var_added
MISCONCEPTION(
    kl_log_var_added, kl_standard_normal, "kl.log-var-added",
    "log_var was added. It is subtracted: (mu^2 + e^l - 1 - l) / 2.",
    "-l is what makes a narrow q expensive. With +l the divergence is least at sigma = 0, and "
    "training shrinks every q to a point: the autoencoder of lab 01 again.")

namespace kl_mean_not_squared {
KlStandardNormal kl_standard_normal(const Matrix& mu, const Matrix& log_var) {
  KlStandardNormal result =
      solution::kl_standard_normal(Matrix::Zero(mu.rows(), mu.cols()), log_var);
  result.per_sample += 0.5 * mu.cast<double>().rowwise().sum();
  result.value = result.per_sample.mean();
  result.mu = mu / static_cast<float>(mu.rows());
  return result;
}
}  // namespace kl_mean_not_squared
MISCONCEPTION(
    kl_mean_not_squared, kl_standard_normal, "kl.mean-not-squared",
    "mu entered the sum unsquared. It is mu^2: the distance counts, on either side of 0.",
    "With mu itself the divergence falls without end as mu goes to -infinity. At mu = 1 the two "
    "agree, so a test there sees nothing.")

namespace kl_log_std {
KlStandardNormal kl_standard_normal(const Matrix& mu, const Matrix& log_var) {
  return solution::kl_standard_normal(mu, 2.0F * log_var);
}
}  // namespace kl_log_std
MISCONCEPTION(
    kl_log_std, kl_standard_normal, "kl.log-std-convention",
    "You took log_var for the logarithm of sigma and doubled it. It is that of sigma squared.",
    "Graph autoencoders often put out log sigma, and their KL has e^(2l) and 2l in it. Pasted into "
    "code whose head is a log-variance, it penalises another Gaussian than the one that is "
    "sampled. At log_var = 0 both conventions agree.")

namespace kl_mu_doubled {
KlStandardNormal kl_standard_normal(const Matrix& mu, const Matrix& log_var) {
  KlStandardNormal result = solution::kl_standard_normal(mu, log_var);
  result.mu *= 2.0F;
  return result;
}
}  // namespace kl_mu_doubled
MISCONCEPTION(
    kl_mu_doubled, kl_standard_normal, "kl.mu-gradient-doubled",
    "The gradient with respect to mu is twice too large. The 1/2 in front cancels the 2 of mu^2.",
    "d/dmu of mu^2 / 2 is mu. Whoever differentiates mu^2 and forgets the factor in front of the "
    "bracket pulls the means to 0 twice as hard as the loss says.")

namespace kl_minus_one_missing {
KlStandardNormal kl_standard_normal(const Matrix& mu, const Matrix& log_var) {
  KlStandardNormal result = solution::kl_standard_normal(mu, log_var);
  result.log_var.array() += 0.5F / static_cast<float>(mu.rows());
  return result;
}
}  // namespace kl_minus_one_missing
MISCONCEPTION(
    kl_minus_one_missing, kl_standard_normal, "kl.minus-one-missing-in-gradient",
    "The gradient with respect to log_var lacks the -1. It is (e^l - 1) / 2N, which is 0 at "
    "sigma = 1.",
    "The -1 is the derivative of the term -l. Without it the gradient is positive everywhere and "
    "pushes log_var to -30, although the value says that sigma = 1 is best.")

namespace kl_gradients_of_sum {
KlStandardNormal kl_standard_normal(const Matrix& mu, const Matrix& log_var) {
  KlStandardNormal result = solution::kl_standard_normal(mu, log_var);
  result.mu *= static_cast<float>(mu.rows());
  result.log_var *= static_cast<float>(mu.rows());
  return result;
}
}  // namespace kl_gradients_of_sum
MISCONCEPTION(
    kl_gradients_of_sum, kl_standard_normal, "kl.gradients-not-averaged",
    "The gradients are those of the sum over the batch. value is an average, so they carry 1/N.",
    "A backward function has to belong to its forward function, divisor included. The slip scales "
    "the KL term by N, in the gradients only, where no loss curve shows it.")

namespace kl_in_float {
KlStandardNormal kl_standard_normal(const Matrix& mu, const Matrix& log_var) {
  KlStandardNormal result = solution::kl_standard_normal(mu, log_var);
  const Matrix each = 0.5F * (mu.array().square() + log_var.array().exp() - 1.0F - log_var.array());
  result.per_sample = each.cast<double>().rowwise().sum();
  result.value = result.per_sample.mean();
  return result;
}
}  // namespace kl_in_float
MISCONCEPTION(
    kl_in_float, kl_standard_normal, "kl.cancels-near-zero",
    "The numbers are right to float precision, but near log_var = 0 the terms cancel and nothing "
    "is left. Compute in double, or with expm1.",
    "e^0.001 - 1 - 0.001 is 5e-7, and a float near 1 has steps of 1.2e-7: a fifth of the answer. A "
    "latent dimension that is about to collapse sits exactly there, and what a chart shows of it "
    "is "
    "rounding.")

namespace kl_clamped {
KlStandardNormal kl_standard_normal(const Matrix& mu, const Matrix& log_var) {
  return solution::kl_standard_normal(mu, log_var.cwiseMax(-10.0F).cwiseMin(10.0F));
}
}  // namespace kl_clamped
MISCONCEPTION(
    kl_clamped, kl_standard_normal, "kl.clamped-again",
    "log_var was clamped to [-10, 10] once more. Only lab 02's split_moments clamps, to [-30, 20].",
    "A second, narrower clamp makes sampling and KL disagree: the decoder sees the narrower q, the "
    "KL charges for the wider one.")

namespace kl_unchecked {
KlStandardNormal kl_standard_normal(const Matrix& mu, const Matrix& log_var) {
  require(mu.size() > 0, "no element");
  const auto samples = static_cast<double>(mu.rows());
  const Eigen::ArrayXXd m = mu.cast<double>(), l = log_var.cast<double>();
  const Eigen::ArrayXXd each =
      0.5 * (m.square() + l.unaryExpr([](double x) { return std::expm1(x) - x; }));
  const DoubleVector per_sample = each.rowwise().sum();
  return {per_sample, per_sample.mean(), (m / samples).cast<float>(),
          ((l.exp() - 1.0) / (2.0 * samples)).cast<float>()};
}
}  // namespace kl_unchecked
MISCONCEPTION(
    kl_unchecked, kl_standard_normal, "kl.unchecked",
    "The numbers are right, but shapes that differ reached Eigen. They have to be refused with "
    "std::invalid_argument.",
    "Eigen's own check is an assertion: it is gone in a release build, and then memory beyond the "
    "smaller matrix is read. require_size says what came and what was expected.")

namespace kl_empty {
KlStandardNormal kl_standard_normal(const Matrix& mu, const Matrix& log_var) {
  if (mu.size() > 0 || log_var.size() > 0) return solution::kl_standard_normal(mu, log_var);
  return {DoubleVector::Zero(mu.rows()), 0.0, mu, log_var};
}
}  // namespace kl_empty
MISCONCEPTION(
    kl_empty, kl_standard_normal, "kl.empty-accepted",
    "A batch without elements was answered. It has to be refused: there is nothing to average.",
    "0 for no samples looks harmless, and 0 / 0 is what the formula gives. The empty batch is "
    "usually the last one of an epoch, and the answer spoils an average somewhere else.")

namespace kl_variance_for_log {
double kl_standard_normal_1d(double mu, double log_var) {
  return 0.5 * (mu * mu + log_var - 1.0 - std::log(log_var));
}
}  // namespace kl_variance_for_log
MISCONCEPTION(
    kl_variance_for_log, kl_standard_normal_1d, "kl.variance-for-log",
    "You used log_var as if it were the variance. The variance is exp(log_var).",
    "The textbook formula has sigma^2 and log sigma^2 in it. Here the logarithm is what is given: "
    "its exponential is the one, it is itself the other. A negative log_var shows it by a NaN.")

namespace kl_snapped {
double kl_standard_normal_1d(double mu, double log_var) {
  if (std::abs(log_var) < 1e-5) return 0.5 * mu * mu;
  return solution::kl_standard_normal_1d(mu, log_var);
}
}  // namespace kl_snapped
MISCONCEPTION(
    kl_snapped, kl_standard_normal_1d, "kl.snapped-to-zero",
    "For log_var near 0 you return what the formula gives at 0. The answer there is small, about "
    "log_var^2 / 4, but it is not 0.",
    "A guard against cancellation that gives up instead of computing. std::expm1(l) is e^l - 1 "
    "with all its digits, and expm1(l) - l keeps six of them even at 1e-9.")

namespace kl_1d_half_missing {
double kl_standard_normal_1d(double mu, double log_var) {
  return 2.0 * solution::kl_standard_normal_1d(mu, log_var);
}
}  // namespace kl_1d_half_missing
MISCONCEPTION(kl_1d_half_missing, kl_standard_normal_1d, "kl.1d-half-missing",
              "The factor 1/2 is missing.",
              "It comes from the 1/2 in the exponent of the Gaussian density. For mu = 3 and sigma "
              "= 0.2 the answer is 5.63, not 11.26.")

namespace kl_log10 {
double kl_standard_normal_1d(double mu, double log_var) {
  return 0.5 * (mu * mu + std::exp(log_var) - 1.0 - std::log10(std::exp(log_var)));
}
}  // namespace kl_log10
MISCONCEPTION(
    kl_log10, kl_standard_normal_1d, "kl.log10",
    "You took a logarithm to base 10. The divergence is in nats, with the natural one.",
    "log10 makes the term 2.3 times too small, so that the smallest value no longer lies at "
    "sigma = 1. std::log is the natural logarithm, and log_var already is one.")

namespace kl_reversed {
double kl_standard_normal_1d(double mu, double log_var) {
  return 0.5 * (log_var - 1.0 + (1.0 + mu * mu) * std::exp(-log_var));
}
}  // namespace kl_reversed
MISCONCEPTION(
    kl_reversed, kl_standard_normal_1d, "kl.reversed",
    "This is KL(N(0, 1) || q). The bound needs KL(q || N(0, 1)), with the expectation under q.",
    "A divergence is not symmetric. The reversed one charges q for not covering the prior, the "
    "right one for going where the prior is not.")

namespace kl_1d_mean_not_squared {
double kl_standard_normal_1d(double mu, double log_var) {
  return 0.5 * (mu + std::expm1(log_var) - log_var);
}
}  // namespace kl_1d_mean_not_squared
MISCONCEPTION(kl_1d_mean_not_squared, kl_standard_normal_1d, "kl.1d-mean-not-squared",
              "mu entered unsquared. It is mu^2: the distance counts, on either side of 0.",
              "With mu itself a mean of -3 would make the divergence negative, which no divergence "
              "is.")

// ---- 3.2 kl_diag_gaussians ---------------------------------------------------------------------

namespace diag_swapped {
KlDiagGaussians kl_diag_gaussians(const Matrix& mu1, const Matrix& log_var1, const Matrix& mu2,
                                  const Matrix& log_var2) {
  for (const Matrix* other : {&log_var1, &mu2, &log_var2}) {
    require_size(other->rows(), mu1.rows(), "rows");
    require_size(other->cols(), mu1.cols(), "columns");
  }
  require(mu1.size() > 0, "no element");
  const auto samples = static_cast<float>(mu1.rows());
  const Eigen::ArrayXXf apart = mu2 - mu1, l1 = log_var2, l2 = log_var1;
  const Eigen::ArrayXXf pull = apart * (-l2).exp() / samples, ratio = (l1 - l2).exp();
  const Eigen::ArrayXXd wide = apart.cast<double>(), m1 = l1.cast<double>(), m2 = l2.cast<double>();
  const DoubleVector kl =
      (0.5 * (m2 - m1 - 1.0 + (m1 - m2).exp() + wide.square() * (-m2).exp())).rowwise().sum();
  const Eigen::ArrayXXf width = (ratio - 1.0F) / (2.0F * samples);
  return {kl, kl.mean(), -pull, -width - 0.5F * apart * pull, pull, width};
}
}  // namespace diag_swapped
MISCONCEPTION(
    diag_swapped, kl_diag_gaussians, "kl-diag.arguments-swapped",
    "This is KL(second || first). The expectation is under the first Gaussian.",
    "From (1, 0.5) to (-1, -0.2) the divergence is 2.599682, the other way 1.311354. In the ELBO "
    "the first argument is q and the second the prior; swapped, q is charged for what it misses "
    "instead of for where it goes.")

namespace diag_distance_by_first {
KlDiagGaussians kl_diag_gaussians(const Matrix& mu1, const Matrix& log_var1, const Matrix& mu2,
                                  const Matrix& log_var2) {
  KlDiagGaussians result = solution::kl_diag_gaussians(mu1, log_var1, mu2, log_var2);
  const Eigen::ArrayXXd squares = (mu1 - mu2).cast<double>().array().square();
  const Eigen::ArrayXXd l1 = log_var1.cast<double>(), l2 = log_var2.cast<double>();
  result.per_sample += (0.5 * squares * ((-l1).exp() - (-l2).exp())).rowwise().sum().matrix();
  result.value = result.per_sample.mean();
  return result;
}
}  // namespace diag_distance_by_first
MISCONCEPTION(
    diag_distance_by_first, kl_diag_gaussians, "kl-diag.distance-by-first",
    "The distance of the means was divided by the first variance. It is measured in standard "
    "deviations of the second.",
    "The term is E_q of (z - mu2)^2 / var2, and its divisor comes from the second density. With "
    "the second fixed at variance 1 the slip changes everything; with the first at 1, nothing.")

namespace diag_log_ratio {
KlDiagGaussians kl_diag_gaussians(const Matrix& mu1, const Matrix& log_var1, const Matrix& mu2,
                                  const Matrix& log_var2) {
  KlDiagGaussians result = solution::kl_diag_gaussians(mu1, log_var1, mu2, log_var2);
  result.per_sample += (log_var1.cast<double>() - log_var2.cast<double>()).rowwise().sum();
  result.value = result.per_sample.mean();
  return result;
}
}  // namespace diag_log_ratio
MISCONCEPTION(
    diag_log_ratio, kl_diag_gaussians, "kl-diag.log-ratio-sign",
    "The difference of the log-variances has the wrong sign. It is l2 - l1.",
    "A first Gaussian much narrower than the second must be expensive: l2 - l1 is then large. With "
    "l1 - l2 it would be negative.")

namespace diag_half_missing {
KlDiagGaussians kl_diag_gaussians(const Matrix& mu1, const Matrix& log_var1, const Matrix& mu2,
                                  const Matrix& log_var2) {
  KlDiagGaussians result = solution::kl_diag_gaussians(mu1, log_var1, mu2, log_var2);
  result.per_sample *= 2.0;
  result.value *= 2.0;
  return result;
}
}  // namespace diag_half_missing
MISCONCEPTION(
    diag_half_missing, kl_diag_gaussians, "kl-diag.half-missing",
    "The factor 1/2 is missing from the value.",
    "It is the 1/2 of the Gaussian's exponent and of log sigma = log_var / 2. The example "
    "reads 5.199 instead of 2.599682.")

namespace diag_minus_one {
KlDiagGaussians kl_diag_gaussians(const Matrix& mu1, const Matrix& log_var1, const Matrix& mu2,
                                  const Matrix& log_var2) {
  KlDiagGaussians result = solution::kl_diag_gaussians(mu1, log_var1, mu2, log_var2);
  result.per_sample.array() += 0.5 * static_cast<double>(mu1.cols());
  result.value = result.per_sample.mean();
  return result;
}
}  // namespace diag_minus_one
MISCONCEPTION(diag_minus_one, kl_diag_gaussians, "kl-diag.minus-one-missing",
              "The -1 of each dimension is missing. Two equal Gaussians have divergence 0.",
              "It is E_q of -(z - mu1)^2 / var1, the first density's own exponent. A constant does "
              "not change the gradients, so training would not notice; a reported bound does.")

namespace diag_variances_taken {
KlDiagGaussians kl_diag_gaussians(const Matrix& mu1, const Matrix& log_var1, const Matrix& mu2,
                                  const Matrix& log_var2) {
  KlDiagGaussians result = solution::kl_diag_gaussians(mu1, log_var1, mu2, log_var2);
  const Eigen::ArrayXXd v1 = log_var1.cast<double>(), v2 = log_var2.cast<double>();
  const Eigen::ArrayXXd squares = (mu1 - mu2).cast<double>().array().square();
  result.per_sample = (0.5 * ((v2 / v1).log() - 1.0 + (v1 + squares) / v2)).rowwise().sum();
  result.value = result.per_sample.mean();
  return result;
}
}  // namespace diag_variances_taken
MISCONCEPTION(diag_variances_taken, kl_diag_gaussians, "kl-diag.variances-taken",
              "You used log_var1 and log_var2 as variances. Their exponentials are.",
              "The textbook formula is written in variances, the heads put out logarithms. A "
              "negative log-variance makes this a NaN, or a negative divergence.")

namespace diag_batch_sum {
KlDiagGaussians kl_diag_gaussians(const Matrix& mu1, const Matrix& log_var1, const Matrix& mu2,
                                  const Matrix& log_var2) {
  KlDiagGaussians result = solution::kl_diag_gaussians(mu1, log_var1, mu2, log_var2);
  result.value = result.per_sample.sum();
  return result;
}
}  // namespace diag_batch_sum
MISCONCEPTION(diag_batch_sum, kl_diag_gaussians, "kl-diag.batch-summed",
              "You summed over the samples too. value is their average: divide by N.",
              "per_sample is right, and value is N times too large. The batch size must not change "
              "how the terms of a loss weigh against each other.")

namespace diag_per_sample_mean {
KlDiagGaussians kl_diag_gaussians(const Matrix& mu1, const Matrix& log_var1, const Matrix& mu2,
                                  const Matrix& log_var2) {
  KlDiagGaussians result = solution::kl_diag_gaussians(mu1, log_var1, mu2, log_var2);
  result.per_sample /= static_cast<double>(mu1.cols());
  return result;
}
}  // namespace diag_per_sample_mean
MISCONCEPTION(diag_per_sample_mean, kl_diag_gaussians, "kl-diag.per-sample-averaged",
              "per_sample holds averages over the dimensions, while value is right. It holds sums.",
              "The dimensions are independent, so their log densities add, and so do the "
              "divergences. value should be the plain average of per_sample.")

namespace diag_mean_over_dims {
KlDiagGaussians kl_diag_gaussians(const Matrix& mu1, const Matrix& log_var1, const Matrix& mu2,
                                  const Matrix& log_var2) {
  KlDiagGaussians result = solution::kl_diag_gaussians(mu1, log_var1, mu2, log_var2);
  result.per_sample /= static_cast<double>(mu1.cols());
  result.value /= static_cast<double>(mu1.cols());
  return result;
}
}  // namespace diag_mean_over_dims
MISCONCEPTION(diag_mean_over_dims, kl_diag_gaussians, "kl-diag.mean-over-dims",
              "You averaged over latent dimensions. The ELBO sums them.",
              "A mean over D weakens the term D times against the reconstruction. With one "
              "dimension it cannot be seen.")

namespace diag_mu1_by_first {
KlDiagGaussians kl_diag_gaussians(const Matrix& mu1, const Matrix& log_var1, const Matrix& mu2,
                                  const Matrix& log_var2) {
  KlDiagGaussians result = solution::kl_diag_gaussians(mu1, log_var1, mu2, log_var2);
  result.mu1 = (mu1 - mu2).array() * (-log_var1.array()).exp() / static_cast<float>(mu1.rows());
  return result;
}
}  // namespace diag_mu1_by_first
MISCONCEPTION(
    diag_mu1_by_first, kl_diag_gaussians, "kl-diag.mu1-pulled-by-own-width",
    "The gradient of mu1 was divided by its own variance. It is pulled by the second's: "
    "(mu1 - mu2) e^-l2.",
    "The distance enters the divergence once, over the second variance. A prior that is wide pulls "
    "weakly, however narrow q is.")

namespace diag_log_var1_sign {
KlDiagGaussians kl_diag_gaussians(const Matrix& mu1, const Matrix& log_var1, const Matrix& mu2,
                                  const Matrix& log_var2) {
  KlDiagGaussians result = solution::kl_diag_gaussians(mu1, log_var1, mu2, log_var2);
  result.log_var1 = -result.log_var1;
  return result;
}
}  // namespace diag_log_var1_sign
MISCONCEPTION(
    diag_log_var1_sign, kl_diag_gaussians, "kl-diag.log-var1-sign",
    "The gradient of log_var1 has the wrong sign. A first Gaussian wider than the second has to "
    "shrink: (e^(l1 - l2) - 1) / 2N is positive then.",
    "Descent moves against the gradient. With the sign turned round, the width runs away from the "
    "second's instead of approaching it.")

namespace diag_mu2_same_sign {
KlDiagGaussians kl_diag_gaussians(const Matrix& mu1, const Matrix& log_var1, const Matrix& mu2,
                                  const Matrix& log_var2) {
  KlDiagGaussians result = solution::kl_diag_gaussians(mu1, log_var1, mu2, log_var2);
  result.mu2 = result.mu1;
  return result;
}
}  // namespace diag_mu2_same_sign
MISCONCEPTION(
    diag_mu2_same_sign, kl_diag_gaussians, "kl-diag.mu2-same-sign",
    "mu1 and mu2 received the same gradient. Only their difference counts, so the two are "
    "opposite.",
    "Moving both means together changes nothing, so the two gradients have to add up to 0. With "
    "equal signs both means walk in one direction and never meet.")

namespace diag_prior_fixed {
KlDiagGaussians kl_diag_gaussians(const Matrix& mu1, const Matrix& log_var1, const Matrix& mu2,
                                  const Matrix& log_var2) {
  KlDiagGaussians result = solution::kl_diag_gaussians(mu1, log_var1, mu2, log_var2);
  result.mu2.setZero();
  result.log_var2.setZero();
  return result;
}
}  // namespace diag_prior_fixed
MISCONCEPTION(diag_prior_fixed, kl_diag_gaussians, "kl-diag.prior-without-gradient",
              "The second Gaussian received gradients of 0. The divergence depends on it as well.",
              "A prior that is not trained needs no gradient, and its caller may ignore the two. "
              "Hierarchical "
              "VAEs learn their priors, and with zeros they would stay at their initial values.")

namespace diag_log_var2_no_distance {
KlDiagGaussians kl_diag_gaussians(const Matrix& mu1, const Matrix& log_var1, const Matrix& mu2,
                                  const Matrix& log_var2) {
  KlDiagGaussians result = solution::kl_diag_gaussians(mu1, log_var1, mu2, log_var2);
  result.log_var2 = -result.log_var1;
  return result;
}
}  // namespace diag_log_var2_no_distance
MISCONCEPTION(
    diag_log_var2_no_distance, kl_diag_gaussians, "kl-diag.distance-missing-in-gradient",
    "The gradient of log_var2 lacks the distance term. A wider second Gaussian also brings the "
    "means nearer, in its own units.",
    "e^-l2 stands in two terms: behind e^l1 and behind (mu1 - mu2)^2. Unlike the means, the two "
    "widths do not enter as a difference only.")

namespace diag_epsilon {
KlDiagGaussians kl_diag_gaussians(const Matrix& mu1, const Matrix& log_var1, const Matrix& mu2,
                                  const Matrix& log_var2) {
  const auto guarded = [](const Matrix& l) { return Matrix((l.array().exp() + 1e-8F).log()); };
  KlDiagGaussians result =
      solution::kl_diag_gaussians(mu1, guarded(log_var1), mu2, guarded(log_var2));
  return result;
}
}  // namespace diag_epsilon
MISCONCEPTION(
    diag_epsilon, kl_diag_gaussians, "kl-diag.epsilon-added",
    "A small constant was added to the variances. An exponential is never 0, so nothing needs "
    "protection, and near log_var = -20 the constant is larger than the variance.",
    "e^-20 is 2e-9. The habit comes from variances measured on data, which can be 0; these come "
    "from a logarithm.")

namespace diag_unchecked {
KlDiagGaussians kl_diag_gaussians(const Matrix& mu1, const Matrix& log_var1, const Matrix& mu2,
                                  const Matrix& log_var2) {
  require(mu1.size() > 0, "no element");
  const auto samples = static_cast<float>(mu1.rows());
  const Matrix apart = mu1 - mu2, ratio = (log_var1 - log_var2).array().exp();
  const Matrix pull = apart.array() * (-log_var2.array()).exp() / samples;
  const Eigen::ArrayXXd l1 = log_var1.cast<double>(), l2 = log_var2.cast<double>();
  const Eigen::ArrayXXd squares = (mu1.cast<double>() - mu2.cast<double>()).array().square();
  const DoubleVector kl =
      (0.5 * (l2 - l1 - 1.0 + (l1 - l2).exp() + squares * (-l2).exp())).rowwise().sum();
  const Matrix width = (ratio.array() - 1.0F) / (2.0F * samples);
  return {kl, kl.mean(), pull, width, -pull, -width - 0.5F * apart.cwiseProduct(pull)};
}
}  // namespace diag_unchecked
MISCONCEPTION(
    diag_unchecked, kl_diag_gaussians, "kl-diag.unchecked",
    "The numbers are right, but shapes that differ reached Eigen. They have to be refused with "
    "std::invalid_argument.",
    "Eigen's own check is an assertion: it is gone in a release build, and then memory beyond the "
    "smaller matrix is read. Each of the three others is compared with the first.")

namespace diag_empty {
KlDiagGaussians kl_diag_gaussians(const Matrix& mu1, const Matrix& log_var1, const Matrix& mu2,
                                  const Matrix& log_var2) {
  if (mu1.size() + log_var1.size() + mu2.size() + log_var2.size() > 0) {
    return solution::kl_diag_gaussians(mu1, log_var1, mu2, log_var2);
  }
  return {DoubleVector::Zero(mu1.rows()), 0.0, mu1, mu1, mu1, mu1};
}
}  // namespace diag_empty
MISCONCEPTION(diag_empty, kl_diag_gaussians, "kl-diag.empty-accepted",
              "A batch without elements was answered. It has to be refused: there is nothing to "
              "average.",
              "The mean of no numbers is 0 / 0. Whatever is returned in its place spoils an "
              "average somewhere else.")

// ---- 3.3 gaussian_nll --------------------------------------------------------------------------

namespace nll_no_constant {
GaussianNll gaussian_nll(const Matrix& x, const Matrix& mean, const Matrix& log_var) {
  for (const Matrix* other : {&mean, &log_var}) {
    require_size(other->rows(), x.rows(), "rows");
    require_size(other->cols(), x.cols(), "columns");
  }
  require(x.size() > 0, "no element");
  const auto samples = static_cast<float>(x.rows());
  const Eigen::ArrayXXf away = mean - x, precision = (-log_var.array()).exp();
  const Eigen::ArrayXXf squares = away.square() * precision;
  const DoubleVector nll =
      (0.5F * (log_var.array() + squares)).cast<double>().rowwise().sum().matrix();
  return {nll, nll.mean(), away * precision / samples, (1.0F - squares) / (2.0F * samples)};
}
}  // namespace nll_no_constant
MISCONCEPTION(
    nll_no_constant, gaussian_nll, "nll.constant-dropped",
    "log 2 pi is missing: 0.919 nats per feature.",
    "A constant has no gradient, so training does not miss it; torch.nn.GaussianNLLLoss leaves it "
    "out unless full=True. A bound on log p(x) needs it. For an image of 196,608 values it is "
    "180,671 nats, and a bound without it can be beaten by nothing but bookkeeping.")

namespace nll_no_log_var {
GaussianNll gaussian_nll(const Matrix& x, const Matrix& mean, const Matrix& log_var) {
  GaussianNll result = solution::gaussian_nll(x, mean, log_var);
  result.per_sample -= 0.5 * log_var.cast<double>().rowwise().sum();
  result.value = result.per_sample.mean();
  return result;
}
}  // namespace nll_no_log_var
MISCONCEPTION(
    nll_no_log_var, gaussian_nll, "nll.log-var-dropped",
    "log_var itself is missing from the sum. It is what a wide prediction costs.",
    "Without it the best variance is infinite: every error is forgiven and nothing is paid. The "
    "term is the normalising constant of the density, which depends on the variance.")

namespace nll_precision_inverted {
GaussianNll gaussian_nll(const Matrix& x, const Matrix& mean, const Matrix& log_var) {
  GaussianNll result = solution::gaussian_nll(x, mean, log_var);
  const Eigen::ArrayXXd squares = (x - mean).cast<double>().array().square();
  const Eigen::ArrayXXd l = log_var.cast<double>();
  result.per_sample += (0.5 * squares * (l.exp() - (-l).exp())).rowwise().sum().matrix();
  result.value = result.per_sample.mean();
  return result;
}
}  // namespace nll_precision_inverted
MISCONCEPTION(nll_precision_inverted, gaussian_nll, "nll.multiplied-by-variance",
              "The squared error was multiplied by the variance. It is divided by it: e^-l.",
              "A decoder that admits to being unsure pays less for an error, not more. At log_var "
              "= 0 the two agree.")

namespace nll_std_for_variance {
GaussianNll gaussian_nll(const Matrix& x, const Matrix& mean, const Matrix& log_var) {
  GaussianNll result = solution::gaussian_nll(x, mean, log_var);
  const Eigen::ArrayXXd squares = (x - mean).cast<double>().array().square();
  const Eigen::ArrayXXd l = log_var.cast<double>();
  result.per_sample += (0.5 * squares * ((-0.5 * l).exp() - (-l).exp())).rowwise().sum().matrix();
  result.value = result.per_sample.mean();
  return result;
}
}  // namespace nll_std_for_variance
MISCONCEPTION(nll_std_for_variance, gaussian_nll, "nll.std-for-variance",
              "The squared error was divided by the standard deviation. It is divided by the "
              "variance, e^l.",
              "(x - m)^2 / sigma^2 is the square of a distance in standard deviations. exp(l / 2) "
              "is what scales noise, in lab 02; here the square is needed.")

namespace nll_half_missing {
GaussianNll gaussian_nll(const Matrix& x, const Matrix& mean, const Matrix& log_var) {
  GaussianNll result = solution::gaussian_nll(x, mean, log_var);
  result.per_sample *= 2.0;
  result.value *= 2.0;
  return result;
}
}  // namespace nll_half_missing
MISCONCEPTION(nll_half_missing, gaussian_nll, "nll.half-missing",
              "The factor 1/2 is missing from the value.",
              "All three terms carry it: log 2 pi and log_var because sigma is a square root, the "
              "squared error because the exponent says so.")

namespace nll_constant_doubled {
GaussianNll gaussian_nll(const Matrix& x, const Matrix& mean, const Matrix& log_var) {
  GaussianNll result = solution::gaussian_nll(x, mean, log_var);
  result.per_sample.array() +=
      0.5 * static_cast<double>(x.cols()) * std::log(2.0 * std::numbers::pi);
  result.value = result.per_sample.mean();
  return result;
}
}  // namespace nll_constant_doubled
MISCONCEPTION(nll_constant_doubled, gaussian_nll, "nll.constant-not-halved",
              "log 2 pi stands in the sum without its 1/2.",
              "The density has 1 / sqrt(2 pi sigma^2): the root makes the logarithm (log 2 pi + l) "
              "/ 2, both parts of it.")

namespace nll_mean_over_features {
GaussianNll gaussian_nll(const Matrix& x, const Matrix& mean, const Matrix& log_var) {
  GaussianNll result = solution::gaussian_nll(x, mean, log_var);
  result.per_sample /= static_cast<double>(x.cols());
  result.value /= static_cast<double>(x.cols());
  return result;
}
}  // namespace nll_mean_over_features
MISCONCEPTION(
    nll_mean_over_features, gaussian_nll, "nll.mean-over-features",
    "You averaged over the features. The log density of a sample is their sum.",
    "torch's losses average over everything by default. Together with a KL that is summed over "
    "latent dimensions, that multiplies beta by the number of features: 784 for an MNIST digit "
    "(AntixK/PyTorch-VAE, issues 11 and 56).")

namespace nll_per_sample_mean {
GaussianNll gaussian_nll(const Matrix& x, const Matrix& mean, const Matrix& log_var) {
  GaussianNll result = solution::gaussian_nll(x, mean, log_var);
  result.per_sample /= static_cast<double>(x.cols());
  return result;
}
}  // namespace nll_per_sample_mean
MISCONCEPTION(nll_per_sample_mean, gaussian_nll, "nll.per-sample-averaged",
              "per_sample holds averages over the features, while value is right. It holds sums.",
              "value should be the plain average of per_sample. Independent features multiply "
              "their densities and add their logarithms.")

namespace nll_batch_sum {
GaussianNll gaussian_nll(const Matrix& x, const Matrix& mean, const Matrix& log_var) {
  GaussianNll result = solution::gaussian_nll(x, mean, log_var);
  result.value = result.per_sample.sum();
  return result;
}
}  // namespace nll_batch_sum
MISCONCEPTION(nll_batch_sum, gaussian_nll, "nll.batch-summed",
              "You summed over the samples too. value is their average: divide by N.",
              "The last batch of an epoch is smaller, and its loss would be as well, for no reason "
              "in the data.")

namespace nll_mean_sign {
GaussianNll gaussian_nll(const Matrix& x, const Matrix& mean, const Matrix& log_var) {
  GaussianNll result = solution::gaussian_nll(x, mean, log_var);
  result.mean = -result.mean;
  return result;
}
}  // namespace nll_mean_sign
MISCONCEPTION(
    nll_mean_sign, gaussian_nll, "nll.mean-gradient-sign",
    "The gradient of the mean has the wrong sign. It is (mean - x) e^-l / N: a mean above "
    "x has to come down.",
    "d/dm of (x - m)^2 is -2 (x - m). The inner minus is the one that is lost.")

namespace nll_gradient_without_one {
GaussianNll gaussian_nll(const Matrix& x, const Matrix& mean, const Matrix& log_var) {
  GaussianNll result = solution::gaussian_nll(x, mean, log_var);
  result.log_var.array() -= 0.5F / static_cast<float>(x.rows());
  return result;
}
}  // namespace nll_gradient_without_one
MISCONCEPTION(
    nll_gradient_without_one, gaussian_nll, "nll.log-var-gradient-without-one",
    "The gradient of log_var lacks the 1, the derivative of the term log_var.",
    "1 - (x - m)^2 e^-l is 0 where the variance equals the squared error: that is the balance the "
    "decoder finds. Without the 1 the gradient is never positive and the variance only grows.")

namespace nll_clamped {
GaussianNll gaussian_nll(const Matrix& x, const Matrix& mean, const Matrix& log_var) {
  return solution::gaussian_nll(x, mean, log_var.cwiseMax(std::log(1e-6F)));
}
}  // namespace nll_clamped
MISCONCEPTION(
    nll_clamped, gaussian_nll, "nll.variance-floored",
    "The variance was kept above 1e-6. The contract takes log_var as it is.",
    "torch.nn.GaussianNLLLoss has such a floor, eps = 1e-6, and documents it. Silent, it makes a "
    "confident decoder's likelihood wrong without a trace: at log_var = -20 an error of 1/64 "
    "costs 59,000 nats, with the floor 122.")

namespace nll_never_negative {
GaussianNll gaussian_nll(const Matrix& x, const Matrix& mean, const Matrix& log_var) {
  GaussianNll result = solution::gaussian_nll(x, mean, log_var);
  result.per_sample = result.per_sample.cwiseMax(0.0);
  result.value = result.per_sample.mean();
  return result;
}
}  // namespace nll_never_negative
MISCONCEPTION(
    nll_never_negative, gaussian_nll, "nll.cut-off-at-zero",
    "Negative values were cut off at 0. A density may exceed 1, and minus its logarithm is then "
    "negative.",
    "Probabilities stay below 1, densities do not: N(0, 0.01) is 3.99 at its mean. \"Negative "
    "loss\" is a frequent question in issue trackers, and mostly not a bug.")

namespace nll_unchecked {
GaussianNll gaussian_nll(const Matrix& x, const Matrix& mean, const Matrix& log_var) {
  require(x.size() > 0, "no element");
  const auto samples = static_cast<double>(x.rows());
  const Eigen::ArrayXXd away = mean.cast<double>() - x.cast<double>(), l = log_var.cast<double>();
  const Eigen::ArrayXXd squares = away.square() * (-l).exp();
  const DoubleVector nll = (0.5 * (std::log(2.0 * std::numbers::pi) + l + squares)).rowwise().sum();
  return {nll, nll.mean(), (away * (-l).exp() / samples).cast<float>(),
          ((1.0 - squares) / (2.0 * samples)).cast<float>()};
}
}  // namespace nll_unchecked
MISCONCEPTION(
    nll_unchecked, gaussian_nll, "nll.unchecked",
    "The numbers are right, but shapes that differ reached Eigen. They have to be refused with "
    "std::invalid_argument.",
    "Eigen's own check is an assertion: it is gone in a release build, and then memory beyond the "
    "smaller matrix is read.")

namespace nll_empty {
GaussianNll gaussian_nll(const Matrix& x, const Matrix& mean, const Matrix& log_var) {
  if (x.size() + mean.size() + log_var.size() > 0) {
    return solution::gaussian_nll(x, mean, log_var);
  }
  return {DoubleVector::Zero(x.rows()), 0.0, x, x};
}
}  // namespace nll_empty
MISCONCEPTION(nll_empty, gaussian_nll, "nll.empty-accepted",
              "A batch without elements was answered. It has to be refused: there is nothing to "
              "average.",
              "The mean of no numbers is 0 / 0. Whatever is returned in its place spoils an "
              "average somewhere else.")

// ---- 3.4 jensen_chain --------------------------------------------------------------------------

namespace chain_gap_reversed {
JensenChain jensen_chain(const DoubleVector& prior, const DoubleVector& likelihood,
                         const DoubleVector& q) {
  require(prior.size() == likelihood.size() && prior.size() == q.size(), "sizes differ");
  const bool positive = (prior.array() >= 0).all() && (q.array() >= 0).all();
  require(positive && (likelihood.array() >= 0).all(), "a negative entry");
  require(std::abs(prior.sum() - 1) <= 1e-9 && std::abs(q.sum() - 1) <= 1e-9, "sum");
  const DoubleVector joint = prior.cwiseProduct(likelihood), posterior = joint / joint.sum();
  require(joint.sum() > 0.0, "p(x) is 0");
  JensenChain chain;
  double mean_ratio = 0.0;
  for (Index z = 0; z < q.size(); ++z) {
    if (posterior(z) > 0.0) chain.gap += posterior(z) * std::log(posterior(z) / q(z));
    if (q(z) == 0.0) continue;
    mean_ratio += joint(z);
    chain.mean_log_ratio += q(z) * std::log(joint(z) / q(z));
    chain.reconstruction += q(z) * std::log(likelihood(z));
    chain.kl += q(z) * std::log(q(z) / prior(z));
  }
  chain.log_evidence = std::log(joint.sum());
  chain.log_mean_ratio = std::log(mean_ratio);
  chain.split = chain.reconstruction - chain.kl;
  return chain;
}
}  // namespace chain_gap_reversed
MISCONCEPTION(
    chain_gap_reversed, jensen_chain, "chain.gap-reversed",
    "Your gap is KL(p(z|x) || q). What is lost is KL(q || p(z|x)), with the expectation under q.",
    "Line 1 minus line 3 is an average over q, since line 3 is one. The other divergence is as "
    "good a measure of how wrong q is, but it does not add up: check line 1 - line 3 against it.")

namespace chain_prior_weights {
JensenChain jensen_chain(const DoubleVector& prior, const DoubleVector& likelihood,
                         const DoubleVector& q) {
  JensenChain chain = solution::jensen_chain(prior, likelihood, q);
  chain.mean_log_ratio = chain.reconstruction = 0.0;
  for (Index z = 0; z < q.size(); ++z) {
    if (q(z) == 0.0) continue;
    chain.mean_log_ratio += prior(z) * std::log(prior(z) * likelihood(z) / q(z));
    chain.reconstruction += prior(z) * std::log(likelihood(z));
  }
  chain.split = chain.reconstruction - chain.kl;
  return chain;
}
}  // namespace chain_prior_weights
MISCONCEPTION(
    chain_prior_weights, jensen_chain, "chain.weighted-by-prior",
    "The expectations were taken under the prior. They are under q: weight state z by q(z).",
    "q was brought into the derivation in order to draw from it. Under the prior nearly every z "
    "explains nearly no x, which is the reason for the whole construction.")

namespace chain_line_copied {
JensenChain jensen_chain(const DoubleVector& prior, const DoubleVector& likelihood,
                         const DoubleVector& q) {
  JensenChain chain = solution::jensen_chain(prior, likelihood, q);
  chain.log_mean_ratio = chain.log_evidence;
  return chain;
}
}  // namespace chain_line_copied
MISCONCEPTION(
    chain_line_copied, jensen_chain, "chain.line-one-copied",
    "Line 2 is a copy of line 1. An expectation under q does not see the states that q never "
    "visits, so it can be smaller.",
    "Multiplying and dividing by q(z) is allowed where q(z) is not 0. The step from line 1 to line "
    "2 has a condition, q > 0 wherever p(x, z) > 0, which a Gaussian q always meets and which "
    "derivations therefore leave out.")

namespace chain_zero_log_zero {
JensenChain jensen_chain(const DoubleVector& prior, const DoubleVector& likelihood,
                         const DoubleVector& q) {
  JensenChain chain = solution::jensen_chain(prior, likelihood, q);
  chain.kl = (q.array() * (q.array() / prior.array()).log()).sum();
  chain.split = chain.reconstruction - chain.kl;
  return chain;
}
}  // namespace chain_zero_log_zero
MISCONCEPTION(
    chain_zero_log_zero, jensen_chain, "chain.zero-log-zero",
    "0 * log(0) is NaN in floating point. A state that q never visits contributes 0.",
    "The limit of t log t for t to 0 is 0, but the machine multiplies 0 by -infinity. Skip the "
    "state. One NaN in a sum is a NaN everywhere after it.")

namespace chain_prior_in_reconstruction {
JensenChain jensen_chain(const DoubleVector& prior, const DoubleVector& likelihood,
                         const DoubleVector& q) {
  JensenChain chain = solution::jensen_chain(prior, likelihood, q);
  chain.reconstruction = chain.kl = 0.0;
  for (Index z = 0; z < q.size(); ++z) {
    if (q(z) == 0.0) continue;
    chain.reconstruction += q(z) * std::log(prior(z) * likelihood(z));
    chain.kl += q(z) * std::log(q(z));
  }
  return chain;
}
}  // namespace chain_prior_in_reconstruction
MISCONCEPTION(
    chain_prior_in_reconstruction, jensen_chain, "chain.prior-in-reconstruction",
    "Your two terms add up to the bound, but the prior sits in the wrong one. Reconstruction is "
    "E_q[log p(x|z)]; KL(q || p(z)) contains log p(z).",
    "E_q[log p(x, z)] minus E_q[log q] is the bound, too, as energy and entropy. The split that "
    "has names puts everything that knows x into one term and everything that does not into the "
    "other.")

namespace chain_bits {
JensenChain jensen_chain(const DoubleVector& prior, const DoubleVector& likelihood,
                         const DoubleVector& q) {
  JensenChain chain = solution::jensen_chain(prior, likelihood, q);
  chain.kl /= std::numbers::ln2;
  chain.split = chain.reconstruction - chain.kl;
  return chain;
}
}  // namespace chain_bits
MISCONCEPTION(chain_bits, jensen_chain, "chain.bits-and-nats",
              "The KL is in bits, the rest in nats. One base for all, the natural one.",
              "Information theory likes log2, and the KL is a rate. But a difference of bits and "
              "nats is neither, and line 4 no longer equals line 3.")

namespace chain_terms_in_bits {
JensenChain jensen_chain(const DoubleVector& prior, const DoubleVector& likelihood,
                         const DoubleVector& q) {
  JensenChain chain = solution::jensen_chain(prior, likelihood, q);
  chain.reconstruction /= std::numbers::ln2;
  chain.kl /= std::numbers::ln2;
  return chain;
}
}  // namespace chain_terms_in_bits
MISCONCEPTION(
    chain_terms_in_bits, jensen_chain, "chain.terms-in-bits",
    "Reconstruction and KL are in bits, their difference in nats. All are wanted in nats.",
    "One nat is 1.4427 bits. Rates are often quoted in bits, distortions never, and a "
    "table that mixes the units cannot be added up by its reader.")

namespace chain_posterior_unnormalised {
JensenChain jensen_chain(const DoubleVector& prior, const DoubleVector& likelihood,
                         const DoubleVector& q) {
  JensenChain chain = solution::jensen_chain(prior, likelihood, q);
  chain.gap = -chain.mean_log_ratio;
  return chain;
}
}  // namespace chain_posterior_unnormalised
MISCONCEPTION(
    chain_posterior_unnormalised, jensen_chain, "chain.posterior-unnormalised",
    "Your gap compares q with p(x, z), which does not sum to 1 over z. The posterior is p(x, z) / "
    "p(x).",
    "KL against the joint is minus the ELBO: the bound itself with another sign. Dividing by p(x) "
    "adds log p(x), and that is exactly how line 1 enters.")

namespace chain_kl_reversed {
JensenChain jensen_chain(const DoubleVector& prior, const DoubleVector& likelihood,
                         const DoubleVector& q) {
  JensenChain chain = solution::jensen_chain(prior, likelihood, q);
  chain.kl = 0.0;
  for (Index z = 0; z < q.size(); ++z) {
    if (prior(z) > 0.0) chain.kl += prior(z) * std::log(prior(z) / q(z));
  }
  chain.split = chain.reconstruction - chain.kl;
  return chain;
}
}  // namespace chain_kl_reversed
MISCONCEPTION(chain_kl_reversed, jensen_chain, "chain.kl-reversed",
              "This is KL(prior || q). The bound contains KL(q || prior), an expectation under q.",
              "The term comes from E_q[log q - log p(z)], so q is the weight. Where q misses a "
              "state, the reversed one is infinite and the right one finite.")

namespace chain_skips_prior_zero {
JensenChain jensen_chain(const DoubleVector& prior, const DoubleVector& likelihood,
                         const DoubleVector& q) {
  JensenChain chain = solution::jensen_chain(prior, likelihood, q);
  chain.kl = 0.0;
  for (Index z = 0; z < q.size(); ++z) {
    if (q(z) > 0.0 && prior(z) > 0.0) chain.kl += q(z) * std::log(q(z) / prior(z));
  }
  chain.split = chain.reconstruction - chain.kl;
  return chain;
}
}  // namespace chain_skips_prior_zero
MISCONCEPTION(
    chain_skips_prior_zero, jensen_chain, "chain.prior-zeros-skipped",
    "States that the prior rules out were skipped in the KL. If q visits one, the KL is infinite.",
    "0 log 0 is harmless, q log(q / 0) is not: q spends probability where nothing can be. A finite "
    "answer hides that the bound is useless there.")

namespace chain_skips_impossible {
JensenChain jensen_chain(const DoubleVector& prior, const DoubleVector& likelihood,
                         const DoubleVector& q) {
  JensenChain chain = solution::jensen_chain(prior, likelihood, q);
  chain.reconstruction = 0.0;
  for (Index z = 0; z < q.size(); ++z) {
    if (q(z) > 0.0 && likelihood(z) > 0.0) chain.reconstruction += q(z) * std::log(likelihood(z));
  }
  chain.split = chain.reconstruction - chain.kl;
  return chain;
}
}  // namespace chain_skips_impossible
MISCONCEPTION(
    chain_skips_impossible, jensen_chain, "chain.impossible-states-skipped",
    "States that cannot have made x were skipped in the reconstruction. If q visits one, its "
    "expected log-likelihood is -infinity.",
    "q claims, with some probability, that x came from a state that never yields x. log 0 is the "
    "price of that, and leaving it out makes a hopeless q look good.")

namespace chain_epsilon {
JensenChain jensen_chain(const DoubleVector& prior, const DoubleVector& likelihood,
                         const DoubleVector& q) {
  JensenChain chain = solution::jensen_chain(prior, likelihood, q);
  const Eigen::ArrayXd safe_q = q.array() + 1e-8, safe_prior = prior.array() + 1e-8;
  chain.kl = (q.array() * (safe_q / safe_prior).log()).sum();
  chain.reconstruction = (q.array() * (likelihood.array() + 1e-8).log()).sum();
  chain.split = chain.reconstruction - chain.kl;
  return chain;
}
}  // namespace chain_epsilon
MISCONCEPTION(
    chain_epsilon, jensen_chain, "chain.epsilon-in-logarithm",
    "A small constant inside the logarithms keeps them finite, and makes every line slightly "
    "wrong. Skip the states that q never visits instead.",
    "log(p + 1e-8) turns -infinity into -18.4, so that an impossible explanation costs 18.4 nats "
    "and no more. The lines of the chain then agree to seven digits, which is what an identity "
    "must not do.")

namespace chain_evidence_under_q {
JensenChain jensen_chain(const DoubleVector& prior, const DoubleVector& likelihood,
                         const DoubleVector& q) {
  JensenChain chain = solution::jensen_chain(prior, likelihood, q);
  chain.log_evidence = std::log(q.dot(likelihood));
  return chain;
}
}  // namespace chain_evidence_under_q
MISCONCEPTION(
    chain_evidence_under_q, jensen_chain, "chain.evidence-under-q",
    "Line 1 averages the likelihood over q. The evidence is the average over the prior, and q has "
    "no part in it.",
    "p(x) belongs to the model; whoever encodes must not be able to change it. An average over q "
    "grows as q concentrates on the best z, and would reward exactly that.")

namespace chain_split_added {
JensenChain jensen_chain(const DoubleVector& prior, const DoubleVector& likelihood,
                         const DoubleVector& q) {
  JensenChain chain = solution::jensen_chain(prior, likelihood, q);
  chain.split = chain.reconstruction + chain.kl;
  return chain;
}
}  // namespace chain_split_added
MISCONCEPTION(chain_split_added, jensen_chain, "chain.kl-added",
              "Line 4 adds the KL. It is subtracted: reconstruction - KL.",
              "In a *loss* both terms are costs and are added. The bound is minus that: a "
              "log-likelihood less what q costs.")

namespace chain_entropy_missing {
JensenChain jensen_chain(const DoubleVector& prior, const DoubleVector& likelihood,
                         const DoubleVector& q) {
  JensenChain chain = solution::jensen_chain(prior, likelihood, q);
  chain.mean_log_ratio = 0.0;
  for (Index z = 0; z < q.size(); ++z) {
    if (q(z) > 0.0) chain.mean_log_ratio += q(z) * std::log(prior(z) * likelihood(z));
  }
  return chain;
}
}  // namespace chain_entropy_missing
MISCONCEPTION(chain_entropy_missing, jensen_chain, "chain.entropy-missing",
              "Line 3 forgets to divide by q(z). Without -log q the spread of q earns nothing.",
              "E_q[log p(x, z)] is best for a q that sits on the single most probable z. The "
              "entropy is what lets q be as wide as the posterior.")

namespace chain_gap_from_line_two {
JensenChain jensen_chain(const DoubleVector& prior, const DoubleVector& likelihood,
                         const DoubleVector& q) {
  JensenChain chain = solution::jensen_chain(prior, likelihood, q);
  chain.gap = chain.log_mean_ratio - chain.mean_log_ratio;
  return chain;
}
}  // namespace chain_gap_from_line_two
MISCONCEPTION(
    chain_gap_from_line_two, jensen_chain, "chain.gap-from-line-two",
    "You subtracted line 3 from line 2. KL(q || p(z|x)) is line 1 minus line 3.",
    "What Jensen's inequality loses is line 2 minus line 3. If q misses a state, the step before "
    "it has lost something as well, and the divergence from the posterior contains both.")

namespace chain_exact_sums {
JensenChain jensen_chain(const DoubleVector& prior, const DoubleVector& likelihood,
                         const DoubleVector& q) {
  require(std::abs(prior.sum() - 1.0) < 1e-14, "the prior does not sum to 1");
  require(std::abs(q.sum() - 1.0) < 1e-14, "q does not sum to 1");
  return solution::jensen_chain(prior, likelihood, q);
}
}  // namespace chain_exact_sums
MISCONCEPTION(
    chain_exact_sums, jensen_chain, "chain.sums-to-the-last-bit",
    "A distribution was refused because its sum misses 1 by rounding. The contract allows 1e-9.",
    "Ten times 0.1 is 0.9999999999999999 in double precision. Who compares such a sum with 1 "
    "exactly refuses distributions that nobody can write better.")

namespace chain_renormalised {
JensenChain jensen_chain(const DoubleVector& prior, const DoubleVector& likelihood,
                         const DoubleVector& q) {
  return solution::jensen_chain(prior / prior.sum(), likelihood, q / q.sum());
}
}  // namespace chain_renormalised
MISCONCEPTION(
    chain_renormalised, jensen_chain, "chain.renormalised",
    "Prior and q were made to sum to 1. Weights that do not are a caller's mistake, to be refused.",
    "Repairing an argument hides where it broke. Weights that sum to 2 mostly mean that a state "
    "was counted twice, and then the repaired ones are wrong as well.")

namespace chain_sizes_unchecked {
JensenChain jensen_chain(const DoubleVector& prior, const DoubleVector& likelihood,
                         const DoubleVector& q) {
  const Index states = std::min({prior.size(), likelihood.size(), q.size()});
  return solution::jensen_chain(prior.head(states), likelihood.head(states), q.head(states));
}
}  // namespace chain_sizes_unchecked
MISCONCEPTION(chain_sizes_unchecked, jensen_chain, "chain.sizes-unchecked",
              "Distributions of different sizes were cut to the shortest. They have to be refused.",
              "If one of the three has a state more, it is not known which state of the others is "
              "missing. A loop over the shortest answers a question nobody asked.")

namespace chain_negative_accepted {
JensenChain jensen_chain(const DoubleVector& prior, const DoubleVector& likelihood,
                         const DoubleVector& q) {
  const bool negative =
      (prior.array() < 0.0).any() || (likelihood.array() < 0.0).any() || (q.array() < 0.0).any();
  if (!negative) return solution::jensen_chain(prior, likelihood, q);
  JensenChain chain;
  chain.log_evidence = std::log(prior.dot(likelihood));
  return chain;
}
}  // namespace chain_negative_accepted
MISCONCEPTION(
    chain_negative_accepted, jensen_chain, "chain.negative-accepted",
    "A negative entry was accepted, since the sum was 1. No probability is negative.",
    "A sum cannot see two mistakes that cancel. The logarithm of a negative number is a NaN, if it "
    "is reached; if not, the answer looks like any other.")

namespace chain_impossible_x {
JensenChain jensen_chain(const DoubleVector& prior, const DoubleVector& likelihood,
                         const DoubleVector& q) {
  const bool fits = prior.size() == likelihood.size() && (prior.array() >= 0.0).all() &&
                    (likelihood.array() >= 0.0).all();
  if (!fits || prior.dot(likelihood) > 0.0) return solution::jensen_chain(prior, likelihood, q);
  const double infinity = std::numeric_limits<double>::infinity();
  return {-infinity, -infinity, -infinity, -infinity, 0.0, -infinity, infinity};
}
}  // namespace chain_impossible_x
MISCONCEPTION(
    chain_impossible_x, jensen_chain, "chain.impossible-x-accepted",
    "An x that the model can never produce was answered. p(x) = 0 has to be refused: there is no "
    "posterior to compare q with.",
    "p(z|x) = p(x, z) / p(x) is 0 / 0 there. -infinity for every line looks consistent, and is a "
    "statement about a distribution that does not exist.")

// ---- 3.5 linear_gaussian_evidence --------------------------------------------------------------

namespace linear_no_numerator {
LinearGaussianEvidence linear_gaussian_evidence(double x, const LinearGaussian& model) {
  require(model.var > 0.0, "the variance must be above 0");
  const double total = model.weight * model.weight + model.var;
  const double log_evidence = -0.5 * std::log(2.0 * std::numbers::pi * total) - x * x / total / 2.0;
  return {log_evidence, {model.weight * x / total, 1.0 / total}};
}
}  // namespace linear_no_numerator
MISCONCEPTION(
    linear_no_numerator, linear_gaussian_evidence, "linear.posterior-var-without-numerator",
    "The posterior variance is 1 / (w^2 + s2). Its numerator s2 is missing.",
    "Precisions add: 1 / var = 1 + w^2 / s2, from the prior and from x. Multiplied out, that is s2 "
    "/ (w^2 + s2). For s2 = 1 the slip cannot be seen; for s2 = 0.01 and w = 0 it says that x has "
    "made z a hundred times *less* certain.")

namespace linear_weight_not_squared {
LinearGaussianEvidence linear_gaussian_evidence(double x, const LinearGaussian& model) {
  const LinearGaussianEvidence right = solution::linear_gaussian_evidence(x, model);
  const double total = std::abs(model.weight) + model.var;
  return {-0.5 * (std::log(2.0 * std::numbers::pi * total) + x * x / total), right.posterior};
}
}  // namespace linear_weight_not_squared
MISCONCEPTION(
    linear_weight_not_squared, linear_gaussian_evidence, "linear.weight-not-squared",
    "The evidence's variance adds w itself. It is w^2 + s2: a variance scales with the square.",
    "Var[w z] = w^2 Var[z]. At w = 1 the two agree.")

namespace linear_underflow {
LinearGaussianEvidence linear_gaussian_evidence(double x, const LinearGaussian& model) {
  const LinearGaussianEvidence right = solution::linear_gaussian_evidence(x, model);
  const double total = model.weight * model.weight + model.var;
  const double density = std::exp(-0.5 * x * x / total) / std::sqrt(2.0 * std::numbers::pi * total);
  return {std::log(density), right.posterior};
}
}  // namespace linear_underflow
MISCONCEPTION(
    linear_underflow, linear_gaussian_evidence, "linear.log-of-density",
    "You computed the density and took its logarithm. Far out the density is 0 in double "
    "precision, and its logarithm -infinity. Write the logarithm down directly.",
    "exp(-745) is the smallest positive double. A log density of -1000 is nothing unusual; of an "
    "image it is more like -100,000. Logarithms of products are sums: there is no need to pass "
    "through the density.")

namespace linear_density {
LinearGaussianEvidence linear_gaussian_evidence(double x, const LinearGaussian& model) {
  const LinearGaussianEvidence right = solution::linear_gaussian_evidence(x, model);
  return {std::exp(right.log_evidence), right.posterior};
}
}  // namespace linear_density
MISCONCEPTION(linear_density, linear_gaussian_evidence, "linear.density",
              "This is the density p(x). Its logarithm is wanted.",
              "The bound is on log p(x). A density is never negative, the logarithm of one below 1 "
              "always is.")

namespace linear_half_missing {
LinearGaussianEvidence linear_gaussian_evidence(double x, const LinearGaussian& model) {
  const LinearGaussianEvidence right = solution::linear_gaussian_evidence(x, model);
  const double total = model.weight * model.weight + model.var;
  return {right.log_evidence - 0.5 * x * x / total, right.posterior};
}
}  // namespace linear_half_missing
MISCONCEPTION(linear_half_missing, linear_gaussian_evidence, "linear.half-missing",
              "The squared distance lacks its 1/2: x^2 / 2 (w^2 + s2).",
              "The exponent of a Gaussian is -(x - m)^2 / 2 var. Without the 1/2 every x looks "
              "less likely than it is, by more the further out.")

namespace linear_std_for_variance {
LinearGaussianEvidence linear_gaussian_evidence(double x, const LinearGaussian& model) {
  require(model.var > 0.0, "the variance must be above 0");
  return solution::linear_gaussian_evidence(x, {model.weight, model.var * model.var});
}
}  // namespace linear_std_for_variance
MISCONCEPTION(linear_std_for_variance, linear_gaussian_evidence, "linear.variance-squared",
              "You squared the decoder's variance. It is s2 already.",
              "The struct's member is called var. At 1 a variance and its square agree, which is "
              "where examples like to live.")

namespace linear_constant_dropped {
LinearGaussianEvidence linear_gaussian_evidence(double x, const LinearGaussian& model) {
  const LinearGaussianEvidence right = solution::linear_gaussian_evidence(x, model);
  return {right.log_evidence + 0.5 * std::log(2.0 * std::numbers::pi), right.posterior};
}
}  // namespace linear_constant_dropped
MISCONCEPTION(linear_constant_dropped, linear_gaussian_evidence, "linear.constant-dropped",
              "log 2 pi is missing: the evidence is 0.919 too high.",
              "An identity between ELBO, gap and evidence holds with all constants or not at all.")

namespace linear_mean_without_weight {
LinearGaussianEvidence linear_gaussian_evidence(double x, const LinearGaussian& model) {
  LinearGaussianEvidence result = solution::linear_gaussian_evidence(x, model);
  result.posterior.mean = x / (model.weight * model.weight + model.var);
  return result;
}
}  // namespace linear_mean_without_weight
MISCONCEPTION(
    linear_mean_without_weight, linear_gaussian_evidence, "linear.posterior-mean-without-weight",
    "The posterior mean lacks the factor w in its numerator: w x / (w^2 + s2).",
    "For a decoder with little noise z should be x / w, which is what w x / w^2 gives. And with a "
    "negative w the posterior lies on the other side of 0.")

namespace linear_mean_without_precision {
LinearGaussianEvidence linear_gaussian_evidence(double x, const LinearGaussian& model) {
  LinearGaussianEvidence result = solution::linear_gaussian_evidence(x, model);
  result.posterior.mean = result.posterior.var * model.weight * x;
  return result;
}
}  // namespace linear_mean_without_precision
MISCONCEPTION(
    linear_mean_without_precision, linear_gaussian_evidence, "linear.mean-without-precision",
    "The posterior mean is its variance times w x, and a division by s2 is missing.",
    "The mean is the posterior variance times w x / s2: x counts with its own precision. Without "
    "the 1 / s2 a precise decoder, with a small s2, would pull z to 0.")

namespace linear_posterior_std {
LinearGaussianEvidence linear_gaussian_evidence(double x, const LinearGaussian& model) {
  LinearGaussianEvidence result = solution::linear_gaussian_evidence(x, model);
  result.posterior.var = std::sqrt(result.posterior.var);
  return result;
}
}  // namespace linear_posterior_std
MISCONCEPTION(
    linear_posterior_std, linear_gaussian_evidence, "linear.posterior-std",
    "This is the posterior's standard deviation. ScalarGaussian holds the variance.",
    "Both are 1 where w is 0. Handed on as a variance, it makes the exact posterior look too wide, "
    "and the gap of 3.6 no longer vanishes there.")

namespace linear_divides_by_weight {
LinearGaussianEvidence linear_gaussian_evidence(double x, const LinearGaussian& model) {
  LinearGaussianEvidence result = solution::linear_gaussian_evidence(x, model);
  const double trusted = model.weight * model.weight / (model.weight * model.weight + model.var);
  result.posterior.mean = x / model.weight * trusted;
  return result;
}
}  // namespace linear_divides_by_weight
MISCONCEPTION(
    linear_divides_by_weight, linear_gaussian_evidence, "linear.divides-by-weight",
    "You divided by w, which is NaN or infinite for w = 0. There x says nothing about z, and the "
    "posterior is the prior.",
    "x / w is the best guess of a decoder without noise, and w^2 / (w^2 + s2) how far to trust it: "
    "a good reading of the formula. Multiplied out, the w cancels and nothing is divided by it.")

namespace linear_floor {
LinearGaussianEvidence linear_gaussian_evidence(double x, const LinearGaussian& model) {
  require(model.var > 0.0, "the variance must be above 0");
  return solution::linear_gaussian_evidence(x, {model.weight, std::max(model.var, 1e-8)});
}
}  // namespace linear_floor
MISCONCEPTION(linear_floor, linear_gaussian_evidence, "linear.variance-floored",
              "The decoder's variance was kept above 1e-8. It is used as it is.",
              "Nothing in the formula is in danger from a small variance: w^2 + s2 is what is "
              "divided by. A floor makes the posterior wider than it is, silently.")

namespace linear_unchecked {
LinearGaussianEvidence linear_gaussian_evidence(double x, const LinearGaussian& model) {
  const double total = model.weight * model.weight + model.var;
  return {-0.5 * (std::log(2.0 * std::numbers::pi * total) + x * x / total),
          {model.weight * x / total, model.var / total}};
}
}  // namespace linear_unchecked
MISCONCEPTION(
    linear_unchecked, linear_gaussian_evidence, "linear.unchecked",
    "A decoder variance of 0 or below was accepted. It has to be refused.",
    "w^2 + s2 may still be positive, so the evidence looks fine, while the posterior has variance "
    "0 or a negative one.")

// ---- 3.6 elbo_gap ------------------------------------------------------------------------------

namespace gap_spread_missing {
ElboGap elbo_gap(double x, const LinearGaussian& model, const ScalarGaussian& q) {
  require(q.var > 0.0, "the variance of q must be above 0");
  const ScalarGaussian p = linear_gaussian_evidence(x, model).posterior;
  const double miss = x - model.weight * q.mean, apart = q.mean - p.mean;
  const double reconstruction =
      -0.5 * (std::log(2.0 * std::numbers::pi * model.var) + miss * miss / model.var);
  const double kl = 0.5 * (q.mean * q.mean + q.var - 1.0 - std::log(q.var));
  const double gap = 0.5 * (std::log(p.var / q.var) - 1.0 + (q.var + apart * apart) / p.var);
  return {reconstruction, kl, reconstruction - kl, gap};
}
}  // namespace gap_spread_missing
MISCONCEPTION(
    gap_spread_missing, elbo_gap, "gap.spread-missing",
    "You decoded the mean of q. The expectation is over q, whose spread adds w^2 v to the squared "
    "error.",
    "E[(x - w z)^2] = (x - w m)^2 + w^2 v. Decoding the mean makes the bound too high, by w^2 v / "
    "2 "
    "s2, and for a wide q it even exceeds log p(x). A bound that is broken in your favour is still "
    "broken.")

namespace gap_reversed {
ElboGap elbo_gap(double x, const LinearGaussian& model, const ScalarGaussian& q) {
  ElboGap result = solution::elbo_gap(x, model, q);
  const ScalarGaussian p = solution::linear_gaussian_evidence(x, model).posterior;
  const double apart = q.mean - p.mean;
  result.gap = 0.5 * (std::log(q.var / p.var) - 1.0 + (p.var + apart * apart) / q.var);
  return result;
}
}  // namespace gap_reversed
MISCONCEPTION(
    gap_reversed, elbo_gap, "gap.reversed",
    "Your gap is KL(posterior || q). The one that adds up to log p(x) is KL(q || posterior).",
    "The bound is an expectation under q, so what it lacks is one too. At the exact posterior both "
    "are 0, so a test there sees nothing.")

namespace gap_kl_added {
ElboGap elbo_gap(double x, const LinearGaussian& model, const ScalarGaussian& q) {
  ElboGap result = solution::elbo_gap(x, model, q);
  result.elbo = result.reconstruction + result.kl;
  return result;
}
}  // namespace gap_kl_added
MISCONCEPTION(gap_kl_added, elbo_gap, "gap.kl-added",
              "The KL was added to the reconstruction. The ELBO subtracts it.",
              "Added, the two would reward a q far away from the prior, and the sum would exceed "
              "log p(x). In a loss both are added, as costs.")

namespace gap_constant_dropped {
ElboGap elbo_gap(double x, const LinearGaussian& model, const ScalarGaussian& q) {
  ElboGap result = solution::elbo_gap(x, model, q);
  const double constant = 0.5 * std::log(2.0 * std::numbers::pi * model.var);
  result.reconstruction += constant;
  result.elbo += constant;
  return result;
}
}  // namespace gap_constant_dropped
MISCONCEPTION(
    gap_constant_dropped, elbo_gap, "gap.constant-dropped",
    "The decoder's normalising constant is missing: -log(2 pi s2) / 2 belongs to log p(x|z).",
    "A squared error over 2 s2 has the right gradient for w and q. It is not a log-likelihood, and "
    "elbo + gap misses log p(x) by the constant.")

namespace gap_energy_entropy {
ElboGap elbo_gap(double x, const LinearGaussian& model, const ScalarGaussian& q) {
  ElboGap result = solution::elbo_gap(x, model, q);
  const double log_2_pi = std::log(2.0 * std::numbers::pi);
  result.reconstruction -= 0.5 * (log_2_pi + q.mean * q.mean + q.var);
  result.kl = -0.5 * (log_2_pi + 1.0 + std::log(q.var));
  return result;
}
}  // namespace gap_energy_entropy
MISCONCEPTION(
    gap_energy_entropy, elbo_gap, "gap.prior-in-reconstruction",
    "Bound and gap are right, but log p(z) sits in the reconstruction. Reconstruction is "
    "E_q[log p(x|z)] alone, and the KL contains the prior.",
    "Energy plus entropy is another way to split the bound. It has no term that is 0 when q equals "
    "the prior, so collapse cannot be read off it.")

namespace gap_floor {
ElboGap elbo_gap(double x, const LinearGaussian& model, const ScalarGaussian& q) {
  require(q.var > 0.0, "the variance of q must be above 0");
  return solution::elbo_gap(x, model, {q.mean, std::max(q.var, 1e-8)});
}
}  // namespace gap_floor
MISCONCEPTION(gap_floor, elbo_gap, "gap.variance-floored",
              "The variance of q was kept above 1e-8. It is used as it is.",
              "log v of a small v is a large negative number, not a danger. The floor caps what a "
              "point-like q costs, and with it the one thing that keeps q from becoming a point.")

namespace gap_std_for_variance {
ElboGap elbo_gap(double x, const LinearGaussian& model, const ScalarGaussian& q) {
  require(q.var > 0.0, "the variance of q must be above 0");
  return solution::elbo_gap(x, model, {q.mean, q.var * q.var});
}
}  // namespace gap_std_for_variance
MISCONCEPTION(gap_std_for_variance, elbo_gap, "gap.variance-squared",
              "You squared the variance of q. ScalarGaussian holds the variance itself.",
              "N(0.3, 0.4) has variance 0.4 here. Elsewhere the second place may be the standard "
              "deviation; the contract says which.")

namespace gap_without_kl {
ElboGap elbo_gap(double x, const LinearGaussian& model, const ScalarGaussian& q) {
  ElboGap result = solution::elbo_gap(x, model, q);
  result.gap -= result.kl;
  return result;
}
}  // namespace gap_without_kl
MISCONCEPTION(gap_without_kl, elbo_gap, "gap.from-reconstruction",
              "Your gap is what is missing from the reconstruction to log p(x). It is what is "
              "missing from the ELBO.",
              "The reconstruction alone may exceed log p(x), and this difference is then negative. "
              "A divergence is not.")

namespace gap_from_prior {
ElboGap elbo_gap(double x, const LinearGaussian& model, const ScalarGaussian& q) {
  ElboGap result = solution::elbo_gap(x, model, q);
  result.gap = result.kl;
  return result;
}
}  // namespace gap_from_prior
MISCONCEPTION(
    gap_from_prior, elbo_gap, "gap.from-prior",
    "Your gap is KL(q || prior), the term inside the ELBO. The gap is KL(q || posterior).",
    "Two divergences of the same q: from what is believed before x, which is a cost, and from what "
    "should be believed after x, which is the error. Training lowers the second, often by raising "
    "the first.")

namespace gap_q_unchecked {
ElboGap elbo_gap(double x, const LinearGaussian& model, const ScalarGaussian& q) {
  if (q.var > 0.0) return solution::elbo_gap(x, model, q);
  const double infinity = std::numeric_limits<double>::infinity();
  return {solution::elbo_gap(x, model, {q.mean, 1.0}).reconstruction, infinity, -infinity,
          infinity};
}
}  // namespace gap_q_unchecked
MISCONCEPTION(gap_q_unchecked, elbo_gap, "gap.q-unchecked",
              "A q with a variance of 0 or below was accepted. It has to be refused.",
              "A point has no density, and the logarithm of a negative variance is NaN. -infinity "
              "would be a fair limit for 0, and for -0.4 there is none.")

namespace gap_model_unchecked {
ElboGap elbo_gap(double x, const LinearGaussian& model, const ScalarGaussian& q) {
  return solution::elbo_gap(x, {model.weight, std::abs(model.var) + (model.var == 0.0)}, q);
}
}  // namespace gap_model_unchecked
MISCONCEPTION(gap_model_unchecked, elbo_gap, "gap.model-unchecked",
              "A decoder variance of 0 or below was accepted. It has to be refused, as "
              "linear_gaussian_evidence does.",
              "An argument that is repaired in silence answers a question that nobody asked.")

namespace step_same_decoder {
BoundStep bound_counterexample(double x, double var) {
  require(var > 0.0, "var must be above 0");
  const double weight = std::abs(x) + 1.0, total = weight * weight + var;
  return {{weight, {weight * x / total + 10.0, var / total}},
          {weight, {weight * x / total, var / total}}};
}
}  // namespace step_same_decoder
MISCONCEPTION(
    step_same_decoder, bound_counterexample, "step.same-decoder",
    "Only q changes from before to after, so log p(x) stays where it is. It has to fall, and that "
    "takes another w.",
    "Improving q for a fixed decoder closes the gap: the ELBO rises, log p(x) has no part in it. "
    "That is already enough to say that the ELBO can rise without log p(x); that log p(x) may even "
    "*fall* needs a decoder that becomes worse while q becomes better.")

namespace step_of_the_lesson {
BoundStep bound_counterexample(double, double var) {
  require(var > 0.0, "var must be above 0");
  return {{2.0, {0.3, 0.4}}, {3.5, {3.5 * 1.7 / 12.75, 0.5 / 12.75}}};
}
}  // namespace step_of_the_lesson
MISCONCEPTION(
    step_of_the_lesson, bound_counterexample, "step.one-example-for-all",
    "This pair is a counter-example for x = 1.7 and s2 = 0.5. For another x the posterior is "
    "another one, and so is the best w.",
    "The pair has to be made from x and var. Take q from linear_gaussian_evidence, and think about "
    "which w makes *this* x likely.")

namespace step_fixed_weights {
BoundStep bound_counterexample(double x, double var) {
  ScalarGaussian off = solution::linear_gaussian_evidence(x, {2.0, var}).posterior;
  off.mean += 10.0;
  return {{2.0, off}, {3.5, solution::linear_gaussian_evidence(x, {3.5, var}).posterior}};
}
}  // namespace step_fixed_weights
MISCONCEPTION(
    step_fixed_weights, bound_counterexample, "step.fixed-weights",
    "The two values of w are the same for every x. For an x far out the larger w is the better "
    "decoder, and log p(x) rises.",
    "p(x) is N(0, w^2 + s2). At x it is highest for w^2 + s2 = x^2: beyond that a larger w makes x "
    "less likely, before it more.")

namespace step_proportional {
BoundStep bound_counterexample(double x, double var) {
  ScalarGaussian off = solution::linear_gaussian_evidence(x, {x, var}).posterior;
  off.mean += 10.0;
  return {{x, off}, {10.0 * x, solution::linear_gaussian_evidence(x, {10.0 * x, var}).posterior}};
}
}  // namespace step_proportional
MISCONCEPTION(
    step_proportional, bound_counterexample, "step.no-example-at-zero",
    "At x = 0 both of your decoders are the same, and log p(x) does not fall.",
    "Weights in proportion to x are a good idea for every other x. At 0 any w makes x less likely "
    "than w = 0 does, so one that also grows with the decoder's deviation will do.")

namespace step_exact_q {
BoundStep bound_counterexample(double x, double var) {
  BoundStep step = solution::bound_counterexample(x, var);
  step.before.q = solution::linear_gaussian_evidence(x, {step.before.weight, var}).posterior;
  return step;
}
}  // namespace step_exact_q
MISCONCEPTION(
    step_exact_q, bound_counterexample, "step.exact-before",
    "q is exact before and after, so the ELBO is log p(x) both times and falls with it. There has "
    "to be a gap to close.",
    "ELBO = log p(x) - gap. For the left side to rise while log p(x) falls, the gap has to shrink "
    "by more than log p(x) loses: begin with a large one.")

namespace step_backwards {
BoundStep bound_counterexample(double x, double var) {
  const BoundStep step = solution::bound_counterexample(x, var);
  return {step.after, step.before};
}
}  // namespace step_backwards
MISCONCEPTION(step_backwards, bound_counterexample, "step.backwards",
              "Read from before to after, the ELBO falls and log p(x) rises. Exchange the two.",
              "That the ELBO can fall while log p(x) rises is true as well, and it is why a better "
              "model can look worse. Here the other direction is asked for.")

namespace step_too_small {
BoundStep bound_counterexample(double x, double var) {
  BoundStep step = solution::bound_counterexample(x, var);
  step.after.weight = std::abs(step.before.weight) + 0.01;
  step.after.q = solution::linear_gaussian_evidence(x, {step.after.weight, var}).posterior;
  return step;
}
}  // namespace step_too_small
MISCONCEPTION(step_too_small, bound_counterexample, "step.too-small",
              "log p(x) hardly falls. The contract asks for at least 0.1 nats, in both.",
              "A difference in the third decimal could be rounding. Take a w that makes x clearly "
              "less likely.")

namespace step_unchecked {
BoundStep bound_counterexample(double x, double var) {
  return solution::bound_counterexample(x, var > 0.0 ? var : 1.0);
}
}  // namespace step_unchecked
MISCONCEPTION(step_unchecked, bound_counterexample, "step.unchecked",
              "A decoder variance of 0 or below was accepted. It has to be refused.",
              "There is no model with such a variance, so nothing can be said about its bound.")

// ---- 3.7 kl_monte_carlo ------------------------------------------------------------------------

namespace mc_sign {
DoubleVector kl_monte_carlo(const RowVector& mu, const RowVector& log_var, const Matrix& eps) {
  require_size(log_var.size(), mu.size(), "size of log_var");
  require_size(eps.cols(), mu.size(), "columns of eps");
  DoubleVector result(eps.rows());
  for (Index s = 0; s < eps.rows(); ++s) {
    const Eigen::ArrayXd e = eps.row(s).cast<double>().transpose();
    const Eigen::ArrayXd l = log_var.cast<double>().transpose();
    const Eigen::ArrayXd z = mu.cast<double>().transpose().array() + (0.5 * l).exp() * e;
    result(s) = 0.5 * (e.square() + l - z.square()).sum();
  }
  return result;
}
}  // namespace mc_sign
MISCONCEPTION(
    mc_sign, kl_monte_carlo, "kl-mc.sign-flipped",
    "This is log p(z) - log q(z). The divergence is the expectation of log q(z) - log p(z).",
    "log p - log q is what stands in an importance weight, in 3.9. Its expectation under q is "
    "minus the divergence, so their mean came out negative.")

namespace mc_log_var_missing {
DoubleVector kl_monte_carlo(const RowVector& mu, const RowVector& log_var, const Matrix& eps) {
  return solution::kl_monte_carlo(mu, log_var, eps).array() + 0.5 * log_var.cast<double>().sum();
}
}  // namespace mc_log_var_missing
MISCONCEPTION(
    mc_log_var_missing, kl_monte_carlo, "kl-mc.log-var-missing",
    "The term -log_var / 2 is missing: the height of q's density.",
    "log q(z) is -(eps^2 + log_var + log 2 pi) / 2. The constant cancels against the prior's, the "
    "log-variance has nothing to cancel against.")

namespace mc_other_noise {
DoubleVector kl_monte_carlo(const RowVector& mu, const RowVector& log_var, const Matrix& eps) {
  DoubleVector result = solution::kl_monte_carlo(mu, log_var, eps);
  const DoubleVector squares = eps.cast<double>().rowwise().squaredNorm();
  return result + 0.5 * squares - 0.5 * squares.reverse();
}
}  // namespace mc_other_noise
MISCONCEPTION(
    mc_other_noise, kl_monte_carlo, "kl-mc.noise-of-another-draw",
    "z and log q(z) used the noise of different draws. Both belong to the same row of eps.",
    "The mean would still be right, and the variance far too large: it is the covariance of the "
    "two densities at the *same* z that makes their difference quiet.")

namespace mc_absolute {
DoubleVector kl_monte_carlo(const RowVector& mu, const RowVector& log_var, const Matrix& eps) {
  return solution::kl_monte_carlo(mu, log_var, eps).cwiseAbs();
}
}  // namespace mc_absolute
MISCONCEPTION(
    mc_absolute, kl_monte_carlo, "kl-mc.absolute",
    "Negative estimates lost their sign. A single draw may say less than 0; only the mean may not.",
    "The absolute value looks like common sense, since divergences are not negative. But it biases "
    "the mean upwards, the more so the closer q is to the prior, where half of the estimates are "
    "negative.")

namespace mc_cut_off {
DoubleVector kl_monte_carlo(const RowVector& mu, const RowVector& log_var, const Matrix& eps) {
  return solution::kl_monte_carlo(mu, log_var, eps).cwiseMax(0.0);
}
}  // namespace mc_cut_off
MISCONCEPTION(mc_cut_off, kl_monte_carlo, "kl-mc.cut-off-at-zero",
              "Negative estimates were cut off at 0. A single draw may say less than 0.",
              "Cutting one side of a distribution off moves its mean. The estimator is then no "
              "longer unbiased, and its gradient is 0 wherever it was cut.")

namespace mc_mean_over_dims {
DoubleVector kl_monte_carlo(const RowVector& mu, const RowVector& log_var, const Matrix& eps) {
  const DoubleVector sums = solution::kl_monte_carlo(mu, log_var, eps);
  return sums / static_cast<double>(mu.size());
}
}  // namespace mc_mean_over_dims
MISCONCEPTION(mc_mean_over_dims, kl_monte_carlo, "kl-mc.mean-over-dims",
              "You averaged over latent dimensions. The ELBO sums them.",
              "Log densities of independent dimensions add. With one dimension it cannot be seen.")

namespace mc_mean_over_draws {
DoubleVector kl_monte_carlo(const RowVector& mu, const RowVector& log_var, const Matrix& eps) {
  const DoubleVector each = solution::kl_monte_carlo(mu, log_var, eps);
  return DoubleVector::Constant(each.size(), each.sum() / std::max(1.0, double(each.size())));
}
}  // namespace mc_mean_over_draws
MISCONCEPTION(mc_mean_over_draws, kl_monte_carlo, "kl-mc.averaged-over-draws",
              "Every entry is the mean over the draws. One estimate per draw is wanted.",
              "The mean is what one trains on; the spread of the estimates is what this exercise "
              "is about, and a mean has none left.")

namespace mc_closed_form {
DoubleVector kl_monte_carlo(const RowVector& mu, const RowVector& log_var, const Matrix& eps) {
  solution::kl_monte_carlo(mu, log_var, eps);  // refuses what does not fit
  double kl = 0.0;
  for (Index d = 0; d < mu.size(); ++d) kl += solution::kl_standard_normal_1d(mu(d), log_var(d));
  return DoubleVector::Constant(eps.rows(), kl);
}
}  // namespace mc_closed_form
MISCONCEPTION(mc_closed_form, kl_monte_carlo, "kl-mc.closed-form",
              "This is the closed form, the same for every draw. The estimate depends on eps.",
              "For a Gaussian q and prior nobody needs the estimate, true. For a flow, a mixture "
              "or a learned prior there is no closed form, and then this is all there is.")

namespace mc_entropy_exact {
DoubleVector kl_monte_carlo(const RowVector& mu, const RowVector& log_var, const Matrix& eps) {
  const DoubleVector squares = eps.cast<double>().rowwise().squaredNorm();
  return solution::kl_monte_carlo(mu, log_var, eps).array() +
         0.5 * (squares.array() - static_cast<double>(mu.size()));
}
}  // namespace mc_entropy_exact
MISCONCEPTION(
    mc_entropy_exact, kl_monte_carlo, "kl-mc.entropy-in-closed-form",
    "You replaced eps^2 by its expectation, 1. That is unbiased as well, but it is another "
    "estimator: the contract's has log q(z) at the draw.",
    "Using what is known exactly sounds better than sampling it, and here it is worse. With q "
    "equal "
    "to the prior, z^2 - eps^2 is 0 for every draw, z^2 - 1 is not: the two errors no longer "
    "cancel.")

namespace mc_two_pi {
DoubleVector kl_monte_carlo(const RowVector& mu, const RowVector& log_var, const Matrix& eps) {
  const double constant = 0.5 * static_cast<double>(mu.size()) * std::log(2.0 * std::numbers::pi);
  return solution::kl_monte_carlo(mu, log_var, eps).array() + constant;
}
}  // namespace mc_two_pi
MISCONCEPTION(mc_two_pi, kl_monte_carlo, "kl-mc.constant-in-one-density",
              "Only one of the two densities has its log 2 pi. In the difference it cancels.",
              "0.919 nats per dimension too much. Two densities that are compared have to be "
              "normalised in the same way.")

namespace mc_truncated {
DoubleVector kl_monte_carlo(const RowVector& mu, const RowVector& log_var, const Matrix& eps) {
  return solution::kl_monte_carlo(mu, log_var, eps.cwiseMax(-1.96F).cwiseMin(1.96F));
}
}  // namespace mc_truncated
MISCONCEPTION(
    mc_truncated, kl_monte_carlo, "kl-mc.noise-truncated",
    "Noise beyond 1.96 was cut off. It is used as it comes: the mean needs its tails.",
    "Truncated noise has another density than N(0, 1), so the estimates no longer average to the "
    "divergence. Truncation is a trick of finished generators, not of an expectation.")

namespace mc_variance_for_std {
DoubleVector kl_monte_carlo(const RowVector& mu, const RowVector& log_var, const Matrix& eps) {
  solution::kl_monte_carlo(mu, log_var, eps);  // refuses what does not fit
  DoubleVector result = DoubleVector::Zero(eps.rows());
  for (Index s = 0; s < eps.rows(); ++s) {
    for (Index d = 0; d < eps.cols(); ++d) {
      const double e = eps(s, d), l = log_var(d), z = mu(d) + std::exp(l) * e;
      result(s) += 0.5 * (z * z - e * e - l);
    }
  }
  return result;
}
}  // namespace mc_variance_for_std
MISCONCEPTION(mc_variance_for_std, kl_monte_carlo, "kl-mc.variance-for-std",
              "z was drawn with the variance exp(log_var) in the place of the standard deviation "
              "exp(log_var / 2).",
              "The commonest mistake of lab 02. log q(z) is then evaluated at a z that q did not "
              "draw.")

namespace mc_half_missing {
DoubleVector kl_monte_carlo(const RowVector& mu, const RowVector& log_var, const Matrix& eps) {
  return 2.0 * solution::kl_monte_carlo(mu, log_var, eps);
}
}  // namespace mc_half_missing
MISCONCEPTION(mc_half_missing, kl_monte_carlo, "kl-mc.half-missing", "The factor 1/2 is missing.",
              "Both exponents carry it. The estimates then average to twice the divergence.")

namespace mc_no_draw_refused {
DoubleVector kl_monte_carlo(const RowVector& mu, const RowVector& log_var, const Matrix& eps) {
  const DoubleVector result = solution::kl_monte_carlo(mu, log_var, eps);
  require(eps.rows() > 0, "at least one draw is needed");
  return result;
}
}  // namespace mc_no_draw_refused
MISCONCEPTION(mc_no_draw_refused, kl_monte_carlo, "kl-mc.no-draw-refused",
              "No draws were refused. S may be 0: no draw, no estimate.",
              "An average over no draws would be 0 / 0. Here nothing is averaged, so there is "
              "nothing to protect.")

namespace mc_log_var_unchecked {
DoubleVector kl_monte_carlo(const RowVector& mu, const RowVector& log_var, const Matrix& eps) {
  if (log_var.size() < mu.size()) return solution::kl_monte_carlo(mu, log_var, eps);
  return solution::kl_monte_carlo(mu, log_var.head(mu.size()), eps);
}
}  // namespace mc_log_var_unchecked
MISCONCEPTION(mc_log_var_unchecked, kl_monte_carlo, "kl-mc.log-var-unchecked",
              "A log_var with more numbers than mu was accepted. It has to be refused.",
              "A loop over mu's size never looks at the rest, so the caller's mistake goes by.")

namespace mc_eps_unchecked {
DoubleVector kl_monte_carlo(const RowVector& mu, const RowVector& log_var, const Matrix& eps) {
  if (eps.cols() < mu.size()) return solution::kl_monte_carlo(mu, log_var, eps);
  return solution::kl_monte_carlo(mu, log_var, eps.leftCols(mu.size()));
}
}  // namespace mc_eps_unchecked
MISCONCEPTION(mc_eps_unchecked, kl_monte_carlo, "kl-mc.eps-unchecked",
              "Noise with more columns than mu has numbers was accepted. It has to be refused.",
              "Whoever hands over [D, S] instead of [S, D] should hear of it here, not from a "
              "strange mean.")

// ---- 3.8 neg_elbo ------------------------------------------------------------------------------

namespace neg_recon_mean {
NegElbo neg_elbo(const Matrix& x, const Matrix& x_hat, const Matrix& mu, const Matrix& log_var,
                 double decoder_var) {
  require(decoder_var > 0.0, "decoder_var must be above 0");
  require_size(mu.rows(), x.rows(), "rows of mu");
  const auto l = static_cast<float>(std::log(decoder_var));
  const GaussianNll nll = gaussian_nll(x, x_hat, Matrix::Constant(x.rows(), x.cols(), l));
  const KlStandardNormal kl = kl_standard_normal(mu, log_var);
  const auto features = static_cast<float>(x.cols());
  const double reconstruction = nll.value / features;
  return {reconstruction + kl.value, reconstruction, kl.value,
          nll.mean / features,       kl.mu,          kl.log_var};
}
}  // namespace neg_recon_mean
MISCONCEPTION(
    neg_recon_mean, neg_elbo, "neg-elbo.reconstruction-averaged",
    "The reconstruction is averaged over the features while the KL is summed over its dimensions. "
    "Both are summed.",
    "Averaging one term only multiplies beta by D: 8 here, 784 for an MNIST digit, 196,608 for a "
    "colour image of 256 x 256. The latents then collapse onto the prior and the decoder learns "
    "the mean picture. Reported for AntixK/PyTorch-VAE (issues 11 and 56) and podgorskiy/VAE "
    "(issue 1).")

namespace neg_kl_mean {
NegElbo neg_elbo(const Matrix& x, const Matrix& x_hat, const Matrix& mu, const Matrix& log_var,
                 double decoder_var) {
  NegElbo result = solution::neg_elbo(x, x_hat, mu, log_var, decoder_var);
  const auto dims = static_cast<float>(mu.cols());
  result.kl /= dims;
  result.mu /= dims;
  result.log_var /= dims;
  result.total = result.reconstruction + result.kl;
  return result;
}
}  // namespace neg_kl_mean
MISCONCEPTION(
    neg_kl_mean, neg_elbo, "neg-elbo.kl-averaged",
    "The KL is averaged over the latent dimensions while the reconstruction is summed. Both are "
    "summed.",
    "The posterior is then hardly regularised, the more dimensions the less, and samples from the "
    "prior decode to nothing. With one latent dimension it cannot be seen.")

namespace neg_var_inverted {
NegElbo neg_elbo(const Matrix& x, const Matrix& x_hat, const Matrix& mu, const Matrix& log_var,
                 double decoder_var) {
  return solution::neg_elbo(x, x_hat, mu, log_var, decoder_var > 0.0 ? 1.0 / decoder_var : 0.0);
}
}  // namespace neg_var_inverted
MISCONCEPTION(neg_var_inverted, neg_elbo, "neg-elbo.variance-inverted",
              "The decoder's variance stands upside down: squared errors are divided by s2.",
              "A decoder that may be far off pays little for an error. Inverted, raising s2 would "
              "sharpen the reconstructions. At s2 = 1 it cannot be seen.")

namespace neg_sign {
NegElbo neg_elbo(const Matrix& x, const Matrix& x_hat, const Matrix& mu, const Matrix& log_var,
                 double decoder_var) {
  NegElbo result = solution::neg_elbo(x, x_hat, mu, log_var, decoder_var);
  result.total = -result.total;
  return result;
}
}  // namespace neg_sign
MISCONCEPTION(
    neg_sign, neg_elbo, "neg-elbo.positive-elbo",
    "This is the ELBO itself. A loss is its negative, and the gradients you return belong to that.",
    "The names are confused often: there are lessons whose function `elbo` returns reconstruction "
    "error plus KL, which is minus the ELBO up to constants. Whoever maximises that gets what the "
    "name asks for, and the worst model there is.")

namespace neg_var_squared {
NegElbo neg_elbo(const Matrix& x, const Matrix& x_hat, const Matrix& mu, const Matrix& log_var,
                 double decoder_var) {
  require(decoder_var > 0.0, "decoder_var must be above 0");
  return solution::neg_elbo(x, x_hat, mu, log_var, decoder_var * decoder_var);
}
}  // namespace neg_var_squared
MISCONCEPTION(neg_var_squared, neg_elbo, "neg-elbo.variance-squared",
              "You squared decoder_var. It is the variance already, not the standard deviation.",
              "s2 = 0.5 corresponds to s = 0.7071. Squared once more it becomes 0.25, and errors "
              "count twice.")

namespace neg_constant_dropped {
NegElbo neg_elbo(const Matrix& x, const Matrix& x_hat, const Matrix& mu, const Matrix& log_var,
                 double decoder_var) {
  NegElbo result = solution::neg_elbo(x, x_hat, mu, log_var, decoder_var);
  const double constant =
      0.5 * static_cast<double>(x.cols()) * std::log(2.0 * std::numbers::pi * decoder_var);
  result.reconstruction -= constant;
  result.total -= constant;
  return result;
}
}  // namespace neg_constant_dropped
MISCONCEPTION(
    neg_constant_dropped, neg_elbo, "neg-elbo.constant-dropped",
    "The normalising constant D log(2 pi s2) / 2 is missing, so this is no bound on log p(x).",
    "For one fixed s2 the gradients are the same. But losses for different s2 cannot be compared "
    "without it: SSE / 2 s2 alone goes to 0 as s2 grows, whatever the decoder does.")

namespace neg_half_missing {
NegElbo neg_elbo(const Matrix& x, const Matrix& x_hat, const Matrix& mu, const Matrix& log_var,
                 double decoder_var) {
  NegElbo result = solution::neg_elbo(x, x_hat, mu, log_var, decoder_var);
  const double squares = (x_hat - x).cast<double>().squaredNorm() / static_cast<double>(x.rows());
  result.reconstruction += 0.5 * squares / decoder_var;
  result.total += 0.5 * squares / decoder_var;
  result.x_hat *= 2.0F;
  return result;
}
}  // namespace neg_half_missing
MISCONCEPTION(neg_half_missing, neg_elbo, "neg-elbo.half-missing",
              "The squared error is divided by s2 instead of 2 s2, in value and gradient.",
              "That is a decoder of half the variance. It is how \"SSE + KL\" gets read as a "
              "Gaussian decoder "
              "with s = 1: the s that belongs to it is 0.7071.")

namespace neg_m_over_n {
NegElbo neg_elbo(const Matrix& x, const Matrix& x_hat, const Matrix& mu, const Matrix& log_var,
                 double decoder_var) {
  NegElbo result = solution::neg_elbo(x, x_hat, mu, log_var, decoder_var);
  const auto samples = static_cast<float>(x.rows());
  result.kl /= samples;
  result.mu /= samples;
  result.log_var /= samples;
  result.total = result.reconstruction + result.kl;
  return result;
}
}  // namespace neg_m_over_n
MISCONCEPTION(
    neg_m_over_n, neg_elbo, "neg-elbo.kl-divided-twice",
    "The KL was divided by the batch size a second time. kl_standard_normal has averaged it "
    "already.",
    "A factor \"for the minibatch\" is a popular addition: AntixK/PyTorch-VAE weighs the KL by "
    "batch size over data set size, on top of averages (issues 11, 23, 40 and 56 ask why). The "
    "ELBO of a sample has no such factor, and the average over samples needs none.")

namespace neg_x_hat_gradient_unscaled {
NegElbo neg_elbo(const Matrix& x, const Matrix& x_hat, const Matrix& mu, const Matrix& log_var,
                 double decoder_var) {
  NegElbo result = solution::neg_elbo(x, x_hat, mu, log_var, decoder_var);
  result.x_hat *= static_cast<float>(decoder_var);
  return result;
}
}  // namespace neg_x_hat_gradient_unscaled
MISCONCEPTION(neg_x_hat_gradient_unscaled, neg_elbo, "neg-elbo.gradient-without-variance",
              "The gradient of x_hat is not divided by s2. The value is.",
              "Value and gradient then describe two different decoders, and only the gradient is "
              "trained on: s2 changes what is printed and nothing else.")

namespace neg_mu_gradient_scaled {
NegElbo neg_elbo(const Matrix& x, const Matrix& x_hat, const Matrix& mu, const Matrix& log_var,
                 double decoder_var) {
  NegElbo result = solution::neg_elbo(x, x_hat, mu, log_var, decoder_var);
  result.mu /= static_cast<float>(decoder_var);
  return result;
}
}  // namespace neg_mu_gradient_scaled
MISCONCEPTION(
    neg_mu_gradient_scaled, neg_elbo, "neg-elbo.mu-gradient-scaled",
    "The gradient of mu was divided by s2. The decoder's variance has no part in the KL.",
    "What reaches mu through the decoder is scaled by s2, and comes on another path, from "
    "the gradient of x_hat. The KL's own pull is mu / N.")

namespace neg_log_var_gradient {
NegElbo neg_elbo(const Matrix& x, const Matrix& x_hat, const Matrix& mu, const Matrix& log_var,
                 double decoder_var) {
  NegElbo result = solution::neg_elbo(x, x_hat, mu, log_var, decoder_var);
  result.log_var = log_var.array().exp() / (2.0F * static_cast<float>(mu.rows()));
  return result;
}
}  // namespace neg_log_var_gradient
MISCONCEPTION(neg_log_var_gradient, neg_elbo, "neg-elbo.log-var-gradient-without-one",
              "The gradient of log_var lacks the -1: it is (e^l - 1) / 2N.",
              "It has to vanish at log_var = 0, where the KL is least. Without the -1 it pushes "
              "every variance to 0.")

namespace neg_floor {
NegElbo neg_elbo(const Matrix& x, const Matrix& x_hat, const Matrix& mu, const Matrix& log_var,
                 double decoder_var) {
  require(decoder_var > 0.0, "decoder_var must be above 0");
  return solution::neg_elbo(x, x_hat, mu, log_var, std::max(decoder_var, 0.1));
}
}  // namespace neg_floor
MISCONCEPTION(
    neg_floor, neg_elbo, "neg-elbo.variance-floored",
    "The decoder's variance was kept above 0.1. It is used as it is.",
    "A beta of 0.01 stands for s2 = 0.005. With a floor all small betas are one and the same, and "
    "a sweep over them shows a plateau that is not there.")

namespace neg_names_swapped {
NegElbo neg_elbo(const Matrix& x, const Matrix& x_hat, const Matrix& mu, const Matrix& log_var,
                 double decoder_var) {
  NegElbo result = solution::neg_elbo(x, x_hat, mu, log_var, decoder_var);
  std::swap(result.reconstruction, result.kl);
  return result;
}
}  // namespace neg_names_swapped
MISCONCEPTION(neg_names_swapped, neg_elbo, "neg-elbo.terms-swapped",
              "The total is right, but reconstruction and KL are in each other's places.",
              "A braced list fills members in the order of their declaration: total, "
              "reconstruction, kl. Swapped in a chart, the one that should rise falls.")

namespace neg_batch_sum {
NegElbo neg_elbo(const Matrix& x, const Matrix& x_hat, const Matrix& mu, const Matrix& log_var,
                 double decoder_var) {
  NegElbo result = solution::neg_elbo(x, x_hat, mu, log_var, decoder_var);
  const auto samples = static_cast<double>(x.rows());
  result.total *= samples;
  result.reconstruction *= samples;
  result.kl *= samples;
  return result;
}
}  // namespace neg_batch_sum
MISCONCEPTION(
    neg_batch_sum, neg_elbo, "neg-elbo.batch-summed",
    "The values are sums over the batch, the gradients those of the average. Average both.",
    "The loss would jump with the batch size. A batch of one cannot show it.")

namespace neg_beta_units {
NegElbo neg_elbo(const Matrix& x, const Matrix& x_hat, const Matrix& mu, const Matrix& log_var,
                 double decoder_var) {
  NegElbo result = solution::neg_elbo(x, x_hat, mu, log_var, decoder_var);
  const double squares = (x_hat - x).cast<double>().squaredNorm() / static_cast<double>(x.rows());
  result.total = squares + 2.0 * decoder_var * result.kl;
  result.reconstruction = squares;
  return result;
}
}  // namespace neg_beta_units
MISCONCEPTION(
    neg_beta_units, neg_elbo, "neg-elbo.beta-units",
    "This is SSE + beta KL with beta = 2 s2: the same optimum in other units. The contract asks "
    "for nats, as -log p(x|z) + KL.",
    "SSE + beta KL is 2 s2 (-ELBO) plus a constant, and a factor that depends on s2 is harmless "
    "only as long as s2 stays. As a number it bounds nothing.")

namespace neg_rows_unchecked {
NegElbo neg_elbo(const Matrix& x, const Matrix& x_hat, const Matrix& mu, const Matrix& log_var,
                 double decoder_var) {
  require(decoder_var > 0.0, "decoder_var must be above 0");
  const auto l = static_cast<float>(std::log(decoder_var));
  const GaussianNll nll = solution::gaussian_nll(x, x_hat, Matrix::Constant(x.rows(), x.cols(), l));
  const KlStandardNormal kl = solution::kl_standard_normal(mu, log_var);
  return {nll.value + kl.value, nll.value, kl.value, nll.mean, kl.mu, kl.log_var};
}
}  // namespace neg_rows_unchecked
MISCONCEPTION(
    neg_rows_unchecked, neg_elbo, "neg-elbo.rows-unchecked",
    "x and mu with different numbers of samples were accepted. Neither of the two functions you "
    "call can notice: each sees one half.",
    "Both terms are averages, so the sum looks fine. It adds the reconstruction of one batch to "
    "the divergence of another.")

namespace neg_var_unchecked {
NegElbo neg_elbo(const Matrix& x, const Matrix& x_hat, const Matrix& mu, const Matrix& log_var,
                 double decoder_var) {
  return solution::neg_elbo(x, x_hat, mu, log_var, decoder_var > 0.0 ? decoder_var : 1e-6);
}
}  // namespace neg_var_unchecked
MISCONCEPTION(neg_var_unchecked, neg_elbo, "neg-elbo.variance-unchecked",
              "A decoder variance of 0 or below was accepted. It has to be refused.",
              "log 0 is -infinity and the logarithm of a negative number NaN. A variance that "
              "arrives like that is a log-variance, most of the time.")

namespace neg_shapes_cut {
NegElbo neg_elbo(const Matrix& x, const Matrix& x_hat, const Matrix& mu, const Matrix& log_var,
                 double decoder_var) {
  if (x_hat.rows() < x.rows() || x_hat.cols() < x.cols() || log_var.rows() < mu.rows() ||
      log_var.cols() < mu.cols()) {
    return solution::neg_elbo(x, x_hat, mu, log_var, decoder_var);
  }
  return solution::neg_elbo(x, x_hat.topLeftCorner(x.rows(), x.cols()), mu,
                            log_var.topLeftCorner(mu.rows(), mu.cols()), decoder_var);
}
}  // namespace neg_shapes_cut
MISCONCEPTION(
    neg_shapes_cut, neg_elbo, "neg-elbo.shapes-unchecked",
    "An x_hat larger than x, or a log_var larger than mu, was accepted. They have to be "
    "refused.",
    "Loops over x's own sizes never look at the rest. gaussian_nll and kl_standard_normal "
    "refuse for you, if you call them.")

namespace neg_empty {
NegElbo neg_elbo(const Matrix& x, const Matrix& x_hat, const Matrix& mu, const Matrix& log_var,
                 double decoder_var) {
  if (x.size() > 0 && mu.size() > 0) {
    return solution::neg_elbo(x, x_hat, mu, log_var, decoder_var);
  }
  return {0.0, 0.0, 0.0, x_hat, mu, log_var};
}
}  // namespace neg_empty
MISCONCEPTION(neg_empty, neg_elbo, "neg-elbo.empty-accepted",
              "Data or codes without elements were answered. They have to be refused.",
              "There is nothing to average, or a q over no dimension, and the caller should hear "
              "of it.")

// ---- 3.9 iwae_bound ----------------------------------------------------------------------------

namespace iwae_mean_of_logs {
double iwae_bound(const DoubleVector& log_weights) {
  require(log_weights.size() > 0, "no weights");
  return log_weights.mean();
}
}  // namespace iwae_mean_of_logs
MISCONCEPTION(
    iwae_mean_of_logs, iwae_bound, "iwae.mean-of-logs",
    "You averaged the logarithms. That is the ELBO; the tighter bound is the logarithm of the "
    "average weight.",
    "By Jensen's inequality the mean of logarithms lies below the logarithm of the mean, and how "
    "much it lies below is what S draws can win. For S = 1 both are the same.")

namespace iwae_naive {
double iwae_bound(const DoubleVector& log_weights) {
  require(log_weights.size() > 0, "no weights");
  double sum = 0.0;
  for (Index s = 0; s < log_weights.size(); ++s) sum += std::exp(log_weights(s));
  return std::log(sum / static_cast<double>(log_weights.size()));
}
}  // namespace iwae_naive
MISCONCEPTION(
    iwae_naive, iwae_bound, "iwae.not-shifted",
    "exp(-1000) is 0 and exp(1000) infinite in double precision. Take the largest log-weight out "
    "of the sum first.",
    "The log-weight of an image is a sum over all its pixels, so -1000 is a mild case. With the "
    "largest taken out, one term is e^0 = 1, the sum lies between 1 and S, and nothing can happen.")

namespace iwae_low_only {
double iwae_bound(const DoubleVector& log_weights) {
  require(log_weights.size() > 0, "no weights");
  const double shift = std::max(log_weights.maxCoeff(), 0.0);
  double sum = 0.0;
  for (Index s = 0; s < log_weights.size(); ++s) sum += std::exp(log_weights(s) - shift);
  return shift + std::log(sum / static_cast<double>(log_weights.size()));
}
}  // namespace iwae_low_only
MISCONCEPTION(
    iwae_low_only, iwae_bound, "iwae.shifted-downwards-only",
    "You guard against overflow, not against underflow: near -1000 all weights become 0. Shift by "
    "the largest log-weight whatever its sign.",
    "Overflow is the danger one thinks of. For likelihoods of images it is the other end that "
    "happens.")

namespace iwae_no_log_s {
double iwae_bound(const DoubleVector& log_weights) {
  return solution::iwae_bound(log_weights) + std::log(static_cast<double>(log_weights.size()));
}
}  // namespace iwae_no_log_s
MISCONCEPTION(
    iwae_no_log_s, iwae_bound, "iwae.log-s-missing",
    "log S was not subtracted: you have the logarithm of the sum, not of the mean.",
    "The sum of the weights grows with S without end, and with it your \"bound\" passes log p(x). "
    "An improvement by log 50 for 50 draws is this slip.")

namespace iwae_log_s_twice {
double iwae_bound(const DoubleVector& log_weights) {
  return solution::iwae_bound(log_weights) - std::log(static_cast<double>(log_weights.size()));
}
}  // namespace iwae_log_s_twice
MISCONCEPTION(iwae_log_s_twice, iwae_bound, "iwae.log-s-twice",
              "log S was subtracted twice, as the mean and once more.",
              "Either average the weights, or sum them and subtract log S. Done twice, the bound "
              "gets looser with every draw.")

namespace iwae_divided_by_s {
double iwae_bound(const DoubleVector& log_weights) {
  const auto draws = static_cast<double>(log_weights.size());
  return (solution::iwae_bound(log_weights) + std::log(draws)) / draws;
}
}  // namespace iwae_divided_by_s
MISCONCEPTION(iwae_divided_by_s, iwae_bound, "iwae.divided-outside",
              "You divided the logarithm by S. The 1/S belongs inside: subtract log S.",
              "log(sum / S) is log(sum) - log S. Dividing the logarithm takes the S-th root of the "
              "sum instead.")

namespace iwae_max {
double iwae_bound(const DoubleVector& log_weights) {
  require(log_weights.size() > 0, "no weights");
  return log_weights.maxCoeff();
}
}  // namespace iwae_max
MISCONCEPTION(iwae_max, iwae_bound, "iwae.largest-only",
              "You returned the largest log-weight. The bound is the logarithm of the average.",
              "The largest of S grows with S and exceeds log p(x) on average: no bound. It is the "
              "first half of the stable sum, the shift; the rest is still to come.")

namespace iwae_capped {
double iwae_bound(const DoubleVector& log_weights) {
  return std::min(solution::iwae_bound(log_weights), 0.0);
}
}  // namespace iwae_capped
MISCONCEPTION(
    iwae_capped, iwae_bound, "iwae.capped-at-zero",
    "The result was cut off at 0. One draw may exceed log p(x), and with densities even 0.",
    "A bound in expectation is not a bound per draw: a lucky z has a weight above p(x). Capping "
    "it lowers the expectation, and log densities may be positive anyway.")

namespace iwae_zeros_dropped {
double iwae_bound(const DoubleVector& log_weights) {
  require(log_weights.size() > 0, "no weights");
  std::vector<double> finite;
  for (Index s = 0; s < log_weights.size(); ++s) {
    if (std::isfinite(log_weights(s))) finite.push_back(log_weights(s));
  }
  if (finite.empty()) return -std::numeric_limits<double>::infinity();
  return solution::iwae_bound(
      Eigen::Map<const DoubleVector>(finite.data(), static_cast<Index>(finite.size())));
}
}  // namespace iwae_zeros_dropped
MISCONCEPTION(
    iwae_zeros_dropped, iwae_bound, "iwae.zero-weights-dropped",
    "Draws of weight 0 were left out of the count. They add nothing to the sum, but they are "
    "draws: "
    "S includes them.",
    "Dropping failures from an average is how one becomes too optimistic. q drew a z that cannot "
    "have made x, and that has to cost something.")

namespace iwae_nan {
double iwae_bound(const DoubleVector& log_weights) {
  require(log_weights.size() > 0, "no weights");
  const double highest = log_weights.maxCoeff();
  double sum = 0.0;
  for (Index s = 0; s < log_weights.size(); ++s) sum += std::exp(log_weights(s) - highest);
  return highest + std::log(sum / static_cast<double>(log_weights.size()));
}
}  // namespace iwae_nan
MISCONCEPTION(
    iwae_nan, iwae_bound, "iwae.nan-for-no-weight",
    "If all weights are 0, the largest log-weight is -infinity, and -infinity minus -infinity is "
    "NaN. The answer is -infinity.",
    "The one case that the shift itself breaks. torch.logsumexp treats it apart, and so should "
    "you: a NaN spreads, -infinity says what happened.")

namespace iwae_ties_lost {
double iwae_bound(const DoubleVector& log_weights) {
  require(log_weights.size() > 0, "no weights");
  const double highest = log_weights.maxCoeff();
  double rest = 0.0;
  for (Index s = 0; s < log_weights.size(); ++s) {
    if (log_weights(s) < highest) rest += std::exp(log_weights(s) - highest);
  }
  return highest + std::log1p(rest) - std::log(static_cast<double>(log_weights.size()));
}
}  // namespace iwae_ties_lost
MISCONCEPTION(
    iwae_ties_lost, iwae_bound, "iwae.ties-lost",
    "The largest weight counts once, even if several draws have it. Draws that repeat each other "
    "count each.",
    "log1p of the sum of all *other* weights is a nice way to keep digits, if exactly one is left "
    "out. A discrete latent draws the same z again and again.")

namespace iwae_bits {
double iwae_bound(const DoubleVector& log_weights) {
  return solution::iwae_bound(log_weights) / std::numbers::ln2;
}
}  // namespace iwae_bits
MISCONCEPTION(iwae_bits, iwae_bound, "iwae.bits", "The result is in bits. Nats are wanted.",
              "log_weights are natural logarithms, so their combination is, too. One nat is 1.4427 "
              "bits.")

namespace iwae_self_normalised {
double iwae_bound(const DoubleVector& log_weights) {
  const double bound = solution::iwae_bound(log_weights);
  const auto draws = static_cast<double>(log_weights.size());
  double sum = 0.0;
  for (Index s = 0; s < log_weights.size(); ++s) {
    const double weight = std::exp(log_weights(s) - bound) / draws;
    if (weight > 0.0) sum += weight * log_weights(s);
  }
  return std::isinf(bound) ? bound : sum;
}
}  // namespace iwae_self_normalised
MISCONCEPTION(
    iwae_self_normalised, iwae_bound, "iwae.weights-normalised",
    "You averaged the log-weights with their own normalised weights. The bound is the logarithm of "
    "the plain average.",
    "Normalised weights belong to the *gradient* of this bound, where each draw is trusted in "
    "proportion to its weight. The weighted average of the logarithms lies above the bound.")

namespace iwae_empty {
double iwae_bound(const DoubleVector& log_weights) {
  if (log_weights.size() == 0) return -std::numeric_limits<double>::infinity();
  return solution::iwae_bound(log_weights);
}
}  // namespace iwae_empty
MISCONCEPTION(iwae_empty, iwae_bound, "iwae.empty-accepted",
              "No weights at all were answered. They have to be refused: an average of nothing.",
              "The sum over no draw is 0 and its logarithm -infinity; but it is divided by S = 0. "
              "No draw is not the same as a draw that failed.")

}  // namespace latent
