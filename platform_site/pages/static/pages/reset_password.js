import { call, go, linkToken } from "./api.js";
import { byId, onSubmit, showStep } from "./forms.js";

const ENDS = { link_token_invalid: "invalid-step", link_token_expired: "expired-step" };

onSubmit(byId("reset-form"), async ({ password }) => {
  try {
    await call("POST", "/auth/password/reset", { body: { token: linkToken(), password } });
  } catch (error) {
    if (!ENDS[error.code]) throw error;
    return showStep(ENDS[error.code]);
  }
  return go("/sign-in?notice=reset");
});
