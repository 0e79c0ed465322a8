// Ctrl K and "/" lead to the search in the header; arrows walk through what it suggests. Without script it is a form.
// On a phone the tabs are scrolled to the one that is open.
"use strict";
const form = document.querySelector(".find");
if (form) {
  const field = form.querySelector("input"), found = form.querySelector(".found");
  let asked = 0, timer = 0;

  const close = () => found.replaceChildren();

  async function suggest() {
    const words = field.value.trim(), number = ++asked;
    if (words.length < 2) return close();
    const answer = await fetch(`${form.action}?part=1&q=${encodeURIComponent(words)}`);
    const page = new DOMParser().parseFromString(answer.ok ? await answer.text() : "", "text/html");
    if (number === asked) found.replaceChildren(...page.body.childNodes);
  }

  if ("suggest" in form.dataset) {
    field.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(suggest, 150); });
    field.addEventListener("focus", () => { if (!found.firstChild) suggest(); });
  }
  document.addEventListener("click", (event) => { if (!form.contains(event.target)) close(); });
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, textarea, select, [contenteditable]");
    if ((event.key === "k" && (event.ctrlKey || event.metaKey)) || (event.key === "/" && !typing)) {
      event.preventDefault();
      field.focus();
      field.select();
    } else if (event.key === "Escape" && found.firstChild) {
      close();
      field.focus();
    } else if (/^Arrow(Down|Up)$/.test(event.key) && form.contains(event.target)) {
      const stops = [field, ...found.querySelectorAll("a")];
      const step = event.key === "ArrowDown" ? 1 : stops.length - 1;
      event.preventDefault();
      stops[(stops.indexOf(event.target) + step) % stops.length].focus();
    }
  });
}
const here = document.querySelector(".tabs [aria-current]");
if (here) here.parentElement.scrollLeft = here.offsetLeft - here.parentElement.offsetLeft - 24;
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.drop[open]")) if (!menu.contains(event.target)) menu.open = false;
});

// Times in the reader's zone, as UTC remains where there is no script; the title keeps UTC.
function localise() {
  const wanted = { year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" };
  for (const time of document.querySelectorAll("time:not([title])")) {
    if (!/:\d\d UTC$/.test(time.textContent)) continue;
    const exact = /:\d\d:\d\d/.test(time.textContent) ? { ...wanted, second: "2-digit" } : wanted;
    time.title = time.textContent;
    time.textContent = new Intl.DateTimeFormat("sv-SE", exact).format(new Date(time.dateTime));
  }
}
localise();
document.addEventListener("htmx:afterSwap", localise);
