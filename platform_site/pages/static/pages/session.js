// The tokens of the signed-in person.
//
// They are kept in sessionStorage: it ends with the tab, so a shared computer keeps nobody signed in, and no other
// site and no other tab can read it. localStorage would outlive the tab. A cookie would go along with every request by
// itself, and the API would have to tell ours from forged ones. What sessionStorage does not keep out is a script in
// this page, and the content security policy lets none run but ours. A tab that is duplicated takes a copy along; when
// both copies have renewed it, the API ends the session, as it does for a stolen one.
import { call, go } from "./api.js";

const KEY = "session";
const WORKSPACE = "workspace";
// Renewed a little early, so that a token does not expire on its way.
const EARLY = 10;

let renewing = null;
let leaving = null;

export const held = () => JSON.parse(sessionStorage.getItem(KEY) ?? "null");

// Takes an answer that holds tokens. Only a sign-in and a refresh say who it is.
export function keep(answer) {
  const workspace = answer.tenant?.slug ?? held()?.workspace ?? "";
  const expiresAt = Date.now() + (answer.expiresIn - EARLY) * 1000;
  const { accessToken, refreshToken } = answer;
  sessionStorage.setItem(KEY, JSON.stringify({ accessToken, refreshToken, expiresAt, workspace }));
  rememberWorkspace(workspace);
}

// Nothing secret. Password managers do not fill it in, and mailed links do not say it.
export function rememberWorkspace(workspace) {
  if (workspace) localStorage.setItem(WORKSPACE, workspace);
}

export const knownWorkspace = () => localStorage.getItem(WORKSPACE) ?? "";

// Several requests may notice at once that the session has ended; the first says where to go.
export function leave(notice) {
  leaving ??= forget(notice);
  return leaving;
}

function forget(notice) {
  const workspace = held()?.workspace ?? "";
  sessionStorage.removeItem(KEY);
  return go(`/sign-in?${new URLSearchParams(workspace ? { workspace, notice } : { notice })}`);
}

// As the signed-in person. When there is none any more, it leads to sign-in and never ends.
export async function ask(method, path, body) {
  if (!held()) return leave("ended");
  if (Date.now() >= held().expiresAt) await renew();
  try {
    return await call(method, path, { body, token: held().accessToken });
  } catch (error) {
    if (error.status !== 401) throw error;
    // The clock of this machine may be wrong.
    if (error.code !== "token_expired") return leave("ended");
  }
  await renew();
  return call(method, path, { body, token: held().accessToken });
}

// Once for all requests that wait for it: of two renewals with one token, the later may look like a theft.
function renew() {
  renewing ??= exchange().finally(() => (renewing = null));
  return renewing;
}

async function exchange() {
  // Support that is signed in as somebody has none.
  if (!held().refreshToken) return leave("ended");
  try {
    keep(await call("POST", "/auth/refresh", { body: { refreshToken: held().refreshToken } }));
  } catch (error) {
    if (error.status === 401) return leave("ended");
    throw error;
  }
}

export async function signOut() {
  const { accessToken, refreshToken } = held() ?? {};
  try {
    await call("POST", "/auth/logout", { body: { refreshToken }, token: accessToken });
  } catch (error) {
    // It had ended already.
    if (error.status !== 401) throw error;
  }
  return leave("signed-out");
}
