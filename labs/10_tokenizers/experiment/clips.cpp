// Clips of moving bars, each frame alone and causally: which coder flickers?

#include <cmath>

#include "common/optimizer.hpp"
#include "common/plot.hpp"
#include "parts.hpp"

namespace latent::run10 {

namespace {

constexpr Index kFrames = 17, kPixels = 256;

/// A convolution over time.
struct Conv {
  Tensor4 weight;
  RowVector bias;
};

/// Frames to signs and back: linear, tanh, two convolutions, signs, a convolution, tanh, linear.
/// With kernels of one tap and strides of 1 each frame is alone; with three taps and strides of 2
/// one latent frame stands for four frames and knows the past.
struct ClipCoder {
  Layer frame, output;
  Conv first, second, mix;
  std::int64_t stride = 1;

  Index slots() const { return output.weight.rows() / kPixels; }  ///< Frames per latent frame.
};

NamedTensors tensors_of(ClipCoder& model) {
  NamedTensors all;
  append(all, "frame", model.frame);
  append(all, "output", model.output);
  for (const auto& [name, conv] :
       {std::pair("first", &model.first), {"second", &model.second}, {"mix", &model.mix}}) {
    all.push_back({std::string(name) + ".weight", &conv->weight});
    all.push_back({std::string(name) + ".bias", &conv->bias});
  }
  return all;
}

ClipCoder initial_coder(Index bits, Index taps, std::int64_t stride, std::uint64_t seed) {
  constexpr Index kChannels = 48;
  Random random(seed, kWeights + 2);
  const auto conv = [&](Index out, Index in, Index k) {
    Conv made{Tensor4(out, in, k, 1), RowVector::Zero(out)};
    for (Index i = 0; i < made.weight.size(); ++i)
      made.weight.data()[i] =
          static_cast<float>(random.normal() / std::sqrt(static_cast<double>(in * k)));
    return made;
  };
  return {initial_layer(kChannels, kPixels, random),
          initial_layer(stride * stride * kPixels, 2 * kChannels, random),
          conv(kChannels, kChannels, taps),
          conv(bits, kChannels, taps),
          conv(2 * kChannels, bits, stride == 1 ? 1 : 2),
          stride};
}

/// The convolution, clip by clip: the rows are those of `clips` clips, one after another.
Matrix over_time(const Matrix& x, const Conv& conv, std::int64_t stride, Index clips) {
  const Index in = x.rows() / clips, out = (in - 1) / stride + 1;
  Matrix y(clips * out, conv.bias.size());
  for (Index i = 0; i < clips; ++i)
    y.middleRows(i * out, out) =
        causal_conv_time(x.middleRows(i * in, in), conv.weight, conv.bias, stride);
  return y;
}

/// Its backward pass; returns the gradient of x.
Matrix over_time_backward(const Matrix& dy, const Matrix& x, const Conv& conv, std::int64_t stride,
                          Index clips, Conv& gradient) {
  const Index in = x.rows() / clips, out = dy.rows() / clips;
  Matrix dx(x.rows(), x.cols());
  gradient = {Tensor4(conv.weight.n(), conv.weight.c(), conv.weight.h(), 1),
              RowVector::Zero(conv.bias.size())};
  for (Index i = 0; i < clips; ++i) {
    const CausalConvGradients d = causal_conv_time_backward(
        dy.middleRows(i * out, out), x.middleRows(i * in, in), conv.weight, stride);
    dx.middleRows(i * in, in) = d.x;
    for (Index k = 0; k < d.weight.size(); ++k) gradient.weight.data()[k] += d.weight.data()[k];
    gradient.bias += d.bias;
  }
  return dx;
}

struct ClipPass {
  Matrix frame, first, z, codes, mix, output;

