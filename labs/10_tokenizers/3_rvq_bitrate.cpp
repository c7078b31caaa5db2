// 10.3 rvq_bitrate and rvq_stages_for: what indices cost, and how many fit.  Roughly 9 lines each,
// half of them refusals.
// The contract is in tokenizers.hpp. Try it: ./lab grade 10.3    Stuck: ./lab hint 10.3

#include "common/require.hpp"
#include "tokenizers.hpp"

namespace latent {

double rvq_bitrate(std::int64_t sample_rate, std::int64_t hop, std::int64_t codes,
                   std::int64_t stages) {
  // How many frames are there in a second, how many indices in a frame, how many bits in an index?
  return todo(sample_rate, hop, codes, stages);
}

std::int64_t rvq_stages_for(double bandwidth, std::int64_t sample_rate, std::int64_t hop,
                            std::int64_t codes) {
  // What does one stage cost? Which way do you round what fits, and what if it comes to 0?
  return todo(bandwidth, sample_rate, hop, codes);
}

}  // namespace latent
