// The reader's choices: x axis, smoothing, which runs, light or dark.

function makeControls() {
  const bar = document.getElementById("controls");
  const ofRuns = charts.some(chart => chart.ofRuns);
  for (const each of bar.querySelectorAll(".of-runs")) each.hidden = !ofRuns;
  bar.querySelector("[value=epoch]").parentElement.hidden = !DATA.runs.some(run => run.training.epoch.some(epoch => epoch > 0));
  bar.querySelector("[value=time]").parentElement.hidden = !DATA.runs.some(run => run.training.time);
  for (const radio of bar.querySelectorAll("[name=axis]")) {
    radio.addEventListener("change", () => {
      view.x = radio.value;
      charts.filter(chart => chart.ofRuns).forEach(chart => zoom(chart, null));
    });
  }
  const slider = bar.querySelector("#smoothing"), output = bar.querySelector("output");
  const showSmoothing = () => {
    const share = 100 * reach(view.smoothing);
    output.textContent = share === 0 ? "none" : `${share < 1 ? share.toFixed(1) : Math.round(share)}%`;
    slider.setAttribute("aria-valuetext", `an average over ${output.textContent} of a run`);
  };
  slider.addEventListener("input", () => {
    view.smoothing = Number(slider.value);
    showSmoothing();
    redrawAll();
  });
  showSmoothing();
  const log = bar.querySelector("#log");
  log.addEventListener("change", () => {
    view.logY = log.checked;
    redrawAll();
  });
  bar.hidden = !charts.length;
}

function setHidden(hides) {
  view.hidden = new Set([...DATA.runs.keys()].filter(hides));
  for (const row of document.querySelectorAll("tr[data-run]")) {
    row.classList.toggle("off", view.hidden.has(Number(row.dataset.run)));
  }
  for (const box of document.querySelectorAll("#legend input[type=checkbox]")) {
    box.checked = !view.hidden.has(Number(box.value));
  }
  const all = DATA.runs.length, shown = all - view.hidden.size;
  document.querySelector("#legend summary").textContent = shown === all ? `Runs (${all})` : `Runs (${shown} of ${all} shown)`;
  redrawAll();
  showAnswers();
}

// The list of runs: which are shown, and which stands out.
function makeRunList() {
  const list = document.getElementById("legend");
  if (!DATA.runs.length) return;
  const runAt = event => Number(event.target.closest("li")?.dataset.run ?? -1);
  list.addEventListener("change", event => {
    if (event.target.type === "checkbox") setHidden(run => (run === runAt(event) ? !event.target.checked : view.hidden.has(run)));
  });
  list.addEventListener("click", event => {
    const only = event.target.closest(".only"), all = event.target.closest("[data-hide]");
    if (only) setHidden(run => run !== runAt(event));
    if (all) setHidden(() => all.dataset.hide === "true");
  });
  const search = list.querySelector("[type=search]");
  if (search) {
    search.hidden = DATA.runs.length <= 8;
    search.addEventListener("input", () => {
      for (const item of list.querySelectorAll("li")) {
        item.classList.toggle("hidden", !DATA.runs[item.dataset.run].name.toLowerCase().includes(search.value.toLowerCase()));
      }
    });
  }
  const highlight = run => charts.forEach(chart => chart.highlight(view.hidden.has(run) ? -1 : run));
  for (const type of ["pointerover", "focusin"]) list.addEventListener(type, event => highlight(runAt(event)));
  for (const type of ["pointerleave", "focusout"]) list.addEventListener(type, () => highlight(-1));
  list.querySelector("details").open = matchMedia("(min-width: 1040px)").matches || DATA.runs.length <= 3;
  list.hidden = false;
  setHidden(() => false);
}
