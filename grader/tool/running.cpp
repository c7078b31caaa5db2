#include "grader/tool/running.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <sstream>
#include <thread>

#include "config.hpp"
#include "grader/judge/files.hpp"
#include "grader/judge/jail.hpp"
#include "grader/judge/loading.hpp"
#include "grader/judge/scratch.hpp"
#include "grader/judge/workshop.hpp"
#include "grader/tool/commands.hpp"

namespace latent::grader {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

/// What common/ is compiled from here, also what a worker does not have.
constexpr const char* kCommon[] = {"dataset",        "experiment", "experiment_main", "files",
                                   "gradient_check", "image",      "layers",          "plot",
                                   "random",         "report",     "safetensors",     "scene",
                                   "statistics",     "trace",      "training",        "types"};

/// After those of a worker. Warnings are for grading; -O1 is what a verdict can wait for, a run
/// takes longer.
const Words kFlags{"-O3", "-march=native", "-ffp-contract=off", "-w"};

/// With its parts, if it has any, in the folder experiment/ beside it.
std::vector<std::string> experiment_files(const Lab& lab) {
  std::vector<std::string> files{experiment_file(lab)};
  std::error_code none;
  for (const auto& entry :
       fs::directory_iterator(labs_dir() + "/" + lab.name + "/experiment", none))
    if (entry.path().extension() == ".cpp") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

/// Runs a command of ours.
/// @param output  Filled with what it prints.
/// @return        Whether it succeeded.
bool succeeds(const Words& words, const std::string& scratch_file, std::string& output) {
  Words copy = words;
  std::vector<char*> argv;
  for (std::string& word : copy) argv.push_back(word.data());
  argv.push_back(nullptr);
  const pid_t pid = ::fork();
  if (pid == 0) {
    const int out = ::open(scratch_file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ::dup2(out, 1);
    ::dup2(out, 2);
    ::execvp(argv[0], argv.data());
    ::_exit(127);
  }
  int status = -1;
  while (pid > 0 && ::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  read_file(scratch_file, output);
  return status == 0;
}

std::string file_text(const std::string& path) {
  std::string text;
  read_file(path, text);
  return text;
}

/// What the headers below a folder say.
std::string headers_in(const std::string& folder) {
  std::vector<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.path().extension() == ".hpp") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  std::string all;
  for (const std::string& file : files) all += file.substr(folder.size()) + file_text(file);
  return sha256(all);
}

/// What -march=native means here: a checkout may be shared between machines.
std::string processor() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);) {
    if (line.rfind("flags", 0) == 0) return line;
  }
  return "";
}

Words compiler_words(const std::string& root) {
  Words words{config::kCompiler};
  std::istringstream flags(config::kFlags);
  for (std::string flag; std::getline(flags, flag, ';');) {
    words.push_back(flag);
  }
  words.insert(words.end(), kFlags.begin(), kFlags.end());
  words.push_back("-I" + root);
  words.push_back("-I" + root + "/common/include");
  for (const Lab& lab : labs()) words.push_back("-I" + root + "/labs/" + lab.name);
  return words;
}

const Words kLibraries{"-lpng", "-lz", "-pthread"};

Words link_words(const std::string& program) {
  // Two files may each define a helper of the same name; ours come first.
  Words words{config::kCompiler, "-o", program, "-Wl,--allow-multiple-definition"};
  if (config::kHasMold) words.emplace_back("-fuse-ld=mold");
  return words;
}

