// Forms: what is missing or refused is said beside its field, and the focus goes there.
import { ApiError } from "./api.js";

export const byId = (id) => document.getElementById(id);

// Somebody thought better of it; nothing has to be said.
export class Cancelled extends Error {}

// Errors that are about one field, although the API answers with them as a whole.
const FIELDS = { mfa_invalid: "code" };

export function onSubmit(form, work) {
  // The browser's own bubbles cover the form on a phone. They stay where this script did not run.
  form.noValidate = true;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (form.getAttribute("aria-busy") === "true" || !isComplete(form)) return;
    run(form, () => work(Object.fromEntries(new FormData(form))));
  });
}

export function onClick(button, work) {
  button.addEventListener("click", () => run(button.closest("form, section"), work, button));
}

// Does the work while the buttons inside of ``root`` wait, and says there what went wrong.
async function run(root, work, pressed = root.querySelector("[type=submit]")) {
  const restored = wait(root, pressed);
  clear(root);
  let failure = null;
  try {
    await work();
  } catch (error) {
    failure = error;
  }
  restored();
  if (failure && !(failure instanceof Cancelled)) refuse(root, failure);
}

function wait(root, pressed) {
  const buttons = [...root.querySelectorAll("button:enabled")];
  const text = pressed?.textContent;
  root.setAttribute("aria-busy", "true");
  for (const button of buttons) button.disabled = true;
  if (pressed) pressed.textContent = "One moment…";
  return () => {
    root.removeAttribute("aria-busy");
    for (const button of buttons) button.disabled = false;
    if (pressed) pressed.textContent = text;
  };
}

function isComplete(form) {
  clear(form);
  const wrong = [...form.elements].filter((field) => field.willValidate && !field.checkValidity());
  for (const field of wrong) mark(field, complaint(field));
  wrong[0]?.focus();
  return wrong.length === 0;
}

function complaint(field) {
  if (field.validity.patternMismatch) return "This does not look like an e-mail address.";
  return "Please fill this in.";
}

export function refuse(root, error) {
  if (!(error instanceof ApiError)) {
    say(root, "Something went wrong on this page. Please load it again.");
    throw error;
  }
  const details = error.details.length ? error.details : [{ field: FIELDS[error.code], message: error.message }];
  const marked = details.map(({ field, message }) => markNamed(root, field, message)).filter(Boolean);
  if (marked.length) marked[0].focus();
  else say(root, error.details.map(({ message }) => message).join(" ") || error.words);
}

function markNamed(root, name, message) {
  const field = name && root.querySelector(`input[name="${CSS.escape(name)}"]`);
  if (field) mark(field, message);
  return field;
}

function mark(field, message) {
  const words = byId(`${field.id}-wrong`);
  words.textContent = message;
  words.hidden = false;
  field.setAttribute("aria-invalid", "true");
}

function say(root, message) {
  const alert = root.querySelector(".alert");
  alert.textContent = message;
  alert.hidden = false;
  alert.focus();
}

function clear(root) {
  for (const words of root.querySelectorAll(".alert, .wrong")) {
    words.textContent = "";
    words.hidden = true;
  }
  for (const field of root.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
}

// One part of a page that has several, one after the other.
export function showStep(id) {
  for (const step of document.querySelectorAll("[data-step]")) step.hidden = step.id !== id;
  byId(id).querySelector("h1").focus();
}

function offerToShow(button) {
  const field = byId(button.getAttribute("aria-controls"));
  button.hidden = false;
  button.addEventListener("click", () => {
    const shown = field.type === "password";
    field.type = shown ? "text" : "password";
    button.textContent = shown ? "Hide" : "Show";
    button.setAttribute("aria-label", shown ? "Hide the password" : "Show the password");
  });
}

document.querySelectorAll(".reveal").forEach(offerToShow);
