// Light or dark: the reader's choice, or the system's.

function remembered(value) {
  try {  // a page from a file may have no storage
    if (value !== undefined) localStorage.setItem("lmpo-theme", value);
    return localStorage.getItem("lmpo-theme");
  } catch {
    return null;
  }
}

function makeThemeButton() {
  const signs = {auto: "◐ auto", light: "☀ light", dark: "☾ dark"};
  const themes = Object.keys(signs);
  let theme = themes.includes(remembered()) ? remembered() : "auto";
  const apply = () => {
    toggle.textContent = signs[theme];
    document.documentElement.style.colorScheme = theme === "auto" ? "" : theme;
  };
  const toggle = button("", "Light or dark", () => {
    theme = themes[(themes.indexOf(theme) + 1) % themes.length];
    remembered(theme);
    apply();
  });
  apply();
  document.getElementById("theme").append(toggle);
}
