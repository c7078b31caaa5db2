#include "common/trace.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>

namespace latent {
namespace {

std::vector<TraceLine> three_lines() {
  return {{"image",
           {1, 3, 512, 512},
           "F32",
           3145728,
           0,
           1,
           0.4517,
           0.2531,
           1,
           0,
           0,
           0,
           3145728,
           3145728},
          {"enc.1 pool and block",
           {1, 64, 512, 512},
           "F32",
           67108864,
           -123456.7,
           65504,
           1e-9,
           123.4,
           123456.7,
           2,
           28991029248,
           110784,
           201326592,
           201326592},
          {"latent", {1, 4, 64, 64}, "F16", 32768, -3, 3, 0, 0.5, 3, 0, 0, 0, 65536, 201326592}};
}

TEST(TraceTable, IsWhatItWas) {
  EXPECT_EQ(trace_table(three_lines()),
            "stage            shape              min     max    mean     std   MMACs     MiB\n"
            "image            1x3x512x512      0.000   1.000   0.452   0.253       0     3.0\n"
            "enc.1 pool and b 1x64x512x512    -1e+05   65504   0.000     123   28991   192.0\n"
            "                 2 of these are no number\n"
            "latent           1x4x64x64       -3.000   3.000   0.000   0.500       0     0.1\n");
}

TEST(TraceTable, HasAtMost80Columns) {
  std::istringstream in(trace_table(three_lines()));
  for (std::string line; std::getline(in, line);) EXPECT_LE(line.size(), 80U) << line;
}

TEST(TraceJsonl, IsWhatItWas) {
  const std::string text = trace_jsonl({three_lines()[2]});
  EXPECT_EQ(text, R"({"stage":"latent","shape":[1,4,64,64],"dtype":"F16","bytes":32768,"min":-3,)"
                  R"("max":3,"mean":0,"std":0.5,"absmax":3,"nan":0,"macs":0,"params":0,)"
                  R"("live_bytes":65536,"peak_bytes":201326592})"
                  "\n");
}

TEST(TraceJsonl, IsOneObjectPerStage) {
  std::istringstream in(trace_jsonl(three_lines()));
  std::vector<nlohmann::json> objects;
  for (std::string line; std::getline(in, line);) objects.push_back(nlohmann::json::parse(line));
  ASSERT_EQ(objects.size(), 3U);
  EXPECT_EQ(objects[1].at("macs"), 28991029248);
  EXPECT_EQ(objects[1].at("nan"), 2);
  EXPECT_EQ(objects[1].at("mean"), 1e-9);
}

TEST(TraceJsonl, TakesAnyNameOfAStage) {
  TraceLine line = three_lines()[0];
  line.stage = "a \"b\" \\ \n\x01 é";
  EXPECT_EQ(nlohmann::json::parse(trace_jsonl({line})).at("stage"), line.stage);
}

TEST(TraceJsonl, HasNullWhereJsonHasNoNumber) {
  TraceLine line = three_lines()[0];
  line.max = std::numeric_limits<double>::infinity();
  line.mean = std::numeric_limits<double>::quiet_NaN();
  const nlohmann::json object = nlohmann::json::parse(trace_jsonl({line}));
  EXPECT_TRUE(object.at("max").is_null());
  EXPECT_TRUE(object.at("mean").is_null());
}

}  // namespace
}  // namespace latent
