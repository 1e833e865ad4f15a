/* What is selected and which view shows it: one state for all views, and the fragment of the address.
 *
 *   #lanes/n17      view and selection: n17 a node, b3 the barrier before group 3, g3 a group,
 *                   buffer:NAME, kernel:NAME; f2. in front: the second form of a plan of several */
const VIEWS = [ /* name, title, whether there is anything in it, how it is drawn */
  {name: "lanes", title: "Schedule", draw: drawLanes},
  {name: "memory", title: "Memory", draw: drawMemory},
  {name: "passes", title: "Passes", draw: drawPasses},
  {name: "nodes", title: "Nodes", draw: drawNodes},
  {name: "buffers", title: "Buffers", draw: drawBuffers},
  {name: "barriers", title: "Barriers", draw: drawBarriers},
  {name: "kernels", title: "Kernels", draw: drawKernels},
  {name: "time", title: "Time", draw: drawTime, there: () => form.profile},
  {name: "difference", title: "Difference", draw: drawDifference, there: () => form.raw.difference},
];
const state = {view: "lanes", kind: null, key: null};
let redraw = () => {}; /* of the view, when the selection changed */

const viewsHere = () => VIEWS.filter((view) => !view.there || view.there());

function selectionExists(kind, key) {
  switch (kind) {
    case "n": return form.nodes.has(key);
    case "b": return form.barriers.has(key);
    case "g": return key >= 0 && key < form.graph.groups.length;
    case "buffer": return form.buffers.has(key);
    case "kernel": return form.kernels.has(key);
  }
  return false;
}

function fragment() {
  const prefix = DOCUMENT.forms.length > 1 ? `f${form.index + 1}.` : "";
  const {kind, key} = state;
  if (!kind) return "#" + prefix + state.view;
  const name = kind === "buffer" ? "buffer:" + encodeURIComponent(form.buffers.get(key).name) :
    kind === "kernel" ? "kernel:" + encodeURIComponent(form.kernels.get(key).name) : kind + key;
  return "#" + prefix + state.view + "/" + name;
}

function readFragment() {
  let text = location.hash.slice(1);
  const prefixed = text.match(/^f(\d+)\.(.*)$/s);
  if (prefixed && DOCUMENT.forms[prefixed[1] - 1]) {
    if (form.index !== prefixed[1] - 1) showForm(prefixed[1] - 1);
    text = prefixed[2];
  }
  const slash = text.indexOf("/"), view = slash < 0 ? text : text.slice(0, slash), rest = slash < 0 ? "" : text.slice(slash + 1);
  if (viewsHere().some((v) => v.name === view)) state.view = view;
  state.kind = state.key = null;
  const plain = rest.match(/^([nbg])(\d+)$/), named = rest.match(/^(buffer|kernel):(.*)$/s);
  let kind = null, key = null;
  if (plain) { kind = plain[1]; key = +plain[2]; }
  if (named) {
    let name = "";
    try { name = decodeURIComponent(named[2]); } catch (error) { /* no name */ }
    kind = named[1];
    const found = (kind === "buffer" ? form.graph.buffers : form.graph.kernels).find((item) => item.name === name);
    key = found ? found.id : -1;
  }
  if (kind === "n" && !form.nodes.has(key) && form.inside.has(key)) key = form.inside.get(key);
  if (kind && selectionExists(kind, key)) { state.kind = kind; state.key = key; }
}

function keepFragment(replace) {
  const now = fragment();
  if (now === location.hash) return;
  try { history[replace ? "replaceState" : "pushState"](null, "", now); } catch (error) { /* in a frame without an address */ }
}

function select(kind, key, quietly) {
  if (kind && !selectionExists(kind, key)) return;
  state.kind = kind;
  state.key = key;
  keepFragment(quietly);
  drawPanel();
  redraw();
}

function showView(name) {
  state.view = name;
  keepFragment();
  drawView();
}

const isPicked = (kind, key) => state.kind === kind && state.key === key;

/* Nodes that have to do with the selection. */
function nearNodes() {
  const near = new Set();
  const {kind, key} = state;
  if (kind === "n") {
    for (const id of [...afterOf(key), ...beforeOf(key)]) near.add(id);
  } else if (kind === "buffer") {
    const fact = form.bufferFacts.get(key);
    for (const id of [...(fact && fact.writers || []), ...(fact && fact.readers || [])]) near.add(id);
  } else if (kind === "b") {
    for (const h of form.barriers.get(key).hazards) { near.add(h.from); near.add(h.to); }
  } else if (kind === "g") {
    for (const id of form.graph.groups[key]) near.add(id);
  } else if (kind === "kernel") {
    for (const node of form.graph.nodes) if (node.kernel === key) near.add(node.id);
  }
  return near;
}
function nearBuffers() {
  const near = new Set();
  const {kind, key} = state;
  const node = kind === "n" && form.nodes.get(key);
  if (node) for (const use of node.uses) near.add(use.buffer);
  if (kind === "buffer") for (const id of form.aliases.get(key) || []) near.add(id);
  if (kind === "b") for (const h of form.barriers.get(key).hazards) { near.add(h.buffer); near.add(h.from_buffer); }
  if (kind === "g") for (const id of form.graph.groups[key]) for (const use of form.nodes.get(id).uses) near.add(use.buffer);
  return near;
}
