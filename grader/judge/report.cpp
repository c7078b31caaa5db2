#include "grader/judge/report.hpp"

#include <algorithm>
#include <sstream>

#include "config.hpp"
#include "grader/judge/jail.hpp"
#include "grader/judge/misconception.hpp"

namespace latent::grader {
namespace {

constexpr std::size_t kWidth = 80;

const Misconception* find_misconception(const std::string& id) {
  for (const Misconception& m : misconceptions()) {
    if (m.id == id) return &m;
  }
  return nullptr;
}

std::string paint(const std::string& text, const char* colour, const TextStyle& style) {
  return style.colour ? std::string("\033[") + colour + "m" + text + "\033[0m" : text;
}

constexpr const char* kGreen = "32";
constexpr const char* kRed = "31";
constexpr const char* kDim = "2";
constexpr const char* kBold = "1";

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.append(width - text.size(), ' ');
  return text;
}

/// Breaks a sentence into lines.
std::vector<std::string> wrap(const std::string& text, std::size_t width) {
  std::vector<std::string> lines(1);
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = text.find(' ', at);
    if (end == std::string::npos) end = text.size();
    const std::string word = text.substr(at, end - at);
    if (!lines.back().empty() && lines.back().size() + 1 + word.size() > width)
      lines.emplace_back();
    lines.back() += (lines.back().empty() ? "" : " ") + word;
    at = end + 1;
  }
  return lines;
}

void print_indented(const std::string& text, std::size_t indent, std::ostream& out) {
  for (const std::string& line : wrap(text, kWidth - indent))
    out << std::string(indent, ' ') << line << '\n';
}

void print_property(const PropertyResult& p, bool detailed, const TextStyle& style,
                    std::ostream& out) {
  const bool failed = p.verdict == PropertyVerdict::kFail,
             passed = p.verdict == PropertyVerdict::kPass;
  const std::string word = passed   ? paint("ok  ", kGreen, style)
                           : failed ? paint("FAIL", kRed, style)
                                    : paint("skip", kDim, style);
  const std::string right =
      failed && detailed && !p.smallest.empty() && p.ended != Outcome::kNotAttempted
          ? "smallest failing case: " + p.smallest
          : "";
  out << "  " << word << "  ";
  if (right.empty() || style.plain || p.sentence.size() + right.size() + 10 > kWidth) {
    out << p.sentence << '\n';
    if (!right.empty()) out << "        " << right << '\n';
  } else {
    out << padded(p.sentence, kWidth - 8 - right.size()) << right << '\n';
  }
  if (!detailed) return;
  for (const std::string& line : p.message) {
    if (line.size() > kWidth - 8 && line.find('[') == std::string::npos)
      print_indented(line, 8, out);
    else
      out << "        " << line << '\n';
  }
}

void print_diagnosis(const std::string& id, std::ostream& out) {
  const Misconception* found = find_misconception(id);
  if (found == nullptr) return;
  print_indented(found->verdict, 8, out);
  out << "        more: ./lab why " << id << '\n';
}

/// What the learner's code printed, each different line once.
void print_output(const std::string& output, std::ostream& out) {
  std::vector<std::pair<std::string, int>> lines;
  std::istringstream in(output);
  for (std::string line; std::getline(in, line);) {
    const auto same =
        std::find_if(lines.begin(), lines.end(), [&](const auto& l) { return l.first == line; });
    if (same == lines.end())
      lines.emplace_back(line, 1);
    else
      ++same->second;
  }
  if (lines.empty()) return;
  out << "  your code printed:\n";
  for (std::size_t i = 0; i < std::min<std::size_t>(lines.size(), 12); ++i) {
    out << "  | " << lines[i].first
        << (lines[i].second > 1 ? "  (" + std::to_string(lines[i].second) + " times)" : "") << '\n';
  }
  if (lines.size() > 12) out << "  | ...\n";
}

std::string first_line_of(const GradedExercise& e) {
  const auto& properties = e.result.properties;
  const auto held =
      std::count_if(properties.begin(), properties.end(),
                    [](const PropertyResult& p) { return p.verdict == PropertyVerdict::kPass; });
  if (properties.empty()) return words(e.result.verdict);
  const std::string counted =
      std::to_string(held) + " of " + std::to_string(properties.size()) + " properties hold";
  const bool ended =
      e.result.verdict == Verdict::kCrashed || e.result.verdict == Verdict::kTimedOut;
  return ended ? words(e.result.verdict) + ", " + counted : counted;
}

/// Which earlier exercises the reference stood in for.
void print_helpers(const ExerciseResult& result, std::ostream& out) {
  for (const std::string& id : result.helped_by) {
    out << "  with the reference's " << find_exercise(id)->name << " (your " << id
        << " does not pass yet)\n";
  }
}

