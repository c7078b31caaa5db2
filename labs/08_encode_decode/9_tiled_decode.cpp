// 8.9 tile_starts and tiled_decode: a large picture from small pieces.  Roughly 8 and 40 lines, the
// latter in helpers.
// The contract is in encode_decode.hpp. Try it: ./lab grade 8.9    Stuck: ./lab hint 8.9

#include "common/require.hpp"
#include "encode_decode.hpp"

namespace latent {

std::vector<std::int64_t> tile_starts(std::int64_t size, const Tiling& tiling) {
  // How far is it from one tile to the next? Where does the last one begin, so that it ends where
  // the axis does?
  return todo(size, tiling);
}

Tensor4 tiled_decode(const Tensor4& latent, const std::vector<TaeLayer>& decoder,
                     const Tiling& tiling) {
  // Cut, decode, add with weights, and keep the sum of the weights. Where in the picture does a
  // tile begin that begins at position 5 of the latent?
  return todo(latent, decoder, tiling);
}

}  // namespace latent