/// Builds one program.
class Building {
 public:
  Building(const Lab& lab, const std::set<std::string>& from_solutions,
           const std::string& submission, const std::string& device)
      : lab_(lab),
        from_solutions_(from_solutions),
        submission_(submission),
        device_(device),
        workshop_(submission, state_dir(), kFlags),
        root_(source_dir()),
        cache_(state_dir() + "/cache"),
        scratch_(make_scratch()),
        compiler_(compiler_words(root_)) {
    fs::create_directories(cache_);
    if (device_ == "emulated") compiler_.emplace_back("-DLATENTLAB_EMULATED");
    if (device_ == "cuda") compiler_.insert(compiler_.end(), {"-isystem", config::kCudaIncludes});
    fingerprint_ =
        headers_in(root_ + "/common/include") + file_text(root_ + "/grader/wire/eigen_misuse.hpp") +
        file_text(root_ + "/grader/worker/prelude.hpp") + config::kCompilerName + processor();
    for (const std::string& word : compiler_)
      fingerprint_ += word.rfind("-I", 0) == 0 ? "" : word + " ";
    contracts_ = headers_in(root_ + "/labs");
  }
  ~Building() { remove_scratch(scratch_); }
  Building(const Building&) = delete;
  Building& operator=(const Building&) = delete;

  Program build();

 private:
  struct Unit {
    std::string source, object, complaint;
    bool ours = true;          ///< Not the learner's.
    std::string symbols = {};  ///< As `nm -P` prints them.
  };

  void precompile();
  void compile_all(std::vector<Unit>& units);
  void compile(Unit& unit, std::size_t number) const;
  std::string name(const std::string& path) const { return path.substr(root_.size() + 1); }
  std::vector<const Exercise*> called_by(const std::vector<Unit>& units) const;
  void hand_in(const std::vector<const Exercise*>& exercises);
  bool is_written(const Exercise& exercise) const;
  Unit own_unit(const Exercise& exercise) const;
  std::string reference_file(const Exercise& exercise) const;
  Words kernels() const;
  std::vector<Unit> units_for(const std::vector<const Exercise*>& exercises);
  [[noreturn]] void refuse_missing() const;
  std::string link(const std::vector<Unit>& units) const;
  bool link_locked_in(const std::vector<std::string>& objects, const std::string& path,
                      std::string& complaint) const;

  const Lab& lab_;
  const std::set<std::string>& from_solutions_;
  const std::string& submission_;
  const std::string& device_;
  Workshop workshop_;                    ///< Of the submission.
  std::map<std::string, Piece> pieces_;  ///< What it has, by exercise.
  std::string root_, cache_, scratch_;
  Words compiler_;
  std::string fingerprint_;  ///< What common/ is compiled from, besides its sources.
  std::string contracts_;    ///< What labs have in addition: contracts, learners' helpers.
  std::string prelude_;      ///< Included before each file; most of compiling one is reading Eigen.
  std::set<const Exercise*> seen_, missing_;
  Program program_;
};

/// From the experiment to what it calls, to what that calls, until nothing new turns up.
Program Building::build() {
  std::vector<Unit> all, wave;
  for (const std::string& file : experiment_files(lab_)) all.push_back({file, "", "", true});
  for (const char* stem : kCommon)
    all.push_back({root_ + "/common/src/" + stem + ".cpp", "", "", true});
  precompile();
  compile_all(all);
  for (wave = all; !wave.empty();) {
    wave = units_for(called_by(wave));
    compile_all(wave);
    all.insert(all.end(), wave.begin(), wave.end());
  }
  if (!missing_.empty()) refuse_missing();
  program_.path = link(all);
  for (auto* exercises : {&program_.own, &program_.references}) {
    std::sort(exercises->begin(), exercises->end(), [](const Exercise* a, const Exercise* b) {
      return std::pair(lab_of(*a).name, a->id) < std::pair(lab_of(*b).name, b->id);
    });
  }
  show_progress("");
  return program_;
}

/// The worker's prelude once more, for these flags: also here Eigen's assertions throw.
void Building::precompile() {
  const bool clang = std::string(config::kCompilerName).find("Clang") != std::string::npos;
  prelude_ = cache_ + "/" + sha256(fingerprint_) + ".run.hpp";
  const std::string compiled = prelude_ + (clang ? ".pch" : ".gch");
  if (fs::exists(compiled)) return;
  show_progress("compiling for this machine: Eigen");
  write_file(prelude_, "#include \"grader/worker/prelude.hpp\"\n");
  Words words = compiler_;
  // Contents name what is cached; Clang would also compare times, and refuse after a checkout.
  if (clang) words.insert(words.end(), {"-Xclang", "-fno-pch-timestamp"});
  words.insert(words.end(), {"-x", "c++-header", prelude_, "-o", scratch_ + "/prelude"});
  std::string output;
  if (!succeeds(words, scratch_ + "/prelude.txt", output))
    throw std::runtime_error("the prelude of a run cannot be compiled: " + output.substr(0, 2000));
  write_file(compiled, file_text(scratch_ + "/prelude"));
}

