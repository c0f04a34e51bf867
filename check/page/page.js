(() => {
  // The scenarios that are shown are those of a kind whose line has all words.
  const show = document.getElementById("show"), search = document.getElementById("search");
  const suites = [...document.querySelectorAll(".suite")];
  const kinds = {
    "": () => true,
    failed: (scenario) => scenario.dataset.result === "failed" || scenario.dataset.result === "error",
    changed: (scenario) => "changed" in scenario.dataset,
    known: (scenario) => scenario.querySelector("[data-key='known deviation']") !== null,
  };
  const choose = () => {
    const words = search.value.toLowerCase().split(/\s+/);
    let any = false;
    for (const suite of suites) {
      const title = suite.querySelector("h2").textContent;
      let some = false;
      for (const scenario of suite.querySelectorAll(".scenario")) {
        const line = `${title}/${scenario.querySelector("summary").textContent}`.toLowerCase();
        scenario.hidden = !kinds[show.value](scenario) || !words.every((word) => line.includes(word));
        some ||= !scenario.hidden;
      }
      suite.hidden = !some && (show.value !== "" || search.value !== "");
      any ||= !suite.hidden;
    }
    document.getElementById("nothing").hidden = any;
  };
  show.addEventListener("change", choose);
  search.addEventListener("input", choose);

  // What a link leads to is open.
  const open = () => {
    const target = location.hash && document.getElementById(location.hash.slice(1));
    if (!target || !target.matches("details")) return;
    if (target.hidden) {
      show.value = search.value = "";
      choose();
    }
    target.open = true;
    target.scrollIntoView();
  };
  addEventListener("hashchange", open);
  open();
})();
