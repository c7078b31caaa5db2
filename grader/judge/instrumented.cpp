// A worker to look into: with sanitizers it says after a crash in which line of the learner's file,
// with a debugger's eyes it can be stepped through.

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "config.hpp"
#include "grader/judge/jail.hpp"
#include "grader/judge/workshop.hpp"

namespace latent::grader {
namespace {

namespace fs = std::filesystem;

constexpr auto kDeadline = std::chrono::seconds(60);

// Leaks are not what crashed, and a report that cannot be symbolized is none.
constexpr const char* kOptions =
    "extern \"C\" const char* __asan_default_options() { return "
    "\"detect_leaks=0:allocator_may_return_null=1\"; }\n"
    "extern \"C\" const char* __ubsan_default_options() { return \"print_stacktrace=0\"; }\n";

// Eigen allocates in another way under AddressSanitizer, and its matrices could then not be handed
// between this file and its neighbours, which have none.
std::vector<std::string> flags_of(Instrument instrument) {
  if (instrument == Instrument::kDebugger) return {"-O0"};
  // A block of an empty matrix makes Eigen move a null pointer, which only Clang counts as a fault.
  return {"-O1", "-fsanitize=address,undefined", "-fno-sanitize=pointer-overflow",
          "-fno-omit-frame-pointer", "-DEIGEN_MALLOC_ALREADY_ALIGNED=1"};
}

/// Runs the compiler in a box; the words follow its name.
bool compile_in(const std::string& box, Instrument instrument,
                const std::vector<std::string>& words) {
  JailSpec spec;
  spec.argv = {config::kCompiler, "-std=c++20", "-g", "-pipe", "-w"};
  for (const std::string& flag : flags_of(instrument)) spec.argv.push_back(flag);
  const std::string kit = readable_for_jail(config::kKitDir);
  // Clang would take the precompiled prelude for -include, which was made with other flags.
  write_file(box + "/prelude.hpp", "#include \"grader/worker/prelude.hpp\"\n");
  spec.argv.insert(spec.argv.end(), {"-isystem", "/usr/include/eigen3", "-I" + kit + "/include",
                                     "-include", "./prelude.hpp"});
  spec.argv.insert(spec.argv.end(), words.begin(), words.end());
  spec.readable = {kit};
  spec.writable = box;
  spec.needs_proc = true;
  spec.limits = {.cpu_seconds = 60,
                 .memory_bytes = std::size_t{4} << 30,
                 .processes = 32,
                 .file_bytes = std::size_t{128} << 20};
  give_to_jail(box);
  return run_to_end(spec, kDeadline).succeeded();
}

}  // namespace

/// Worker loop, wire, common/ and the lab's table as one object. They are ours, and compiled in the
/// jail all the same.
std::string Workshop::instrumented_runtime(const Lab& lab, Instrument instrument) {
  std::string key = kit_fingerprint() + lab.name;
  for (const std::string& flag : flags_of(instrument)) key += flag;
  const std::string cached = cache_ + "/" + sha256(key) + ".o";
  if (fs::exists(cached)) return cached;
  const std::string box = scratch_ + "/runtime", root = config::kSourceDir;
  fs::create_directories(box + "/grader/dispatch");
  fs::create_directories(box + "/common");
  for (const char* folder : {"grader/wire", "grader/worker", "common/src"})
    fs::copy(root + "/" + folder, box + "/" + folder, fs::copy_options::recursive);
  fs::copy_file(root + "/grader/dispatch/" + lab.name + ".cpp",
                box + "/grader/dispatch/" + lab.name + ".cpp");
  std::string unity = instrument == Instrument::kSanitizers ? kOptions : "";
  for (const char* folder : {"grader/wire", "grader/worker", "grader/dispatch"}) {
    for (const auto& entry : fs::directory_iterator(box + "/" + folder)) {
      if (entry.path().extension() == ".cpp")
        unity +=
            "#include \"" + std::string(folder) + "/" + entry.path().filename().string() + "\"\n";
    }
  }
  std::istringstream common(config::kCommonSources);
  for (std::string source; std::getline(common, source, ';');)
    unity += "#include \"common/src/" + fs::path(source).filename().string() + "\"\n";
  write_file(box + "/unity.cpp", unity);
  std::string object;
  const bool compiled = compile_in(box, instrument, {"-I.", "-c", "unity.cpp", "-o", "unity.o"}) &&
                        read_from_jail(box + "/unity.o", object);
  remove_scratch(box);
  if (!compiled) return "";
  write_file(cached, object);
  return cached;
}

std::string Workshop::link_instrumented(const LabBuild& build, const std::string& id,
                                        const std::vector<std::string>& earlier,
                                        Instrument instrument) {
  const Lab& lab = *build.lab;
  const Piece& suspect = build.pieces.at(id);
  const std::string runtime = instrumented_runtime(lab, instrument);
  std::string source, helpers;
  if (runtime.empty() ||
      !read_from_jail(submission_ + "/" + lab.name + "/" + suspect.exercise->file(), source))
    return "";
  const std::string box = scratch_ + "/instrumented";
  fs::create_directories(box + "/labs/" + lab.name);
  write_file(box + "/" + suspect.file, source);
  if (read_from_jail(submission_ + "/" + lab.name + "/helpers.hpp", helpers))
    write_file(box + "/labs/" + lab.name + "/helpers.hpp", helpers);
  std::vector<std::string> words{"-Wl,--allow-multiple-definition", "-o", "worker", "runtime.o"};
  fs::copy_file(runtime, box + "/runtime.o");
  std::vector<std::string> objects = earlier;
  for (const auto& [other, piece] : build.pieces) {
    if (other != id)
      objects.push_back(piece.compiled() ? piece.object : stub_object(lab, *piece.exercise));
  }
  for (std::size_t i = 0; i < objects.size(); ++i) {
    const std::string name = std::to_string(i) + ".o";
    fs::copy_file(objects[i], box + "/" + name);
    words.push_back(name);
  }
  std::string worker;
  const bool linked = compile_in(box, instrument, {"-c", suspect.file, "-o", "suspect.o"}) &&
                      (words.push_back("suspect.o"), compile_in(box, instrument, words)) &&
                      read_from_jail(box + "/worker", worker);
  remove_scratch(box);
  if (!linked) return "";
  const std::string path = cache_ + "/" + sha256(runtime + source + helpers) + ".instrumented";
  write_file(path, worker);
  ::chmod(path.c_str(), 0755);
  return path;
}

std::optional<Diagnostic> crash_site(const std::string& output, const std::string& file) {
  Diagnostic site{file, 0, ""};
  std::istringstream in(output);
  for (std::string line; std::getline(in, line);) {
    const std::size_t address = line.find("AddressSanitizer: "),
                      undefined = line.find("runtime error: ");
    if (site.text.empty() && address != std::string::npos) {
      const std::string words = line.substr(address + 18);
      site.text = words.substr(0, words.find(" on "));
    }
    if (site.text.empty() && undefined != std::string::npos)
      site.text = line.substr(undefined + 15);
    const std::size_t at = line.find(file + ":");
    if (site.text.empty() || at == std::string::npos) continue;
    site.line = std::atoi(line.c_str() + at + file.size() + 1);
    return site;
  }
  return std::nullopt;
}

}  // namespace latent::grader
