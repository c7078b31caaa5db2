#include "common/scene.hpp"

#include <gtest/gtest.h>

#include <set>

namespace latent {
namespace {

TEST(Scene, IsDecidedByItsRandomNumbers) {
  Random first(3), again(3), other(4);
  const Image a = draw_scene(first, 20, 33), b = draw_scene(again, 20, 33);
  EXPECT_EQ(a.height, 20);
  EXPECT_EQ(a.width, 33);
  EXPECT_EQ(a.pixels.size(), 20U * 33U * 3U);
  EXPECT_EQ(a.pixels, b.pixels);
  EXPECT_NE(a.pixels, draw_scene(other, 20, 33).pixels);
}

TEST(Scene, HasSomethingToSee) {
  Random random(1);
  for (int i = 0; i < 50; ++i) {
    const Image image = draw_scene(random, 48, 48);
    EXPECT_GT(std::set<int>(image.pixels.begin(), image.pixels.end()).size(), 20U);
  }
}

TEST(Scene, MayBeAPixel) {
  Random random(1);
  EXPECT_EQ(draw_scene(random, 1, 1).pixels.size(), 3U);
  EXPECT_THROW(draw_scene(random, 0, 5), std::invalid_argument);
  EXPECT_THROW(draw_scene(random, 5, 20'000), std::invalid_argument);
}

}  // namespace
}  // namespace latent
