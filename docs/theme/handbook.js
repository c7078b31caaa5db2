// What the pages do beyond being read. Classic scripts only: a page opened from disk may not load modules.

DoxygenAwesomeDarkModeToggle.init();
DoxygenAwesomeFragmentCopyButton.init();
DoxygenAwesomeParagraphLink.init();

// On paper every answer is unfolded.
window.addEventListener("beforeprint", () => document.querySelectorAll("details").forEach(answer => { answer.open = true; }));

window.addEventListener("load", () => {
  // A name for what Doxygen leaves nameless to a screen reader. Its menu makes the search field anew at every resize.
  const nameSearch = () => document.getElementById("MSearchField")?.setAttribute("aria-label", "Search the handbook");
  nameSearch();
  new MutationObserver(nameSearch).observe(document.getElementById("top"), {childList: true, subtree: true});
  for (const frame of document.querySelectorAll("iframe")) frame.title ||= "Search results";

  // What scrolls sideways must be reachable by the keyboard; what does so changes with the window and with answers that
  // are unfolded.
  const observer = new ResizeObserver(entries => {
    for (const {target} of entries) {
      if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
      else target.removeAttribute("tabindex");
    }
  });
  for (const box of document.querySelectorAll(".formulaDsp, figure, .picture, .contents table, .contents tbody, div.fragment, pre, .memproto")) observer.observe(box);
});
