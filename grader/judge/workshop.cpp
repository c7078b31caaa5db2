#include "grader/judge/workshop.hpp"

#include <cxxabi.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <memory>
#include <sstream>
#include <thread>

#include "config.hpp"
#include "grader/judge/jail.hpp"

namespace latent::grader {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxSource = 256 << 10;
constexpr auto kCompileDeadline = std::chrono::seconds(20);
constexpr auto kOptimiseDeadline = std::chrono::seconds(120);  // where nobody waits for a verdict
constexpr auto kLinkDeadline = std::chrono::seconds(20);

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, separator);) {
    if (!part.empty()) parts.push_back(part);
  }
  return parts;
}

/// Reads a file that somebody handed in: regular, of reasonable size, text. A FIFO must not block
/// us, a link must not lead us anywhere.
FileState read_source(const std::string& path, std::string& content, std::string& problem) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return FileState::kMissing;
    problem = std::string("cannot be looked at: ") + std::strerror(errno);
    return FileState::kRefused;
  }
  if (in_linked_folder(path)) {
    problem = "stands in a folder that is a symbolic link; put the folder itself there";
    return FileState::kRefused;
  }
  if (!S_ISREG(info.st_mode)) {
    problem = S_ISLNK(info.st_mode) ? "is a symbolic link; put the source itself there"
                                    : "is not a regular file; put a C++ source there";
    return FileState::kRefused;
  }
  if (static_cast<std::size_t>(info.st_size) > kMaxSource) {
    problem = "is larger than 256 KiB; an exercise is a few lines";
    return FileState::kRefused;
  }
  const Fd fd(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (fd.get() < 0) {
    problem = std::string("cannot be read: ") + std::strerror(errno) + "; try chmod u+r";
    return FileState::kRefused;
  }
  content.resize(kMaxSource + 1);
  std::size_t size = 0;
  for (ssize_t n = 1; n > 0 && size < content.size();
       size += static_cast<std::size_t>(std::max<ssize_t>(n, 0))) {
    n = ::read(fd.get(), content.data() + size, content.size() - size);
  }
  content.resize(size);
  if (size > kMaxSource || content.find('\0') != std::string::npos) {
    problem = "is not text; put a C++ source there";
    return FileState::kRefused;
  }
  return FileState::kWritten;
}

/// Strong functions that an object defines, mangled.
std::set<std::string> functions_in(const std::string& symbols) {
  std::set<std::string> names;
  std::istringstream in(symbols);
  for (std::string line; std::getline(in, line);) {
    std::istringstream fields(line);
    std::string name, kind;
    if (fields >> name >> kind && kind == "T") names.insert(name);
  }
  return names;
}

/// Whether an object would bring its own definition of a name, as whatever kind of symbol.
bool defined_strongly(const std::string& symbols, const std::string& name) {
  std::istringstream in(symbols);
  for (std::string line; std::getline(in, line);) {
    std::istringstream fields(line);
    std::string found, kind;
    if (fields >> found >> kind && found == name &&
        kind.find_first_of("UWVwv") == std::string::npos)
      return true;
  }
  return false;
}

std::string demangled(const std::string& name) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> text(
      abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status), std::free);
  return status == 0 ? text.get() : name;
}

/// "latent::linear_forward(Eigen::Matrix<...>)" -> "linear_forward"
std::string short_name(const std::string& mangled) {
  const std::string full = demangled(mangled);
  const std::string name = full.substr(0, full.find('('));
  return name.substr(name.rfind(':') + 1);
}

/// The compiler's errors, in its own words; for reading, nothing depends on them.
/// "labs/01_autoencoder/2_linear_forward.cpp:14:3: error: expected ';'"
std::vector<Diagnostic> diagnostics_in(const std::string& output) {
  std::vector<Diagnostic> found;
  std::istringstream in(output);
  for (std::string line; std::getline(in, line) && found.size() < 5;) {
    const std::size_t file_end = line.find(':'), mark = line.find("error: ");
    if (line.rfind("labs/", 0) != 0 || mark == std::string::npos || file_end > mark) continue;
    found.push_back(
        {line.substr(0, file_end), std::atoi(line.c_str() + file_end + 1), line.substr(mark + 7)});
  }
  return found;
}

