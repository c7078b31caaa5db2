// `./lab run 8`: a picture becomes a latent and a picture again, with your functions.

#include "common/experiment.hpp"

#include <sys/resource.h>

#include <chrono>
#include <cmath>
#include <cstdio>

#include "common/image.hpp"
#include "common/plot.hpp"
#include "common/random.hpp"
#include "common/report.hpp"
#include "common/scene.hpp"
#include "common/trace.hpp"
#include "encode_decode.hpp"
#include "tae_weights.hpp"

namespace latent {
namespace {

constexpr Index kMostPixels = Index{1} << 22;  // some 3 GiB of activations

/// The picture, cut to sides that the model can halve often enough.
Image picture(const Run& run, std::int64_t factor) {
  const std::string path = run.option("--image");
  Random random(run.seed() + 1);  // with 1, an ordinary scene comes first
  const Index side = run.quick() ? 128 : 256;
  Image image = path.empty() ? draw_scene(random, side, side) : read_png(path);
  const std::string name = path.empty() ? "a scene drawn by the program" : path;
  const Index height = image.height / factor * factor, width = image.width / factor * factor;
  if (height == 0 || width == 0 || height * width > kMostPixels)
    throw FileError(name + ": expected sides from " + std::to_string(factor) + " and at most " +
                    std::to_string(kMostPixels) + " pixels in all, found " +
                    std::to_string(image.width) + " x " + std::to_string(image.height));
  std::printf("picture    %s, %td x %td", name.c_str(), image.width, image.height);
  if (height != image.height || width != image.width)
    std::printf(", cut to %td x %td", width, height);
  std::printf("\n");
  Image cut{height, width, 3, {}};
  for (Index row = 0; row < height; ++row) {
    const auto begin = image.pixels.begin() + row * image.width * 3;
    cut.pixels.insert(cut.pixels.end(), begin, begin + width * 3);
  }
  return cut;
}

Tensor4 model_input(const Image& image) {
  return image_to_model({image.height, image.width, {image.pixels.begin(), image.pixels.end()}},
                        PixelRange::kZeroToOne);
}

Image image_of(const Tensor4& x) {
  const Pixels pixels = model_to_image(x, PixelRange::kZeroToOne);
  Image image{pixels.height, pixels.width, 3, {}};
  for (const std::int32_t value : pixels.values)
    image.pixels.push_back(static_cast<std::uint8_t>(std::clamp(value, 0, 255)));
  return image;
}

/// Peak signal-to-noise ratio in dB, of numbers from 0 to 1; what is outside is clamped first.
double psnr(const Tensor4& image, const Tensor4& decoded) {
  if (image.shape() != decoded.shape())
    throw std::runtime_error("expected a decoded image of shape " + shape_of(image) + ", got " +
                             shape_of(decoded));
  double sum = 0.0;
  for (Index i = 0; i < image.size(); ++i) {
    const double error =
        double(std::clamp(decoded.data()[i], 0.0F, 1.0F)) - double(image.data()[i]);
    sum += error * error;
  }
  return -10.0 * std::log10(sum / static_cast<double>(image.size()));
}

Tensor4 apply(Tensor4 x, const std::vector<TaeLayer>& layers) {
  for (const TaeLayer& layer : layers) x = run_layer(x, layer);
  return x;
}

std::string kind_of(const TaeLayer& layer) {
  switch (layer.kind) {
    case LayerKind::kConv:
      return layer.conv.stride == 2 ? "conv /2" : "conv";
    case LayerKind::kRelu:
      return "relu";
    case LayerKind::kClamp:
      return "clamp";
    case LayerKind::kBlock:
      return layer.block.pool.widen.size() > 0 ? "pool+block" : "block";
    case LayerKind::kUpsample:
      return "upsample";
  }
  return "";
}

/// Names of the stages, in the order in which `trace_autoencoder` promises its records.
std::vector<std::string> stages(const TaeModel& model) {
  std::vector<std::string> names{"image"};
  const auto add = [&](const std::string& part, const std::vector<TaeLayer>& layers) {
    for (std::size_t i = 0; i < layers.size(); ++i)
      names.push_back(part + "." + std::to_string(i) + " " + kind_of(layers[i]));
  };
  add("enc", model.encoder);
  names.insert(names.end(), {"latent scaled", "latent unscaled"});
  add("dec", model.decoder);
  return names;
}

std::vector<TraceLine> lines_of(const std::vector<TraceRecord>& records, const TaeModel& model) {
  const std::vector<std::string> names = stages(model);
  if (records.size() != names.size())
    throw std::runtime_error("expected a trace of " + std::to_string(names.size()) +
                             " records, got " + std::to_string(records.size()));
  std::vector<TraceLine> lines;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const TraceRecord& r = records[i];
    lines.push_back({names[i], r.shape, "F32", r.bytes, r.stats.min, r.stats.max, r.stats.mean,
                     r.stats.std, r.stats.absmax, r.stats.nans, r.macs, r.params, r.live_bytes,
                     r.peak_bytes});
  }
  return lines;
}

double resident_mib() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024.0;
}

