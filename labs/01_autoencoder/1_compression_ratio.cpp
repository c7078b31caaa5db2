// 1.1 compression_ratio: how much smaller is a latent?  Roughly 10 lines, most of them refusals.
// The contract is in autoencoder.hpp. Try it: ./lab grade 1.1      Stuck: ./lab hint 1.1

#include <cmath>

#include "autoencoder.hpp"
#include "common/require.hpp"

namespace latent {

CompressionRatio compression_ratio(const Shape& input_shape, double bits_per_value,
                                   const Shape& latent_shape, double bits_per_latent) {
  // You can count values since 1.0. Which type must a count have before you divide, so that
  // 105 values in 4 are 26.25 times fewer and not 26?
  // How large is a shape that makes the ratio meaningless? How many bits do? Refuse those first.
  return todo(input_shape, bits_per_value, latent_shape, bits_per_latent);
}

double bits_per_token(std::int64_t codebook_size) {
  // A token names one of K entries. How often can K be halved until one entry is left? That need
  // not be a whole number. From which K on does the question make sense?
  return todo(codebook_size);
}

}  // namespace latent
