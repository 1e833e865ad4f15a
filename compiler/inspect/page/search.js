/* Search: ids, names, labels, ops and kernels; all words of it must be found. */
let searchable = null;

function listSearchable() {
  const all = [];
  for (const node of form.graph.nodes) all.push({kind: "n", key: node.id, what: "node", name: "n" + node.id, words: `${nodeWord(node)} ${node.label || ""} ${node.op || ""} ${node.source.length > 1 ? node.source.map((id) => "n" + id).join(" ") : ""}`});
  for (const b of form.graph.buffers) all.push({kind: "buffer", key: b.id, what: "buffer", name: bufferWord(b), words: typeOf(b) + " " + b.kind});
  for (const k of form.graph.kernels) all.push({kind: "kernel", key: k.id, what: "kernel", name: "@" + k.name, words: ""});
  form.graph.groups.forEach((ids, group) => all.push({kind: "g", key: group, what: "group", name: "group " + group, words: ""}));
  for (const b of form.graph.barriers) all.push({kind: "b", key: b.before_group, what: "barrier", name: "barrier " + whereOf(b.before_group), words: b.src + " " + b.dst});
  for (const item of all) item.text = (item.name + " " + item.words).toLowerCase();
  return all;
}

function find(text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return [];
  if (!searchable) searchable = listSearchable();
  const exact = [], begins = [], rest = [];
  for (const item of searchable) {
    if (!words.every((word) => item.text.includes(word))) continue;
    const name = item.name.toLowerCase().replace(/^[%$@]/, "");
    (name === words[0].replace(/^[%$@]/, "") ? exact : name.startsWith(words[0]) ? begins : rest).push(item);
    if (begins.length + rest.length > 2000) break;
  }
  return [...exact, ...begins, ...rest].slice(0, 50);
}

function startSearch() {
  const input = byId("search"), list = byId("found");
  let items = [], at = 0;
  const mark = () => {
    [...list.children].forEach((li, i) => li.setAttribute("aria-selected", i === at ? "true" : "false"));
    if (list.children[at]) { list.children[at].scrollIntoView({block: "nearest"}); input.setAttribute("aria-activedescendant", list.children[at].id); }
  };
  const close = () => { list.hidden = true; input.setAttribute("aria-expanded", "false"); input.removeAttribute("aria-activedescendant"); };
  const go = (item) => { close(); select(item.kind, item.key); };
  const show = () => {
    items = find(input.value);
    at = 0;
    list.replaceChildren(...items.map((item, i) => make("li", {id: "found" + i, role: "option", onmousedown: (e) => { e.preventDefault(); go(item); }}, make("span", {class: "what"}, item.what), make("span", {class: "name"}, item.name), make("span", {class: "soft"}, item.words))));
    if (input.value.trim() && !items.length) list.append(make("li", {class: "soft"}, "nothing found"));
    list.hidden = !input.value.trim();
    input.setAttribute("aria-expanded", String(!list.hidden));
    mark();
  };
  input.addEventListener("input", show);
  input.addEventListener("focus", () => { if (input.value.trim()) show(); });
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") { event.preventDefault(); at = Math.max(0, Math.min(items.length - 1, at + (event.key === "ArrowDown" ? 1 : -1))); mark(); }
    if (event.key === "Enter" && items[at]) { go(items[at]); input.blur(); }
    if (event.key === "Escape") { input.value = ""; close(); input.blur(); }
  });
}
