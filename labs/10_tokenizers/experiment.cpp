// `./lab run 10`: pictures become tokens, a small model of token sequences makes up new ones, clips
// are coded frame by frame and causally, and designs are sent their bill. Each of these is a file
// in experiment/; here is the bill, and the whole.

#include "common/experiment.hpp"

#include <algorithm>
#include <cstdio>

#include "experiment/parts.hpp"

namespace latent {
namespace {

using run10::yes_no;

/// "8,4,16384": factor, channels, codes; 0 codes for a continuous latent.
TokenizerDesign design_from(const std::string& text) {
  long factor = 0, channels = 0, codes = 0;
  char rest = 0;
  if (std::sscanf(text.c_str(), "%ld,%ld,%ld%c", &factor, &channels, &codes, &rest) != 3 ||
      channels < 1 || codes < 0 || channels > 1024 || codes > (1L << 24))
    throw RunUsageError("--design: expected factor,channels,codes such as 8,4,16384, got " + text);
  TokenizerDesign design;
  design.multipliers = {1};
  for (long side = 1; side < factor; side *= 2)
    design.multipliers.push_back(std::min<std::int64_t>(2 * design.multipliers.back(), 4));
  if (factor < 1 || factor > 64 || factor != 1L << (design.multipliers.size() - 1))
    throw RunUsageError("--design: expected a factor of 1, 2, 4, 8, 16, 32 or 64, got " + text);
  design.channels = channels;
  design.kind = codes > 0 ? LatentKind::kDiscrete : LatentKind::kContinuous;
  design.codes = codes;
  return design;
}

std::string verdict(TargetVerdict verdict) {
  if (verdict == TargetVerdict::kUnknown) return "unknown";
  return yes_no(verdict == TargetVerdict::kMet);
}

void designs(Run& run, Report& report) {
  report.heading("What a design costs");
  std::vector<std::string> texts{"4,3,8192", "8,4,0", "8,4,16384", "16,8,16384", "32,64,0"};
  if (!run.option("--design").empty()) texts.insert(texts.begin(), run.option("--design"));
  std::vector<std::vector<std::string>> costs, verdicts;
  for (const std::string& text : texts) {
    const TokenizerDesign design = design_from(text);
    const TokenizerReport bill = design_tokenizer(design, {100'000'000, 1'000'000'000, 30.0});
    const double million = 1e-6, pixels = 8.0 * 3.0 * double(design.height * design.width);
    costs.push_back({text,
                     decimal(million * double(bill.parameters.encoder + bill.parameters.decoder +
                                              bill.parameters.codebook),
                             2),
                     std::to_string(bill.positions), decimal(bill.bits, 0),
                     decimal(pixels / bill.bits, 1),
                     decimal(million * double(bill.decoder_peak_bytes), 0)});
    const double published = bill.verdicts.published_psnr;
    verdicts.push_back({text, verdict(bill.verdicts.parameters), verdict(bill.verdicts.bytes),
                        verdict(bill.verdicts.psnr),
                        published > 0.0 ? decimal(published, 2) + " dB" : "none"});
  }
  report.table(
      {"Factor, channels, codes (0: continuous), for 256 x 256 pixels; width 128 x 1, 2, 4, 4 ...",
       {"design", "M parameters", "positions", "bits", "fewer bits", "decoder MB"},
       costs});
  report.table({"At most 100 M parameters? At most 1 GB? At least 30 dB?",
                {"design", "parameters", "memory", "30 dB", "published, same kind and factor"},
                verdicts});
}

}  // namespace

std::vector<ExperimentOption> experiment_options() {
  std::vector<ExperimentOption> options = picture_options();
  options.push_back({"--design", "F,C,K", "a design to add up: factor, channels, codes or 0"});
  return options;
}

void run_experiment(Run& run) {
  if (!run.option("--design").empty()) design_from(run.option("--design"));  // before any training
  Report report("Tokens: pictures, clips, and new pictures", run);
  run10::pictures(run, report);
  run10::equal_tables(run, report);
  run10::clips(run, report);
  designs(run, report);
  report.try_next(
      {"./lab run 10 --seed 2: which numbers stay, which were luck?",
       "./lab run 10 --data DIR with the files of MNIST: does the prior write digits?",
       "./lab run 10 --design 8,16,0: what do four times the channels cost?",
       "In labs/10_tokenizers/experiment/prior.cpp, let so_far return zeros always. The prior then "
       "knows "
       "how often each token occurs, and nothing else.",
       "There too, divide the prior's logits by 0.5 in sample_tokens: surer tokens. What becomes "
       "of the variety?",
       "Give the causal coder strides of 2 and one tap: what is it that it uses of the past?"});
  report.finish();
}

}  // namespace latent