void Building::compile_all(std::vector<Unit>& units) {
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  const auto work = [&] {
    for (std::size_t i = next++; i < units.size(); i = next++) {
      if (!units[i].object.empty()) continue;  // a submission's, compiled by its workshop
      {
        const std::lock_guard lock(mutex);
        show_progress("compiling for this machine: " + name(units[i].source));
      }
      compile(units[i], i);
    }
  };
  std::thread second(work);
  work();
  second.join();
  for (const Unit& unit : units) {
    if (unit.complaint.empty()) continue;
    show_progress("");
    if (unit.ours) throw std::runtime_error(name(unit.source) + ":\n" + unit.complaint);
    throw RunRefused(name(unit.source) + " does not compile, so there is nothing to run.\n" +
                     unit.complaint);
  }
}

/// The first few lines that call themselves errors.
std::string errors_in(const std::string& output, const std::string& root) {
  std::istringstream in(output);
  std::string errors;
  int left = 5;
  for (std::string line; std::getline(in, line) && left > 0;) {
    if (line.find("error: ") == std::string::npos) continue;
    if (line.rfind(root + "/", 0) == 0) line = line.substr(root.size() + 1);
    errors += "     " + line.substr(0, 300) + "\n";
    --left;
  }
  return errors.empty() ? "     " + output.substr(0, 300) + "\n" : errors;
}

void Building::compile(Unit& unit, std::size_t number) const {
  // A learner's file that is the reference letter by letter is the same object.
  const fs::path path = unit.source;
  const std::string where = (path.parent_path().filename() / path.filename()).string();
  const bool common = unit.source.rfind(root_ + "/common/", 0) == 0;
  const std::string key =
      sha256(fingerprint_ + (common ? "" : contracts_) + where + '\0' + file_text(unit.source));
  unit.object = cache_ + "/" + key + ".run.o";
  if (fs::exists(unit.object)) return;
  // `number` keeps two units of one text apart.
  const std::string box = scratch_ + "/" + key.substr(0, 16) + std::to_string(number);
  Words words = compiler_;
  words.insert(words.end(), {"-include", prelude_, "-c", unit.source, "-o", box + ".o"});
  std::string output;
  if (!succeeds(words, box + ".txt", output)) {
    unit.complaint = errors_in(output, root_);
    return;
  }
  write_file(unit.object, file_text(box + ".o"));
}

/// "_ZN6latent14linear_forwardERK..." -> "linear_forward"; empty for what is no function of ours.
std::string function_in(const std::string& mangled) {
  const std::string start = "_ZN6latent";
  if (mangled.rfind(start, 0) != 0) return "";
  std::size_t at = start.size(), length = 0;
  while (at < mangled.size() && length < mangled.size() && std::isdigit(mangled[at]) != 0)
    length = 10 * length + static_cast<std::size_t>(mangled[at++] - '0');
  return at + length < mangled.size() && mangled[at + length] == 'E' ? mangled.substr(at, length)
                                                                     : "";
}