void print_line(const GradedExercise& e, const std::string& text, const TextStyle& style,
                std::ostream& out) {
  const std::string points =
      std::to_string(e.result.score) + " of " + std::to_string(e.exercise->points) + " points";
  const bool passed = e.result.verdict == Verdict::kPass;
  out << padded(e.exercise->id + " " + e.exercise->name, 30) << (style.plain ? ": " : "")
      << paint(padded(text, 34), passed ? kGreen : kDim, style) << points << '\n';
  print_helpers(e.result, out);
}

bool deserves_detail(Verdict verdict) {
  return verdict != Verdict::kPass && verdict != Verdict::kNotStarted;
}

void print_questions(const GradedLab& lab, const Report& report, const TextStyle& style,
                     std::ostream& out) {
  for (const QuestionResult& q : lab.questions) {
    if (!q.problem.empty()) {
      out << q.problem << "\n\n";
      return;
    }
  }
  bool any = false;
  for (const QuestionResult& q : lab.questions) {
    if (!q.answered || report.sealed || (q.right && report.explained.contains(q.question->id)))
      continue;
    out << "  " << (q.right ? paint("ok  ", kGreen, style) : paint("no  ", kRed, style)) << "  "
        << q.question->id << " " << q.question->key << ": you said " << q.given << '\n';
    print_indented(q.sheet.explanation, 8, out);
    any = true;
  }
  if (any) out << '\n';
}

struct Tally {
  int passed = 0, all = 0;
  std::string text() const {
    return all == 0 ? "-" : std::to_string(passed) + " of " + std::to_string(all);
  }
};

Tally tally(const GradedLab& lab, Kind kind) {
  Tally t;
  for (const GradedExercise& e : lab.exercises) {
    if (e.exercise->kind != kind) continue;
    ++t.all;
    t.passed += e.result.verdict == Verdict::kPass ? 1 : 0;
  }
  return t;
}

Tally tally_questions(const GradedLab& lab) {
  Tally t;
  for (const QuestionResult& q : lab.questions) {
    ++t.all;
    t.passed += q.right ? 1 : 0;
  }
  return t;
}

void print_table(const Report& report, const TextStyle& style, std::ostream& out) {
  if (!style.plain)
    out << paint(padded("lab", 30) + padded("points", 14) + padded("core", 11) +
                     padded("stretch", 11) + "questions",
                 kBold, style)
        << '\n';
  for (const GradedLab& lab : report.labs) {
    const std::string points = std::to_string(lab.score()) + " of " + std::to_string(lab.max());
    const std::string name = lab.lab->name.substr(0, 2) + " " + lab.lab->title;
    const std::string core = tally(lab, Kind::kCore).text(),
                      stretch = tally(lab, Kind::kStretch).text(),
                      asked = tally_questions(lab).text();
    if (style.plain) {
      out << "Lab " << name << ": " << points << " points, core exercises " << core << ", stretch "
          << stretch << ", questions " << asked << ".\n";
    } else {
      out << padded(name, 30) << padded(points, 14) << padded(core, 11) << padded(stretch, 11)
          << asked << '\n';
    }
  }
  out << (style.plain ? "Total: " : padded("total", 30)) << report.score() << " of " << report.max()
      << (style.plain ? " points.\n" : "\n");
}

/// The exercise that comes next in the workbook, or null.
const Exercise* exercise_after(const Exercise& exercise) {
  bool here = false;
  for (const Lab& lab : labs()) {
    for (const Exercise& candidate : lab.exercises) {
      if (here) return &candidate;
      here = candidate.id == exercise.id;
    }
  }
  return nullptr;
}

}  // namespace

std::string words(Verdict verdict) {
  switch (verdict) {
    case Verdict::kPass:
      return "pass";
    case Verdict::kFail:
      return "not right yet";
    case Verdict::kNotStarted:
      return "not started";
    case Verdict::kWaits:
      return "waits";
    case Verdict::kDoesNotCompile:
      return "does not compile";
    case Verdict::kCrashed:
      return "crashed";
    case Verdict::kTimedOut:
      return "timed out";
  }
  return "";
}

std::string handbook_anchor(const Lab& lab, const Exercise& exercise) {
  const std::string page = std::string(config::kBuildDir) + "/docs/html/lab_" + lab.name + ".html";
  std::string ignored;
  const bool built = read_file(page, ignored);  // by ./lab docs
  return (built ? page : "docs/handbook/" + lab.name + ".md") + "#ex_" + exercise.name;
}

