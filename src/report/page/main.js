makeCharts();
makeControls();
makeLegend();
makeTables();
makeAnswers();
if (DATA.runs.length) showHiddenRuns();
else showAnswers();

// Paper is white, and all of the page is on it.
let screenScheme = "";
addEventListener("beforeprint", () => {
  screenScheme = document.documentElement.style.colorScheme;
  document.documentElement.style.colorScheme = "light";
  colours.clear();
  drawEverything();
});
addEventListener("afterprint", () => {
  document.documentElement.style.colorScheme = screenScheme;
  colours.clear();
  drawEverything();
});
