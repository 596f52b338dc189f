// Elements of the page.

function element(name, className, ...children) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

function button(text, label, onclick) {
  const made = element("button", "", text);
  made.type = "button";
  if (label) {
    made.title = label;
    made.setAttribute("aria-label", label);
  }
  made.addEventListener("click", onclick);
  return made;
}

function swatch(colour) {
  const made = element("i", "swatch");
  made.style.background = colour;
  return made;
}
