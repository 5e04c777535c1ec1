import { call, go } from "./api.js";
import { byId, onClick, onSubmit } from "./forms.js";
import { knownWorkspace } from "./session.js";
import { enter } from "./sign_in_steps.js";

const NOTICES = {
  again: "That took too long. Please sign in again.",
  ended: "Your session has ended. Please sign in again.",
  reset: "Your new password is set. Sign in with it.",
  sent: "If the address has to be confirmed, the mail is on its way.",
  "signed-out": "You are signed out.",
};

const form = byId("sign-in-form");
const asked = new URLSearchParams(location.search);

onSubmit(form, async (values) => {
  byId("notice").hidden = true;
  byId("resend").hidden = true;
  try {
    await enter(call("POST", "/auth/login", { body: values, cookies: true }));
  } catch (error) {
    byId("resend").hidden = error.code !== "email_not_verified";
    throw error;
  }
});

onClick(byId("resend"), async () => {
  const { tenantSlug, email } = Object.fromEntries(new FormData(form));
  await call("POST", "/auth/resend-verification", { body: { tenantSlug, email } });
  return go(`/sign-in?${new URLSearchParams({ workspace: tenantSlug, notice: "sent" })}`);
});

// Whoever has typed the workspace need not type it again to get a new password.
byId("forgot").addEventListener("click", () => {
  const workspace = byId("workspace").value;
  if (workspace) byId("forgot").search = new URLSearchParams({ workspace });
});

byId("notice").textContent = NOTICES[asked.get("notice")] ?? "";
byId("notice").hidden = !byId("notice").textContent;
byId("workspace").value = asked.get("workspace") ?? knownWorkspace();
(byId("workspace").value ? byId("email") : byId("workspace")).focus();
