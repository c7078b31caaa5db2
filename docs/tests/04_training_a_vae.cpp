#include "docs/tests/chapter.hpp"
#include "training_a_vae.hpp"

namespace latent {
namespace {

TEST(Chapter04, WorksTheSchedules) {
  const Chapter chapter("04_training_a_vae");
  chapter.states("0.5", linear_anneal(150, 100, 300, 0.0, 2.0));
  chapter.prints("0, 0.4, 0.96, 1, 1, 0");
  const double weights[] = {0.0, 0.4, 0.96, 1.0, 1.0, 0.0};
  const std::int64_t steps[] = {0, 5, 12, 13, 24, 25};
  for (int i = 0; i < 6; ++i) {
    EXPECT_NEAR(cyclical_anneal(steps[i], 100, 4, 0.5, 1.0), weights[i], 1e-12);
  }
}

TEST(Chapter04, WorksTheMeaningOfBeta) {
  const Chapter chapter("04_training_a_vae");
  for (const auto& [beta, s] : {std::pair(0.01, "0.070711"), std::pair(0.1, "0.223607"),
                                std::pair(1.0, "0.707107"), std::pair(5.0, "1.581139")}) {
    chapter.states(s, std::sqrt(implied_decoder_variance(beta, 1)));
    EXPECT_NEAR(beta_for_variance(implied_decoder_variance(beta, 784), 784), beta, 1e-12);
  }
  chapter.states("19.798990", std::sqrt(implied_decoder_variance(1.0, 784)));
  chapter.states("49,152", 4.0 * 12288.0);
  double kl = 0.0;
  for (const auto& [mu, var] :
       {std::pair(0.1, 0.9), std::pair(2.5, 0.1), std::pair(0.0, 0.01), std::pair(0.3, 1.2)}) {
    kl += kl_standard_normal_1d(mu, std::log(var));
  }
  chapter.states("5.695397", kl);
  chapter.states("56.953970", 10.0 * kl);
  chapter.states("206.953970", 150.0 + 10.0 * kl);
  chapter.prints("27.5 %");
  EXPECT_NEAR(10.0 * kl / (150.0 + 10.0 * kl), 0.275, 5e-4);
}

TEST(Chapter04, WorksTheCoins) {
  const Chapter chapter("04_training_a_vae");
  struct Row {
    float x, l;
    std::string cost, gradient;
  };
  double total = 0.0;
  for (const Row& row : {Row{1, 2, "0.126928", "-0.119203"}, Row{0, -1, "0.313262", "0.268941"},
                         Row{0.5F, 0, "0.693147", "0"}, Row{1, -50, "50", "-1"}}) {
    const Loss loss = bce_with_logits(one(row.l), one(row.x));
    chapter.states(row.cost, loss.value);
    EXPECT_NEAR(loss.gradient(0, 0), std::stod(row.gradient), 1e-6);
    if (row.l > -50.0F) total += loss.value;
  }
  chapter.states("1.133337", total);
  chapter.states("0.610864", bce_with_logits(one(std::log(0.3F / 0.7F)), one(0.3F)).value);
  chapter.prints("1 - 4.14\\cdot10^{-8}");
  EXPECT_NEAR(1.0 - 1.0 / (1.0 + std::exp(-17.0)), 4.14e-8, 5e-11);
  chapter.prints("1.19\\cdot10^{-7}");
  EXPECT_NEAR(std::nextafter(1.0F, 2.0F) - 1.0F, 1.19e-7, 5e-10);
  EXPECT_EQ(1.0F / (1.0F + std::exp(-17.0F)), 1.0F);
}

TEST(Chapter04, WorksTheLaw) {
  const Chapter chapter("04_training_a_vae");
  struct Row {
    double beta;
    std::string distortion, rate, weight, var;
  };
  for (const Row& row : {Row{0.1, "0.05", "2.047172", "1.717556", "0.016667"},
                         Row{1.0, "0.5", "0.895880", "1.581139", "0.166667"},
                         Row{5.0, "2.5", "0.091161", "0.707107", "0.833333"}}) {
    const RateDistortion law = rate_distortion_law(DoubleVector{{3.0}}, row.beta);
    chapter.states(row.distortion, law.distortion(0));
    chapter.states(row.rate, law.rate(0));
    chapter.states(row.weight, law.weight(0));
    chapter.states(row.var, law.posterior_var(0));
  }
}

TEST(Chapter04, DescendsToTheLaw) {
  for (const double beta : {0.5, 1.0, 5.0}) {
    const double lambda = 3.0, rate = 0.01;
    double w = 1.0, a = 0.2, log_v = 0.0;
    for (int step = 0; step < 40'000; ++step) {
      const double v = std::exp(log_v), miss = 1.0 - w * a;
      const double dw = -2.0 * lambda * a * miss + 2.0 * w * v;
      const double da = -2.0 * lambda * w * miss + beta * a * lambda;
      const double dv = w * w * v + 0.5 * beta * (v - 1.0);
      w -= rate * dw;
      a -= rate * da;
      log_v -= rate * dv;
    }
    const double v = std::exp(log_v);
    const RateDistortion law = rate_distortion_law(DoubleVector{{lambda}}, beta);
    EXPECT_NEAR(lambda * (1.0 - w * a) * (1.0 - w * a) + w * w * v, law.distortion(0), 1e-6);
    EXPECT_NEAR(0.5 * (a * a * lambda + v - 1.0 - log_v), law.rate(0), 1e-6);
    EXPECT_NEAR(w, law.weight(0), 1e-6);
    EXPECT_NEAR(v, law.posterior_var(0), 1e-6);
    EXPECT_NEAR(a * a * lambda, 1.0 - beta / (2.0 * lambda), 1e-6);
  }
}

TEST(Chapter04, WorksTheSweepAndItsFront) {
  const Chapter chapter("04_training_a_vae");
  struct Row {
    double beta;
    std::string distortion, rate;
    std::int64_t active;
  };
  DoubleVector distortion(6), rate(6);
  Index at = 0;
  for (const Row& row : {Row{0.01, "0.02", "9.483823", 4}, Row{0.1, "0.2", "4.878653", 4},
                         Row{1.0, "1.4", "1.333614", 2}, Row{5.0, "4.1", "0.091161", 1},
                         Row{100.0, "4.6", "0", 0}}) {
    const RateDistortion law = rate_distortion_law(DoubleVector{{3.0, 1.2, 0.3, 0.1}}, row.beta);
    chapter.states(row.distortion, law.total_distortion);
    EXPECT_NEAR(law.total_rate, std::stod(row.rate), 1e-6);
    chapter.prints(row.rate);
    EXPECT_EQ(law.active, row.active);
    distortion(at) = law.total_distortion;
    rate(at++) = law.total_rate;
  }
  distortion(5) = 1.5;
  rate(5) = 2.0;
  EXPECT_EQ(pareto_front(distortion, rate), (std::vector<std::int64_t>{0, 1, 2, 3, 4}));
  EXPECT_TRUE(distortion(2) < distortion(5) && rate(2) < rate(5));
}

/// The chapter's model: all sizes and weights 1, the head of log_var -1.
Vae small_model() {
  const RowVector zero = RowVector::Zero(1);
  const Layer plus{one(1), zero}, minus{one(-1), zero};
  return {plus, {plus, minus}, plus, plus};
}

TEST(Chapter04, WorksTheSmallModel) {
  const Chapter chapter("04_training_a_vae");
  const VaePass pass = vae_forward(small_model(), one(1), one(0.5F));
  chapter.states("0.761594", pass.encoder_hidden(0, 0));
  chapter.states("0.761594", pass.q.mu(0, 0));
  chapter.states("-0.761594", pass.q.log_var(0, 0));
  chapter.states("0.683317", std_from_logvar(pass.q.log_var)(0, 0));
  chapter.states("1.103252", pass.z(0, 0));
  chapter.states("0.801664", pass.x_hat(0, 0));
  const BetaLoss loss = beta_loss(one(1), pass.x_hat, pass.q.mu, pass.q.log_var, 1.0);
  chapter.states("0.039337", loss.reconstruction);
  chapter.states("0.404271", loss.kl);
  chapter.states("0.443608", loss.total);
}

TEST(Chapter04, WorksTheWayBack) {
  const Chapter chapter("04_training_a_vae");
  const Vae model = small_model();
  const Matrix x = one(1), eps = one(0.5F);
  const VaePass pass = vae_forward(model, x, eps);
  const BetaLoss loss = beta_loss(x, pass.x_hat, pass.q.mu, pass.q.log_var, 1.0);
  chapter.states("-0.39667", loss.gradient.x_hat(0, 0));
  chapter.states("0.761594", loss.gradient.mu(0, 0));
  chapter.states("-0.266539", loss.gradient.log_var(0, 0));
  const Vae all = vae_backward(model, x, eps, pass, loss.gradient);
  ElboGradients error = loss.gradient;
  error.mu.setZero();
  error.log_var.setZero();
  const Vae by_error = vae_backward(model, x, eps, pass, error);
  chapter.states("-0.141744", by_error.heads.mu.bias(0));
  chapter.states("-0.024214", by_error.heads.log_var.bias(0));
  chapter.states("0.619850", all.heads.mu.bias(0));
  chapter.states("-0.290753", all.heads.log_var.bias(0));
  chapter.states("0.910603", all.heads.mu.bias(0) - all.heads.log_var.bias(0));
  chapter.states("0.382430", all.encoder_hidden.weight(0, 0));
}

TEST(Chapter04, WorksTheFirstStep) {
  const Chapter chapter("04_training_a_vae");
  VaeTraining state{small_model(), small_model(), small_model(), 0};
  for (Vae* moment : {&state.first_moment, &state.second_moment}) {
    for (Layer* layer : {&moment->encoder_hidden, &moment->heads.mu, &moment->heads.log_var,
                         &moment->decoder_hidden, &moment->decoder_output}) {
      layer->weight.setZero();
    }
  }
  const VaeStep step = vae_train_step(state, one(1), one(0.5F), 1.0, AdamOptions{});
  chapter.states("0.999", step.after.model.encoder_hidden.weight(0, 0));
  chapter.states("1.001", step.after.model.decoder_output.weight(0, 0));
  chapter.states("-0.317997", step.gradient.decoder_output.weight(0, 0));
  EXPECT_EQ(step.after.steps, 1);
}

TEST(Chapter04, WorksTheRangesOfBeta) {
  const Chapter chapter("04_training_a_vae");
  struct Row {
    double beta;
    std::string s, levels;
  };
  for (const Row& row : {Row{1e-6, "0.000707", "0.09"}, Row{0.01, "0.070711", "9.0"},
                         Row{0.1, "0.223607", "28.5"}, Row{1.0, "0.707107", "90.2"},
                         Row{4.0, "1.414214", "180.3"}, Row{16.0, "2.828427", "360.6"}}) {
    const double s = std::sqrt(implied_decoder_variance(row.beta, 1));
    chapter.prints("| " + row.s + " | " + row.levels + " |");
    chapter.states(row.s, s);
    chapter.states(row.levels, 127.5 * s);
  }
  chapter.states("0.196608", beta_for_variance(implied_decoder_variance(1e-6, 196608), 1));
  const auto narrow = [](double sigma) { return kl_standard_normal_1d(0, 2 * std::log(sigma)); };
  chapter.states("0.693", narrow(0.0005) - narrow(0.001));
}

TEST(Chapter04, WorksTheTurnedLatent) {
  const Chapter chapter("04_training_a_vae");
  const RateDistortion law = rate_distortion_law(DoubleVector{{3.0, 1.2}}, 1.0);
  chapter.states("0.166667", law.posterior_var(0));
  chapter.states("0.416667", law.posterior_var(1));
  const double a = 1.0 / law.posterior_var(0), b = 1.0 / law.posterior_var(1);
  const double diagonal = (a + b) / 2, beside = (a - b) / 2;
  chapter.states("4.2", diagonal);
  chapter.states("1.8", beside);
  chapter.states("0.238095", 1.0 / diagonal);
  EXPECT_NEAR(diagonal * diagonal - beside * beside, a * b, 1e-9);
  chapter.states("0.101470", 0.5 * std::log(diagonal * diagonal / (a * b)));
}

TEST(Chapter04, WorksTheFreeNatsAndTheActiveUnits) {
  const Chapter chapter("04_training_a_vae");
  const Matrix mu{{0.1F, 2.5F, 0.0F, 0.3F}};
  const Matrix log_var{{std::log(0.9F), std::log(0.1F), std::log(0.01F), std::log(1.2F)}};
  const FreeBits free = free_bits(mu, log_var, 0.25);
  chapter.states("6.133878", free.value);
  chapter.states("0.007680", free.per_dimension(0));
  chapter.states("3.826293", free.per_dimension(1));
  chapter.states("1.807585", free.per_dimension(2));
  chapter.states("0.053839", free.per_dimension(3));
  Matrix codes(4, 2);
  codes << 3, 1, 3, -1, 3, 1, 3, -1;
  const ActiveUnits units = active_units(codes, 0.01);
  EXPECT_EQ(units.variance(0), 0.0);
  EXPECT_EQ(units.variance(1), 1.0);
  EXPECT_EQ(units.count, 1);
  chapter.states("4.5", kl_standard_normal_1d(3.0, 0.0));
  chapter.states("0.833333", 1.0 - 1.0 / (2.0 * 3.0));
}

}  // namespace
}  // namespace latent
