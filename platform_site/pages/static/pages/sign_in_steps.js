// What comes between a password and the account: a code, or setting up the second factor that a workspace asks for.
import { call, go } from "./api.js";
import { byId, onClick, onSubmit, showStep } from "./forms.js";
import { drawRecoveryCodes, drawSetUp, eraseSetUp } from "./second_factor.js";
import { keep } from "./session.js";

const KINDS = {
  app: { label: "Code", other: "Use a recovery code instead", inputMode: "numeric", autocomplete: "one-time-code" },
  recovery: { label: "Recovery code", other: "Use a code of the app instead", inputMode: "text", autocomplete: "off" },
};

let mfaToken = "";
let kind = "app";

// Follows an answer of the API to wherever it leads.
export async function enter(signingIn) {
  try {
    const answer = await signingIn;
    if (!answer.mfaRequired) return await arrive(answer);
    mfaToken = answer.mfaToken;
    askFor("app");
    showStep("code-step");
    byId("sign-in-code").focus();
  } catch (error) {
    if (error.code !== "mfa_enrollment_required") throw error;
    mfaToken = error.context.mfaToken;
    await enrol();
  }
}

function arrive(signedIn) {
  keep(signedIn);
  return go("/account");
}

function askFor(chosen) {
  kind = chosen;
  const { label, other, inputMode, autocomplete } = KINDS[kind];
  const field = byId("sign-in-code");
  document.querySelector("label[for=sign-in-code]").textContent = label;
  field.value = "";
  field.inputMode = inputMode;
  field.autocomplete = autocomplete;
  for (const hint of document.querySelectorAll("[data-kind]")) hint.hidden = hint.dataset.kind !== kind;
  byId("other-kind").textContent = other;
}

async function enrol() {
  drawSetUp(await inTime(call("POST", "/auth/mfa/enroll", { body: { mfaToken } }), ["mfa_already_enabled"]));
  showStep("set-up-step");
}

// A password is proved for a few minutes only; then it has to be given again.
async function inTime(request, lost = []) {
  try {
    return await request;
  } catch (error) {
    if (error.code !== "mfa_token_invalid" && !lost.includes(error.code)) throw error;
    return go("/sign-in?notice=again");
  }
}

onSubmit(byId("code-form"), async ({ code }) => {
  await arrive(await inTime(call("POST", "/auth/mfa/verify", { body: { mfaToken, code }, cookies: true })));
});

byId("other-kind").addEventListener("click", () => {
  askFor(kind === "app" ? "recovery" : "app");
  byId("sign-in-code").focus();
});

onSubmit(byId("set-up-form"), async ({ code }) => {
  const request = call("POST", "/auth/mfa/enroll/confirm", { body: { mfaToken, code }, cookies: true });
  const { recoveryCodes, signIn } = await inTime(request, ["mfa_already_enabled", "mfa_not_enabled"]);
  keep(signIn);
  eraseSetUp();
  drawRecoveryCodes(recoveryCodes);
  showStep("codes-step");
});

onClick(byId("codes-kept"), () => go("/account"));
