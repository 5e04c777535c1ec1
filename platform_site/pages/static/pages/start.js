"use strict";

// The health of the platform, asked again every ten seconds while somebody looks.
const WORDS = { up: "All is well", degraded: "A part is missing", down: "Not available" };

function show(status, parts) {
  const pill = document.getElementById("health");
  pill.dataset.status = status;
  pill.querySelector(".words").textContent = WORDS[status];
  const list = document.getElementById("statuses");
  list.replaceChildren(...parts.map(([name, state]) => part(name, state)));
  document.getElementById("parts").hidden = parts.length === 0;
}

function part(name, state) {
  const item = document.createElement("li");
  item.className = "pill";
  item.dataset.status = state;
  const dot = document.createElement("span");
  dot.className = "dot";
  const label = document.createElement("b");
  label.textContent = name;
  item.append(dot, label, ` ${state}`);
  return item;
}

async function look() {
  if (document.hidden) return;
  try {
    const answer = await fetch("/api/v1/health/system", { headers: { Accept: "application/json" } });
    const body = await answer.json();
    const health = body.success ? body.data : body.error.context;
    show(health.status, Object.entries({ ...health.infrastructure, ...health.services }));
  } catch (error) {
    show("down", []);
    console.warn("The platform does not answer.", error);
  }
}

function offerToCopy(button) {
  const text = button.parentElement.querySelector("code").textContent;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy"), 1500);
  });
}

// The clipboard exists only where the page came over TLS or from this very machine.
if (navigator.clipboard) document.querySelectorAll(".copy").forEach(offerToCopy);
document.addEventListener("visibilitychange", look);
look();
setInterval(look, 10000);
