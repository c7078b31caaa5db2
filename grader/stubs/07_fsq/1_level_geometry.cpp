// 7.1 level_geometry: a number of levels becomes the shape of a tanh.  Roughly 9 lines, of which
// two refuse.
// The contract is in fsq.hpp. Try it: ./lab grade 7.1    Stuck: ./lab hint 7.1

#include "common/require.hpp"
#include "fsq.hpp"

namespace latent {

LevelGeometry level_geometry(std::int64_t levels) {
  // Write down the integers that 5 levels round to, then those of 4. Which of the two rows has a
  // middle, and what has to be taken off the other one?
  // Integer division is right for one of the four members and wrong for another. Which?
  // A latent of 0 should end at 0, although something is taken off. How far has it to be moved
  // before the tanh, and what undoes a tanh?
  return todo(levels);
}

}  // namespace latent
