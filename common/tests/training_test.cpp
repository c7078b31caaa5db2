#include "common/training.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <limits>

#include "common/optimizer.hpp"
#include "common/random.hpp"

namespace latent {
namespace {

namespace fs = std::filesystem;

using Options = std::map<std::string, std::string>;

/// A folder for a run's files.
class TrainingTest : public testing::Test {
 protected:
  TrainingTest() : folder_(testing::TempDir() + "training-" + std::to_string(::getpid())) {}
  ~TrainingTest() override { fs::remove_all(folder_); }

  latent::Run a_run(const std::string& out, const Options& options = {},
                    const std::string& lab = "labs/01_x") {
    return {lab, folder_ + "/" + out, options, {"./lab run 1", "", ""}};
  }

  std::string kept_by(const std::string& out) const {
    return folder_ + "/" + out + "/checkpoint.safetensors";
  }

  std::string folder_;
};

TrainingPlan plan(std::int64_t steps) {
  return {"x", steps, 2, {"sum", "step"}, std::chrono::milliseconds(0)};
}

/// Adds noise of its own to a tensor at each step, remembers an average, and may be interrupted.
struct Learner {
  Matrix weight = Matrix::Ones(2, 3), memory = Matrix::Zero(2, 3);
  std::vector<double> curve;

  void train(Run& run, std::int64_t steps, std::int64_t signal_after = -1, int signal = 0) {
    Training training(run, plan(steps), {{"weight", &weight}, {"memory", &memory}});
    while (training.next()) {
      Random random(run.seed(), static_cast<std::uint64_t>(training.step()));
      memory = 0.9F * memory + 0.1F * random.normal_matrix(2, 3);
      weight -= 0.3F * memory;
      training.record({double(weight.sum()) / 3.0, double(training.step())});
      if (training.step() == signal_after) ::raise(signal);
    }
    curve = training.curve(0, 1000).y;
  }
};

TEST_F(TrainingTest, EndsTheSameAfterSigkillInTheMiddle) {
  Learner whole;
  latent::Run one = a_run("whole", {{"--seed", "18446744073709551610"}});
  whole.train(one, 50);
  const pid_t pid = ::fork();
  if (pid == 0) {
    latent::Run killed = a_run("killed", {{"--seed", "18446744073709551610"}});
    Learner().train(killed, 50, 20, SIGKILL);
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(pid, &status, 0), pid);
  ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);

  latent::Run other = a_run("resumed", {{"--resume", kept_by("killed")}});
  EXPECT_EQ(other.seed(), 18446744073709551610ULL);
  EXPECT_EQ(other.checkpoint().at("x.losses").shape, (Shape{2, 19})) << "step 20 was never begun";
  Learner resumed;
  resumed.train(other, 50);
  EXPECT_EQ(resumed.weight, whole.weight);
  EXPECT_EQ(resumed.memory, whole.memory);
  EXPECT_EQ(resumed.curve, whole.curve);
  EXPECT_EQ(read_bytes(kept_by("resumed"), "", 1 << 20), read_bytes(kept_by("whole"), "", 1 << 20));
}

TEST_F(TrainingTest, KeepsWhatWasLearnedAtCtrlCAndSaysHowToGoOn) {
  const pid_t pid = ::fork();  // Ctrl-C is remembered by the process
  if (pid == 0) {
    latent::Run run = a_run("stopped");
    TrainingPlan slow = plan(50);
    slow.save_every = std::chrono::hours(1);
    Matrix weight = Matrix::Zero(1, 1);
    try {
      Training training(run, slow, {{"weight", &weight}});
      while (training.next()) {
        weight(0, 0) = static_cast<float>(training.step());
        training.record({1.0, 2.0});
        if (training.step() == 7) ::raise(SIGINT);
      }
      ::_exit(1);
    } catch (const TrainingStopped& e) {
      const std::string said = e.what(), way = "./lab run 1 --resume '" + kept_by("stopped") + "'";
      ::_exit(said.find("after step 7 of 50") == std::string::npos ? 2
              : said.find(way) == std::string::npos                ? 3
                                                                   : 0);
    }
  }
  int status = -1;
  ASSERT_EQ(::waitpid(pid, &status, 0), pid);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(read_safetensors(kept_by("stopped")).at("x.weight").values, std::vector<float>{7.0F});
}

TEST_F(TrainingTest, EndsAtOnceWhenCtrlCIsPressedTwice) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    latent::Run run = a_run("twice");
    Training training(run, plan(5), {});
    ::raise(SIGINT);
    ::raise(SIGINT);
    ::_exit(1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(pid, &status, 0), pid);
  EXPECT_EQ(WIFEXITED(status) ? WEXITSTATUS(status) : -1, 130);
}

