// 7.4 fsq_codebook_size and codes_to_index: all codes of a row as one number.  Roughly 10 and 17
// lines.
// The contract is in fsq.hpp. Try it: ./lab grade 7.4    Stuck: ./lab hint 7.4

#include "common/require.hpp"
#include "fsq.hpp"

namespace latent {

std::int64_t fsq_codebook_size(const Levels& levels) {
  // A product that is too large cannot be noticed after the multiplication. How can it be noticed
  // before?
  return todo(levels);
}

std::vector<std::int64_t> codes_to_index(const Matrix& codes, const Levels& levels) {
  // How do you get from a code in [-1, 1] to a whole number from 0 to L - 1? A float holds 1/3 only
  // nearly: what does a cast to an integer do to 1.9999999?
  // In 12:45:07 each place counts for something else. What does place d count for here, and which
  // place is the first to move?
  // Compare a NaN with anything: what comes out?
  return todo(codes, levels);
}

}  // namespace latent
