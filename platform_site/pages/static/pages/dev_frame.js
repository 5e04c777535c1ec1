// What the pages of development share around their work: who is signed in, signing out, and what is said at the top.
import { ApiError } from "./api.js";
import { held, signOut } from "./dev_session.js";
import { showSignIn, startSignIn } from "./dev_sign_in.js";
import { byId, Cancelled, refuse } from "./forms.js";

let stopped = () => {};

// ``load`` fills the page for whoever is signed in; ``stop`` empties it.
export function startPage({ load, stop }) {
  stopped = stop;
  const begin = () => {
    const { user, tenant } = held();
    document.body.className = "working";
    byId("my-name").textContent = tenant ? `${user.displayName}, ${tenant.name}` : user.displayName;
    for (const id of ["work", "tools"]) byId(id).hidden = false;
    load();
  };
  startSignIn(begin);
  byId("sign-out").addEventListener("click", async () => {
    leave("You are signed out.");
    await signOut();
  });
  for (const one of document.querySelectorAll("[data-closes]")) {
    one.addEventListener("click", () => byId(one.dataset.closes).close());
  }
  if (held()) begin();
  else leave();
}

function leave(words) {
  stopped();
  say("");
  document.body.className = "narrow";
  for (const id of ["work", "tools"]) byId(id).hidden = true;
  for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
  showSignIn(words);
}

// Work that may find that nobody is signed in any more. Other errors go on.
export async function signedIn(work) {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== "signed_out") throw error;
    leave(error.message);
    // The rest of the work has nobody to do it for.
    throw new Cancelled();
  }
}

// Work that nobody asked for by a button: what goes wrong is said in ``section``.
export async function inSection(section, work) {
  try {
    await signedIn(work);
    return true;
  } catch (error) {
    if (!(error instanceof Cancelled)) refuse(section, error);
    return false;
  }
}

export function say(words) {
  byId("said").textContent = words;
  byId("said").hidden = !words;
}
