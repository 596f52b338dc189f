// The conversation on the screen.

let current = null;  // the conversation that is shown
const shown = new WeakMap();  // answer -> its element
const waiting = new Set();  // answers to draw in the next frame

async function copyText(text, press) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {  // no clipboard without https, except on this machine
    const area = element("textarea", "sr");
    area.value = text;
    press.after(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  const label = press.textContent;
  press.textContent = "Copied";
  setTimeout(() => (press.textContent = label), 1200);
}

function drawText(answer) {
  const place = shown.get(answer)?.querySelector(".text");
  if (!place) return;
  place.classList.toggle("written", !current.settings.markdown);
  place.replaceChildren(...(current.settings.markdown ? markdownNodes(answer.text) : [answer.text]));
  if (!answer.text && !answer.error && !going.has(answer)) place.append(element("span", "note", "an empty answer"));
}

// Keeps the end in sight, unless the reader has gone up.
function followEnd(draw) {
  const place = document.getElementById("turns");
  const follows = place.scrollHeight - place.scrollTop - place.clientHeight < 60;
  draw();
  if (follows) place.scrollTop = place.scrollHeight;
}

function grown(answer) {
  if (!waiting.size) {
    requestAnimationFrame(() => {
      followEnd(() => waiting.forEach(drawText));
      waiting.clear();
    });
  }
  waiting.add(answer);
}

function answerElement(conversation, turn, column) {
  const answer = turn.answers[column];
  const tools = element("div", "tools");
  const made = element("article", "answer", element("h3", "", answer.model), element("div", "text"));
  made.setAttribute("aria-label", `Answer of ${answer.model}`);
  made.classList.toggle("going", going.has(answer));
  shown.set(answer, made);
  drawText(answer);
  if (answer.error) made.append(element("p", "error", answer.error, answer.detail ? element("small", "", answer.detail) : ""));
  if (!going.has(answer)) {
    if (answer.text) tools.append(button("Copy", "Copy this answer", event => copyText(answer.text, event.target)));
    if (turn === conversation.turns.at(-1) && column < conversation.models.length) {
      tools.append(button("Again", `Another answer of ${conversation.models[column]}`, () => takeAnswer(conversation, turn, column)));
    }
    tools.append(factsOf(answer));
    made.append(tools);
  }
  return made;
}

function editQuestion(conversation, turn, place) {
  const area = element("textarea");
  area.value = turn.question;
  area.rows = Math.min(12, turn.question.split("\n").length + 1);
  area.setAttribute("aria-label", "The message in other words");
  const later = conversation.turns.length - 1 - conversation.turns.indexOf(turn);
  const note = later ? `Replaces the answer and the ${later === 1 ? "message" : `${later} messages`} after it.` : "Replaces the answer.";
  const send = () => area.value.trim() && askAgain(conversation, turn, area.value);
  const form = element("form", "", area, element("div", "tools", note, button("Send", "", send), button("Cancel", "", () => changed(conversation))));
  area.addEventListener("keydown", event => {
    if (sends(event)) event.preventDefault(), send();
    if (event.key === "Escape") changed(conversation);
  });
  place.replaceChildren(form);
  area.focus();
}

function turnElement(conversation, turn) {
  const tools = element("div", "tools", button("Copy", "Copy this message", event => copyText(turn.question, event.target)));
  const question = element("div", "question", element("div", "text", turn.question), tools);
  if (!isGoing(conversation)) {
    tools.append(button("Edit", "Edit this message and send it again", () => editQuestion(conversation, turn, question)));
  }
  const answers = element("div", "answers", ...[...turn.answers.keys()].filter(column => turn.answers[column])
    .map(column => answerElement(conversation, turn, column)));
  const made = element("section", "turn", question, answers);
  made.setAttribute("aria-label", `Message ${conversation.turns.indexOf(turn) + 1}`);
  return made;
}

function drawTurns() {
  const place = document.getElementById("turns");
  const beside = current.models.length > 1 || current.turns.some(turn => turn.answers.length > 1);
  place.classList.toggle("beside", beside);
  const welcome = element("p", "welcome", beside ? "Write a message: both models answer it, side by side." : "Write a message to begin.");
  place.replaceChildren(...(current.turns.length ? current.turns.map(turn => turnElement(current, turn)) : [welcome]));
}

function isTouched() {
  return matchMedia("(pointer: coarse)").matches;
}

// Not where that would bring up a keyboard on the screen.
function focusQuestion() {
  if (!isTouched()) document.getElementById("question").focus();
}

function drawList() {
  document.getElementById("conversations").replaceChildren(...store.newestFirst().map(each => {
    const title = titleOf(each);
    const show = button(title, "", () => showConversation(each));
    show.className = "title";
    show.title = title;
    if (each === current) show.setAttribute("aria-current", "true");
    const drop = button("×", `Delete: ${title}`, () => deleteConversation(each));
    drop.className = "delete";
    return element("li", "", show, drop);
  }));
}

// A conversation has another turn or answer, or one of them has ended.
function changed(conversation) {
  drawList();
  if (conversation !== current) return;
  const held = document.getElementById("turns").contains(document.activeElement);
  followEnd(drawTurns);
  if (held) focusQuestion();
  const busy = isGoing(conversation);
  document.getElementById("send").hidden = busy;
  document.getElementById("stop").hidden = !busy;
  const last = conversation.turns.at(-1);
  const said = last?.answers.map(answer => answer && `${answer.model}: ${answer.error ?? (answer.end === "stopped" ? "stopped" : answer.text)}`);
  document.getElementById("status").textContent = busy ? "The answer comes." : said?.join("\n") ?? "";
}
