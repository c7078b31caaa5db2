/// @file
/// Text inside of HTML and SVG.
#pragma once

#include <string>
#include <string_view>

namespace latent {

/// Writes text so that a browser shows it as it is, also within quotes. Control characters, which
/// XML does not allow, become spaces. Throws nothing.
/// @param text  Any, in UTF-8.
/// @return      With &, <, >, " and ' spelled out.
inline std::string escape_markup(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&quot;";
    else if (c == '\'')
      out += "&#39;";
    else
      out += static_cast<unsigned char>(c) < 0x20 && c != '\n' ? ' ' : c;
  }
  return out;
}

}  // namespace latent
