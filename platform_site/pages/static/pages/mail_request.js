// Pages that have something mailed: the answer is the same for every address, and so is what they say.
import { call } from "./api.js";
import { byId, onSubmit, showStep } from "./forms.js";
import { knownWorkspace, rememberWorkspace } from "./session.js";

const form = byId("mail-form");
const workspace = byId("workspace");

onSubmit(form, async (values) => {
  await call("POST", form.dataset.path, { body: values });
  rememberWorkspace(values.tenantSlug);
  byId("asked-for").textContent = values.email;
  showStep("sent-step");
});

if (workspace) workspace.value = new URLSearchParams(location.search).get("workspace") ?? knownWorkspace();
(workspace?.value === "" ? workspace : byId("email")).focus();
