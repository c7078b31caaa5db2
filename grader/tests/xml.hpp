/// @file
/// Whether a text is well-formed XML of the kind that JUnit files are: elements, attributes in
/// double quotes, the five entities, printable ASCII.
#pragma once

#include <algorithm>
#include <cctype>
#include <set>
#include <string>
#include <vector>

namespace latent::grader {

class XmlCheck {
 public:
  explicit XmlCheck(const std::string& text) : text_(text) {}

  /// @return What is wrong, or empty.
  std::string run() {
    if (starts("<?xml ")) at_ = std::min(text_.find("?>"), text_.size() - 2) + 2;
    int roots = 0;
    while (problem_.empty() && at_ < text_.size()) {
      if (text_[at_] == '<') {
        roots += open_.empty() ? 1 : 0;
        tag();
      } else {
        if (open_.empty() && text_[at_] != '\n') fail("text outside of the root");
        character("<");
      }
    }
    if (!open_.empty()) fail("not closed: " + open_.back());
    if (roots != 1) fail("not exactly one root");
    return problem_;
  }

 private:
  bool starts(const std::string& part) const { return text_.compare(at_, part.size(), part) == 0; }

  void fail(const std::string& problem) {
    if (problem_.empty()) problem_ = problem + " at byte " + std::to_string(at_);
  }

  void expect(char c) {
    if (at_ < text_.size() && text_[at_] == c)
      ++at_;
    else
      fail(std::string("expected ") + c);
  }

  std::string name() {
    const std::size_t begin = at_;
    while (at_ < text_.size() &&
           (std::isalnum(static_cast<unsigned char>(text_[at_])) != 0 || text_[at_] == '_'))
      ++at_;
    if (at_ == begin) fail("a name is missing");
    return text_.substr(begin, at_ - begin);
  }

  /// One character or entity of text or of an attribute.
  void character(const std::string& forbidden) {
    const auto byte = static_cast<unsigned char>(text_[at_]);
    const bool printable = byte == '\n' || byte == '\t' || (byte >= 0x20 && byte < 0x7F);
    if (!printable || forbidden.find(text_[at_]) != std::string::npos || starts("]]>"))
      return fail("a bad character");
    if (byte != '&') {
      ++at_;
      return;
    }
    for (const std::string entity : {"&amp;", "&lt;", "&gt;", "&quot;", "&apos;"}) {
      if (!starts(entity)) continue;
      at_ += entity.size();
      return;
    }
    fail("an unknown entity");
  }

  void attributes() {
    std::set<std::string> seen;
    while (problem_.empty() && at_ < text_.size() && text_[at_] == ' ') {
      ++at_;
      if (!seen.insert(name()).second) fail("an attribute twice");
      expect('=');
      expect('"');
      while (problem_.empty() && at_ < text_.size() && text_[at_] != '"') character("<");
      expect('"');
    }
  }

  void tag() {
    if (starts("</")) {
      at_ += 2;
      if (open_.empty() || name() != open_.back()) return fail("closes what is not open");
      open_.pop_back();
      return expect('>');
    }
    ++at_;
    const std::string opened = name();
    attributes();
    if (starts("/>")) {
      at_ += 2;
      return;
    }
    open_.push_back(opened);
    expect('>');
  }

  const std::string& text_;
  std::size_t at_ = 0;
  std::vector<std::string> open_;
  std::string problem_;
};

inline std::string xml_problem(const std::string& text) {
  return XmlCheck(text).run();
}

}  // namespace latent::grader
