// What this repository holds for learners to start from.

#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "config.hpp"
#include "grader/judge/workshop.hpp"

namespace latent::grader {
namespace {

namespace fs = std::filesystem;

TEST(Stubs, AreByteEqualInLabsAndInTheGrader) {
  const std::string root = config::kSourceDir;
  int compared = 0;
  for (const Lab& lab : labs()) {
    for (const Exercise& exercise : lab.exercises) {
      std::string pristine, mine;
      EXPECT_TRUE(read_file(stub_file(lab, exercise), pristine)) << exercise.id;
      EXPECT_TRUE(read_file(root + "/labs/" + lab.name + "/" + exercise.file(), mine))
          << exercise.id;
      EXPECT_EQ(pristine, mine) << exercise.id;
      EXPECT_NE(pristine, "") << exercise.id;
      ++compared;
    }
  }
  EXPECT_GT(compared, 0);
}

TEST(Stubs, BelongToAnExerciseOfATable) {
  const fs::path stubs = fs::path(config::kSourceDir) / "grader/stubs";
  std::set<fs::path> expected, found;
  for (const Lab& lab : labs()) {
    for (const Exercise& exercise : lab.exercises) expected.insert(stub_file(lab, exercise));
  }
  for (const auto& entry : fs::recursive_directory_iterator(stubs)) {
    if (entry.is_regular_file()) found.insert(entry.path());
  }
  EXPECT_EQ(found, expected);
}

}  // namespace
}  // namespace latent::grader