/// The exercises whose functions these objects leave undefined.
std::vector<const Exercise*> Building::called_by(const std::vector<Unit>& units) const {
  std::set<std::string> wanted;
  for (const Unit& unit : units) {
    std::string symbols = unit.symbols;
    if (symbols.empty() &&
        !succeeds({"nm", "-P", "-u", unit.object}, scratch_ + "/nm.txt", symbols))
      throw std::runtime_error("nm cannot read " + unit.object);
    std::istringstream in(symbols);
    for (std::string line; std::getline(in, line);) {
      std::istringstream fields(line);
      std::string name, kind;
      if (fields >> name >> kind && kind == "U") wanted.insert(function_in(name));
    }
  }
  std::vector<const Exercise*> called;
  for (const Lab& lab : labs()) {
    for (const Exercise& exercise : lab.exercises) {
      if (std::any_of(exercise.operations.begin(), exercise.operations.end(),
                      [&](const Operation& o) { return wanted.contains(o.name); }))
        called.push_back(&exercise);
    }
  }
  return called;
}

/// What a submission has of some exercises, compiled lab by lab.
void Building::hand_in(const std::vector<const Exercise*>& exercises) {
  std::map<const Lab*, std::set<std::string>> ids;
  for (const Exercise* exercise : exercises) {
    if (!pieces_.contains(exercise->id) && !from_solutions_.contains(exercise->id))
      ids[&lab_of(*exercise)].insert(exercise->id);
  }
  for (const auto& [lab, only] : ids) {
    load_judge(*lab);  // builds what a submission's definitions are compared with
    show_progress("compiling in the sandbox: lab " + lab->name);
    pieces_.merge(workshop_.build(*lab, only).pieces);
  }
}

bool Building::is_written(const Exercise& exercise) const {
  if (!submission_.empty()) {
    const FileState state = pieces_.at(exercise.id).state;
    return state == FileState::kWritten || state == FileState::kRefused;
  }
  std::string source, stub;
  return read_file(own_file(exercise), source) &&
         !(read_file(stub_file(lab_of(exercise), exercise), stub) && stub == source);
}

Building::Unit Building::own_unit(const Exercise& exercise) const {
  if (submission_.empty()) return {own_file(exercise), "", "", false};
  const Piece& piece = pieces_.at(exercise.id);
  if (piece.compiled()) return {piece.file, piece.object, "", false, piece.symbols};
  std::string text = piece.file + " does not compile, so there is nothing to run.\n";
  if (!piece.problem.empty()) text = piece.problem + "\n";
  for (const Diagnostic& d : piece.diagnostics)
    text += "     " + d.file + ":" + std::to_string(d.line) + ": " + d.text + "\n";
  throw RunRefused(text);
}

/// The solution's own file, or what calls its kernels.
std::string Building::reference_file(const Exercise& exercise) const {
  fs::path path = root_ + "/solutions/" + lab_of(exercise).name + "/" + exercise.file();
  const fs::path on_device = fs::path(path).replace_extension(".device.cpp");
  return !device_.empty() && fs::exists(on_device) ? on_device : path;
}

/// The libraries of kernels, of all labs that have some: one lab's may call another's.
Words Building::kernels() const {
  if (device_.empty()) return {};
  Words words{"-Wl,--start-group"};
  for (const Lab& lab : labs()) {
    if (!exercises_with(lab, device_).empty()) words.push_back(kernel_library(lab.name, device_));
  }
  words.push_back(kernel_library("common", device_));
  words.emplace_back("-Wl,--end-group");
  std::istringstream libraries(device_ == "cuda" ? config::kCudaLibraries : "");
  for (std::string library; std::getline(libraries, library, ';');) words.push_back(library);
  return words;
}

std::vector<Building::Unit> Building::units_for(const std::vector<const Exercise*>& exercises) {
  std::vector<Unit> units;
  if (!submission_.empty()) hand_in(exercises);
  for (const Exercise* exercise : exercises) {
    if (!seen_.insert(exercise).second) continue;
    const std::string reference = reference_file(*exercise);
    if (from_solutions_.contains(exercise->id)) {
      if (!fs::exists(reference))
        throw RunRefused("there is no reference for " + exercise->id + " in this copy.\n");
      units.push_back({reference, "", "", true});
      program_.references.push_back(exercise);
    } else if (is_written(*exercise)) {
      units.push_back(own_unit(*exercise));
      program_.own.push_back(exercise);
    } else {
      // It calls nothing yet; what it will call, its table knows.
      missing_.insert(exercise);
      for (const std::string& id : exercise->needs) {
        const auto more = units_for({find_exercise(id)});
        units.insert(units.end(), more.begin(), more.end());
      }
    }
  }
  return units;
}

