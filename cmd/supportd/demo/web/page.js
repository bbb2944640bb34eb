// Refreshes the parts of the page that change (data-live) whenever the server says that something is new. Forms and the
// mail that is being read stay as they are.
"use strict";
let busy = false, again = false;

async function refresh() {
  if (busy) { again = true; return; }
  busy = true;
  try {
    const answer = await fetch(location.href);
    if (answer.ok) {
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const part of document.querySelectorAll("[data-live]")) {
        const other = fresh.getElementById(part.id);
        if (!other || other.innerHTML === part.innerHTML) continue;
        const focused = part.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
        part.innerHTML = other.innerHTML;
        if (focused) {
          for (const link of part.querySelectorAll("a")) {
            if (link.getAttribute("href") === focused) { link.focus(); break; }
          }
        }
      }
    }
  } catch { /* the demo has ended, or ends */ }
  busy = false;
  if (again) { again = false; refresh(); }
}

let first = true;
new EventSource("/events").onmessage = (event) => {
  if (!first) document.getElementById("news").textContent = event.data;
  first = false;
  refresh();
};
