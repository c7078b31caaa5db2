#include "docs/tests/chapter.hpp"
#include "elbo.hpp"

namespace latent {
namespace {

TEST(Chapter03, WorksTheTable) {
  const Chapter chapter("03_elbo");
  struct Row {
    double mu, var;
    std::string kl;
  };
  double total = 0.0;
  for (const Row& row : {Row{0.1, 0.9, "0.007680"}, Row{2.5, 0.1, "3.826293"},
                         Row{0.0, 0.01, "1.807585"}, Row{0.3, 1.2, "0.053839"}}) {
    const double kl = kl_standard_normal_1d(row.mu, std::log(row.var));
    chapter.states(row.kl, kl);
    total += kl;
  }
  chapter.states("5.695397", total);
  chapter.prints("3.66 %");
  EXPECT_NEAR(total / (150.0 + total), 0.0366, 5e-5);
  chapter.prints("27.5 %");
  EXPECT_NEAR(10.0 * total / (150.0 + 10.0 * total), 0.275, 5e-4);
  chapter.states("26.3", 150.0 / total);
  chapter.states("5.629438", kl_standard_normal_1d(3.0, 2.0 * std::log(0.2)));
  chapter.states("0.015361", kl_standard_normal_1d(0.1, 2.0 * std::log(0.9)));
  EXPECT_NEAR(kl_standard_normal_1d(0.0, 1e-9), 2.5e-19, 1e-24);
  EXPECT_NEAR(0.5 * (std::exp(1e-9) - 1.0 - 1e-9), 4.1e-17, 5e-19);
}

TEST(Chapter03, WorksTwoGaussiansAndALikelihood) {
  const Chapter chapter("03_elbo");
  const Matrix mu1 = one(1), l1 = one(0.5F), mu2 = one(-1), l2 = one(-0.2F);
  chapter.states("2.599682", kl_diag_gaussians(mu1, l1, mu2, l2).value);
  chapter.states("1.311354", kl_diag_gaussians(mu2, l2, mu1, l1).value);
  chapter.states("0.758724", gaussian_nll(one(1), one(0.5F), one(-1)).value);
  chapter.states("0.918939", gaussian_nll(one(1), one(1), one(0)).value);
  chapter.states("-1.081061", gaussian_nll(one(1), one(1), one(-4)).value);
}

/// The chapter's three states.
struct ThreeStates {
  DoubleVector prior{{0.5, 0.25, 0.25}}, likelihood{{0.1, 0.4, 0.8}}, q{{0.2, 0.3, 0.5}};
};

TEST(Chapter03, WorksTheChain) {
  const Chapter chapter("03_elbo");
  const ThreeStates m;
  const JensenChain full = jensen_chain(m.prior, m.likelihood, m.q);
  chapter.states("-1.049822", full.log_evidence);
  chapter.states("-1.049822", full.log_mean_ratio);
  chapter.states("-1.064988", full.mean_log_ratio);
  chapter.states("-1.064988", full.split);
  chapter.states("-0.846976", full.reconstruction);
  chapter.states("0.218012", full.kl);
  chapter.states("0.015166", full.gap);
  const JensenChain missing = jensen_chain(m.prior, m.likelihood, DoubleVector{{0.0, 0.4, 0.6}});
  chapter.states("-1.203973", missing.log_mean_ratio);
  chapter.states("-1.213685", missing.mean_log_ratio);
  chapter.states("-0.500402", missing.reconstruction);
  chapter.states("0.713283", missing.kl);
  chapter.states("0.163863", missing.gap);
}

TEST(Chapter03, WorksTheLinearModel) {
  const Chapter chapter("03_elbo");
  const LinearGaussian model{2.0, 0.5}, worse{3.5, 0.5};
  const LinearGaussianEvidence known = linear_gaussian_evidence(1.7, model);
  chapter.states("-1.992088", known.log_evidence);
  chapter.states("0.755556", known.posterior.mean);
  chapter.states("0.111111", known.posterior.var);
  chapter.states("-111,113", linear_gaussian_evidence(1000.0, model).log_evidence);
  struct Row {
    ScalarGaussian q;
    std::string reconstruction, kl, elbo, gap;
  };
  for (const Row& row : {Row{{0.3, 0.4}, "-3.382365", "0.203145", "-3.585510", "1.593422"},
                         Row{known.posterior, "-1.052488", "0.939600", "-1.992088", "0"},
                         Row{{0.0, 1.0}, "-7.462365", "0", "-7.462365", "5.470277"}}) {
    const ElboGap g = elbo_gap(1.7, model, row.q);
    chapter.states(row.reconstruction, g.reconstruction);
    EXPECT_NEAR(g.kl, std::stod(row.kl), 1e-6);
    chapter.states(row.elbo, g.elbo);
    EXPECT_NEAR(g.gap, std::stod(row.gap), 1e-6);
    EXPECT_NEAR(g.elbo + g.gap, known.log_evidence, 1e-12);
  }
  const ElboGap after = elbo_gap(1.7, worse, linear_gaussian_evidence(1.7, worse).posterior);
  chapter.states("-2.305038", after.elbo);
  EXPECT_NEAR(after.gap, 0.0, 1e-12);
  const ElboGap before = elbo_gap(1.7, model, {0.3, 0.4});
  chapter.states("1.28", after.elbo - before.elbo);
  chapter.states("0.31", known.log_evidence - linear_gaussian_evidence(1.7, worse).log_evidence);
  // Decoding the mean leaves w^2 v / 2 s2 out.
  chapter.states("-1.985510", before.elbo + 2.0 * 2.0 * 0.4 / (2.0 * 0.5));
}

TEST(Chapter03, WorksTheDrawsFromThePrior) {
  const Chapter chapter("03_elbo");
  double mean = 0.0, second = 0.0;
  constexpr double kStep = 1e-3;
  for (double z = -12.0; z <= 12.0; z += kStep) {
    const double prior = std::exp(-0.5 * z * z) / std::sqrt(2.0 * std::acos(-1.0));
    const double p = std::exp(-(1.7 - 2.0 * z) * (1.7 - 2.0 * z)) / std::sqrt(std::acos(-1.0));
    mean += kStep * prior * p;
    second += kStep * prior * p * p;
  }
  const double factor = second / (mean * mean);
  EXPECT_NEAR(std::log(mean), linear_gaussian_evidence(1.7, {2.0, 0.5}).log_evidence, 1e-9);
  chapter.states("2.953", factor);
  chapter.prints("33 million");
  EXPECT_NEAR(std::pow(factor, 16.0) / 1e6, 33.0, 0.5);
  chapter.prints("1.25\\cdot10^{30}");
  EXPECT_NEAR(std::pow(factor, 64.0) / 1e30, 1.25, 0.005);
}

TEST(Chapter03, WorksTheSampledDivergence) {
  const Chapter chapter("03_elbo");
  Matrix eps(3, 1);
  eps << -std::sqrt(3.0F), 0.0F, std::sqrt(3.0F);
  const DoubleVector weight{{1.0 / 6.0, 2.0 / 3.0, 1.0 / 6.0}};  // Gauss-Hermite
  struct Row {
    double mu, sigma;
    std::string mean, variance, ratio;
  };
  for (const Row& row : {Row{3.0, 0.2, "5.629438", "0.8208", "0.16"},
                         Row{0.1, 0.9, "0.015361", "0.02615", "10.5"}}) {
    const RowVector mu = RowVector::Constant(1, static_cast<float>(row.mu));
    const RowVector l = RowVector::Constant(1, static_cast<float>(2.0 * std::log(row.sigma)));
    const DoubleVector each = kl_monte_carlo(mu, l, eps);
    const double mean = weight.dot(each), variance = weight.dot(each.cwiseAbs2()) - mean * mean;
    chapter.states(row.mean, mean);
    chapter.states(row.variance, variance);
    chapter.states(row.ratio, std::sqrt(variance) / mean);
  }
}

TEST(Chapter03, WorksTheLoss) {
  const Chapter chapter("03_elbo");
  const Matrix x{{1, 0, -1, 2, 0.5F, -0.5F, 1.5F, -2}};
  const Matrix x_hat{{0.5F, 0.25F, -1, 1, 0.5F, 0, 1, -1.5F}};
  chapter.states("2.0625", (x_hat - x).squaredNorm());
  const NegElbo loss = neg_elbo(x, x_hat, Matrix{{1, -0.5F}}, Matrix{{-1, 0.5F}}, 0.5);
  chapter.states("6.641420", loss.reconstruction);
  chapter.states("0.883300", loss.kl);
  chapter.states("7.524720", loss.total);
  for (const auto& [beta, s] : {std::pair(0.01, "0.070711"), std::pair(0.1, "0.223607"),
                                std::pair(1.0, "0.707107"), std::pair(5.0, "1.581139")}) {
    chapter.states(s, std::sqrt(beta / 2.0));
  }
}

TEST(Chapter03, WorksTheTighterBound) {
  const Chapter chapter("03_elbo");
  const ThreeStates m;
  const DoubleVector log_weight =
      (m.prior.array() * m.likelihood.array() / m.q.array()).log().matrix();
  for (const auto& [draws, text] : {std::pair(1, "-1.064988"), std::pair(2, "-1.057033"),
                                    std::pair(3, "-1.054540"), std::pair(8, "-1.051548")}) {
    double expectation = 0.0;
    const int tuples = static_cast<int>(std::lround(std::pow(3.0, draws)));
    for (int t = 0; t < tuples; ++t) {
      DoubleVector a(draws);
      double probability = 1.0;
      for (int s = 0, rest = t; s < draws; ++s, rest /= 3) {
        a(s) = log_weight(rest % 3);
        probability *= m.q(rest % 3);
      }
      expectation += probability * iwae_bound(a);
    }
    chapter.states(text, expectation);
  }
}

}  // namespace
}  // namespace latent
