#include "denoising_step.hpp"
#include "docs/tests/chapter.hpp"

namespace latent {
namespace {

using Timesteps = std::vector<std::int64_t>;
using Type = PredictionType;

DoubleVector stable_diffusion() {
  return cumulative_alphas(make_betas(BetaSchedule::kScaledLinear, 1000, 0.00085, 0.012));
}

DoubleVector ddpm_schedule(double first) {
  return cumulative_alphas(make_betas(BetaSchedule::kLinear, 1000, first, 0.02));
}

double number(const Matrix& x) {
  return x(0, 0);
}

TEST(Chapter09, WorksTheSchedules) {
  const Chapter chapter("09_denoising_step");
  const DoubleVector linear = ddpm_schedule(1e-4), scaled = stable_diffusion();
  chapter.states("0.9999", linear(0));
  chapter.states("0.0777967", linear(500));
  chapter.states("0.0000403583", linear(999));
  chapter.states("157.4073", noise_sigmas(linear)(999));
  chapter.states("0.99915", scaled(0));
  chapter.states("0.2763327", scaled(500));
  chapter.states("0.00466010", scaled(999));
  chapter.states("14.6146", noise_sigmas(scaled)(999));
  chapter.states("0.0683", std::sqrt(scaled(999)));
  const DoubleVector betas = make_betas(BetaSchedule::kLinear, 1000, 0.00085, 0.012);
  chapter.states("0.1608", cumulative_alphas(betas)(500));
}

TEST(Chapter09, WorksNoiseAndVelocity) {
  const Chapter chapter("09_denoising_step");
  const DoubleVector a = stable_diffusion();
  const double r = std::sqrt(a(500)), q = std::sqrt(1.0 - a(500));
  chapter.states("0.5256736", r);
  chapter.states("0.8506864", q);
  chapter.states("0.3679715", 0.7 * r);
  chapter.states("1.1058923", 1.3 * q);
  chapter.states("0.6833756", 1.3 * r);
  chapter.states("0.5954805", 0.7 * q);
  chapter.states("-0.7379208", number(add_noise(one(0.7F), one(-1.3F), {500}, a)));
  chapter.states("-1.2788561", number(velocity(one(0.7F), one(-1.3F), {500}, a)));
}

TEST(Chapter09, WorksTheConfusions) {
  const Chapter chapter("09_denoising_step");
  const Matrix v = velocity(one(1), one(0), {0}, DoubleVector::Constant(1, 0.25));
  chapter.states("-0.8660254", number(v));
  chapter.states("2.5", number(convert_prediction(Type::kEpsilon, one(0.5F), v, 0.25).x0));
  chapter.states("0.25", number(convert_prediction(Type::kVelocity, one(0.5F), one(0), 0.25).x0));
  const DoubleVector a = stable_diffusion();
  const Matrix x_t = add_noise(one(0.7F), one(-1.3F), {500}, a);
  const Matrix other = velocity(one(0.7F), one(-1.3F), {500}, a);
  chapter.states("0.6657832", number(convert_prediction(Type::kEpsilon, x_t, other, a(500)).x0));
  chapter.states("0.034", 0.7 - 0.6657832);
}

TEST(Chapter09, WorksTheTimesteps) {
  const Chapter chapter("09_denoising_step");
  const auto steps = [](TimestepSpacing spacing, std::int64_t count, std::int64_t offset) {
    return sampling_timesteps(spacing, 1000, count, offset);
  };
  EXPECT_EQ(steps(TimestepSpacing::kLeading, 5, 1).timesteps, (Timesteps{801, 601, 401, 201, 1}));
  EXPECT_EQ(steps(TimestepSpacing::kLinspace, 5, 1).timesteps, (Timesteps{999, 749, 500, 250, 0}));
  EXPECT_EQ(steps(TimestepSpacing::kTrailing, 5, 1).timesteps,
            (Timesteps{999, 799, 599, 399, 199}));
  chapter.prints("801, 601, 401, 201, 1");
  chapter.prints("999, 749, 500, 250, 0");
  chapter.prints("999, 799, 599, 399, 199");
  const Timesteps seven = steps(TimestepSpacing::kLinspace, 7, 0).timesteps;
  EXPECT_EQ(seven[3], 500);
  EXPECT_EQ(seven[5], 166);
  chapter.prints("999, 922, 845, 768");
  EXPECT_EQ(steps(TimestepSpacing::kTrailing, 13, 0).timesteps[3], 768);
  const auto wrong = [&](TimestepSpacing spacing) {
    const SamplingSteps s = steps(spacing, 30, 0);
    int count = 0;
    for (std::size_t i = 0; i + 1 < s.timesteps.size(); ++i)
      count += s.timesteps[i] - 1000 / 30 != s.previous[i] ? 1 : 0;
    return count;
  };
  EXPECT_EQ(wrong(TimestepSpacing::kTrailing), 10);
  EXPECT_EQ(wrong(TimestepSpacing::kLinspace), 29);
  EXPECT_EQ(wrong(TimestepSpacing::kLeading), 0);
  chapter.prints("10\nof the 29 gaps are wrong with trailing and all 29");
}

TEST(Chapter09, WorksDdim) {
  const Chapter chapter("09_denoising_step");
  const DoubleVector a = stable_diffusion();
  const Matrix x_t = add_noise(one(0.7F), one(-1.3F), {500}, a);
  chapter.states("0.3036942", a(480));
  chapter.states("0.5510846", std::sqrt(a(480)));
  chapter.states("0.8344494", std::sqrt(1.0 - a(480)));
  chapter.states("-0.6990250", number(ddim_step(x_t, one(-1.3F), 500, 480, a, one(0), {}).prev));
  DdimOptions noisy;
  noisy.eta = 1.0;
  const double s = number(ddim_step(one(0), one(0), 500, 480, a, one(1), noisy).prev);
  chapter.states("0.2944302", s);
  chapter.states("0.7807796", std::sqrt(1.0 - a(480) - s * s));
  DdimOptions clipped;
  clipped.clip = 1.0;
  const DoubleVector two = (DoubleVector(2) << 0.81, 0.36).finished();
  const auto step = [&](const DdimOptions& options) {
    return number(ddim_step(one(1.8F), one(0), 1, 0, two, one(0), options).prev);
  };
  chapter.states("2.7", step({}));
  chapter.states("0.9", step(clipped));
  clipped.rederive_eps = true;
  chapter.states("1.5538", step(clipped));
}

Matrix ramp(bool falling = false) {
  Matrix x(8, 96);
  for (Index i = 0; i < 768; ++i) x.data()[i] = static_cast<float>(falling ? 767 - i : i) / 768.0F;
  return x;
}

double ten_steps(Matrix x, Type type, const DoubleVector& a, double final_alpha, std::int64_t start,
                 double clip, bool rederive) {
  const DdimOptions options{type, 0.0, clip, rederive, final_alpha};
  for (std::int64_t t = start; t >= 0; t -= 100) {
    const Matrix output = x * static_cast<float>(static_cast<double>(t) / double(t + 1));
    x = ddim_step(x, output, t, t == 0 ? -1 : t - 100, a, output, options).prev;
  }
  return x.cast<double>().cwiseAbs().sum();
}

TEST(Chapter09, WorksTheGoldenNumbersAndTheirBlindness) {
  const Chapter chapter("09_denoising_step");
  const DoubleVector a = ddpm_schedule(1e-4), steep = ddpm_schedule(0.01);
  const Matrix noisy = static_cast<float>(std::sqrt(a(100))) * ramp() +
                       static_cast<float>(std::sqrt(1 - a(100))) * ramp(true);
  const double none = std::numeric_limits<double>::infinity();
  for (const char* printed : {"172.0067", "52.5302", "149.8295", "149.0784", "354.5418"})
    chapter.prints(printed);  // as the library has them; its tests allow 0.01
  for (const auto& [clip, rederive] :
       {std::pair(1.0, false), std::pair(none, false), std::pair(1.0, true)}) {
    const auto loop = [&](const Matrix& x, Type type, const DoubleVector& alphas, double last,
                          std::int64_t start) {
      return ten_steps(x, type, alphas, last, start, clip, rederive);
    };
    chapter.states("172.0065", loop(ramp(), Type::kEpsilon, a, 1.0, 900));
    chapter.states("52.5301", loop(ramp(), Type::kVelocity, a, 1.0, 900));
    chapter.states("149.8295", loop(ramp(), Type::kEpsilon, steep, 1.0, 900));
    chapter.states("149.0784", loop(ramp(), Type::kEpsilon, steep, steep(0), 900));
    chapter.states("354.5415", loop(noisy, Type::kEpsilon, a, 1.0, 100));
  }
}

TEST(Chapter09, WorksDdpm) {
  const Chapter chapter("09_denoising_step");
  const DoubleVector a = stable_diffusion();
  const auto weigh = [&](std::int64_t to, float x_t, float x0, float noise) {
    const DdpmOptions options{Type::kSample, 10.0, StepVariance::kSmall};
    return number(ddpm_step(one(x_t), one(x0), 500, to, a, one(noise), options).prev);
  };
  chapter.states("0.003506", weigh(499, 0, 1, 0));
  chapter.states("0.995747", weigh(499, 1, 0, 0));
  chapter.states("0.004806", std::pow(weigh(499, 0, 0, 1), 2));
  chapter.states("0.004815", 1.0 - a(500) / a(499));
  chapter.states("0.068609", weigh(480, 0, 1, 0));
  chapter.states("0.917823", weigh(480, 1, 0, 0));
  chapter.states("0.086689", std::pow(weigh(480, 0, 0, 1), 2));
  chapter.states("0.090096", 1.0 - a(500) / a(480));
  const double alpha = a(500) / a(499);
  chapter.states("0.003667", std::sqrt(a(480)) * (1 - alpha) / (1 - a(500)));
  chapter.states("0.959871", std::sqrt(alpha) * (1 - a(480)) / (1 - a(500)));
}

TEST(Chapter09, WorksTheWeights) {
  const Chapter chapter("09_denoising_step");
  struct Row {
    double a;
    std::string r, eps, sample, v, wrong;
  };
  for (const Row& row :
       {Row{0.9, "9", "0.555556", "5", "0.5", "0.5"}, Row{0.5, "1", "1", "1", "0.5", "1"},
        Row{0.1, "0.111111", "1", "0.111111", "0.1", "1"}}) {
    const auto weight = [&](Type type) {
      return denoiser_task(type, one(1), one(1), {0}, DoubleVector::Constant(1, row.a), 5.0)
          .weight(0);
    };
    const double r = row.a / (1.0 - row.a);
    chapter.states(row.r, r);
    chapter.states(row.eps, weight(Type::kEpsilon));
    chapter.states(row.sample, weight(Type::kSample));
    chapter.states(row.v, weight(Type::kVelocity));
    chapter.states(row.wrong, std::min(r + 1.0, 5.0) / (r + 1.0));
    chapter.prints("| " + row.r + " | " + row.eps + " | " + row.sample + " | " + row.v + " | " +
                   row.wrong + " |");
  }
}

TEST(Chapter09, WorksThePipeline) {
  const Chapter chapter("09_denoising_step");
  const LinearCodec codec{
      Matrix{{1.0F}, {0.0F}}, RowVector::Zero(2), one(2), RowVector::Zero(1), 0.5, 1.0};
  PipelineOptions options;
  options.steps = 7;
  options.strength = 0.5;
  const DoubleVector a = stable_diffusion();
  const PipelineTrace trace = trace_pipeline(one(3), codec, options, a, one(0), one(1));
  EXPECT_EQ(trace.records.size(), 4U + 2U * 3U + 2U);
  EXPECT_EQ(trace.records[3].t, 2 * (1000 / 7));
  EXPECT_NEAR(number(trace.result), 6.0, 1e-4);
  chapter.prints("With 7 steps and\nstrength 0.5 that is 3; the first four are skipped");
}

TEST(Chapter09, WorksEulerAndFlow) {
  const Chapter chapter("09_denoising_step");
  chapter.states("0.2", number(euler_step(one(1), one(0), 2, 1, Type::kVelocity).x0));
  chapter.states("0.894427", -number(euler_step(one(0), one(1), 2, 1, Type::kVelocity).x0));
  const DoubleVector a = cumulative_alphas(make_betas(BetaSchedule::kLinear, 1100, 1e-4, 0.02));
  DoubleVector t(10);
  for (Index i = 0; i < 10; ++i) t(i) = 1099.0 * static_cast<double>(9 - i) / 9.0;
  const DoubleVector sigmas = euler_sigmas(t, a);
  const auto loop = [&](bool overwrites) {
    Matrix x = ramp() * static_cast<float>(sigmas(0));
    for (Index i = 0; i < 10; ++i) {
      const Matrix input = scale_model_input(x, sigmas(i));
      if (overwrites) x = input;
      const Matrix output = input * static_cast<float>(t(i) / (t(i) + 1.0));
      x = euler_step(x, output, sigmas(i), sigmas(i + 1), Type::kEpsilon).prev;
    }
    return x.cast<double>().cwiseAbs().sum();
  };
  chapter.states("10.0807", loop(true));
  EXPECT_NEAR(loop(false), 168.0514, 0.002);
  chapter.prints("168.0514");
  const DoubleVector flow = flow_sigmas(1000, 28, 3.0);
  chapter.states("0.002994", flow(27));
  chapter.states("0.75", flow_sigmas(2, 2, 3.0)(1));
  const double twice = 3.0 * flow(27) / (1.0 + 2.0 * flow(27));
  chapter.states("0.0089286", twice);
}

TEST(Chapter09, WorksTheRepairs) {
  const Chapter chapter("09_denoising_step");
  chapter.states("8.5", number(classifier_free_guidance(one(1), one(2), 7.5)));
  const Matrix limited = dynamic_threshold(Matrix{{0.5F, -1.0F, 2.0F, 4.0F}}, 1.0);
  EXPECT_EQ(limited, (Matrix{{0.125F, -0.25F, 0.5F, 1.0F}}));
  chapter.prints("(0.125, -0.25, 0.5, 1)");
  const DoubleVector a = rescale_zero_terminal_snr(stable_diffusion());
  chapter.states("0.99915", a(0));
  chapter.states("0.2410188", a(500));
  EXPECT_EQ(a(999), 0.0);
}

}  // namespace
}  // namespace latent