  /// The frames in what the decoder put out. A clip has 1 + 4 m of them: of the four that the first
  /// latent frame makes, the last counts.
  Matrix frames(Index clips, Index slots) const {
    const Index made = output.rows() * slots / clips;
    const Eigen::Map<const Matrix> all(output.data(), clips * made, kPixels);
    Matrix kept(clips * kFrames, kPixels);
    for (Index i = 0; i < clips; ++i)
      kept.middleRows(i * kFrames, kFrames) = all.middleRows(i * made, made).bottomRows(kFrames);
    return kept;
  }
};

ClipPass run_coder(const ClipCoder& model, const Matrix& x, Index clips) {
  ClipPass pass;
  pass.frame = tanh_forward(linear_forward(x, model.frame.weight, model.frame.bias));
  pass.first = tanh_forward(over_time(pass.frame, model.first, model.stride, clips));
  pass.z = over_time(pass.first, model.second, model.stride, clips);
  pass.codes = lfq_quantize(pass.z, 1.0);
  pass.mix = tanh_forward(over_time(pass.codes, model.mix, 1, clips));
  pass.output = linear_forward(pass.mix, model.output.weight, model.output.bias);
  return pass;
}

ClipCoder coder_gradient(const ClipCoder& model, const Matrix& x, const ClipPass& pass,
                         const Matrix& d_frames, Index clips) {
  ClipCoder gradient;
  Matrix d_output = Matrix::Zero(pass.output.rows(), pass.output.cols());
  const Index made = d_output.rows() * model.slots() / clips;
  Eigen::Map<Matrix> all(d_output.data(), clips * made, kPixels);
  for (Index i = 0; i < clips; ++i)
    all.middleRows(i * made, made).bottomRows(kFrames) = d_frames.middleRows(i * kFrames, kFrames);
  const LinearGradients output = linear_backward(d_output, pass.mix, model.output.weight);
  const Matrix d_codes = over_time_backward(tanh_backward(output.x, pass.mix), pass.codes,
                                            model.mix, 1, clips, gradient.mix);
  const Matrix d_first = over_time_backward(lfq_quantize_backward(d_codes, pass.z), pass.first,
                                            model.second, model.stride, clips, gradient.second);
  const Matrix d_frame = over_time_backward(tanh_backward(d_first, pass.first), pass.frame,
                                            model.first, model.stride, clips, gradient.first);
  const LinearGradients frame =
      linear_backward(tanh_backward(d_frame, pass.frame), x, model.frame.weight);
  gradient.frame = {frame.weight, frame.bias};
  gradient.output = {output.weight, output.bias};
  return gradient;
}

ClipCoder train_coder(Run& run, const std::string& name, ClipCoder model, const Matrix& x) {
  constexpr Index kClips = 16;
  const std::int64_t steps = run.quick() ? 150 : 3'000;
  Optimizer adam(adam_step, tensors_of(model));
  Training training(run, {name, steps, kClips * kFrames}, adam.tensors());
  while (training.next()) {
    Random random(run.seed(), kClipSteps + static_cast<std::uint64_t>(training.step()));
    Matrix batch(kClips * kFrames, kPixels);
    for (Index i = 0; i < kClips; ++i)
      batch.middleRows(i * kFrames, kFrames) =
          x.middleRows(random.integer(0, x.rows() / kFrames - 1) * kFrames, kFrames);
    const ClipPass pass = run_coder(model, batch, kClips);
    const Loss loss = mse_loss(pass.frames(kClips, model.slots()), batch, Reduction::kBatchMean);
    ClipCoder gradient = coder_gradient(model, batch, pass, loss.gradient, kClips);
    adam.step(tensors_of(gradient), training.step(),
              {.learning_rate = rate_at(3e-3, training, steps)});
    training.record({loss.value / kPixels});
  }
  return model;
}

/// Over the frames of clips: the squared error, and the squared change of the error since the frame
/// before. Means over clips and pixels.
struct Flicker {
  Series error, change;
  double mean_error = 0.0, mean_change = 0.0;
};

Flicker flicker(const std::string& name, const Matrix& made, const Matrix& x) {
  Flicker found{{name, {}, {}}, {name, {}, {}}};
  const Matrix error = made - x;
  const Index clips = x.rows() / kFrames;
  for (Index t = 0; t < kFrames; ++t) {
    double squares = 0.0, changes = 0.0;
    for (Index i = 0; i < clips; ++i) {
      const auto now = error.row(i * kFrames + t);
      squares += double(now.squaredNorm());
      if (t > 0) changes += double((now - error.row(i * kFrames + t - 1)).squaredNorm());
    }
    const double numbers = static_cast<double>(clips * kPixels);
    found.error.x.push_back(double(t));
    found.error.y.push_back(squares / numbers);
    found.mean_error += squares / numbers / kFrames;
    if (t == 0) continue;
    found.change.x.push_back(double(t));
    found.change.y.push_back(changes / numbers);
    found.mean_change += changes / numbers / (kFrames - 1);
  }
  return found;
}

/// Changes one frame after the other and looks which latent frames are no longer the same bits.
void show_causality(Report& report, const ClipCoder& model, const Matrix& clip) {
  const Matrix z = run_coder(model, clip, 1).z;
  Matrix tiles(kFrames * z.rows(), 1);
  bool own_touched = true;
  int touched = 0;  // latent frames that changed by what lies in their future
  for (Index t = 0; t < kFrames; ++t) {
    Matrix changed = clip;
    changed.row(t) = 1.0F - changed.row(t).array();
    const Matrix other = run_coder(model, changed, 1).z;
    const Index own = (t + model.slots() - 1) / model.slots();  // the first that may see frame t
    for (Index i = 0; i < z.rows(); ++i) {
      const bool differs = other.row(i) != z.row(i);
      tiles(i * kFrames + t, 0) = differs ? 1.0F : (i < own ? 0.0F : 0.25F);
      touched += i < own && differs ? 1 : 0;
      own_touched = own_touched && (i != own || differs);
    }
  }
  const std::string words =
      "Rows are latent frames, columns are changed frames; white: it changed.";
  report.picture(
      "causality.png", tile_grid(tiles.replicate(1, 64), {1, 8, 8}, kFrames), words,
      words +
          " Latent frame i may depend on frames 0 to 4 i. Of those that may not see the change, " +
          std::to_string(touched) + " changed all the same; the others are black.");
  const auto length = [](std::int64_t frames) {
    try {
      return std::to_string(latent_frames(frames, 4));
    } catch (const std::invalid_argument&) {
      return "refused; pad to " + std::to_string(padded_frames(frames, 4));
    }
  };
  report.table({"Causality and lengths, time compressed by 4",
                {"", "measured"},
                {{"latent frames of the past are the same bits", yes_no(touched == 0)},
                 {"the first that may see the change does change", yes_no(own_touched)},
                 {"33 frames", length(33)},
                 {"9 frames", length(9)},
                 {"32 frames", length(32)}}});
}

/// A coder's way with clips that it was not trained on.
struct Coded {
  std::string latent;  ///< "5 x 17"
  Matrix frames;
  Flicker flicker;
};

Coded code_clips(const std::string& name, const ClipCoder& model, const Matrix& x) {
  const Index clips = x.rows() / kFrames;
  const ClipPass pass = run_coder(model, x, clips);
  const Matrix frames = pass.frames(clips, model.slots());
  return {std::to_string(pass.z.rows() / clips) + " x " + std::to_string(pass.z.cols()), frames,
          flicker(name, frames, x)};
}

void show_clips(Report& report, const Matrix& x, const Coded& alone, const Coded& causal) {
  Matrix tiles(6 * kFrames, kPixels);
  for (Index clip = 0; clip < 2; ++clip) {
    Index row = 3 * clip;
    for (const Matrix* frames : {&x, &alone.frames, &causal.frames})
      tiles.middleRows(row++ * kFrames, kFrames) = frames->middleRows(clip * kFrames, kFrames);
  }
  report.picture("clips.png", tile_grid(tiles, {1, 16, 16}, kFrames),
                 "Two clips, three rows each: frames, each frame alone, causal.",
                 "Two clips, time to the right. Three rows each: as it is; each frame coded alone; "
                 "coded causally, with as many bits.");
  const auto plot = [&](const std::string& file, const std::string& title, const std::string& unit,
                        const Flicker& a, const Flicker& c, Series Flicker::*curve,
                        double Flicker::*mean, const std::string& caption) {
    report.plot(
        file,
        line_chart({title, "frame", unit,
                    "Means: per frame " + decimal(a.*mean) + ", causal " + decimal(c.*mean) + "."},
                   {a.*curve, c.*curve}),
        caption);
  };
  plot("flicker.svg", "Change of the error since the frame before", "squared change per pixel",
       alone.flicker, causal.flicker, &Flicker::change, &Flicker::mean_change,
       "An error that stays is a flaw in the picture. One that jumps is seen as flicker.");
  plot("clip_error.svg", "Error over the frames of a clip", "squared error per pixel",
       alone.flicker, causal.flicker, &Flicker::error, &Flicker::mean_error,
       "The causal coder has one latent frame for frame 0, then one for every four.");
}

}  // namespace

void clips(Run& run, Report& report) {
  report.heading("Clips: each frame alone, and causally");
  const Matrix x = moving_bars(run.seed(), 1024, kFrames).data.x,
               unseen = moving_bars(run.seed() + kUnseen, 256, kFrames).data.x;
  // 17 frames of 5 bits are 5 latent frames of 17.
  const ClipCoder alone = train_coder(run, "per frame", initial_coder(5, 1, 1, run.seed()), x),
                  causal = train_coder(run, "causal", initial_coder(17, 3, 2, run.seed()), x);
  const Coded a = code_clips("per frame", alone, unseen), c = code_clips("causal", causal, unseen);
  const double change = c.flicker.mean_change, change_alone = a.flicker.mean_change;
  report.table(
      {"17 frames of 16 x 16 as signs; clips that were not trained on",
       {"", "latent frames x bits", "error", "flicker"},
       {{"each frame alone", a.latent, decimal(a.flicker.mean_error), decimal(change_alone)},
        {"causal", c.latent, decimal(c.flicker.mean_error), decimal(change)}}});
  report.table({"Flicker: mean squared change of the error from frame to frame",
                {"target", "measured", "met"},
                {{"causal below per frame", decimal(change / change_alone, 3) + " of it",
                  yes_no(change < change_alone)}}});
  show_clips(report, unseen, a, c);
  show_causality(report, causal, unseen.topRows(kFrames));
}

}  // namespace latent::run10
