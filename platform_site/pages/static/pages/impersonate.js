import { call, go, linkToken } from "./api.js";
import { byId } from "./forms.js";
import { keep } from "./session.js";

const ENDS = {
  impersonation_code_invalid: ["failed", "This link does not work", "It works once and for a minute. Ask for another one where you got it."],
  rate_limited: ["late", "A little too fast", "Please wait a few minutes and ask for another link."],
};
const TROUBLE = ["late", "That did not work yet", "We could not be reached. Please try again at once: the link lasts a minute."];

const button = byId("confirm");

function show([state, headline, message], final) {
  byId("panel").dataset.state = state;
  byId("headline").textContent = headline;
  byId("message").textContent = message;
  button.disabled = false;
  button.textContent = "Try again";
  button.hidden = final;
}

button.addEventListener("click", async () => {
  button.disabled = true;
  button.textContent = "One moment…";
  try {
    keep(await call("POST", "/auth/impersonate", { body: { code: linkToken() } }));
  } catch (error) {
    return show(ENDS[error.code] ?? TROUBLE, error.code in ENDS);
  }
  await go("/account");
});
