// Who this window is, on all pages of development. Tokens live in sessionStorage, which is the tab's own: two windows
// can be two people.
import { ApiError, call, callWhole } from "./api.js";

const KEY = "dev-session";
// Renewed a little early, so that a token does not expire on its way.
const EARLY = 10_000;
let renewing = null;

export const held = () => JSON.parse(sessionStorage.getItem(KEY) ?? "null");

export async function signIn(values) {
  const answer = await call("POST", "/auth/login", { body: values, cookies: true });
  if (!answer.accessToken) {
    throw new ApiError(0, { code: "mfa", message: "This account asks for a second factor, which this page does not know." });
  }
  keep(answer, { user: answer.user, tenant: answer.tenant });
}

function keep({ accessToken, refreshToken, expiresIn }, who) {
  const expiresAt = Date.now() + expiresIn * 1000 - EARLY;
  sessionStorage.setItem(KEY, JSON.stringify({ accessToken, refreshToken, expiresAt, ...who }));
}

// Null when nobody is signed in any more.
export async function token({ fresh }) {
  if (held() && (fresh || Date.now() >= held().expiresAt)) await renew();
  return held()?.accessToken ?? null;
}

// Once for all that wait for it: of two renewals with one token, the later may look like a theft.
function renew() {
  renewing ??= exchange().finally(() => (renewing = null));
  return renewing;
}

async function exchange() {
  const { refreshToken, user, tenant } = held();
  try {
    keep(await call("POST", "/auth/refresh", { body: { refreshToken } }), { user, tenant });
  } catch (error) {
    if (error.status !== 401) throw error;
    sessionStorage.removeItem(KEY);
  }
}

export async function signOut() {
  const { accessToken, refreshToken } = held() ?? {};
  sessionStorage.removeItem(KEY);
  await call("POST", "/auth/logout", { body: { refreshToken }, token: accessToken }).catch((error) => {
    // It ends by itself when nobody renews it.
    console.warn("The session could not be ended.", error);
  });
}

// As the signed-in person: {data, meta}. Once nobody is signed in any more, an ApiError with the code "signed_out".
export async function ask(method, path, body) {
  try {
    return await callWhole(method, path, { body, token: await present({ fresh: false }) });
  } catch (error) {
    if (error.status !== 401 || error.code === "signed_out") throw error;
  }
  return callWhole(method, path, { body, token: await present({ fresh: true }) });
}

async function present(how) {
  const found = await token(how);
  if (!found) throw new ApiError(401, { code: "signed_out", message: "Your session has ended. Please sign in again." });
  return found;
}
