#include <algorithm>
#include <cmath>

#include "common/require.hpp"
#include "tokenizers.hpp"

namespace latent {
namespace {

std::int64_t conv(std::int64_t a, std::int64_t b, std::int64_t taps = 9) {
  return taps * a * b + b;
}

std::int64_t block(std::int64_t a, std::int64_t b) {
  return 2 * a + conv(a, b) + 2 * b + conv(b, b) + (a == b ? 0 : conv(a, b, 1));
}

std::int64_t middle(std::int64_t c) {
  return 2 * block(c, c) + 2 * c + 4 * conv(c, c, 1);
}

/// Channels of level i; one level beyond the last has those of the last.
std::int64_t width(const TokenizerDesign& design, std::int64_t level) {
  const auto last = std::ssize(design.multipliers) - 1;
  return design.base *
         design.multipliers[static_cast<std::size_t>(std::clamp<std::int64_t>(level, 0, last))];
}

void require_architecture(const TokenizerDesign& design) {
  const auto positive = [](std::int64_t found, const std::string& what) {
    require(found >= 1, "tokenizer: expected " + what + " >= 1, got " + std::to_string(found));
  };
  positive(std::ssize(design.multipliers), "levels");
  positive(design.base, "base");
  positive(design.channels, "channels");
  for (const std::int64_t m : design.multipliers) positive(m, "each multiplier");
  if (design.kind == LatentKind::kDiscrete) positive(design.codes, "codes");
}

std::int64_t factor_of(const TokenizerDesign& design) {
  return std::int64_t{1} << (design.multipliers.size() - 1);
}

void require_size_of_image(const TokenizerDesign& design) {
  const std::int64_t f = factor_of(design);
  require(
      design.height >= 1 && design.width >= 1 && design.height % f == 0 && design.width % f == 0,
      "tokenizer: expected height and width in multiples of " + std::to_string(f) + ", got " +
          to_string({design.height, design.width}));
  require(design.bytes_per_number >= 1, "tokenizer: expected bytes_per_number >= 1, got " +
                                            std::to_string(design.bytes_per_number));
}

TokenizerVerdicts verdicts_on(const TokenizerDesign& design, const TokenizerReport& report,
                              const TokenizerTargets& targets) {
  const ParameterCount& count = report.parameters;
  const std::int64_t all = count.encoder + count.decoder + count.codebook;
  const auto verdict = [](bool met) { return met ? TargetVerdict::kMet : TargetVerdict::kMissed; };
  TokenizerVerdicts verdicts;
  verdicts.parameters = verdict(all <= targets.parameters);
  verdicts.bytes =
      verdict(all * design.bytes_per_number + report.decoder_peak_bytes <= targets.bytes);
  for (const PublishedTokenizer& published : published_tokenizers()) {
    if (published.kind == design.kind && published.factor == factor_of(design))
      verdicts.published_psnr = std::max(verdicts.published_psnr, published.psnr);
  }
  return verdicts;  // the PSNR's stays unknown: nothing here has been trained
}

}  // namespace

ParameterCount autoencoder_parameters(const TokenizerDesign& design) {
  require_architecture(design);
  const std::int64_t levels = std::ssize(design.multipliers);
  const std::int64_t first = width(design, 0), last = width(design, levels - 1);
  const bool is_discrete = design.kind == LatentKind::kDiscrete;
  const std::int64_t moments = is_discrete ? design.channels : 2 * design.channels;
  ParameterCount count;
  count.encoder = conv(3, first) + middle(last) + 2 * last + conv(last, moments);
  count.decoder = conv(design.channels, last) + middle(last) + 2 * first + conv(first, 3);
  for (std::int64_t i = 0; i < levels; ++i) {
    const std::int64_t c = width(design, i);
    count.encoder += block(width(design, i - 1), c) + block(c, c);
    count.decoder += block(width(design, i + 1), c) + 2 * block(c, c);
    if (i < levels - 1) count.encoder += conv(c, c);
    if (i > 0) count.decoder += conv(c, c);
  }
  count.codebook = is_discrete ? design.codes * design.channels : 0;
  return count;
}

std::int64_t decoder_peak_bytes(const TokenizerDesign& design) {
  require_architecture(design);
  require_size_of_image(design);
  const std::int64_t levels = std::ssize(design.multipliers), f = factor_of(design);
  const std::int64_t c = width(design, levels - 1);
  const std::int64_t positions = design.height / f * (design.width / f);
  std::int64_t peak =
      5 * c * positions + 2 * positions * positions;  // more than the blocks beside it
  for (std::int64_t i = 0; i < levels; ++i) {
    const std::int64_t widest = std::max(width(design, i), width(design, i + 1));
    peak = std::max(peak, 3 * widest * (design.height >> i) * (design.width >> i));
  }
  return peak * design.bytes_per_number;
}

TokenizerReport design_tokenizer(const TokenizerDesign& design, const TokenizerTargets& targets) {
  TokenizerReport report;
  report.parameters = autoencoder_parameters(design);
  report.decoder_peak_bytes = decoder_peak_bytes(design);
  const std::int64_t f = factor_of(design);
  report.positions = design.height / f * (design.width / f);
  report.latent_values = report.positions * design.channels;
  report.bits =
      design.kind == LatentKind::kDiscrete
          ? static_cast<double>(report.positions) * std::log2(static_cast<double>(design.codes))
          : static_cast<double>(8 * design.bytes_per_number * report.latent_values);
  report.conv_cost = 1.0 / static_cast<double>(f * f);
  report.attention_cost = report.conv_cost * report.conv_cost;
  report.verdicts = verdicts_on(design, report, targets);
  return report;
}

}  // namespace latent
