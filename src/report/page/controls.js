// The reader's choices: x axis, smoothing, which runs, light or dark.

function element(name, className, ...children) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

function input(type, properties) {
  return Object.assign(document.createElement("input"), {type}, properties);
}

// --- above the charts

function axisChoice() {
  const set = element("fieldset", "", element("legend", "word", "x axis"));
  const has = {
    step: true,
    epoch: DATA.runs.some(run => run.training.epoch.some(epoch => epoch > 0)),
    time: DATA.runs.some(run => run.training.time),
  };
  for (const axis of Object.keys(AXES).filter(each => has[each])) {
    const radio = input("radio", {name: "axis", value: axis, checked: axis === view.x});
    radio.addEventListener("change", () => {
      view.x = axis;
      for (const chart of charts) {
        if (chart.options.axes) {
          chart.zoom = null;
          chart.unzoom.hidden = true;
        }
      }
      redrawAll();
    });
    set.append(element("label", "segment", radio, element("span", "", AXES[axis].name)));
  }
  return set;
}

function smoothingChoice() {
  const slider = input("range", {min: 0, max: 100, value: view.smoothing});
  const output = element("output");
  const show = () => {
    view.smoothing = Number(slider.value);
    const share = 30 * (view.smoothing / 100) ** 2;
    output.textContent = view.smoothing === 0 ? "none" : `${share < 1 ? share.toFixed(1) : Math.round(share)}%`;
    slider.setAttribute("aria-valuetext", `an average over ${output.textContent} of a run`);
  };
  slider.addEventListener("input", () => {
    show();
    redrawAll();
  });
  show();
  const label = element("label", "", element("span", "", "smoothing"), slider, output);
  label.title = "Each point is an average over about this share of its run";
  return label;
}

function logChoice() {
  const box = input("checkbox", {checked: view.logY});
  box.addEventListener("change", () => {
    view.logY = box.checked;
    redrawAll();
  });
  const label = element("label", "", box, "log y");
  label.title = "Logarithmic y axis, where all values are above 0";
  return label;
}

function remembered(value) {
  try {  // a page from a file may have no storage
    if (value !== undefined) localStorage.setItem("lmpo-theme", value);
    return localStorage.getItem("lmpo-theme");
  } catch {
    return null;
  }
}

function applyTheme(theme) {
  document.documentElement.style.colorScheme = theme === "auto" ? "" : theme;
  colours.clear();
  redrawAll();
}

function themeChoice() {
  const themes = ["auto", "light", "dark"];
  const signs = {auto: "◐ auto", light: "☀ light", dark: "☾ dark"};
  let theme = themes.includes(remembered()) ? remembered() : "auto";
  const toggle = button(signs[theme], "Light or dark", () => {
    theme = themes[(themes.indexOf(theme) + 1) % themes.length];
    remembered(theme);
    toggle.textContent = signs[theme];
    applyTheme(theme);
  });
  applyTheme(theme);
  return toggle;
}

function makeControls() {
  const bar = document.getElementById("controls");
  if (DATA.plans.length) bar.append(axisChoice(), smoothingChoice());
  if (charts.length) bar.append(logChoice());
  bar.hidden = !bar.children.length;
  document.getElementById("theme").append(themeChoice());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    colours.clear();
    redrawAll();
  });
}

// --- beside the charts

function showHiddenRuns() {
  for (const row of document.querySelectorAll("[data-run]")) {
    row.classList.toggle("off", view.hidden.has(Number(row.dataset.run)));
  }
  for (const box of document.querySelectorAll("#legend input[type=checkbox]")) {
    box.checked = !view.hidden.has(Number(box.value));
  }
  const title = document.querySelector("#legend summary");
  const shown = DATA.runs.length - view.hidden.size;
  title.textContent = shown === DATA.runs.length ? `Runs (${shown})` : `Runs (${shown} of ${DATA.runs.length} shown)`;
  redrawAll();
  showAnswers();
}

function setHidden(hides) {
  view.hidden = new Set([...DATA.runs.keys()].filter(hides));
  showHiddenRuns();
}

function highlight(run) {
  if (view.highlight !== run) {
    view.highlight = run;
    redrawAll();
  }
}

function legendItem(run, number) {
  const box = input("checkbox", {value: number, checked: true});
  box.addEventListener("change", () => {
    if (box.checked) view.hidden.delete(number);
    else view.hidden.add(number);
    showHiddenRuns();
  });
  const name = span("name", run.name);
  name.title = run.name;
  const label = element("label", "", box, swatch(`var(--run-${number})`), name);
  if (run.state !== "done") label.append(span(`state ${run.state}`, run.state));
  const item = element("li", "", label);
  if (DATA.runs.length > 1) {
    const only = button("only", `Show ${run.name} alone`, () => setHidden(other => other !== number));
    only.className = "only";
    item.append(only);
  }
  item.addEventListener("pointerenter", () => highlight(view.hidden.has(number) ? -1 : number));
  item.addEventListener("pointerleave", () => highlight(-1));
  item.addEventListener("focusin", () => highlight(view.hidden.has(number) ? -1 : number));
  item.addEventListener("focusout", () => highlight(-1));
  return item;
}

function makeLegend() {
  const legend = document.getElementById("legend");
  if (!DATA.runs.length) return;
  const list = element("ul", "", ...DATA.runs.map(legendItem));
  const tools = element("div", "tools");
  if (DATA.runs.length > 1) {
    tools.append(button("all", "Show all runs", () => setHidden(() => false)),
                 button("none", "Hide all runs", () => setHidden(() => true)));
  }
  if (DATA.runs.length > 8) {
    const search = input("search", {placeholder: "find a run"});
    search.setAttribute("aria-label", "Find a run by its name");
    search.addEventListener("input", () => {
      const wanted = search.value.toLowerCase();
      [...list.children].forEach((item, number) =>
        item.classList.toggle("hidden", !DATA.runs[number].name.toLowerCase().includes(wanted)));
    });
    tools.append(search);
  }
  const details = element("details", "", element("summary"), tools, list);
  details.open = matchMedia("(min-width: 1040px)").matches || DATA.runs.length <= 3;
  legend.append(details);
  legend.hidden = false;
}
