#include "grader/tool/mutants.hpp"

#include <gtest/gtest.h>

#include <set>

namespace latent::grader {
namespace {

/// "before -> after" of every mutant.
std::multiset<std::string> slips(const std::string& source) {
  std::multiset<std::string> all;
  for (const Mutant& m : mutants_of(source)) all.insert(m.before + "->" + m.after);
  return all;
}

using Slips = std::multiset<std::string>;

TEST(Mutants, ChangeOneOperatorAndDropItsTerm) {
  EXPECT_EQ(slips("y = a + b * c;"),
            (Slips{" + -> - ", " * -> / ", " + b * c->", " * c->", "y = a + b * c;->;"}));
  EXPECT_EQ(slips("y = f(a) - b;"), (Slips{" - -> + ", " - b->", "y = f(a) - b;->;"}));
}

TEST(Mutants, DropWhatAConditionDemands) {
  EXPECT_EQ(slips("return a < b && c == d;"),
            (Slips{" < -> <= ", " == -> != ", " && -> || ", " && c == d->",
                   "a < b && c == d->-(a < b && c == d)"}));
}

TEST(Mutants, ChangeNumbersAndKeepTheirType) {
  EXPECT_EQ(slips("f(2);"), (Slips{"2->3", "f(2);->;"}));
  EXPECT_EQ(slips("f(1);"), (Slips{"1->2", "1->0", "f(1);->;"}));
  EXPECT_EQ(slips("f(0.5F);"), (Slips{"0.5F->(2.0F * 0.5F)", "f(0.5F);->;"}));
  EXPECT_EQ(slips("f(0.0);"), (Slips{"0.0->1.0", "f(0.0);->;"}));
  EXPECT_EQ(slips("f(x1, std::int64_t, Tensor4);"), (Slips{"f(x1, std::int64_t, Tensor4);->;"}));
}

TEST(Mutants, ChangeSignsAndAxes) {
  EXPECT_EQ(slips("return -x;"), (Slips{"-->", "-x->-(-x)"}));
  EXPECT_EQ(slips("return x(i, j);"), (Slips{"i, j->j, i", "x(i, j)->-(x(i, j))"}));
  EXPECT_EQ(slips("auto y = x.transpose();"), (Slips{".transpose()->"}));
}

TEST(Mutants, LeaveMessagesCommentsAndLoopsWhole) {
  EXPECT_EQ(
      slips("// a + b\n#include <x>\nrequire(n > 0, \"at least 1, got \" + to_string(n));"),
      (Slips{" > -> >= ", "0->1", "require(n > 0, \"at least 1, got \" + to_string(n));->;"}));
  EXPECT_EQ(slips("for (Index i = 0; i < n; ++i) {\n}"), (Slips{"0->1", " < -> <= "}));
}

TEST(Mutants, SayWhereTheyAre) {
  const std::vector<Mutant> all = mutants_of("int a = 1;\nint b = a + a;\n");
  ASSERT_FALSE(all.empty());
  EXPECT_EQ(all[0].kind, "operator");
  EXPECT_EQ(all[0].line, 2);
  EXPECT_EQ(all[0].source, "int a = 1;\nint b = a - a;\n");
}

}  // namespace
}  // namespace latent::grader
