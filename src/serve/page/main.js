// The reader's controls: models, settings, key, conversations, the message to send.

const at = id => document.getElementById(id);
let models = [];  // of the server

function notify(text) {
  at("notice").textContent = text;
  at("notice").hidden = !text;
}

// Enter sends where there is a keyboard with Shift; not while a word is being composed.
function sends(event) {
  return event.key === "Enter" && !event.shiftKey && !event.isComposing && !isTouched();
}

function fitQuestion() {
  at("question").style.height = "auto";
  at("question").style.height = `${at("question").scrollHeight + 2}px`;
}

function showMenu(open) {
  at("side").classList.toggle("open", open);
  at("menu").setAttribute("aria-expanded", open);
}

function showConversation(conversation) {
  const missing = conversation.models.filter(model => models.length && !models.includes(model));
  if (missing.length) {
    conversation.models = conversation.models.map((model, column) => (models.includes(model) ? model : models[column] ?? models[0]));
    notify(`The server does not have ${missing.join(" and ")}: ${conversation.models.join(" and ")} will answer.`);
  } else if (models.length) {
    notify("");
  }
  current = conversation;
  at("model").replaceChildren(...models.map(model => new Option(model)));
  at("other").replaceChildren(new Option("no other", ""), ...models.map(model => new Option(model)));
  at("model").value = conversation.models[0];
  at("other").value = conversation.models[1] ?? "";
  at("export").disabled = !conversation.turns.length;
  showMenu(false);
  changed(conversation);
  at("turns").scrollTop = at("turns").scrollHeight;
  focusQuestion();
}

function beginConversation() {
  const last = current.models.filter(model => models.includes(model));
  showConversation(newConversation(last.length ? last : models.slice(0, 2)));
}

function deleteConversation(conversation) {
  if (!confirm(`Delete this conversation?\n\n${titleOf(conversation)}`)) return;
  stopAnswers(conversation);
  store.remove(conversation);
  if (conversation === current) beginConversation();
  drawList();
}

function exportConversation() {
  const link = element("a");
  link.href = URL.createObjectURL(new Blob([exported(current)], {type: "application/json"}));
  link.download = `lmpo-${titleOf(current).toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-").slice(0, 40)}.json`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

function send() {
  const question = at("question").value;
  if (!question.trim() || isGoing(current)) return;
  if (!models.length) return void loadModels();
  at("question").value = "";
  fitQuestion();
  at("export").disabled = false;
  askQuestion(current, question);
  at("turns").scrollTop = at("turns").scrollHeight;
  focusQuestion();
}

function editLast() {
  const questions = at("turns").querySelectorAll(".question");
  const last = current.turns.at(-1);
  if (last && !isGoing(current)) editQuestion(current, last, questions[questions.length - 1]);
}

async function askInDialog(dialog) {
  dialog.returnValue = "";
  dialog.showModal();
  await new Promise(resolve => dialog.addEventListener("close", resolve, {once: true}));
  return dialog.returnValue;
}

async function openSettings() {
  const form = at("settings").querySelector("form"), settings = current.settings;
  for (const [name, value] of Object.entries(settings)) {
    const field = form.elements[name];
    if (field) field[field.type === "checkbox" ? "checked" : "value"] = value;
  }
  const conversation = current;
  form.oninput = ({target: field}) => {
    settings[field.name] = field.type === "checkbox" ? field.checked : field.value;
    if (conversation.turns.length) store.keep(conversation);
  };
  await askInDialog(at("settings"));
  changed(conversation);
}

// One question for the key, however many requests wait for it.
let keyQuestion = null;
function askForKey() {
  keyQuestion ??= askInDialog(at("key")).then(answer => {
    keyQuestion = null;
    if (answer !== "use") return false;
    server.key = at("key").querySelector("input").value;
    try {
      sessionStorage.setItem("lmpo-key", server.key);
    } catch {  // it is asked for again
    }
    return true;
  });
  return keyQuestion;
}

async function loadModels() {
  try {
    models = await modelNames();
    notify("");
  } catch (error) {
    notify(`${error.message} Press Send to try again.`);
    models = [];
  }
  if (current?.turns.length) showConversation(current);
  else if (models.length) beginConversation();
}

function listen() {
  const question = at("question");
  at("ask").addEventListener("submit", event => (event.preventDefault(), send()));
  at("stop").addEventListener("click", () => stopAnswers(current));
  at("new").addEventListener("click", beginConversation);
  at("export").addEventListener("click", exportConversation);
  at("open-settings").addEventListener("click", openSettings);
  at("menu").addEventListener("click", () => showMenu(!at("side").classList.contains("open")));
  for (const id of ["model", "other"]) {
    at(id).addEventListener("change", () => {
      current.models = [at("model").value, at("other").value].filter(Boolean);
      changed(current);
    });
  }
  question.addEventListener("input", fitQuestion);
  question.addEventListener("keydown", event => {
    if (sends(event)) event.preventDefault(), send();
    if (event.key === "ArrowUp" && question.value === "") event.preventDefault(), editLast();
  });
  document.addEventListener("keydown", event => {
    if (event.key !== "Escape" || document.querySelector("dialog[open]")) return;
    showMenu(false);
    stopAnswers(current);
  });
  document.querySelector(".talk main").addEventListener("pointerdown", event => {
    if (!event.target.closest("#menu")) showMenu(false);
  });
  addEventListener("storage", event => {
    store.follow(event);
    const other = store.all.get(current.id) ?? current;
    if (other === current) drawList();
    else changed((current = other));
  });
  addEventListener("pagehide", () => {  // what has come so far is kept
    for (const each of store.all.values()) if (isGoing(each)) store.keep(each);
  });
}

store.failed = notify;
server.askForKey = askForKey;
try {
  server.key = sessionStorage.getItem("lmpo-key") ?? "";
} catch {  // it is asked for when the server wants it
}
store.read();
makeThemeButton();
current = newConversation([]);
listen();
changed(current);
loadModels();
