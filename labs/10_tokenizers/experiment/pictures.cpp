// Pictures as tokens: what each further token adds.

#include <cmath>

#include "common/plot.hpp"
#include "common/statistics.hpp"
#include "parts.hpp"

namespace latent::run10 {

namespace {

/// A column per picture, a row per stage, a colour per token.
Image token_map(const RvqIndices& tokens) {
  constexpr Index kSide = 8, kArea = kSide * kSide;
  Matrix tiles(tokens.size(), 3 * kArea);
  for (Index q = 0; q < tokens.cols(); ++q) {
    for (Index n = 0; n < tokens.rows(); ++n) {
      for (Index c = 0; c < 3; ++c) {
        const double hue = 0.618034 * static_cast<double>(tokens(n, q)) + double(c) / 3.0;
        tiles.row(q * tokens.rows() + n)
            .segment(c * kArea, kArea)
            .setConstant(static_cast<float>(0.55 + 0.4 * std::cos(2.0 * 3.14159265 * hue)));
      }
    }
  }
  return tile_grid(tiles, {3, kSide, kSide}, tokens.rows());
}

void show_stages(Report& report, const Tokenizer& model, const Dataset& unseen) {
  const Matrix x = unseen.x.topRows(std::min<Index>(kShown, unseen.x.rows()));
  const RvqOutput tokens = tokens_of(model, x);
  std::vector<std::vector<std::string>> rows;
  Matrix tiles(7 * x.rows(), x.cols());
  tiles.topRows(x.rows()) = x;
  Index row = 0;
  for (const Index used : {1, 2, 3, 5, 8, 12})
    tiles.middleRows(++row * x.rows(), x.rows()) = decode(model, tokens.indices, used);
  for (Index q = 0; q < kStageCount; ++q) {
    const Matrix first = decode(model, tokens.indices, q + 1).topRows(1);
    rows.push_back({std::to_string(q + 1), std::to_string(tokens.indices(0, q)),
                    decimal(double(tokens.residual_norms(0, q)), 3),
                    decimal(mse_loss(first, x.topRows(1), Reduction::kMean).value)});
  }
  report.table({"The first picture below as a column of tokens",
                {"stage", "token", "left of z", "error so far"},
                rows});
  report.picture("stages.png", tile_grid(tiles, unseen.shape, x.rows()),
                 "Seven rows: pictures, and what 1, 2, 3, 5, 8 and 12 tokens each decode to.",
                 "Pictures it never saw, and below each what 1, 2, 3, 5, 8 and 12 of its tokens "
                 "decode to. One decoder makes all of them.");
  report.picture("tokens.png", token_map(tokens.indices),
                 "A column of twelve colours for each picture.",
                 "The same pictures as tokens: a column per picture, a row per stage, the same "
                 "colour in a row for the same token. This is all that the decoder is given.");
}

void measure_stages(Report& report, const Tokenizer& model, const ImageSplit& data) {
  const RvqOutput seen = tokens_of(model, data.train.x), unseen = tokens_of(model, data.test.x);
  std::vector<std::vector<std::string>> rows;
  Series curve{"pictures it never saw", {}, {}};
  bool falls = true;
  for (Index q = 0; q < kStageCount; ++q) {
    const double error =
        mse_loss(decode(model, unseen.indices, q + 1), data.test.x, Reduction::kMean).value;
    std::vector<int> count(kCodes, 0);
    for (Index n = 0; n < seen.indices.rows(); ++n)
      ++count.at(static_cast<std::size_t>(seen.indices(n, q)));
    const auto used = kCodes - std::count(count.begin(), count.end(), 0);
    falls = falls && (curve.y.empty() || error < curve.y.back());
    curve.x.push_back(double(q + 1));
    curve.y.push_back(error);
    rows.push_back({std::to_string(q + 1), decimal(bits_per_token(kCodes) * double(q + 1), 0),
                    decimal(error), std::to_string(used) + " of " + std::to_string(kCodes)});
  }
  report.table({"Mean squared error per pixel by the number of tokens used",
                {"tokens", "bits", "error", "codes of this stage in use"},
                rows});
  report.table({"Stage by stage",
                {"target", "measured", "met"},
                {{"less error with every further token",
                  decimal(curve.y.front()) + " to " + decimal(curve.y.back()), yes_no(falls)}}});
  report.plot(
      "error.svg",
      line_chart({"Error by the number of tokens", "tokens used", "squared error per pixel",
                  "From " + decimal(curve.y.front()) + " with one token to " +
                      decimal(curve.y.back()) + " with all."},
                 {curve}, {{"PCA, 8 numbers", pca_residual(data.train.x, 8)}}, {false, true}),
      "Dashed: what eight principal components leave over. Those are real numbers, 256 bits as "
      "floats.");
}

}  // namespace

void equal_tables(Run& run, Report& report) {
  report.heading("Eight numbers: three tables of 8 against one of 24");
  const Matrix x = mixture8(run.seed(), 4096).x, unseen = mixture8(run.seed() + kUnseen, 4096).x;
  Random random(run.seed(), kStages);
  const int rounds = run.quick() ? 10 : 30;
  const std::vector<RvqStage> residual = fit_stages(x, 3, 8, rounds, random),
                              flat = fit_stages(x, 1, 24, rounds, random);
  const auto error = [&](const std::vector<RvqStage>& stages, Index used) {
    const RvqIndices tokens = residual_quantize(unseen, stages).indices;
    return mse_loss(rvq_decode(tokens, stages, used), unseen, Reduction::kMean).value;
  };
  const double three = error(residual, 3), one = error(flat, 1);
  report.table(
      {"Mean squared error per number, on data that no table was fitted to",
       {"", "bits", "codes stored", "error"},
       {{"one table of 24", decimal(bits_per_token(24), 2), "24", decimal(one)},
        {"1 of 3 tables of 8", decimal(bits_per_token(8), 2), "8", decimal(error(residual, 1))},
        {"2 of 3", decimal(2 * bits_per_token(8), 2), "16", decimal(error(residual, 2))},
        {"3 of 3", decimal(3 * bits_per_token(8), 2), "24", decimal(three)}}});
  report.table({"At equal size of the tables",
                {"target", "measured", "met"},
                {{"three of 8 below one of 24", decimal(three / one, 3) + " of its error",
                  yes_no(three < one)}}});
}

void pictures(Run& run, Report& report) {
  const ImageSplit data = images_for(run, 8192, 1024);
  report.heading("Pictures as " + std::to_string(kStageCount) + " tokens of " +
                 std::to_string(kCodes) + ": " + data.train.name);
  const Tokenizer model = train_tokenizer(run, data.train.x);
  show_stages(report, model, data.test);
  measure_stages(report, model, data);
  generate(run, report, model, data);
}

}  // namespace latent::run10