/// Which functions are wanted, and the command that does without them.
void Building::refuse_missing() const {
  show_progress("");
  std::string names, ids;
  for (const Lab& lab : labs()) {  // in the order of the labs
    for (const Exercise& exercise : lab.exercises) {
      if (!seen_.contains(&exercise)) continue;
      const bool missing = missing_.contains(&exercise);
      if (missing) names += "       " + exercise.id + " " + exercise.name + "\n";
      if (missing || from_solutions_.contains(exercise.id))
        ids += (ids.empty() ? "" : ",") + exercise.id;
    }
  }
  std::string text = "this run calls functions that are not written yet:\n" + names;
  if (fs::exists(root_ + "/solutions")) {
    text += "     With the reference in their place: ./lab run " +
            std::to_string(std::stoi(lab_.name)) + " --use-solution " +
            (program_.own.empty() ? "all" : ids) + "\n";
  }
  throw RunRefused(text);
}

/// In the jail, since some of the objects are somebody else's.
bool Building::link_locked_in(const std::vector<std::string>& objects, const std::string& path,
                              std::string& complaint) const {
  const std::string box = scratch_ + "/link";
  fs::create_directories(box);
  JailSpec spec;
  spec.argv = link_words("program");
  for (std::size_t i = 0; i < objects.size(); ++i) {
    spec.argv.push_back(std::to_string(i) + ".o");
    fs::copy_file(objects[i], box + "/" + spec.argv.back());
  }
  spec.argv.insert(spec.argv.end(), kLibraries.begin(), kLibraries.end());
  spec.writable = box;
  spec.limits = {.memory_bytes = std::size_t{3} << 30, .processes = 32};
  give_to_jail(box);
  const Finished finished = run_to_end(spec, std::chrono::seconds(60));
  std::string bytes;
  complaint = printable(finished.output, 600);
  if (!finished.succeeded() || !read_from_jail(box + "/program", bytes)) return false;
  write_file(path, bytes);
  return true;
}

std::string Building::link(const std::vector<Unit>& units) const {
  std::string key_text;
  std::vector<std::string> objects;
  for (const Unit& unit : units) {
    objects.push_back(unit.object);
    key_text += unit.object + '\n';
  }
  const Words device = kernels();
  for (const std::string& library : device) key_text += library + '\n';
  const std::string path = cache_ + "/" + sha256(key_text) + ".run";
  if (fs::exists(path)) return path;
  std::string output;
  bool linked = false;
  if (submission_.empty()) {
    Words words = link_words(scratch_ + "/program");
    words.insert(words.end(), objects.begin(), objects.end());
    words.insert(words.end(), device.begin(), device.end());
    words.insert(words.end(), kLibraries.begin(), kLibraries.end());
    linked = succeeds(words, scratch_ + "/link.txt", output);
    if (linked) write_file(path, file_text(scratch_ + "/program"));
  } else {
    linked = link_locked_in(objects, path, output);
  }
  if (!linked) {
    throw RunRefused("the functions compile but cannot be linked; ./lab grade " +
                     std::to_string(std::stoi(lab_.name)) + " says which one.\n" +
                     errors_in(output, root_));
  }
  ::chmod(path.c_str(), 0755);
  return path;
}

}  // namespace

std::string experiment_file(const Lab& lab) {
  return labs_dir() + "/" + lab.name + "/experiment.cpp";
}

std::string own_file(const Exercise& exercise) {
  return labs_dir() + "/" + lab_of(exercise).name + "/" + exercise.file();
}

Program build_program(const Lab& lab, const std::set<std::string>& from_solutions,
                      const std::string& submission, const std::string& device) {
  return Building(lab, from_solutions, submission, device).build();
}

}  // namespace latent::grader