/// Totals of the trace: what it cost, and what it gave.
ReportTable totals(const AutoencoderTrace& trace, const TaeModel& model, double quality,
                   double seconds, double resident) {
  std::int64_t encoder = 0, decoder = 0, params = 0;
  for (std::size_t i = 0; i < trace.records.size(); ++i) {
    (i <= model.encoder.size() ? encoder : decoder) += trace.records[i].macs;
    params += trace.records[i].params;
  }
  const auto giga = [](std::int64_t macs) { return decimal(double(macs) / 1e9, 3) + " GMACs"; };
  const auto mib = [](double bytes) { return decimal(bytes / (1 << 20), 1) + " MiB"; };
  const Shape latent = {trace.latent.c(), trace.latent.h(), trace.latent.w()};
  return {"From picture to picture",
          {"", ""},
          {{"latent shape", to_string(latent)},
           {"numbers in the picture per number in the latent",
            decimal(double(trace.image.size()) / double(trace.latent.size()), 1)},
           {"PSNR", decimal(quality, 2) + " dB"},
           {"encoder", giga(encoder)},
           {"decoder", giga(decoder)},
           {"parameters", std::to_string(params)},
           {"activations at the peak", mib(double(trace.records.back().peak_bytes))},
           {"the process, weights and code included", decimal(resident, 1) + " MiB"},
           {"time", decimal(seconds, 1) + " s"}}};
}

/// What the scale is for, seen by leaving it out.
ReportTable without_scale(const AutoencoderTrace& trace, const TaeModel& model,
                          const LatentScale& scale, const Tensor4& image, double quality) {
  const double forgotten = psnr(image, apply(scale_latents(trace.latent, scale), model.decoder));
  return {"What the scale is for",
          {"", ""},
          {{"scale", decimal(scale.scale)},
           {"standard deviation of the latent", decimal(tensor_stats(trace.latent).std)},
           {"of the scaled latent", decimal(tensor_stats(scale_latents(trace.latent, scale)).std)},
           {"PSNR", decimal(quality, 2) + " dB"},
           {"PSNR if the scale is not taken off again", decimal(forgotten, 2) + " dB"}}};
}

/// How much is alive, and how far values spread, from stage to stage.
void plot_stages(Report& report, const std::vector<TraceLine>& lines) {
  Series alive{"MiB alive", {}, {}}, spread{"largest magnitude", {}, {}};
  std::size_t most = 0;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    alive.x.push_back(static_cast<double>(i));
    alive.y.push_back(static_cast<double>(lines[i].live_bytes) / (1 << 20));
    spread.x.push_back(static_cast<double>(i));
    spread.y.push_back(lines[i].absmax);
    if (alive.y[i] > alive.y[most]) most = i;
  }
  report.plot("memory.svg",
              line_chart({"Activations alive", "stage", "MiB",
                          "Most is alive at stage " + lines[most].stage + ", " +
                              decimal(alive.y[most], 1) + " MiB."},
                         {alive}),
              "Most memory is needed at stage " + lines[most].stage + ", not at the latent.");
  report.plot(
      "magnitudes.svg",
      line_chart({"Largest magnitude", "stage", "absolute value",
                  "The largest magnitude of each of " + std::to_string(lines.size()) + " stages."},
                 {spread}),
      "Half precision ends at 65504. What comes near it at some stage overflows there.");
}

/// The channels of a latent as grey tiles, each from its smallest to its largest number.
Image channels_of(const Tensor4& latent) {
  Matrix tiles = Eigen::Map<const Matrix>(latent.data(), latent.c(), latent.h() * latent.w());
  for (Index c = 0; c < tiles.rows(); ++c) {
    const float low = tiles.row(c).minCoeff(), high = tiles.row(c).maxCoeff();
    tiles.row(c) = (tiles.row(c).array() - low) / std::max(high - low, 1e-12F);
  }
  return tile_grid(tiles, {1, latent.h(), latent.w()}, std::min<Index>(8, latent.c()));
}

