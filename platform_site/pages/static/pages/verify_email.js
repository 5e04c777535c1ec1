import { call, linkToken } from "./api.js";
import { byId } from "./forms.js";

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

const button = byId("confirm");

function show(end) {
  const [state, headline, message] = ENDS[end];
  byId("panel").dataset.state = state;
  byId("headline").textContent = headline;
  byId("message").textContent = message;
  button.disabled = false;
  button.textContent = "Try again";
  button.hidden = FINAL.has(end);
  byId("sign-in").hidden = end !== "expired";
}

async function ask() {
  try {
    const verified = await call("POST", `/auth/verify-email/${linkToken()}`);
    return verified.alreadyVerified ? "already" : "verified";
  } catch (error) {
    return CODES[error.code] ?? "failed";
  }
}

button.addEventListener("click", async () => {
  button.disabled = true;
  button.textContent = "One moment…";
  show(await ask());
});
