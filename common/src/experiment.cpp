#include "common/experiment.hpp"

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <filesystem>

#include "common/files.hpp"

namespace latent {
namespace {

/// A tensor of floats holds 64 bits in four pieces that are exact.
constexpr int kPieces = 4;

std::uint64_t seed_in(const std::string& text) {
  std::uint64_t seed = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seed);
  if (error != std::errc() || end != text.data() + text.size())
    throw RunUsageError("--seed takes a whole number from 0 to 18446744073709551615, not " + text +
                        ".");
  return seed;
}

}  // namespace

std::vector<ExperimentOption> training_options() {
  return {
      {"--seed", "N", "decides everything that is random; without: 1"},
      {"--quick", "", "much shorter, less well trained"},
      {"--resume", "FILE", "goes on where the run that kept this checkpoint.safetensors ended"}};
}

Run::Run(std::string lab, std::string out, std::map<std::string, std::string> options,
         RunFacts facts)
    : lab_(std::move(lab)),
      out_(std::move(out)),
      options_(std::move(options)),
      facts_(std::move(facts)) {
  if (!option("--seed").empty()) seed_ = seed_in(option("--seed"));
  quick_ = !option("--quick").empty();
  if (!option("--resume").empty()) resume(option("--resume"));
}

std::string Run::option(const std::string& name) const {
  const auto found = options_.find(name);
  return found == options_.end() ? "" : found->second;
}

std::string Run::output(const std::string& name) {
  // From here on a Ctrl-C would leave half of the files.
  std::signal(SIGINT, SIG_IGN);
  std::error_code error;
  std::filesystem::create_directories(out_, error);
  if (!std::filesystem::is_directory(out_, error))
    throw FileError(out_ + ": expected a folder for the results, and cannot make it");
  if (std::find(written_.begin(), written_.end(), name) == written_.end()) written_.push_back(name);
  return out_ + "/" + name;
}

void Run::list_outputs() const {
  std::printf("written    to %s/:\n", out_.c_str());
  for (const std::string& name : written_) std::printf("           %s\n", name.c_str());
}

std::string Run::settings_name() const {
  return "run of " + std::filesystem::path(lab_).filename().string();
}

StoredTensor Run::settings() const {
  StoredTensor stored{{1 + kPieces}, {quick_ ? 1.0F : 0.0F}, "F32"};
  for (int i = 0; i < kPieces; ++i)
    stored.values.push_back(static_cast<float>(seed_ >> (16 * i) & 0xFFFFU));
  return stored;
}

void Run::resume(const std::string& path) {
  checkpoint_ = read_safetensors(path);
  const StoredTensor& stored = expect_tensor(checkpoint_, settings_name(), {1 + kPieces}, path);
  std::uint64_t seed = 0;
  for (std::size_t i = 0; i < kPieces; ++i) {
    const float piece = stored.values[i + 1];
    if (!(piece >= 0.0F && piece < 65536.0F))
      throw FileError(path + ": expected the seed of a run, found " + std::to_string(piece));
    seed |= static_cast<std::uint64_t>(piece) << (16 * i);
  }
  const bool quick = stored.values[0] != 0.0F;
  if ((!option("--seed").empty() && seed_ != seed) || (quick_ && !quick))
    throw RunUsageError(path + " is of a run with --seed " + std::to_string(seed) +
                        (quick ? " --quick" : " and without --quick") +
                        "; leave both options out, and they are as they were.");
  seed_ = seed;
  quick_ = quick;
}

void Run::depends_on(const std::string& what, std::uint32_t fingerprint) {
  const StoredTensor mine{
      {2},
      {static_cast<float>(fingerprint >> 16), static_cast<float>(fingerprint & 0xFFFFU)},
      "F32"};
  const auto [kept, is_new] = checkpoint_.try_emplace("of " + what, mine);
  if (!is_new && kept->second.values != mine.values)
    throw RunUsageError(option("--resume") + " is of a run with other data: " + what +
                        " are not the same. Give the same options as then, and add --resume.");
}

std::string Run::save_checkpoint() {
  checkpoint_[settings_name()] = settings();
  const std::string path = output("checkpoint.safetensors");
  write_safetensors(path, checkpoint_);
  return path;
}

}  // namespace latent
