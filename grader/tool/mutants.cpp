#include "grader/tool/mutants.hpp"

#include <algorithm>
#include <array>
#include <regex>
#include <utility>

namespace latent::grader {
namespace {

struct Swap {
  const char* kind;
  const char* from;
  const char* to;
};

// Binary operators with their blanks, so that templates, references and pointers stay out.
constexpr std::array kSwaps = {
    Swap{"operator", " + ", " - "},
    Swap{"operator", " - ", " + "},
    Swap{"operator", " * ", " / "},
    Swap{"operator", " / ", " * "},
    Swap{"operator", " % ", " / "},
    Swap{"operator", " < ", " <= "},
    Swap{"operator", " <= ", " < "},
    Swap{"operator", " > ", " >= "},
    Swap{"operator", " >= ", " > "},
    Swap{"operator", " == ", " != "},
    Swap{"operator", " != ", " == "},
    Swap{"operator", " && ", " || "},
    Swap{"operator", " || ", " && "},
    Swap{"operator", " += ", " -= "},
    Swap{"operator", " -= ", " += "},
    Swap{"operator", " += ", " = "},
    Swap{"operator", " *= ", " /= "},
    Swap{"operator", " /= ", " *= "},
    Swap{"operator", "true", "false"},
    Swap{"operator", "false", "true"},
    Swap{"axis", "rowwise()", "colwise()"},
    Swap{"axis", "colwise()", "rowwise()"},
    Swap{"axis", ".rows()", ".cols()"},
    Swap{"axis", ".cols()", ".rows()"},
    Swap{"axis", ".row(", ".col("},
    Swap{"axis", ".col(", ".row("},
    Swap{"axis", ".n()", ".c()"},
    Swap{"axis", ".c()", ".n()"},
    Swap{"axis", ".h()", ".w()"},
    Swap{"axis", ".w()", ".h()"},
    Swap{"axis", ".transpose()", ""},
    Swap{"function", "std::max(", "std::min("},
    Swap{"function", "std::min(", "std::max("},
    Swap{"function", "std::floor(", "std::ceil("},
    Swap{"function", "std::ceil(", "std::floor("},
    Swap{"function", ".sum()", ".mean()"},
    Swap{"function", ".mean()", ".sum()"},
    Swap{"function", ".exp()", ""},
    Swap{"function", ".log()", ""},
    Swap{"function", ".sqrt()", ""},
    Swap{"function", ".tanh()", ""},
    Swap{"function", ".square()", ""},
    Swap{"function", ".abs()", ""},
    Swap{"function", ".cwiseAbs2()", ""},
};

/// Blanks out [begin, end) but keeps the lines.
void blank(std::string& text, std::size_t begin, std::size_t end) {
  for (std::size_t i = begin; i < std::min(end, text.size()); ++i) {
    if (text[i] != '\n') text[i] = ' ';
  }
}

void blank_all(std::string& text, const std::regex& pattern) {
  const std::string whole = text;
  for (std::sregex_iterator it(whole.begin(), whole.end(), pattern), end; it != end; ++it) {
    const auto at = static_cast<std::size_t>(it->position());
    blank(text, at, at + static_cast<std::size_t>(it->length()));
  }
}

/// Where the argument ends that `at` lies in, to the right (+1) or to the left (-1).
std::size_t end_of_argument(const std::string& text, std::size_t at, int step) {
  int depth = 0;
  for (std::size_t i = at; i > 0 && i < text.size();
       i = static_cast<std::size_t>(static_cast<std::ptrdiff_t>(i) + step)) {
    const char c = text[i];
    const bool opens = c == (step > 0 ? '(' : ')'), closes = c == (step > 0 ? ')' : '(');
    if (opens) ++depth;
    if (closes && --depth < 0) return i;
    if (depth == 0 && (c == ',' || c == ';' || c == '{' || c == '}')) return i;
  }
  return at;
}

/// The source with everything blanked out that is not code to mistake.
std::string code_of(const std::string& source) {
  std::string code = source;
  blank_all(code, std::regex(R"(//[^\n]*)"));
  blank_all(code, std::regex(R"((^|\n)#[^\n]*)"));
  std::vector<std::size_t> literals;
  for (std::size_t at = 0; (at = code.find('"', at)) != std::string::npos;) {
    std::size_t close = at + 1;
    while (close < code.size() && code[close] != '"') close += code[close] == '\\' ? 2U : 1U;
    blank(code, at, close + 1);
    literals.push_back(at);
  }
  // A message is built from literals and what is added to them.
  for (const std::size_t at : literals)
    blank(code, end_of_argument(code, at, -1) + 1, end_of_argument(code, at, +1));
  return code;
}

class Maker {
 public:
  explicit Maker(const std::string& source) : source_(source), code_(code_of(source)) {}

  std::vector<Mutant> all() {
    for (const Swap& swap : kSwaps) make_swaps(swap);
    make_constants();
    make_signs();
    make_exchanged_arguments();
    make_dropped_terms();
    make_dropped_statements();
    return std::move(mutants_);
  }