void print(const GradedExercise& e, const Report& report, const TextStyle& style,
           std::ostream& out) {
  const ExerciseResult& r = e.result;
  const std::string title = e.exercise->id + " " + e.exercise->name;
  const std::string points =
      std::to_string(r.score) + " of " + std::to_string(e.exercise->points) + " points";
  out << paint(padded(title, 30), kBold, style) << (style.plain ? ": " : "")
      << padded(first_line_of(e), 34) << points << '\n';
  for (const Diagnostic& d : e.diagnostics) {
    out << "  " << d.file << ':' << d.line << ": " << d.text << '\n';
    break;  // the first error is the one to mend; the rest often follow from it
  }
  if (!r.reason.empty()) print_indented(r.reason, 2, out);
  print_helpers(r, out);
  bool first = true;  // the first failure is the one to mend; the others often follow from it
  std::vector<std::string> said;
  for (PropertyResult p : r.properties) {
    // Why several are skipped is said once.
    if (p.verdict == PropertyVerdict::kSkip && p.message == said)
      p.message.clear();
    else if (p.verdict == PropertyVerdict::kSkip)
      said = p.message;
    const bool failed = p.verdict == PropertyVerdict::kFail;
    print_property(p, !report.sealed && (!failed || first || report.verbose), style, out);
    if (failed && first && !report.sealed) print_diagnosis(r.diagnosis, out);
    first = first && !failed;
  }
  if (report.sealed) return;
  print_output(r.output, out);
  if (deserves_detail(r.verdict)) {
    out << "hint: ./lab hint " << e.exercise->id << "      file: " << e.file << '\n';
    for (const PropertyResult& p : r.properties) {
      if (p.verdict == PropertyVerdict::kFail && !p.replay.empty()) {
        out << "replay: ./lab replay " << p.replay << '\n';
        break;
      }
    }
  }
  out << '\n';
}

std::string next_step(const Report& report) {
  const GradedExercise *untouched = nullptr, *waiting = nullptr;
  for (const GradedLab& lab : report.labs) {
    for (const GradedExercise& e : lab.exercises) {
      const Verdict v = e.result.verdict;
      if (v == Verdict::kFail || v == Verdict::kDoesNotCompile || v == Verdict::kCrashed ||
          v == Verdict::kTimedOut) {
        return "next: mend " + e.file + ", then ./lab grade " + e.exercise->id;
      }
      if (v == Verdict::kWaits && waiting == nullptr) waiting = &e;
      if (v == Verdict::kNotStarted && untouched == nullptr) untouched = &e;
    }
  }
  if (untouched != nullptr)
    return "next: write " + untouched->file + ", then ./lab grade " + untouched->exercise->id;
  if (waiting != nullptr) {
    const std::string& reason = waiting->result.reason;  // "waits for 2.4"
    return "next: ./lab grade " + reason.substr(reason.rfind(' ') + 1) + ", for which " +
           waiting->exercise->id + " waits";
  }
  for (const GradedLab& lab : report.labs) {
    for (const QuestionResult& q : lab.questions) {
      if (!q.right)
        return "next: the questions in labs/" + lab.lab->name + "/answers.toml, then ./lab grade " +
               std::to_string(std::stoi(lab.lab->name));
    }
  }
  const Exercise* last = report.labs.empty() || report.labs.back().exercises.empty()
                             ? nullptr
                             : report.labs.back().exercises.back().exercise;
  const Exercise* following = last == nullptr ? nullptr : exercise_after(*last);
  const bool all = report.labs.size() == labs().size() && following == nullptr;
  if (all || last == nullptr) return "All done. Compare notes: ./lab solution";
  const std::string done = "Done. Compare notes: ./lab solution " + last->id;
  return following == nullptr ? done + "      next: ./lab"
                              : done + "      next: ./lab grade " + following->id;
}

void print(const Report& report, const TextStyle& style, std::ostream& out) {
  for (const GradedLab& lab : report.labs) {
    bool open_list = false;  // lines were printed that no blank line has ended yet
    for (const GradedExercise& e : lab.exercises) {
      if (e.result.verdict == Verdict::kWaits && e.diagnostics.empty()) {
        print_line(e, e.result.reason, style, out);
        open_list = true;
        continue;
      }
      // A single exercise is always shown whole; in a long list, only what needs the reader.
      const bool whole = report.labs.size() == 1 && lab.exercises.size() == 1;
      if (whole || deserves_detail(e.result.verdict)) {
        if (open_list) out << '\n';
        print(e, report, style, out);
        open_list = false;
      } else if (report.labs.size() == 1 || e.result.verdict == Verdict::kPass) {
        print_line(e, words(e.result.verdict), style, out);
        open_list = true;
      }
    }
    if (open_list) out << '\n';
    print_questions(lab, report, style, out);
  }
  const bool one = report.labs.size() == 1 && report.labs[0].exercises.size() == 1;
  if (!one) print_table(report, style, out);
  const std::string sandbox =
      report.device.empty() ? to_string(confinement()) : "none   kernels on: " + report.device;
  out << "sandbox: " << sandbox << "   seed: " << report.seed << '\n';
  if (!report.sealed) out << next_step(report) << '\n';
}

void print_overview(const Report& report, const TextStyle& style, std::ostream& out) {
  print_table(report, style, out);
  out << next_step(report) << '\n';
}

}  // namespace latent::grader
