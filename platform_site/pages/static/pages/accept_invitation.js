import { call, linkToken } from "./api.js";
import { byId, onSubmit, showStep } from "./forms.js";
import { enter } from "./sign_in_steps.js";

const ENDS = { link_token_invalid: "invalid-step", link_token_expired: "expired-step" };

onSubmit(byId("accept-form"), async (values) => {
  try {
    await enter(call("POST", "/users/accept-invitation", { body: { token: linkToken(), ...values }, cookies: true }));
  } catch (error) {
    if (!ENDS[error.code]) throw error;
    showStep(ENDS[error.code]);
  }
});
