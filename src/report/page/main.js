document.body.classList.add("scripted");
makeCharts();
makeThemeButton();
makeControls();
makeTables();
makeAnswers();
makeRunList();
showAnswers();

// What is out of sight comes onto paper as well.
addEventListener("beforeprint", drawEverything);
