// Who this window is. Tokens live in sessionStorage, which is the tab's own: two windows can be two people.
import { ApiError, call } from "./api.js";

const KEY = "dev-chat";
// Renewed a little early, so that a token does not expire on its way.
const EARLY = 10_000;
let renewing = null;

export const held = () => JSON.parse(sessionStorage.getItem(KEY) ?? "null");

export async function signIn(values) {
  const answer = await call("POST", "/auth/login", { body: values, cookies: true });
  if (!answer.accessToken) {
    throw new ApiError(0, { code: "mfa", message: "This account asks for a second factor, which this page does not know." });
  }
  keep(answer, answer.user);
}

function keep({ accessToken, refreshToken, expiresIn }, user) {
  const expiresAt = Date.now() + expiresIn * 1000 - EARLY;
  sessionStorage.setItem(KEY, JSON.stringify({ accessToken, refreshToken, expiresAt, user }));
}

// What the client of the socket asks for: null when nobody is signed in any more.
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
  const { refreshToken, user } = held();
  try {
    keep(await call("POST", "/auth/refresh", { body: { refreshToken } }), user);
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