std::string replace_all(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos;
       at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

/// The compiler and its flags, with the kit where the jail can see it. The precompiled prelude is
/// of a worker's flags; with others the prelude is read as text, for Clang refuses where GCC
/// ignores.
std::vector<std::string> compiler_command(const std::string& kit,
                                          const std::vector<std::string>& more_flags) {
  std::vector<std::string> command{config::kCompiler};
  for (const std::string& flag : split(config::kFlags, ';')) command.push_back(flag);
  command.insert(command.end(), more_flags.begin(), more_flags.end());
  command.push_back("-I" + kit + "/include");
  if (!more_flags.empty()) {
    command.insert(command.end(), {"-include", "grader/worker/prelude.hpp"});
    return command;
  }
  for (const std::string& flag : split(config::kPrelude, ';'))
    command.push_back(replace_all(flag, config::kKitDir, kit));
  return command;
}

/// Runs the tasks, two at a time. One at a time where a jail is cleaned up by killing all of its
/// user's processes.
void run_all(const std::vector<std::function<void()>>& tasks) {
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t i = next++; i < tasks.size(); i = next++) tasks[i]();
  };
  if (tasks.size() < 2 || confinement() == Confinement::kReduced) return work();
  std::thread second(work);
  work();
  second.join();
}

/// Compiles in the jail. The box holds the sources, and out.o and out.sym afterwards.
Finished run_compiler(const std::string& file, const std::string& box,
                      const std::vector<std::string>& more_flags) {
  const bool clang = std::string(config::kCompilerName).find("Clang") != std::string::npos;
  const std::string kit = readable_for_jail(config::kKitDir);
  JailSpec spec;
  spec.argv = {"/bin/sh", "-c", "umask 077; \"$0\" \"$@\" && nm -P -g out.o >out.sym"};
  for (const std::string& word : compiler_command(kit, more_flags)) spec.argv.push_back(word);
  for (const char* word : {"-ftemplate-depth=500", clang ? "-ferror-limit=5" : "-fmax-errors=5",
                           clang ? "-fconstexpr-steps=10000000" : "-fconstexpr-ops-limit=10000000",
                           "-c", file.c_str(), "-o", "out.o"})
    spec.argv.emplace_back(word);
  spec.readable = {kit};
  spec.writable = box;
  const auto deadline = more_flags.empty() ? kCompileDeadline : kOptimiseDeadline;
  spec.limits = {.cpu_seconds = static_cast<int>(deadline.count()),
                 .memory_bytes = std::size_t{3} << 30,
                 .processes = 32,
                 .file_bytes = std::size_t{64} << 20};
  give_to_jail(box);
  return run_to_end(spec, deadline);
}

/// A compiler that gives up may print pages about itself. Most is said by the first line that calls
/// itself an error, or by the last.
std::string telling_line(const std::string& output) {
  std::istringstream lines(output);
  std::string last;
  for (std::string line; std::getline(lines, line);) {
    if (line.find("error: ") != std::string::npos) return line;
    if (!line.empty()) last = line;
  }
  return last;
}

}  // namespace

std::string kit_fingerprint() {
  static const std::string fingerprint = [] {
    std::string all = std::string(config::kCompiler) + config::kCompilerName + config::kFlags;
    std::vector<std::string> headers;
    for (const auto& entry :
         fs::recursive_directory_iterator(std::string(config::kKitDir) + "/include")) {
      if (entry.is_regular_file() && entry.path().extension() == ".hpp")
        headers.push_back(entry.path());
    }
    std::sort(headers.begin(), headers.end());
    for (const std::string& header : headers) {
      std::string content;
      read_file(header, content);
      // Two builds of one checkout compile alike, wherever they lie.
      all += header.substr(std::string(config::kKitDir).size()) + content;
    }
    return sha256(all);
  }();
  return fingerprint;
}

std::string stub_file(const Lab& lab, const Exercise& exercise) {
  return std::string(config::kSourceDir) + "/grader/stubs/" + lab.name + "/" + exercise.file();
}

std::string Workshop::stub_object(const Lab& lab, const Exercise& exercise) {
  return std::string(config::kKitDir) + "/stubs/" + lab.name + "/" +
         fs::path(exercise.file()).stem().string() + ".o";
}

std::string Workshop::reference_object(const Lab& lab, const Exercise& exercise) {
  const std::string path = std::string(config::kReferenceDir) + "/" + lab.name + "/" +
                           fs::path(exercise.file()).stem().string() + ".o";
  // An object may be left of a solution that is no longer in the tree.
  const std::string source =
      std::string(config::kSourceDir) + "/solutions/" + lab.name + "/" + exercise.file();
  return fs::exists(path) && fs::exists(source) ? path : "";
}

Workshop::Workshop(std::string submission, std::string state, std::vector<std::string> more_flags)
    : submission_(std::move(submission)),
      cache_(std::move(state) + "/cache"),
      scratch_(make_scratch()),
      more_flags_(std::move(more_flags)) {
  fs::create_directories(cache_);
}

