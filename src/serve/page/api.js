// The server's API, which is OpenAI's, at the address of this page.

class ServerError extends Error {
  constructor(text, detail = "") {
    super(text);
    this.detail = detail;  // the server's own words, where they say more
  }
}

const server = {
  key: "",
  askForKey: async () => false,  // true once there is a new key
};

function plainWords(status, detail) {
  if (status === 401) return new ServerError(server.key ? "The server does not take this key." : "The server wants its key.", detail);
  if (status === 429 || status === 503) return new ServerError("The server has more to do than it takes on. Try again in a moment.", detail);
  if (status === 413) return new ServerError("The conversation is larger than the server takes.", detail);
  if (/context|reduce the length/i.test(detail)) {
    return new ServerError("The conversation is longer than the model can read. Edit an earlier message, or begin a new conversation.", detail);
  }
  return new ServerError(detail || `The server answered with status ${status}.`);
}

// The response, where its status is 200.
async function request(path, body, signal) {
  const headers = {...(body && {"Content-Type": "application/json"}), ...(server.key && {Authorization: `Bearer ${server.key}`})};
  let response;
  try {
    response = await fetch(path, {method: body ? "POST" : "GET", headers, body: body && JSON.stringify(body), signal, cache: "no-store"});
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ServerError("The server does not answer. Does lmpo serve still run?");
  }
  if (response.ok) return response;
  if (response.status === 401 && (await server.askForKey())) return request(path, body, signal);
  const answer = await response.json().catch(() => ({}));
  throw plainWords(response.status, answer.error?.message ?? "");
}

// Names of the models.
async function modelNames() {
  const answer = await (await request("v1/models")).json();
  return answer.data.map(model => model.id);
}

// The parsed events of a stream. It must end with [DONE]: a connection that breaks is an error.
async function* eventsOf(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const {value, done} = await reader.read().catch(error => {
      if (error.name === "AbortError") throw error;
      return {done: true};
    });
    if (done) throw new ServerError("The connection broke before the answer's end.");
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    for (const line of lines) {
      const data = line.startsWith("data:") ? line.slice(5).trim() : "";
      if (data === "[DONE]") return;
      if (data) yield JSON.parse(data);
    }
  }
}

// An answer as it comes: {text} a piece, {end} why it ended, {tokens} how many there were.
async function* answerTo(model, messages, settings, signal) {
  const body = {model, messages, stream: true, stream_options: {include_usage: true}};
  for (const name of ["temperature", "top_p", "max_tokens", "seed"]) if (settings[name] !== "") body[name] = Number(settings[name]);
  const stop = settings.stop.split("\n").filter(Boolean).map(line => line.replaceAll("\\n", "\n"));
  if (stop.length) body.stop = stop;
  for await (const event of eventsOf(await request("v1/chat/completions", body, signal))) {
    if (event.error) throw plainWords(Number(event.error.code) || 500, event.error.message);
    const choice = event.choices?.[0];
    if (choice?.delta?.content) yield {text: choice.delta.content};
    if (choice?.finish_reason) yield {end: choice.finish_reason};
    if (event.usage) yield {tokens: event.usage.completion_tokens};
  }
}
