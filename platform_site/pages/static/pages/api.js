// Requests to the API, and what went wrong with them in words for people.

const PATIENCE = 30_000;
const MESSAGES = {
  unreachable: "We could not be reached. Please check your connection and try again.",
  unreadable: "Something went wrong on our side. Please try again in a moment.",
  internal_error: "Something went wrong on our side. Please try again in a moment.",
  service_unavailable: "We are not available right now. Please try again in a moment.",
};
const TOO_FAST = new Set(["rate_limited", "too_many_attempts"]);

export class ApiError extends Error {
  constructor(status, error, retryAfter = 0) {
    super(error.message ?? error.code);
    this.status = status;
    this.code = error.code;
    this.details = error.details ?? [];
    this.context = error.context ?? {};
    this.retryAfter = retryAfter;
  }

  get words() {
    if (TOO_FAST.has(this.code) && this.retryAfter) return `That was tried too often. Please try again in ${span(this.retryAfter)}.`;
    return MESSAGES[this.code] ?? this.message;
  }
}

function span(seconds) {
  const minutes = Math.ceil(seconds / 60);
  return minutes > 1 ? `${minutes} minutes` : "a minute";
}

// The data of the answer; every other outcome is an ApiError. Cookies stay at home unless the call is a sign-in:
// then the browser becomes a known device, whose owner a stranger's guesses do not lock out.
export async function call(method, path, options) {
  return (await callWhole(method, path, options)).data;
}

// The same with what a list says about itself: {data, meta}.
export async function callWhole(method, path, { body, token, cookies = false } = {}) {
  const headers = { Accept: "application/json" };
  if (body) headers["Content-Type"] = "application/json";
  if (token) headers.Authorization = `Bearer ${token}`;
  const answer = await send(`/api/v1${path}`, {
    method,
    headers,
    body: body && JSON.stringify(body),
    credentials: cookies ? "same-origin" : "omit",
    cache: "no-store",
    signal: AbortSignal.timeout(PATIENCE),
  });
  if (answer.body?.success) return answer.body;
  const retryAfter = Number(answer.headers.get("Retry-After")) || 0;
  throw new ApiError(answer.status, answer.body?.error ?? { code: "unreadable" }, retryAfter);
}

async function send(address, options) {
  try {
    const answer = await fetch(address, options);
    const body = await answer.json().catch((error) => {
      // Something between us and the API may answer in its own words.
      if (error instanceof SyntaxError) return null;
      throw error;
    });
    return { status: answer.status, headers: answer.headers, body };
  } catch (error) {
    console.warn("The API does not answer.", error);
    throw new ApiError(0, { code: "unreachable" });
  }
}

// The token of a mailed link stays in the address: it gets into no markup, title or storage.
export const linkToken = () => location.pathname.split("/").pop();

// The rest of a form's work once the browser is on its way to another page: the form stays busy.
export function go(address) {
  location.replace(address);
  return new Promise(() => {});
}
