// Asking the models and taking their answers.
//
// An answer is {model, sampling, text, end, error, detail, tokens, first, seconds}: sampling is the settings it was drawn with; end is
// the server's finish_reason or "stopped"; error is in plain words; first and seconds are the times to the first piece and to the end.

const going = new Map();  // answers that still come -> AbortController

function isGoing(conversation) {
  return conversation.turns.some(turn => turn.answers.some(answer => going.has(answer)));
}

function stopAnswers(conversation) {
  for (const turn of conversation.turns) for (const answer of turn.answers) going.get(answer)?.abort();
}

async function takeAnswer(conversation, turn, column) {
  const {system, markdown, ...sampling} = conversation.settings;
  const answer = {model: conversation.models[column], sampling, text: ""};
  const stopper = new AbortController();
  const began = performance.now();
  const since = () => (performance.now() - began) / 1000;
  turn.answers[column] = answer;
  going.set(answer, stopper);
  changed(conversation);
  try {
    const messages = messagesBefore(conversation, column, turn);
    for await (const piece of answerTo(answer.model, messages, conversation.settings, stopper.signal)) {
      if (piece.text) {
        answer.first ??= since();
        answer.text += piece.text;
        grown(answer);
      }
      if (piece.end) answer.end = piece.end;
      if (piece.tokens !== undefined) answer.tokens = piece.tokens;
    }
  } catch (error) {
    if (error.name === "AbortError") {
      answer.end = "stopped";
    } else {
      answer.error = error instanceof ServerError ? error.message : "The server's answer is not understood.";
      answer.detail = error instanceof ServerError ? error.detail : String(error);
    }
  }
  answer.seconds = since();
  going.delete(answer);
  if (store.all.has(conversation.id)) store.keep(conversation);
  changed(conversation);
}

function answerTurn(conversation, turn) {
  turn.answers = [];
  store.keep(conversation);
  return Promise.all(conversation.models.map((model, column) => takeAnswer(conversation, turn, column)));
}

function askQuestion(conversation, question) {
  const turn = {question, answers: []};
  conversation.turns.push(turn);
  return answerTurn(conversation, turn);
}

// The question of a turn in other words; the turns after it go.
function askAgain(conversation, turn, question) {
  conversation.turns.splice(conversation.turns.indexOf(turn) + 1);
  turn.question = question;
  return answerTurn(conversation, turn);
}

// What stands under an answer.
function factsOf(answer) {
  const facts = [];
  if (answer.tokens !== undefined) facts.push(`${answer.tokens} token${answer.tokens === 1 ? "" : "s"}`);
  if (answer.tokens > 1 && answer.seconds > answer.first) facts.push(`${Math.round((answer.tokens - 1) / (answer.seconds - answer.first))}/s`);
  if (answer.first !== undefined) facts.push(`first after ${answer.first.toFixed(2)} s`);
  if (answer.end === "length") {
    const own = answer.sampling.max_tokens && answer.tokens >= Number(answer.sampling.max_tokens);
    facts.push(own ? "not ended: Settings allow no more tokens" : "not ended: at the limit of the server or of the model's context");
  }
  if (answer.end === "stopped") facts.push("stopped");
  return facts.join(" · ");
}
