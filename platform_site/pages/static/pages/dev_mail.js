"use strict";

// Everything of a mail is put in as text; its HTML is seen in a sandboxed frame only.
const byId = (id) => document.getElementById(id);
const box = byId("mailbox");
let mails = [];
let openId = "";
let form = "html";

function describe(mail) {
  const button = document.createElement("button");
  button.type = "button";
  const subject = document.createElement("b");
  subject.textContent = mail.subject || "(no subject)";
  const who = document.createElement("span");
  who.className = "who";
  const to = document.createElement("span");
  to.textContent = mail.to;
  const when = document.createElement("span");
  when.textContent = new Date(mail.sentAt).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  who.append(to, when);
  button.append(subject, who);
  if (mail.id === openId) button.setAttribute("aria-current", "true");
  button.addEventListener("click", () => open(mail.id));
  const item = document.createElement("li");
  item.append(button);
  return item;
}

function list() {
  byId("mails").replaceChildren(...mails.map(describe));
  byId("empty").hidden = mails.length > 0;
  byId("mail").hidden = !openId;
  byId("state").textContent = mails.length === 1 ? "1 mail" : `${mails.length} mails`;
}

function open(id) {
  const mail = mails.find((one) => one.id === id);
  if (!mail) return;
  openId = id;
  box.dataset.reading = "";
  byId("subject").textContent = mail.subject || "(no subject)";
  byId("to").textContent = `To ${mail.to}`;
  byId("sent").textContent = new Date(mail.sentAt).toLocaleString();
  byId("sent").dateTime = mail.sentAt;
  byId("text").textContent = mail.text || "(This mail has no text part.)";
  byId("html").src = mail.html ? `/dev/mail/${encodeURIComponent(id)}/html` : "about:blank";
  byId("as-html").disabled = !mail.html;
  showAs(mail.html ? form : "text");
  showLinks(mail);
  list();
}

function showAs(chosen) {
  byId("html").hidden = chosen !== "html";
  byId("text").hidden = chosen !== "text";
  byId("as-html").setAttribute("aria-pressed", chosen === "html");
  byId("as-text").setAttribute("aria-pressed", chosen === "text");
}

// The sandbox opens no links, so they stand below the mail.
function showLinks(mail) {
  const inHtml = [...mail.html.matchAll(/<a\s[^>]*?href\s*=\s*["']([^"']+)/gi)].map((found) => found[1].replaceAll("&amp;", "&"));
  const inText = mail.text.match(/https?:\/\/[^\s<>"')\]]+/g) ?? [];
  const addresses = [...new Set([...inHtml, ...inText])].filter((address) => /^https?:\/\//.test(address));
  byId("links").hidden = addresses.length === 0;
  byId("link-list").replaceChildren(
    ...addresses.map((address) => {
      const anchor = document.createElement("a");
      anchor.href = address;
      anchor.textContent = address;
      anchor.rel = "noreferrer";
      anchor.target = "_blank";
      const item = document.createElement("li");
      item.append(anchor);
      return item;
    }),
  );
}

async function look() {
  if (document.hidden) return;
  try {
    const answer = await fetch("/dev/mail.json");
    const found = await answer.json();
    if (JSON.stringify(found.map((mail) => mail.id)) === JSON.stringify(mails.map((mail) => mail.id))) {
      byId("state").textContent = found.length === 1 ? "1 mail" : `${found.length} mails`;
      byId("empty").hidden = found.length > 0;
      return;
    }
    mails = found;
    list();
    // On a wide screen the newest mail is shown at once.
    if (!openId && mails.length && matchMedia("(min-width: 46rem)").matches) open(mails[0].id);
  } catch (error) {
    byId("state").textContent = "No answer";
    console.warn("The mailbox does not answer.", error);
  }
}

for (const chosen of ["html", "text"]) {
  byId(`as-${chosen}`).addEventListener("click", () => {
    form = chosen;
    showAs(chosen);
  });
}
byId("back").addEventListener("click", () => delete box.dataset.reading);
document.addEventListener("visibilitychange", look);
look();
setInterval(look, 3000);
