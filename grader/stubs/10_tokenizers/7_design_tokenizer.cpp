// 10.7 autoencoder_parameters, decoder_peak_bytes and design_tokenizer: the bill of a design.
// Roughly 30, 15 and 25 lines, most of them formulas.
// The contract is in tokenizers.hpp. Try it: ./lab grade 10.7    Stuck: ./lab hint 10.7

#include "common/require.hpp"
#include "tokenizers.hpp"

namespace latent {

ParameterCount autoencoder_parameters(const TokenizerDesign& design) {
  // Write the pieces C, P, R and A as little functions first. How many channels come into level i
  // of the encoder, and how many into level i of the decoder?
  return todo(design);
}

std::int64_t decoder_peak_bytes(const TokenizerDesign& design) {
  // Which block is largest, and at which resolution does it work? Does attention's table of scores
  // grow with the number of positions or with its square?
  return todo(design);
}

TokenizerReport design_tokenizer(const TokenizerDesign& design, const TokenizerTargets& targets) {
  // Which of these numbers follow from the design alone? And what would you have to do to know the
  // PSNR?
  return todo(design, targets);
}

}  // namespace latent
