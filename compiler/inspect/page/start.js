/* The frame: figures, views, keys, theme, printing; and the beginning. */
const KEYS = [["/", "search"], ["1 – 9", "a view"], ["j  k", "the next and the last of its kind"], ["h  l", "the group before and behind"], ["+  −", "wider and narrower groups"], ["w", "the schedule in rows or in one"], ["Esc", "select nothing"], ["Alt ←", "back to what was selected before"], ["t", "light or dark"], ["?", "these keys"]];

function drawFigures() {
  const s = form.graph.stats, figure = (term, ...value) => make("div", {}, make("dt", {}, term), make("dd", {}, ...value));
  const bold = (text) => make("b", {}, text);
  const scheduled = form.graph.groups.length > 0, source = form.raw.source ? form.raw.source.nodes.length : null;
  const against = (bound, reached, format) => reached <= bound ? [bold(format(reached)), make("span", {class: "soft"}, " = bound")] : [bold(format(reached)), make("span", {class: "soft"}, ` bound ${format(bound)}`)];
  const list = make("dl", {});
  add(list, [
    figure("nodes", source !== null && source !== s.nodes ? [countOf(source), " → ", bold(countOf(s.nodes))] : bold(countOf(s.nodes))),
    figure("dispatches", bold(countOf(s.dispatches))),
    s.transfers ? figure("transfers", bold(countOf(s.transfers))) : null,
    scheduled ? figure("groups", bold(countOf(s.groups))) : null,
    form.graph.synced ? figure("barriers", against(s.barrier_bound, s.barriers, countOf), s.tagged ? [", ", bold(countOf(s.tagged_barriers)), " where readers wait"] : null) : null,
    form.graph.placed ? figure("arena", against(s.arena_bound_bytes, s.arena_bytes, bytesOf)) : null,
    figure("unshared", bold(bytesOf(s.transient_bytes))),
    figure("other buffers", bold(bytesOf(s.external_bytes))),
    figure("kernels", bold(countOf(form.graph.kernels.length))),
    form.profile ? figure("replay", bold(timeOf(form.profile.whole.median_ns)), ` on ${form.profile.device}`) : null,
  ]);
  byId("figures").replaceChildren(list);
}

function drawTabs() {
  byId("views").replaceChildren(...viewsHere().map((view, i) => make("button", {type: "button", "data-view": view.name, title: "Key " + (i + 1), "aria-current": view.name === state.view ? "page" : null, onclick: () => showView(view.name)}, view.title)));
}

function drawView() {
  const main = byId("main");
  redraw = () => {};
  main.replaceChildren();
  drawTabs();
  const view = viewsHere().find((v) => v.name === state.view) || VIEWS[0];
  view.draw(main);
}

function showForm(index) {
  openForm(index);
  searchable = null;
  Object.assign(lanes, {group: 0, wrap: null});
  Object.assign(arenaView, {zoom: null, group: 0});
  const name = form.graph.graph || DOCUMENT.file || "nothing";
  byId("title").textContent = name;
  document.title = name + " – Reprise";
  drawFigures();
}

function go() {
  readFragment();
  drawView();
  drawPanel();
}

/* ---- Keys ---- */
function step(by) {
  const keys = redraw.keys ? redraw.keys() : form.graph.nodes.map((n) => n.id);
  const kind = redraw.keys ? {nodes: "n", time: "n", buffers: "buffer", memory: "buffer", barriers: "b", kernels: "kernel"}[state.view] : "n";
  const at = state.kind === kind ? keys.indexOf(state.key) : -1;
  const next = at < 0 ? (by > 0 ? 0 : keys.length - 1) : Math.max(0, Math.min(keys.length - 1, at + by));
  if (keys.length) select(kind, keys[next], true);
}

