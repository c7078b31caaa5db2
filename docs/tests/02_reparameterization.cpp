#include "docs/tests/chapter.hpp"
#include "reparameterization.hpp"

namespace latent {
namespace {

TEST(Chapter02, WorksTheSampleAndItsGradient) {
  const Chapter chapter("02_reparameterization");
  const Matrix mu = one(2.3F), log_var = one(-1.39F), eps = one(-0.7F);
  const Matrix sigma = std_from_logvar(log_var);
  chapter.states("0.499074", sigma(0, 0));
  chapter.states("0.249537", std_from_logvar_backward(one(1), sigma)(0, 0));
  chapter.states("1.950648", reparameterize(mu, log_var, eps)(0, 0));
  chapter.states("2.649352", reparameterize(mu, log_var, -eps)(0, 0));
  chapter.states("2.125647", reparameterize(mu, 2 * log_var, eps)(0, 0));
  chapter.states("-0.174676", reparameterize_backward(one(1), mu, log_var, eps).log_var(0, 0));
}

TEST(Chapter02, WorksTheTwoHeads) {
  const Layer mean{Matrix{{1, 0}}, RowVector::Zero(1)}, log_var{Matrix{{0, 1}}, RowVector::Zero(1)};
  const Matrix hidden{{1, 2}};
  const Gaussian q = gaussian_heads(hidden, {mean, log_var});
  EXPECT_EQ(q.mu(0, 0), 1.0F);
  EXPECT_EQ(q.log_var(0, 0), 2.0F);
  EXPECT_EQ(gaussian_heads_backward(one(3), one(5), hidden, {mean, log_var}).hidden,
            (Matrix{{3, 5}}));
}

/// Mean and variance of what an estimator returns, over standard normal noise, by the midpoint
/// rule.
struct Statistics {
  double mean, variance;
};

Statistics over_noise(const DoubleVector& eps, const DoubleVector& estimates, double step) {
  const DoubleVector weight =
      (-0.5 * eps.array().square()).exp() * (step / std::sqrt(2 * std::acos(-1.0)));
  const double mean = weight.dot(estimates);
  return {mean, weight.dot(estimates.cwiseAbs2()) - mean * mean};
}

TEST(Chapter02, WorksBothEstimators) {
  constexpr double kStep = 1e-3;
  const DoubleVector eps = DoubleVector::LinSpaced(24001, -12.0, 12.0);
  const DoubleVector z = (1.0 + eps.array()).matrix();
  const GradientSamples path = pathwise_gradient(2.0 * z, eps),
                        score = score_function_gradient(z.cwiseAbs2(), z, 1.0, 1.0);
  const GradientSamples baseline =
      score_function_gradient((z.array().square() - 4.0).matrix(), z, 1.0, 1.0);
  struct Row {
    const DoubleVector& estimates;
    double variance;
  };
  for (const Row& row : {Row{path.mu, 4}, Row{path.sigma, 12}, Row{score.mu, 30},
                         Row{score.sigma, 136}, Row{baseline.mu, 14}}) {
    const Statistics found = over_noise(eps, row.estimates, kStep);
    EXPECT_NEAR(found.mean, 2.0, 1e-6);
    EXPECT_NEAR(found.variance, row.variance, 1e-6);
  }
  const Chapter chapter("02_reparameterization");
  chapter.prints("12 against 136");
  chapter.prints("brings 30 down to 14");
  for (const auto& [d, text] :
       {std::pair(1, "30"), std::pair(4, "132"), std::pair(16, "1,260"), std::pair(64, "17,292")}) {
    chapter.states(text, 30.0 + 22.0 * (d - 1) + 4.0 * (d - 1) * (d - 1));
  }
}

TEST(Chapter02, WorksTheParameterisations) {
  const Chapter chapter("02_reparameterization");
  struct Row {
    double sigma;
    std::string x, slope, kl;
  };
  for (const Row& row : {Row{1e-3, "-13.8155", "0.000500000", "-0.4999995"},
                         Row{1.0, "0", "0.5", "0"}, Row{5.0, "3.2189", "2.5", "12"}}) {
    const SigmaParameterisation found = exp_parameterisation(row.sigma);
    chapter.states(row.x, found.x);
    chapter.states(row.slope, found.dsigma_dx);
    chapter.states(row.kl, found.dkl_dx);
  }
  for (const Row& row :
       {Row{1e-3, "-6.9073", "0.000999500", "-0.9994992"}, Row{1.0, "0.5413", "0.632121", "0"},
        Row{5.0, "4.9932", "0.993262", "4.767658"}}) {
    const SigmaParameterisation found = softplus_parameterisation(row.sigma);
    chapter.states(row.x, found.x);
    chapter.states(row.slope, found.dsigma_dx);
    chapter.states(row.kl, found.dkl_dx);
  }
  EXPECT_NEAR(softplus(-40.0), 4.248354e-18, 1e-24);
}

}  // namespace
}  // namespace latent
