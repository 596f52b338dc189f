// Answers to one prompt, side by side, as far as each run had come by a step.

const asked = {prompt: 0, step: Infinity};

// The answers of a source to the prompt: of the newest step that is not beyond the one asked for.
function answersOf(source) {
  const all = source.answers.filter(answer => answer.prompt === asked.prompt && answer.step <= asked.step);
  const step = Math.max(...all.map(answer => answer.step));
  return all.filter(answer => answer.step === step);
}

function card(source) {
  const title = element("h3", "", source.run >= 0 ? swatch(`var(--run-${source.run})`) : "", source.name);
  const found = answersOf(source);
  const made = element("div", "card", title);
  if (found.length && found[0].step >= 0) title.append(element("small", "", `  step ${grouped(found[0].step)}`));
  if (!found.length) made.append(element("article", "empty", "no answer yet"));
  for (const answer of found) {
    const facts = [answer.tokens > 0 ? `${grouped(answer.tokens)} tokens` : "", answer.finish === "length" ? "not ended" : ""];
    const text = answer.text === "" ? element("span", "empty", "an empty answer") : answer.text;
    made.append(element("article", "", text, element("footer", "", facts.filter(Boolean).join(", "))));
  }
  return made;
}

function showAnswers() {
  const place = document.getElementById("answers");
  if (!place || !place.cards) return;
  place.prompt.textContent = DATA.answers.prompts[asked.prompt];
  const sources = DATA.answers.sources.filter(source => source.run < 0 || !view.hidden.has(source.run));
  place.cards.replaceChildren(...sources.map(card));
}

function promptChoice() {
  const prompts = DATA.answers.prompts;
  const choice = element("select");
  choice.setAttribute("aria-label", "Prompt");
  prompts.forEach((prompt, number) => {
    const line = prompt.replace(/\s+/g, " ");
    choice.append(new Option(`${number + 1}. ${line.length > 90 ? line.slice(0, 90) + "…" : line}`, number));
  });
  const go = number => {
    asked.prompt = (number + prompts.length) % prompts.length;
    choice.value = asked.prompt;
    showAnswers();
  };
  choice.addEventListener("change", () => go(Number(choice.value)));
  return [button("‹", "The prompt before", () => go(asked.prompt - 1)), choice,
          button("›", "The next prompt", () => go(asked.prompt + 1))];
}

function stepChoice() {
  const steps = [...new Set(DATA.answers.sources.flatMap(source => source.answers.map(answer => answer.step)))];
  const real = steps.filter(step => step >= 0).sort((a, b) => a - b);
  if (real.length < 2) return [];
  const slider = Object.assign(element("input"), {type: "range", min: 0, max: real.length - 1, value: real.length - 1});
  const output = element("output");
  const show = () => {
    asked.step = real[slider.value];
    output.textContent = `step ${grouped(asked.step)}`;
    slider.setAttribute("aria-valuetext", output.textContent);
    showAnswers();
  };
  slider.addEventListener("input", show);
  asked.step = real[real.length - 1];
  output.textContent = `step ${grouped(asked.step)}`;
  return [element("label", "", "up to ", slider, " ", output)];
}

function makeAnswers() {
  const place = document.getElementById("answers");
  if (!place) return;
  place.prompt = element("div", "prompt");
  place.cards = element("div", "cards");
  place.append(element("div", "ask", ...promptChoice(), ...stepChoice()), place.prompt, place.cards);
}