function stepGroup(by) {
  const groups = form.graph.groups.length;
  if (!groups) return;
  const fact = state.kind === "buffer" && form.bufferFacts.get(state.key);
  const now = state.kind === "g" || state.kind === "b" ? state.key : state.kind === "n" ? form.nodes.get(state.key).group : fact && fact.first_group !== null ? fact.first_group : by > 0 ? -1 : groups;
  select("g", Math.max(0, Math.min(groups - 1, now + by)), true);
}

function switchTheme() {
  const root = document.documentElement, dark = root.classList.contains("dark") || (!root.classList.contains("light") && matchMedia("(prefers-color-scheme: dark)").matches);
  root.classList.toggle("dark", !dark);
  root.classList.toggle("light", dark);
  try { localStorage.setItem("reprise-theme", dark ? "light" : "dark"); } catch (error) { /* not kept */ }
  redraw();
}

/* The document as `--format inspection` writes it, but for how strings are escaped. */
function saveDocument() {
  const address = URL.createObjectURL(new Blob([documentText()], {type: "application/json"}));
  make("a", {href: address, download: (form.graph.graph || "inspection").replace(/[^\w.-]/g, "_") + ".json"}).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, select, textarea") || byId("help").open) return;
  const view = viewsHere()[event.key - 1];
  if (view) showView(view.name);
  else if (event.key === "/") byId("search").focus();
  else if (event.key === "j") step(1);
  else if (event.key === "k") step(-1);
  else if (event.key === "l") stepGroup(1);
  else if (event.key === "h") stepGroup(-1);
  else if (event.key === "Escape") select(null, null);
  else if (event.key === "t") switchTheme();
  else if (event.key === "?") byId("help").showModal();
  else if ((event.key === "+" || event.key === "=") && redraw.zoom) redraw.zoom(1);
  else if (event.key === "-" && redraw.zoom) redraw.zoom(-1);
  else if (event.key === "w" && redraw.wrap) redraw.wrap();
  else return;
  event.preventDefault();
}

function start() {
  try { const kept = localStorage.getItem("reprise-theme"); if (kept === "dark" || kept === "light") document.documentElement.classList.add(kept); } catch (error) { /* the system's */ }
  if (!DOCUMENT.forms.length) {
    byId("main").replaceChildren(make("p", {class: "empty", role: "alert"}, DOCUMENT.broken ? "The data of this page cannot be read: " + DOCUMENT.broken : "There is nothing in this inspection."));
    for (const id of ["figures", "save", "search"]) byId(id).hidden = true;
    return;
  }
  const choice = byId("form");
  DOCUMENT.forms.forEach((f, i) => choice.append(make("option", {value: i}, f.title || "form " + (i + 1))));
  document.querySelector(".formchoice").hidden = DOCUMENT.forms.length < 2;
  choice.addEventListener("change", () => { showForm(+choice.value); state.kind = state.key = null; if (!viewsHere().some((v) => v.name === state.view)) state.view = "lanes"; keepFragment(); drawView(); drawPanel(); });
  byId("help").append(make("table", {}, KEYS.map(([key, what]) => make("tr", {}, make("td", {}, make("kbd", {}, key)), make("td", {}, what)))), make("form", {method: "dialog"}, make("button", {class: "link"}, "close")));
  byId("keys").addEventListener("click", () => byId("help").showModal());
  byId("theme").addEventListener("click", switchTheme);
  byId("save").addEventListener("click", saveDocument);
  document.addEventListener("keydown", onKey);
  window.addEventListener("hashchange", () => { go(); choice.value = form.index; });
  window.addEventListener("popstate", () => { go(); choice.value = form.index; });
  const print = (on) => { document.documentElement.classList.toggle("printed", on); if (redraw.print) redraw.print(on); };
  window.addEventListener("beforeprint", () => print(true));
  window.addEventListener("afterprint", () => print(false));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => redraw());
  window.addEventListener("resize", () => redraw());
  startSearch();
  showForm(0);
  go();
  choice.value = form.index;
}
start();
requestAnimationFrame(() => requestAnimationFrame(() => performance.mark("drawn")));