 private:
  void add(const char* kind, std::size_t at, std::size_t length, const std::string& after) {
    Mutant mutant;
    mutant.kind = kind;
    mutant.line =
        1 + static_cast<int>(std::count(source_.begin(),
                                        source_.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
    mutant.before = source_.substr(at, length);
    mutant.after = after;
    mutant.source = source_.substr(0, at) + after + source_.substr(at + length);
    mutants_.push_back(std::move(mutant));
  }

  void make_swaps(const Swap& swap) {
    const std::string from = swap.from;
    for (std::size_t at = 0; (at = code_.find(from, at)) != std::string::npos; at += from.size())
      add(swap.kind, at, from.size(), swap.to);
  }

  /// Whole numbers: one more, and 1 also one less. Others: doubled, 0 becomes 1.
  void make_constants() {
    static const std::regex number(R"(\b(\d+)(\.\d*)?([eE][-+]?\d+)?([FfULul]*)\b)");
    for (std::sregex_iterator it(code_.begin(), code_.end(), number), end; it != end; ++it) {
      const auto at = static_cast<std::size_t>(it->position()),
                 length = static_cast<std::size_t>(it->length());
      if (at > 0 && (code_[at - 1] == '.' || code_[at - 1] == '_')) continue;
      const std::string suffix = (*it)[4];
      if ((*it)[2].matched || (*it)[3].matched) {
        const double value = std::stod(it->str());
        add("constant", at, length,
            value == 0.0 ? "1.0" + suffix : "(2.0" + suffix + " * " + it->str() + ")");
        continue;
      }
      const long long value = std::stoll((*it)[1]);
      add("constant", at, length, std::to_string(value + 1) + suffix);
      if (value == 1) add("constant", at, length, "0" + suffix);
    }
  }

  void make_signs() {
    static const std::regex minus(R"([(\s,=]-(?=[\w(]))"), negation(R"([(\s]!(?=[\w(]))"),
        result(R"(\breturn ([^;{]+);)");
    for (const std::regex* unary : {&minus, &negation}) {
      for (std::sregex_iterator it(code_.begin(), code_.end(), *unary), end; it != end; ++it)
        add("sign", static_cast<std::size_t>(it->position()) + 1, 1, "");
    }
    for (std::sregex_iterator it(code_.begin(), code_.end(), result), end; it != end; ++it) {
      const auto at = static_cast<std::size_t>(it->position(1)),
                 length = static_cast<std::size_t>(it->length(1));
      add("sign", at, length, "-(" + source_.substr(at, length) + ")");
    }
  }

  /// x(i, j) becomes x(j, i), f(a, b) becomes f(b, a).
  void make_exchanged_arguments() {
    static const std::regex pair(R"(\w\((\w+), (\w+)\)(?! \{))");
    for (std::sregex_iterator it(code_.begin(), code_.end(), pair), end; it != end; ++it) {
      if ((*it)[1] == (*it)[2]) continue;
      const auto at = static_cast<std::size_t>(it->position(1));
      const std::string first = (*it)[1], second = (*it)[2];
      add("axis", at, first.size() + 2 + second.size(), second + ", " + first);
    }
  }

  /// a + b * c loses "+ b * c", and "* c".
  void make_dropped_terms() {
    for (const char* op : {" + ", " - ", " * ", " / ", " && ", " || "}) {
      // What ends the operand: any operator that binds no tighter.
      const std::string ends = op[1] == '*' || op[1] == '/'   ? "+-<>=!&|?:*/%"
                               : op[1] == '+' || op[1] == '-' ? "+-<>=!&|?:"
                                                              : "&|?:";
      for (std::size_t at = 0; (at = code_.find(op, at)) != std::string::npos; ++at) {
        const std::size_t end = end_of_operand(at + std::string(op).size(), ends);
        if (end > at) add("dropped", at, end - at, "");
      }
    }
  }

  std::size_t end_of_operand(std::size_t begin, const std::string& ends) const {
    int depth = 0;
    for (std::size_t i = begin; i < code_.size(); ++i) {
      const char c = code_[i];
      if (c == '(' || c == '[' || c == '{') ++depth;
      if ((c == ')' || c == ']' || c == '}') && --depth < 0) return i;
      if (depth > 0) continue;
      if (c == ',' || c == ';') return i;
      if (c != ' ' || i + 2 >= code_.size() || code_[i + 1] == ' ') continue;
      const char first = code_[i + 1], second = code_[i + 2];
      const bool spaced = second == ' ' || second == '=' || second == first;
      if (spaced && ends.find(first) != std::string::npos) return i;
    }
    return begin;
  }

  /// Statements that declare nothing: refusals, assignments, calls.
  void make_dropped_statements() {
    static const std::regex kept(
        R"(^(return|for|if|while|const|auto|using|namespace|constexpr|static|template|struct|break|continue)\b|^\w+ \w+[(;])"),
        acts(R"( [-+*/]?= |\()");
    int depth = 0;
    std::size_t begin = 0;
    for (std::size_t at = 0; at < code_.size(); ++at) {
      const char c = code_[at];
      depth += c == '(' ? 1 : c == ')' ? -1 : 0;
      if (depth > 0 || (c != ';' && c != '{' && c != '}')) continue;
      begin = std::min(code_.find_first_not_of(" \n", begin), at);
      const std::string statement = code_.substr(begin, at - begin);
      if (c == ';' && std::regex_search(statement, acts) && !std::regex_search(statement, kept))
        add("dropped", begin, at + 1 - begin, ";");
      begin = at + 1;
    }
  }

  const std::string& source_;
  std::string code_;
  std::vector<Mutant> mutants_;
};

}  // namespace

std::vector<Mutant> mutants_of(const std::string& source) {
  return Maker(source).all();
}

}  // namespace latent::grader