/// Original, reconstruction and four times their difference around grey.
Image side_by_side(const Image& a, const Image& b) {
  Image all{a.height, 3 * a.width, 3, {}};
  for (Index row = 0; row < a.height; ++row) {
    for (Index part = 0; part < 3; ++part) {
      for (Index i = row * a.width * 3; i < (row + 1) * a.width * 3; ++i) {
        const int left = a.pixels[static_cast<std::size_t>(i)];
        const int right = b.pixels[static_cast<std::size_t>(i)];
        const int shown = part == 0   ? left
                          : part == 1 ? right
                                      : std::clamp(128 + 4 * (right - left), 0, 255);
        all.pixels.push_back(static_cast<std::uint8_t>(shown));
      }
    }
  }
  return all;
}

void show_pictures(Run& run, Report& report, const AutoencoderTrace& trace,
                   const std::vector<TraceLine>& lines, const Image& image) {
  const Image decoded = image_of(trace.image);
  report.picture("side-by-side.png", side_by_side(image, decoded),
                 "The picture, what came back, and their difference.",
                 "The picture, what came back, and four times the difference around grey.");
  report.picture("latent.png", channels_of(trace.latent),
                 "The " + std::to_string(trace.latent.c()) + " channels of the latent.",
                 "The channels of the latent, each from its smallest number (black) to its largest "
                 "(white).");
  const float* latent = trace.latent.data();
  write_png(run.output("reconstruction.png"), decoded);
  write_safetensors(
      run.output("latent.safetensors"),
      {{"latent", {trace.latent.shape(), {latent, latent + trace.latent.size()}, "F32"}}});
  write_bytes(run.output("trace.jsonl"), trace_jsonl(lines));
}

/// Seconds that the model takes for a picture, from a part of it: the cost grows with the area.
double expected_seconds(const Tensor4& image, const TaeModel& model) {
  const Index side = std::min<Index>({64, image.h(), image.w()});
  const auto begin = std::chrono::steady_clock::now();
  apply(apply(Tensor4(1, 3, side, side, 0.5F), model.encoder), model.decoder);
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
  return taken.count() * static_cast<double>(image.h() * image.w()) /
         static_cast<double>(side * side);
}

}  // namespace

std::vector<ExperimentOption> experiment_options() {
  return {{"--weights", "DIR",
           "encoder.safetensors and decoder.safetensors of a TAESD-family model; without: ours"},
          {"--image", "FILE", "a PNG; without: a scene drawn by the program"},
          {"--seed", "N", "draws another scene; without: 1"},
          {"--quick", "", "a smaller scene"}};
}

void run_experiment(Run& run) {
  const std::string weights = run.option("--weights");
  const bool own = weights.empty();
  const TaeModel model = read_tae(own ? run.given("tiny_vae") : weights);
  std::printf("weights    %s\n", own ? "our tiny VAE, trained on drawn scenes" : weights.c_str());
  const Image image = picture(run, model.factor);
  const Tensor4 input = model_input(image);

  AutoencoderTrace trace;
  LatentScale scale;  // those who publish weights publish what they were trained for
  double seconds = 0.0, resident = 0.0;
  {
    const Progress progress("encoding and decoding", expected_seconds(input, model));
    if (own) scale = fit_latent_scale(apply(input, model.encoder));
    const auto begin = std::chrono::steady_clock::now();
    trace = trace_autoencoder(input, model.encoder, model.decoder, scale);
    seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    resident = resident_mib();
  }
  const std::vector<TraceLine> lines = lines_of(trace.records, model);
  const double quality = psnr(input, trace.image);
  Report report("A picture through an autoencoder", run);
  report.listing(trace_table(lines), "The trace, stage by stage");
  report.table(totals(trace, model, quality, seconds, resident));
  if (own) report.table(without_scale(trace, model, scale, input, quality));
  show_pictures(run, report, trace, lines, image);
  plot_stages(report, lines);
  report.try_next(
      {"./lab run 8 --image with a picture of yours: where is the difference largest?",
       "./lab run 8 --seed 2: does PSNR depend on the picture or on the model?",
       "In tae_block, leave out the skip connection. Which stage of the trace changes first?",
       "--weights DIR with a model of the TAESD family: what does a latent of 16 or 32 channels "
       "buy?"});
  report.finish();
}

}  // namespace latent
