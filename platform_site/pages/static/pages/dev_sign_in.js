// The panel with which the pages of development begin.
import { signIn } from "./dev_session.js";
import { byId, onSubmit } from "./forms.js";

// ``begin`` is called when somebody has signed in.
export function startSignIn(begin) {
  onSubmit(byId("sign-in-form"), async (values) => {
    await signIn(values);
    byId("sign-in-form").reset();
    byId("sign-in").hidden = true;
    begin();
  });
  for (const one of document.querySelectorAll("[data-password]")) {
    one.addEventListener("click", () => {
      byId("workspace").value = "demo";
      byId("email").value = one.dataset.email;
      byId("password").value = one.dataset.password;
      byId("sign-in-form").requestSubmit();
    });
  }
}

export function showSignIn(words = "") {
  byId("sign-in").hidden = false;
  byId("notice").textContent = words;
  byId("notice").hidden = !words;
  byId("workspace").value ||= "demo";
  byId("email").focus();
}
