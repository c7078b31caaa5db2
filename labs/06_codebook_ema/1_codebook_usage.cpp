// 6.1 codebook_usage and codebook_perplexity: how many codes take part?  Roughly 7 lines each, most
// of them a count that both need.
// The contract is in codebook_ema.hpp. Try it: ./lab grade 6.1    Stuck: ./lab hint 6.1

#include "codebook_ema.hpp"
#include "common/require.hpp"

namespace latent {

CodebookUsage codebook_usage(const std::vector<std::int64_t>& indices, std::int64_t codebook_size) {
  // How often does each code occur? Which of the K counts does the answer look at, and how closely?
  // And which index is the first that is too large?
  return todo(indices, codebook_size);
}

double codebook_perplexity(const std::vector<std::int64_t>& indices, std::int64_t codebook_size) {
  // What must come out if 12 codes are used equally often? And if one has everything?
  // A code that never occurs: what is p ln p there, on paper, and what does the machine say?
  return todo(indices, codebook_size);
}

}  // namespace latent
