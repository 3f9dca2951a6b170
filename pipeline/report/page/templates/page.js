// Draws the charts near the window first and the others when there is time; runs the parts' scripts.
const report = (() => {
  "use strict";
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const specs = read("page-charts"), data = read("page-data"), views = {};
  const hues = ["var(--c1)", "var(--c2)", "var(--c3)", "var(--c4)", "var(--c5)", "var(--c6)"];
  const guide = {
    domainColor: "var(--line)", tickColor: "var(--line)", gridColor: "var(--grid)",
    labelColor: "var(--soft)", titleColor: "var(--soft)", labelFontSize: 12, titleFontSize: 12,
    titleFontWeight: "normal", labelLimit: 220,
  };
  // Colours are variables of the style sheet, so that a picture follows light, dark and print.
  const config = {
    background: null, font: "system-ui, sans-serif",
    view: { stroke: null }, axis: guide, axisY: { domain: false, ticks: false },
    axisQuantitative: { tickCount: 6 },
    legend: { ...guide, orient: "top", title: null, symbolType: "circle" },
    header: { ...guide, labelColor: "var(--ink)" }, title: { color: "var(--ink)", fontSize: 13 },
    range: { category: hues }, mark: { color: hues[0] }, rule: { color: "var(--soft)" },
    text: { color: "var(--ink)", font: "system-ui, sans-serif" },
    bar: { fill: hues[0] }, line: { stroke: hues[0] }, point: { filled: true, size: 60 },
  };
  const seen = (element) => element.offsetParent !== null;

  async function draw(id) {
    const element = document.getElementById(id);
    const made = await vegaEmbed(element, specs[id], { actions: false, renderer: "svg", config });
    element.dataset.drawn = "yes";
    return made.view;
  }
  const chart = (id) => (views[id] ??= draw(id));
  const all = () => Object.keys(specs).map((id) => document.getElementById(id)).filter(Boolean);

  function drawNear() {
    const watch = new IntersectionObserver((entries) => {
      for (const entry of entries) if (entry.isIntersecting) chart(entry.target.id);
    }, { rootMargin: "400px" });
    all().forEach((element) => watch.observe(element));
  }
  function drawRest() {
    const next = all().find((element) => !views[element.id] && seen(element));
    if (!next) return;
    chart(next.id).finally(() => later(drawRest));
  }
  const later = (run) => ("requestIdleCallback" in window ? requestIdleCallback(run) : setTimeout(run, 50));

  // A region that does not scroll is no stop of the Tab key.
  function markScrolling() {
    for (const region of document.querySelectorAll(".scroll, .picture, pre")) {
      const scrolls = region.scrollWidth > region.clientWidth + 1;
      scrolls ? region.setAttribute("tabindex", "0") : region.removeAttribute("tabindex");
    }
  }
  function centrePictures() {
    for (const picture of document.querySelectorAll(".picture")) {
      picture.scrollLeft = (picture.scrollWidth - picture.clientWidth) / 2;
    }
  }
  function offerCopies() {
    if (!navigator.clipboard) return;
    for (const box of document.querySelectorAll("pre.command")) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = "Copy";
      button.addEventListener("click", async () => {
        await navigator.clipboard.writeText(box.querySelector("code").textContent);
        button.textContent = "Copied";
        setTimeout(() => { button.textContent = "Copy"; }, 1500);
      });
      box.append(button);
    }
  }
  function markPlace() {
    const links = new Map([...document.querySelectorAll("nav a")].map((a) => [a.hash.slice(1), a]));
    const watch = new IntersectionObserver((entries) => {
      for (const entry of entries) {
        if (!entry.isIntersecting) continue;
        links.forEach((link) => link.removeAttribute("aria-current"));
        links.get(entry.target.id)?.setAttribute("aria-current", "true");
      }
    }, { rootMargin: "-10% 0px -80% 0px" });
    document.querySelectorAll("main > section").forEach((section) => watch.observe(section));
  }
  function unfoldForPrint() {
    let opened = [];
    addEventListener("beforeprint", () => {
      const closed = [...document.querySelectorAll("main details:not([open]):not(.digest)")];
      closed.forEach((fold) => { fold.open = true; });
      opened.push(...closed); // a print may be announced twice
      all().forEach((element) => chart(element.id));
    });
    addEventListener("afterprint", () => {
      opened.forEach((fold) => { fold.open = false; });
      opened = [];
    });
  }
  function openTarget() {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (let fold = target; fold; fold = fold.parentElement) if (fold.tagName === "DETAILS") fold.open = true;
  }
  document.addEventListener("toggle", () => {
    dispatchEvent(new Event("resize")); // a chart in a fold takes its width
    markScrolling();
    later(drawRest);
  }, true);
  addEventListener("resize", markScrolling);
  addEventListener("hashchange", openTarget);
  if (matchMedia("(max-width: 66rem)").matches) document.querySelector("nav details").open = false;
  openTarget();
  markScrolling();
  centrePictures();
  offerCopies();
  markPlace();
  unfoldForPrint();
  if (all().length) { drawNear(); addEventListener("load", () => later(drawRest)); }

  return {
    chart,
    part: (id, run) => run(document.getElementById(id), data[id] ?? {}, chart),
  };
})();