Workshop::~Workshop() {
  remove_scratch(scratch_);
}

Piece Workshop::take_in(const Lab& lab, const Exercise& exercise, std::string& source) const {
  Piece piece;
  piece.exercise = &exercise;
  piece.file = "labs/" + lab.name + "/" + exercise.file();
  std::string problem;
  piece.state = read_source(submission_ + "/" + lab.name + "/" + exercise.file(), source, problem);
  if (piece.state == FileState::kRefused) piece.problem = piece.file + " " + problem;
  if (piece.state != FileState::kWritten) return piece;
  piece.source_sha256 = sha256(source);
  std::string stub;
  if (read_file(stub_file(lab, exercise), stub) && stub == source)
    piece.state = FileState::kUntouched;
  return piece;
}

bool Workshop::is_started(const Lab& lab) const {
  std::string ignored;
  return std::any_of(lab.exercises.begin(), lab.exercises.end(), [&](const Exercise& exercise) {
    return take_in(lab, exercise, ignored).state == FileState::kWritten;
  });
}

LabBuild Workshop::build(const Lab& lab, const std::set<std::string>& only) {
  LabBuild result;
  result.lab = &lab;
  std::string helpers, problem;
  const FileState helpers_state =
      read_source(submission_ + "/" + lab.name + "/helpers.hpp", helpers, problem);
  if (helpers_state != FileState::kWritten) helpers.clear();
  std::vector<std::string> sources(lab.exercises.size());
  std::vector<std::function<void()>> tasks;
  for (std::size_t i = 0; i < lab.exercises.size(); ++i) {
    const Exercise& exercise = lab.exercises[i];
    if (!only.empty() && !only.contains(exercise.id)) continue;
    Piece& piece = result.pieces[exercise.id] = take_in(lab, exercise, sources[i]);
    if (piece.state != FileState::kWritten) continue;
    if (helpers_state == FileState::kRefused &&
        sources[i].find("helpers.hpp") != std::string::npos) {
      piece.problem = "labs/" + lab.name + "/helpers.hpp " + problem;
      continue;
    }
    tasks.emplace_back([&, i] { compile(lab, piece, sources[i], helpers); });
  }
  readable_for_jail(config::kKitDir);  // before there are threads
  confinement();
  run_all(tasks);
  return result;
}

void Workshop::compile(const Lab& lab, Piece& piece, const std::string& source,
                       const std::string& helpers) {
  std::string words;
  for (const std::string& flag : more_flags_) words += flag + ' ';
  // The first word: what else is kept beside an object.
  const std::string key = sha256("all symbols" + kit_fingerprint() + words + piece.file + '\0' +
                                 source + '\0' + helpers);
  const std::string cached = cache_ + "/" + key;
  std::string complaint;
  std::string& symbols = piece.symbols;
  if (!(fs::exists(cached + ".o") && read_file(cached + ".sym", symbols)) &&
      !read_file(cached + ".err", complaint)) {
    const std::string box = scratch_ + "/" + key.substr(0, 16);
    fs::create_directories(box + "/labs/" + lab.name);
    write_file(box + "/" + piece.file, source);
    if (!helpers.empty()) write_file(box + "/labs/" + lab.name + "/helpers.hpp", helpers);
    const Finished finished = run_compiler(piece.file, box, more_flags_);
    std::string object;
    if (finished.succeeded() && read_from_jail(box + "/out.o", object) &&
        read_from_jail(box + "/out.sym", symbols)) {
      write_file(cached + ".sym", symbols);
      write_file(cached + ".o", object);
    } else {
      complaint = finished.output;
      if (finished.timed_out)
        complaint += "\nit was stopped: it took too long or wrote too much";
      else if (finished.output.empty())
        complaint += "it ended without a word: " + describe_end(finished.status);
      // A time-out may be the machine's fault; anything else stays true.
      if (!finished.timed_out) write_file(cached + ".err", complaint);
    }
    remove_scratch(box);
  }
  if (complaint.empty()) {
    check_definitions(lab, piece, symbols);
    if (piece.problem.empty()) piece.object = cached + ".o";
    return;
  }
  piece.diagnostics = diagnostics_in(printable(complaint, 60000));
  if (piece.diagnostics.empty())
    piece.problem = "the compiler gave up on this file without pointing at a line: " +
                    printable(telling_line(complaint), 300);
}

/// The functions that an exercise's contract declares, mangled.
static std::set<std::string> functions_of(const Lab& lab, const Exercise& exercise) {
  std::string symbols;
  read_file(Workshop::stub_object(lab, exercise) + ".sym", symbols);
  return functions_in(symbols);
}

