"use strict";
// Conversations, kept in the browser: one entry of localStorage each, so that two tabs do not overwrite each other's.
//
// A conversation is {id, changed, models, settings, turns}. models are the names of one model, or of two that answer side by side.
// settings are texts as they stand in the form; an empty one leaves the choice to the server. A turn is {question, answers}: one
// answer of each model (talk.js says what is in it).

const kPrefix = "lmpo-talk-";
const kSettings = {system: "", temperature: "", top_p: "", max_tokens: "", seed: "", stop: "", markdown: true};

const store = {
  all: new Map(),  // id -> conversation
  failed: () => {},  // told in plain words why something is not kept

  read() {
    try {
      for (const name of Object.keys(localStorage)) if (name.startsWith(kPrefix)) this.take(localStorage.getItem(name));
    } catch {
      this.failed("This browser keeps nothing for this page: conversations are lost when it closes.");
    }
  },

  take(text) {
    try {
      const found = JSON.parse(text);
      if (found.id && Array.isArray(found.turns) && !(this.all.has(found.id) && isGoing(this.all.get(found.id)))) {
        this.all.set(found.id, {...found, settings: {...kSettings, ...found.settings}});
      }
    } catch {  // not a conversation: left alone
    }
  },

  // Another tab has kept or removed a conversation.
  follow(event) {
    if (!event.key?.startsWith(kPrefix)) return;
    if (event.newValue) this.take(event.newValue);
    else this.all.delete(event.key.slice(kPrefix.length));
  },

  keep(conversation) {
    conversation.changed = Date.now();
    this.all.set(conversation.id, conversation);
    try {
      localStorage.setItem(kPrefix + conversation.id, JSON.stringify(conversation));
    } catch {
      this.failed("The browser's storage is full or closed: what comes now is not kept. Export it, or delete old conversations.");
    }
  },

  remove(conversation) {
    this.all.delete(conversation.id);
    try {
      localStorage.removeItem(kPrefix + conversation.id);
    } catch {  // then it was not kept either
    }
  },

  newestFirst() {
    return [...this.all.values()].sort((a, b) => b.changed - a.changed);
  },
};

function newConversation(models) {
  const last = store.newestFirst()[0];
  const id = Date.now().toString(36) + Math.random().toString(36).slice(2, 8);
  return {id, changed: Date.now(), models, settings: {...kSettings, ...last?.settings}, turns: []};
}

function titleOf(conversation) {
  return conversation.turns[0]?.question.replace(/\s+/g, " ").slice(0, 80) || "New conversation";
}

// What the model of a column reads for its answer to a turn; without a turn, all. Turns that it failed to answer are not part of it.
function messagesBefore(conversation, column, turn) {
  const system = conversation.settings.system.trim();
  const messages = system ? [{role: "system", content: conversation.settings.system}] : [];
  for (const each of conversation.turns) {
    const answer = each.answers[column] ?? each.answers[0];  // a second model that came later continues the first's
    if (each === turn) return [...messages, {role: "user", content: each.question}];
    if (answer && !(answer.error && !answer.text)) {
      messages.push({role: "user", content: each.question}, {role: "assistant", content: answer.text});
    }
  }
  return messages;
}

// A file with the conversation, and its messages as each model saw them.
function exported(conversation) {
  const {models, settings, turns} = conversation;
  const messages = models.map((model, column) => ({model, messages: messagesBefore(conversation, column)}));
  return JSON.stringify({exported: new Date().toISOString(), settings, messages, turns}, null, 2);
}
