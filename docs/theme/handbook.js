// What the pages do beyond being read. Classic scripts only: a page opened from disk may not load modules.

DoxygenAwesomeDarkModeToggle.init();
DoxygenAwesomeFragmentCopyButton.init();
DoxygenAwesomeParagraphLink.init();

window.addEventListener("load", () => {
  // A name for what Doxygen leaves nameless to a screen reader. Its menu makes the search field anew at every resize.
  const nameSearch = () => document.getElementById("MSearchField")?.setAttribute("aria-label", "Search the handbook");
  nameSearch();
  new MutationObserver(nameSearch).observe(document.getElementById("top"), {childList: true, subtree: true});
  for (const frame of document.querySelectorAll("iframe")) frame.title ||= "Search results";

  // What scrolls sideways must be reachable by the keyboard.
  for (const box of document.querySelectorAll(".formulaDsp, figure, table.markdownTable, div.fragment")) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
  }
});
