import { go } from "./api.js";
import { byId, Cancelled, onClick, onSubmit, refuse } from "./forms.js";
import { drawRecoveryCodes, drawSetUp, eraseRecoveryCodes, eraseSetUp } from "./second_factor.js";
import { ask, held, keep, signOut } from "./session.js";

const STATES = ["factor-off", "factor-set-up", "factor-codes", "factor-on"];
let me = null;
let tenant = null;
let factor = null;

async function load() {
  [me, tenant, factor] = await Promise.all([ask("GET", "/auth/me"), ask("GET", "/tenants/me"), ask("GET", "/auth/mfa")]);
  byId("name").textContent = me.displayName;
  byId("address").textContent = me.email;
  byId("workspace").textContent = tenant.name;
  byId("slug").textContent = tenant.slug;
  byId("username").value = me.email;
  byId("confirmed").hidden = !me.emailVerified;
  byId("unconfirmed").hidden = me.emailVerified;
  byId("resend").hidden = me.emailVerified;
  showImpersonator(me.impersonatedBy);
  showFactor();
  byId("loading").hidden = true;
  byId("account").hidden = false;
}

function showImpersonator(by) {
  byId("impersonated").hidden = !by;
  if (!by) return;
  byId("impersonator").textContent = by.name;
  byId("impersonated-until").dateTime = by.until;
  byId("impersonated-until").textContent = new Date(by.until).toLocaleTimeString([], { timeStyle: "short" });
}

function showFactor() {
  byId("codes-left").textContent = factor.recoveryCodesLeft === 1 ? "1 recovery code is" : `${factor.recoveryCodesLeft} recovery codes are`;
  byId("turn-off").hidden = factor.required;
  byId("factor-required").hidden = !factor.required;
  showState(factor.enabled ? "factor-on" : "factor-off");
}

function showState(id) {
  for (const state of STATES) byId(state).hidden = state !== id;
}

async function showFactorAgain() {
  factor = await ask("GET", "/auth/mfa");
  showFactor();
  byId("factor-title").focus();
}

// What a session that was left open must not do asks for a proof first; then it is done after all.
async function proved(work) {
  try {
    return await work();
  } catch (error) {
    if (error.code !== "reauth_required") throw error;
  }
  await prove();
  return work();
}

function prove() {
  const dialog = byId("proof");
  const form = byId(factor.enabled ? "proof-by-code" : "proof-by-password");
  for (const one of dialog.querySelectorAll("form")) {
    one.hidden = one !== form;
    one.reset();
  }
  dialog.returnValue = "";
  dialog.showModal();
  form.querySelector("input:not([hidden])").focus();
  return new Promise((resolve, reject) => {
    dialog.onclose = () => (dialog.returnValue === "proved" ? resolve() : reject(new Cancelled()));
  });
}

for (const id of ["proof-by-code", "proof-by-password"]) {
  onSubmit(byId(id), async (values) => {
    await ask("POST", "/auth/reauthenticate", values);
    byId("proof").close("proved");
  });
}
for (const button of document.querySelectorAll(".cancel-proof")) button.addEventListener("click", () => byId("proof").close());

onClick(byId("set-up"), async () => {
  drawSetUp(await proved(() => ask("POST", "/auth/mfa/totp")));
  showState("factor-set-up");
  byId("set-up-code").focus();
});

onSubmit(byId("set-up-form"), async ({ code }) => {
  const { recoveryCodes } = await ask("POST", "/auth/mfa/totp/confirm", { code });
  eraseSetUp();
  showCodes(recoveryCodes);
});

onClick(byId("cancel-set-up"), async () => {
  eraseSetUp();
  await showFactorAgain();
});

onClick(byId("renew-codes"), async () => {
  const { recoveryCodes } = await proved(() => ask("POST", "/auth/mfa/recovery-codes"));
  showCodes(recoveryCodes);
});

function showCodes(codes) {
  drawRecoveryCodes(codes);
  showState("factor-codes");
  byId("codes-title").focus();
}

onClick(byId("codes-kept"), async () => {
  await showFactorAgain();
  eraseRecoveryCodes();
});

onClick(byId("turn-off"), async () => {
  await proved(() => ask("DELETE", "/auth/mfa/totp"));
  await showFactorAgain();
});

onSubmit(byId("password-form"), async ({ currentPassword, newPassword }) => {
  byId("password-changed").hidden = true;
  keep(await ask("POST", "/auth/password/change", { currentPassword, newPassword }));
  byId("password-form").reset();
  byId("username").value = me.email;
  byId("password-changed").hidden = false;
  byId("password-changed").focus();
});

onClick(byId("resend"), async () => {
  await ask("POST", "/auth/resend-verification", { email: me.email, tenantSlug: tenant.slug });
  byId("resend").hidden = true;
  byId("resent").hidden = false;
});

onClick(byId("sign-out"), signOut);

// A page that the browser kept shows whoever was signed in then.
addEventListener("pageshow", (event) => event.persisted && location.reload());

async function begin() {
  if (!held()) return go("/sign-in");
  try {
    await load();
  } catch (error) {
    byId("loading").hidden = true;
    byId("trouble").hidden = false;
    refuse(byId("trouble"), error);
  }
}

begin();