TEST_F(TrainingTest, TrainsSeveralModelsInOneRun) {
  latent::Run run = a_run("two");
  Matrix a = Matrix::Zero(1, 1), b = Matrix::Zero(1, 1);
  for (const auto& [name, tensor] : {std::pair("a", &a), std::pair("b", &b)}) {
    Training training(run, {name, 3, 1}, {{"t", tensor}});
    while (training.next()) {
      tensor->array() += 1.0F;
      training.record({0.0});
    }
  }
  latent::Run again = a_run("again", {{"--resume", kept_by("two")}});
  Matrix c = Matrix::Zero(1, 1);
  Training done(again, {"b", 3, 1}, {{"t", &c}});
  EXPECT_FALSE(done.next());
  EXPECT_EQ(c(0, 0), 3.0F);
}

TEST_F(TrainingTest, RefusesACheckpointThatIsNotItsOwn) {
  latent::Run run = a_run("mine", {{"--quick", "yes"}, {"--seed", "3"}});
  Learner().train(run, 5);
  const std::string file = kept_by("mine");
  EXPECT_THROW(a_run("b", {{"--resume", file}}, "labs/02_y"), FileError) << "another lab";
  EXPECT_THROW(a_run("b", {{"--resume", folder_ + "/none"}}), FileError);
  EXPECT_THROW(a_run("b", {{"--resume", file}, {"--seed", "4"}}), RunUsageError);
  EXPECT_TRUE(a_run("b", {{"--resume", file}, {"--seed", "3"}}).quick());
  latent::Run other = a_run("b", {{"--resume", file}});
  Matrix wide = Matrix::Zero(2, 4), fits = Matrix::Zero(2, 3);
  EXPECT_THROW(Training(other, plan(5), {{"weight", &wide}}), FileError);
  EXPECT_THROW(Training(other, plan(5), {{"bias", &fits}}), FileError);
  EXPECT_THROW(Training(other, plan(4), {{"weight", &fits}}), FileError) << "longer than asked for";
  EXPECT_THROW(Training(other, {"x", 5, 1}, {{"weight", &fits}}), FileError) << "other terms";
}

TEST_F(TrainingTest, RefusesSeedsThatAreNone) {
  for (const char* seed : {"", "x", "-1", "1.5", "18446744073709551616", "1 "}) {
    if (*seed != '\0') {
      EXPECT_THROW(a_run("a", {{"--seed", seed}}), RunUsageError) << seed;
    }
  }
  EXPECT_EQ(a_run("a").seed(), 1U);
  EXPECT_EQ(a_run("a", {{"--seed", "18446744073709551615"}}).seed(), ~std::uint64_t{0});
}

TEST_F(TrainingTest, StopsWhereALossIsNoNumber) {
  latent::Run run = a_run("a");
  Training training(run, {"x", 5, 1, {"sum", "step"}}, {});
  ASSERT_TRUE(training.next());
  EXPECT_THROW(training.record({1.0}), std::invalid_argument);
  EXPECT_THROW(training.record({std::numeric_limits<double>::quiet_NaN(), 1.0}),
               std::runtime_error);
  EXPECT_THROW(training.next(), std::logic_error) << "nothing was recorded";
}

TEST_F(TrainingTest, ThinsACurveByAveraging) {
  latent::Run run = a_run("a");
  Training training(run, {"x", 10, 1}, {});
  while (training.next()) training.record({double(training.step())});
  const Series curve = training.curve(0, 4);  // 1 2 | 3 4 5 | 6 7 | 8 9 10
  EXPECT_EQ(curve.x, (std::vector<double>{2, 5, 7, 10}));
  EXPECT_EQ(curve.y, (std::vector<double>{1.5, 4, 6.5, 9}));
  EXPECT_EQ(training.curve(0, 100).x.size(), 10U);
}

TEST_F(TrainingTest, KeepsTensorsOfEveryKindEvenIfTheyAreAssignedAnew) {
  Matrix weight = Matrix::Zero(2, 3);
  RowVector bias = RowVector::Zero(4);
  Tensor4 kernel(2, 1, 3, 3);
  latent::Run run = a_run("kinds");
  Training training(run, {"x", 1, 1}, {{"weight", &weight}, {"bias", &bias}, {"kernel", &kernel}});
  ASSERT_TRUE(training.next());
  weight =
      Matrix::Constant(2, 3, 5.0F);  // new storage, as when a model is replaced by a better one
  bias = RowVector::Constant(4, 6.0F);
  kernel = Tensor4(2, 1, 3, 3, 7.0F);
  training.record({0.0});
  ASSERT_FALSE(training.next());
  const StoredTensors kept = read_safetensors(kept_by("kinds"));
  EXPECT_EQ(kept.at("x.weight").values, std::vector<float>(6, 5.0F));
  EXPECT_EQ(kept.at("x.bias").values, std::vector<float>(4, 6.0F));
  EXPECT_EQ(kept.at("x.bias").shape, (Shape{1, 4}));
  EXPECT_EQ(kept.at("x.kernel").values, std::vector<float>(18, 7.0F));
  EXPECT_EQ(kept.at("x.kernel").shape, (Shape{2, 1, 3, 3}));
}

