// Small comforts; every page works without them: copy buttons, and the live check of Getting Started.
"use strict";

for (const button of document.querySelectorAll("button[data-copy]")) {
  if (!navigator.clipboard) break;
  button.hidden = false;
  button.addEventListener("click", async () => {
    const source = document.getElementById(button.dataset.copy);
    await navigator.clipboard.writeText(source.innerText.trim());
    const label = button.textContent;
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = label; }, 1600);
  });
}

const live = document.querySelector("[data-live]");
if (live) {
  const check = async () => {
    if (document.visibilityState === "visible") {
      const answer = await fetch(live.dataset.live, { headers: { Accept: "application/json" } }).catch(() => null);
      if (answer && answer.ok) {
        const status = await answer.json();
        if (status.activated || status.problem !== live.dataset.problem) return location.reload();
      }
    }
    setTimeout(check, 2500);
  };
  setTimeout(check, 2500);
}