/// A piece defines what its contract says, and nothing of another exercise.
void Workshop::check_definitions(const Lab& lab, Piece& piece, const std::string& symbols) {
  const std::set<std::string> defined = functions_in(symbols);
  for (const std::string& name : functions_of(lab, *piece.exercise)) {
    if (defined.contains(name)) continue;
    piece.problem = piece.file + " does not define " + short_name(name) + " as " + lab.contract() +
                    " declares it. Was it deleted or renamed, or does a parameter have another "
                    "type? ./lab reset " +
                    piece.exercise->id + " brings the stub back (and keeps a copy of yours).";
    return;
  }
  for (const Exercise& other : lab.exercises) {
    if (&other == piece.exercise) continue;
    for (const std::string& name : functions_of(lab, other)) {
      if (!defined_strongly(symbols, name)) continue;
      piece.problem = piece.file + " also defines " + short_name(name) + ", which belongs in " +
                      other.file() + ". Move it there: of two definitions only one can be linked.";
      return;
    }
  }
}

std::string Workshop::try_link(const std::vector<std::string>& objects, std::string& complaint) {
  std::string key_text = kit_fingerprint();
  std::vector<std::string> all;
  for (const auto& entry : fs::directory_iterator(std::string(config::kKitDir) + "/runtime")) {
    if (entry.path().extension() == ".o") all.push_back(entry.path());
  }
  std::sort(all.begin(), all.end());
  all.insert(all.end(), objects.begin(), objects.end());
  for (const std::string& object : all) {
    struct stat info {};
    ::stat(object.c_str(), &info);
    key_text += object + '@' + std::to_string(info.st_mtim.tv_sec) + '.' +
                std::to_string(info.st_mtim.tv_nsec) + '+' + std::to_string(info.st_size);
  }
  const std::string cached = cache_ + "/" + sha256(key_text) + ".worker";
  if (fs::exists(cached)) return cached;
  const std::string box = scratch_ + "/link";
  fs::create_directories(box);
  JailSpec spec;
  spec.argv = {config::kCompiler, "-o", "worker"};
  if (config::kHasMold) spec.argv.emplace_back("-fuse-ld=mold");
  // The first definition of a name wins, and ours come first: two files that both define a helper
  // are no reason to refuse either.
  spec.argv.emplace_back("-Wl,--allow-multiple-definition");
  int number = 0;
  for (const std::string& object : all) {
    const std::string name = std::to_string(number++) + ".o";
    fs::copy_file(object, box + "/" + name, fs::copy_options::overwrite_existing);
    spec.argv.push_back(name);
  }
  spec.writable = box;
  spec.limits = {.cpu_seconds = 20,
                 .memory_bytes = std::size_t{3} << 30,
                 .processes = 32,
                 .file_bytes = std::size_t{64} << 20};
  give_to_jail(box);
  const Finished finished = run_to_end(spec, kLinkDeadline);
  std::string worker, result;
  if (finished.succeeded() && read_from_jail(box + "/worker", worker)) {
    write_file(cached, worker);
    ::chmod(cached.c_str(), 0755);
    result = cached;
  } else {
    complaint = printable(finished.output, 600);
  }
  remove_scratch(box);
  return result;
}

std::string Workshop::link(LabBuild& build, const std::vector<std::string>& earlier) {
  const Lab& lab = *build.lab;
  const auto objects = [&](const Piece* alone) {
    std::vector<std::string> all{std::string(config::kKitDir) + "/dispatch/" + lab.name + ".o"};
    for (const Exercise& exercise : lab.exercises) {
      const Piece& piece = build.pieces.at(exercise.id);
      const bool own = piece.compiled() && (alone == nullptr || alone == &piece);
      all.push_back(own ? piece.object : stub_object(lab, exercise));
    }
    all.insert(all.end(), earlier.begin(), earlier.end());
    return all;
  };
  std::string complaint;
  std::string worker = try_link(objects(nullptr), complaint);
  if (!worker.empty()) return worker;
  // One of the files cannot be linked. It must not cost the others: find out which.
  for (auto& [id, piece] : build.pieces) {
    if (!piece.compiled()) continue;
    std::string why;
    if (!try_link(objects(&piece), why).empty()) continue;
    piece.object.clear();
    piece.problem = piece.file + " compiles but cannot be linked: " + why;
  }
  worker = try_link(objects(nullptr), complaint);
  if (worker.empty())
    throw std::runtime_error("the worker of " + lab.name + " cannot be linked: " + complaint);
  return worker;
}

}  // namespace latent::grader
