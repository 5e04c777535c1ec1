"use strict";

const ENDS = {
  verified: ["done", "Thank you, that worked", "Your e‑mail address is confirmed. You can close this page."],
  already: ["done", "Already confirmed", "This address was confirmed before. There is nothing left to do."],
  expired: ["late", "This link has expired", "Sign in and ask for a new one; it arrives within a minute."],
  invalid: ["failed", "This link does not work", "It may be cut off, or a newer one has replaced it. Use the link of the latest mail."],
  limited: ["late", "A little too fast", "Please wait a minute and try again."],
  failed: ["late", "That did not work yet", "We could not be reached. Please try again in a moment."],
};
const FINAL = new Set(["verified", "already", "expired", "invalid"]);
const CODES = {
  link_token_expired: "expired",
  link_token_invalid: "invalid",
  not_found: "invalid",
  rate_limited: "limited",
};

const button = document.getElementById("confirm");

function show(end) {
  const [state, headline, message] = ENDS[end];
  document.getElementById("panel").dataset.state = state;
  document.getElementById("headline").textContent = headline;
  document.getElementById("message").textContent = message;
  button.disabled = false;
  button.textContent = "Try again";
  button.hidden = FINAL.has(end);
}

async function ask() {
  const token = location.pathname.split("/").pop();
  const answer = await fetch(`/api/v1/auth/verify-email/${token}`, { method: "POST", credentials: "omit" });
  const body = await answer.json();
  if (body.success) return body.data.alreadyVerified ? "already" : "verified";
  return CODES[body.error.code] ?? "failed";
}

async function confirm() {
  button.disabled = true;
  button.textContent = "One moment…";
  try {
    show(await ask());
  } catch (error) {
    show("failed");
    console.warn("The address could not be confirmed.", error);
  }
}

button.addEventListener("click", confirm);