/// A rule with memory: heavy-ball momentum, which divides by the step to be seen to count.
struct BallState {
  Matrix parameter, first_moment, second_moment;
};
struct BallOptions {
  float rate = 1.0F;
};
BallState ball_step(const BallState& state, const Matrix& gradient, std::int64_t step,
                    const BallOptions& options) {
  BallState after = state;
  after.first_moment += gradient;
  after.second_moment += gradient.cwiseAbs2();
  after.parameter -= options.rate / static_cast<float>(step) * after.first_moment;
  return after;
}

TEST(OptimizerTest, StepsEveryParameterByTheRuleAndRemembers) {
  Matrix weight = Matrix::Constant(1, 2, 10.0F), weight_gradient = Matrix::Constant(1, 2, 1.0F);
  Tensor4 kernel(1, 1, 1, 2, 20.0F), kernel_gradient(1, 1, 1, 2, 3.0F);
  Optimizer ball(ball_step, {{"weight", &weight}, {"kernel", &kernel}});
  ball.step({{"weight", &weight_gradient}, {"kernel", &kernel_gradient}}, 1, {.rate = 2.0F});
  ball.step({{"weight", &weight_gradient}, {"kernel", &kernel_gradient}}, 2, {.rate = 2.0F});
  EXPECT_EQ(weight(0, 1), 10.0F - 2.0F * 1.0F - 2.0F / 2.0F * 2.0F);
  EXPECT_EQ(kernel(0, 0, 0, 1), 20.0F - 2.0F * 3.0F - 2.0F / 2.0F * 6.0F);
  const NamedTensors all = ball.tensors();
  ASSERT_EQ(all.size(), 6U);
  EXPECT_EQ(all[4].name, "kernel.m");
  EXPECT_EQ(all[4].matrix()(0, 0), 6.0F);
  EXPECT_EQ(all[5].name, "kernel.v");
  EXPECT_EQ(all[5].matrix()(0, 1), 18.0F);
  EXPECT_THROW(ball.step({{"weight", &weight_gradient}}, 3, {}), std::invalid_argument);
  Matrix wide = Matrix::Zero(1, 3);
  EXPECT_THROW(ball.step({{"weight", &wide}, {"kernel", &kernel_gradient}}, 3, {}),
               std::invalid_argument);
}

struct FakeLayer {
  Matrix weight;
  RowVector bias;
};

TEST(LayersByName, NameWeightAndBiasOfEach) {
  FakeLayer a{Matrix::Zero(2, 3), RowVector::Zero(2)}, b{Matrix::Zero(1, 2), RowVector::Zero(1)};
  const NamedTensors all = layers_by_name<FakeLayer>({{"a", &a}, {"b", &b}});
  ASSERT_EQ(all.size(), 4U);
  EXPECT_EQ(all[1].name, "a.bias");
  EXPECT_EQ(all[2].name, "b.weight");
  EXPECT_EQ(all[2].shape(), (Shape{1, 2}));
}

TEST(OptimizerTest, RefusesARuleThatChangesAShape) {
  Matrix weight = Matrix::Zero(1, 2), gradient = weight;
  const auto transposing = [](const BallState& state, const Matrix&, std::int64_t,
                              const BallOptions&) {
    return BallState{state.parameter.transpose(), state.first_moment, state.second_moment};
  };
  Optimizer<BallState, BallOptions> bad(transposing, {{"weight", &weight}});
  EXPECT_THROW(bad.step({{"weight", &gradient}}, 1, {}), std::invalid_argument);
}

TEST(RandomRows, AreRowsOfTheData) {
  Matrix x(3, 1);
  x << 1, 2, 3;
  Random random(4);
  const Matrix rows = random_rows(x, 600, random);
  for (const float value : {1.0F, 2.0F, 3.0F})
    EXPECT_NEAR(static_cast<double>((rows.array() == value).count()), 200.0, 60.0);
  EXPECT_THROW(random_rows(Matrix(0, 2), 1, random), std::invalid_argument);
}

TEST(InitialWeight, KeepsTheVarianceOfWhatGoesThrough) {
  Random random(5);
  const Matrix weight = initial_weight(200, 50, random);
  EXPECT_NEAR(double(weight.squaredNorm()) / 200.0, 1.0, 0.05);
}

}  // namespace
}  // namespace latent
