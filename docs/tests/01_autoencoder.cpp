#include "autoencoder.hpp"
#include "docs/tests/chapter.hpp"

namespace latent {
namespace {

TEST(Chapter01, CountsValuesAndBits) {
  const Chapter chapter("01_autoencoder");
  chapter.states("786,432", static_cast<double>(values_in({3, 512, 512})));
  chapter.states("12,884,901,888", static_cast<double>(values_in({3, 65536, 65536})));
  chapter.states("9.966", bits_per_token(1000));
  struct Row {
    Shape input, latent;
    double bits;
    std::string values_text, bits_text;
  };
  for (const Row& row : {Row{{3, 512, 512}, {4, 64, 64}, 16, "48", "24"},
                         Row{{3, 512, 512}, {4, 64, 64}, 32, "48", "12"},
                         Row{{3, 1024, 1024}, {16, 128, 128}, 16, "12", "6"},
                         Row{{3, 256, 256}, {32, 32}, 13, "192", "118.2"},
                         Row{{3, 256, 256}, {32, 32}, 10, "192", "153.6"},
                         Row{{3, 256, 256}, {16, 16}, 18, "768", "341.3"},
                         Row{{9, 3, 512, 512}, {16, 3, 64, 64}, 16, "36", "18"}}) {
    const CompressionRatio ratio = compression_ratio(row.input, 8, row.latent, row.bits);
    chapter.states(row.values_text, ratio.values);
    chapter.states(row.bits_text, ratio.bits);
    chapter.prints("| " + row.values_text + " | " + row.bits_text + " |");
  }
}

TEST(Chapter01, WorksTheLinearLayer) {
  const Matrix x{{1, 2, 3}, {4, 5, 6}}, weight{{1, 0, -1}, {2, 1, 0}}, dy{{1, 0}, {2, -1}};
  const RowVector bias{{10, 20}};
  EXPECT_EQ(linear_forward(x, weight, bias), (Matrix{{8, 24}, {8, 33}}));
  const LinearGradients d = linear_backward(dy, x, weight);
  EXPECT_EQ(d.x, (Matrix{{1, 0, -1}, {0, -1, -2}}));
  EXPECT_EQ(d.weight, (Matrix{{9, 12, 15}, {-4, -5, -6}}));
  EXPECT_EQ(d.bias, (RowVector{{3, -1}}));
}

TEST(Chapter01, WorksTanh) {
  const Chapter chapter("01_autoencoder");
  const Matrix y = tanh_forward(one(2));
  chapter.states("0.964028", y(0, 0));
  chapter.states("0.070651", tanh_backward(one(1), y)(0, 0));
  EXPECT_EQ(tanh_backward(one(1), tanh_forward(one(30)))(0, 0), 0.0F);
}

TEST(Chapter01, WorksTheLoss) {
  const Chapter chapter("01_autoencoder");
  const Matrix x_hat{{1, 2}, {3, 4}}, x{{0, 2}, {3, 2}};
  const Loss sum = mse_loss(x_hat, x, Reduction::kSum),
             batch = mse_loss(x_hat, x, Reduction::kBatchMean),
             mean = mse_loss(x_hat, x, Reduction::kMean);
  chapter.prints("| sum | 1 | 5 | 2, 4 |");
  chapter.prints("| batch mean | 2 | 2.5 | 1, 2 |");
  chapter.prints("| mean | 4 | 1.25 | 0.5, 1 |");
  EXPECT_EQ(sum.value, 5);
  EXPECT_EQ(batch.value, 2.5);
  EXPECT_EQ(mean.value, 1.25);
  EXPECT_EQ(sum.gradient, (Matrix{{2, 0}, {0, 4}}));
  EXPECT_EQ(batch.gradient, (Matrix{{1, 0}, {0, 2}}));
  EXPECT_EQ(mean.gradient, (Matrix{{0.5, 0}, {0, 1}}));
}

TEST(Chapter01, WorksAdam) {
  const Chapter chapter("01_autoencoder");
  const auto step_length = [](float gradient, float m, float v, std::int64_t t) {
    AdamOptions options;
    options.learning_rate = 1.0;
    return 0.0 - adam_step({one(0), one(m), one(v)}, one(gradient), t, options).parameter(0, 0);
  };
  chapter.states("0.99900000002",
                 adam_step({one(1), one(0), one(0)}, one(0.5), 1, {}).parameter(0, 0));
  chapter.states("3.162",
                 step_length(0.5F, 0, 0, 1000000));  // so late that nothing is corrected any more
  chapter.states("0.316", step_length(0.5F, 0.5F, 0.25F, 1));
  chapter.states("0.0909", step_length(1e-9F, 0, 0, 1));
}

TEST(Chapter01, WorksTheSmallestAutoencoder) {
  const Chapter chapter("01_autoencoder");
  const Layer layer{one(1), RowVector::Zero(1)};
  const AutoencoderGradients pass = autoencoder_gradients({layer, layer, layer, layer}, one(1));
  const Autoencoder& d = pass.gradient;
  chapter.states("0.761594", pass.latent(0, 0));
  chapter.states("0.642015", pass.reconstruction(0, 0));
  chapter.states("0.128153", pass.loss);
  chapter.states("-0.715970", d.decoder_output.bias(0));
  chapter.states("-0.459663", d.decoder_output.weight(0, 0));
  chapter.states("-0.320524", d.decoder_hidden.weight(0, 0));
  chapter.states("-0.320524", d.encoder_output.weight(0, 0));
  chapter.states("-0.420859", d.encoder_output.bias(0));
  chapter.states("-0.176750", d.encoder_hidden.weight(0, 0));
}

TEST(Chapter01, WorksTheConvolution) {
  const Chapter chapter("01_autoencoder");
  EXPECT_EQ(conv2d_out(256, 4, 2, 1, 1), 128);
  EXPECT_EQ(conv2d_out(8, 3, 2, 0, 0), 3);
  Tensor4 ramp(1, 1, 4, 4);
  for (Index i = 0; i < 16; ++i) ramp(0, 0, i / 4, i % 4) = static_cast<float>(i);
  const auto sums = [&ramp](const Conv2dOptions& options) {
    const Tensor4 y = conv2d_forward(ramp, Tensor4(1, 1, 3, 3, 1.0F), RowVector::Zero(1), options);
    return Matrix(Eigen::Map<const Matrix>(y.data(), y.h(), y.w()));
  };
  EXPECT_EQ(sums({.stride = 2, .left = 1, .right = 1, .top = 1, .bottom = 1}),
            (Matrix{{10, 24}, {51, 90}}));
  EXPECT_EQ(sums({.stride = 2, .right = 1, .bottom = 1}), (Matrix{{45, 39}, {66, 50}}));
  chapter.prints("\\begin{pmatrix}10&24\\\\51&90\\end{pmatrix}");
  chapter.prints("\\begin{pmatrix}45&39\\\\66&50\\end{pmatrix}");
}

}  // namespace
}  // namespace latent
