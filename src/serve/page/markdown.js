// Simple Markdown as elements: headings, lists, quotes, code, emphasis. Texts become text nodes and nothing else, so a model's output
// cannot add markup of its own. Links, pictures and tables stay as they are written. The time is linear in the text, whatever it is.

// Where text may end what a mark began: after something that is not a space.
const kClosing = {"**": () => /(?<=\S)\*\*(?!\*)/g, "*": () => /(?<=[^\s*])\*(?![\w*])/g};
const kOpens = {"**": /\*\*\S/y, "*": /(?<![\w*])\*[^\s*]/y};

function inlineNodes(text) {
  const nodes = [], unclosed = new Set();  // marks that nothing after here closes
  let written = 0;
  for (const {0: mark, index} of text.matchAll(/`+|\*\*?/g)) {
    if (index < written || unclosed.has(mark)) continue;
    const code = mark[0] === "`", begin = index + mark.length;
    if (!code && !((kOpens[mark].lastIndex = index), kOpens[mark].test(text))) continue;
    const closing = code ? new RegExp(`(?<!\`)\`{${mark.length}}(?!\`)`, "g") : kClosing[mark]();
    closing.lastIndex = begin + 1;
    const found = closing.exec(text);
    if (!found) {
      unclosed.add(mark);
      continue;
    }
    const inner = text.slice(begin, found.index);
    nodes.push(text.slice(written, index), code ? element("code", "", inner) : element(mark === "*" ? "em" : "strong", "", ...inlineNodes(inner)));
    written = closing.lastIndex;
  }
  return [...nodes, text.slice(written)].filter(node => node !== "");
}

const kFence = /^( {0,3})(```+|~~~+)([^`]*)$/;
const kItem = /^(\s*)([-*+]|\d{1,9}[.)])\s(.*)$/;
const kHeading = /^#{1,6}\s(.*)$/;
const kRule = /^ {0,3}([-*_])( *\1){2,} *$/;
const kQuote = /^ {0,3}> ?/;
const kDeepest = 12;  // quotes and lists in each other

// A block of code until its closing fence, or the end: an answer may still be coming.
function codeBlock(lines) {
  const [, indent, fence, language] = kFence.exec(lines.shift());
  const closes = line => line.trim().length >= fence.length && line.trim() === fence[0].repeat(line.trim().length);
  const code = [];
  while (lines.length && !closes(lines[0])) {
    const line = lines.shift();
    code.push(line.startsWith(indent) ? line.slice(indent.length) : line);
  }
  lines.shift();
  const text = code.join("\n");
  const made = element("pre", "", element("code", "", text), button("Copy", "Copy the code", event => copyText(text, event.target)));
  if (language.trim()) made.setAttribute("aria-label", `Code, ${language.trim()}`);
  return made;
}

// Items at the first one's indent; what stands deeper belongs to an item.
function list(lines, depth) {
  const indent = kItem.exec(lines[0])[1].length;
  const ordered = /^\s*\d/.test(lines[0]);
  const made = element(ordered ? "ol" : "ul");
  if (ordered) made.start = parseInt(lines[0]);
  const itemAt = line => {
    const found = kRule.test(line) ? null : kItem.exec(line ?? "");
    return found && found[1].length <= indent && /^\d/.test(found[2]) === ordered ? found : null;
  };
  const deeper = line => line !== undefined && line.search(/\S/) > indent;
  for (let found; (found = itemAt(lines[0]));) {
    lines.shift();
    const inner = [];
    while (lines.length && (deeper(lines[0]) || (lines[0].trim() === "" && deeper(lines[1])))) inner.push(lines.shift());
    const width = Math.min(...inner.filter(line => line.trim()).map(line => line.search(/\S/)));
    made.append(element("li", "", ...blocks([found[3].trim(), ...inner.map(line => line.slice(width))], depth + 1, true)));
    while (lines.length > 1 && lines[0].trim() === "" && itemAt(lines[1])) lines.shift();
  }
  return made;
}

function quote(lines, depth) {
  const inner = [];
  while (lines.length && kQuote.test(lines[0])) inner.push(lines.shift().replace(kQuote, ""));
  return element("blockquote", "", ...blocks(inner, depth + 1));
}

function paragraph(lines, bare) {
  const text = [lines.shift()];
  while (lines.length && lines[0].trim() && ![kFence, kItem, kHeading, kQuote, kRule].some(kind => kind.test(lines[0]))) text.push(lines.shift());
  const nodes = inlineNodes(text.join("\n").trim());
  return bare ? nodes : [element("p", "", ...nodes)];
}

// In an item of a list, a text that comes first is no paragraph.
function blocks(lines, depth, inItem = false) {
  const made = [];
  while (lines.length) {
    const line = lines[0], nested = depth < kDeepest;
    if (line.trim() === "") lines.shift();
    else if (kFence.test(line)) made.push(codeBlock(lines));
    else if (kHeading.test(line)) made.push(element("h4", "", ...inlineNodes(kHeading.exec(lines.shift())[1].trim())));
    else if (kRule.test(line)) lines.shift(), made.push(element("hr"));
    else if (nested && kItem.test(line)) made.push(list(lines, depth));
    else if (nested && kQuote.test(line)) made.push(quote(lines, depth));
    else made.push(...paragraph(lines, inItem && !made.length));
  }
  return made;
}

function markdownNodes(text) {
  return blocks(text.replaceAll("\r\n", "\n").split("\n"), 0);
}
