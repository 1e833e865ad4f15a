/* The document, and what is looked up in it. Nothing is concluded here: numbers are those of the JSON. */
const DOCUMENT = (() => {
  try {
    const read = JSON.parse(documentText());
    return read && Array.isArray(read.forms) ? read : {broken: "it is no inspection", forms: []};
  } catch (error) { return {broken: String(error), forms: []}; }
})();

/* The JSON. A large one is packed: '~', a digit for how many characters (6 to 90) and three for how far before these stood
 * already; digits of base 85 from '(' on, without '<'. */
function documentText() {
  const element = document.getElementById("document"), text = element.textContent, size = +element.dataset.size;
  if (!size) return text;
  const out = new Uint8Array(size), digit = (at) => { const c = text.charCodeAt(at); return c > 60 ? c - 41 : c - 40; };
  let to = 0;
  for (let at = 0; at < text.length; at++) {
    const c = text.charCodeAt(at);
    if (c !== 126) { out[to++] = c; continue; }
    let from = to - ((digit(at + 2) * 85 + digit(at + 3)) * 85 + digit(at + 4));
    for (let left = digit(at + 1) + 6; left > 0; left--) out[to++] = out[from++];
    at += 4;
  }
  if (to !== size) throw new Error("it was cut off");
  return new TextDecoder().decode(out);
}

let form = null; /* the form that is shown, with its indices */

function byKey(list, key) {
  const map = new Map();
  for (const item of list || []) map.set(item[key], item);
  return map;
}

function lists(pairs) { /* [[from, to], ...] as a map of lists, both ways */
  const map = new Map();
  const add = (a, b) => { if (!map.has(a)) map.set(a, []); map.get(a).push(b); };
  for (const [a, b] of pairs || []) { add(a, b); add(b, a); }
  return map;
}

function openForm(index) {
  const raw = DOCUMENT.forms[index];
  const graph = raw.graph || {nodes: [], buffers: [], kernels: [], groups: [], barriers: [], stats: {}};
  const facts = raw.facts || {nodes: [], buffers: [], kernels: [], barriers: [], glsl: [], aliases: [], alive_bytes: []};
  form = {index, raw, graph, facts};
  form.sources = byKey(raw.source && raw.source.nodes, "id");
  form.nodes = byKey(graph.nodes, "id");
  form.nodeFacts = byKey(facts.nodes, "id");
  form.buffers = byKey(graph.buffers, "id");
  form.bufferFacts = byKey(facts.buffers, "buffer");
  form.bufferNames = byKey(graph.buffers, "name");
  form.kernels = byKey(graph.kernels, "id");
  form.kernelFacts = byKey(facts.kernels, "kernel");
  form.barriers = byKey(graph.barriers, "before_group");
  form.barrierFacts = byKey(facts.barriers, "before_group");
  form.aliases = lists(facts.aliases);
  form.inside = new Map(); /* source id -> the node that does its work */
  for (const node of graph.nodes) for (const id of node.source) form.inside.set(id, node.id);
  form.hazards = new Map(); /* node id -> [{hazard, barrier}] on either side */
  const note = (id, entry) => { if (!form.hazards.has(id)) form.hazards.set(id, []); form.hazards.get(id).push(entry); };
  for (const barrier of graph.barriers)
    barrier.hazards.forEach((hazard, at) => {
      note(hazard.from, {hazard, barrier, at});
      if (hazard.to !== hazard.from) note(hazard.to, {hazard, barrier, at});
    });
  const profile = raw.profile; /* of any program: what lacks the parts that are shown is none */
  form.profile = profile && Array.isArray(profile.nodes) && Array.isArray(profile.groups) && profile.whole && profile.target ? profile : null;
  form.times = byKey(form.profile && form.profile.nodes, "id");
  form.barrierTimes = byKey(form.profile && form.profile.barriers, "before_group");
  form.decisions = new Map(); /* node id -> [{pass, decision}] */
  for (const pass of raw.passes)
    for (const decision of pass.decisions)
      for (const id of new Set(decision.nodes)) {
        if (!form.decisions.has(id)) form.decisions.set(id, []);
        form.decisions.get(id).push({pass, decision});
      }
  return form;
}

/* ---- Words ---- */
const bytesOf = (n) => {
  if (n === null || n === undefined) return "?";
  if (n < 10240) return n.toLocaleString("en") + " B";
  const units = ["KiB", "MiB", "GiB", "TiB"];
  let value = n / 1024, unit = 0;
  while (value >= 1024 && unit < 3) { value /= 1024; unit++; }
  return (value >= 100 ? value.toFixed(0) : value.toFixed(1)) + " " + units[unit];
};
const fileName = (path) => path.replace(/^.*\//, "");
/* Of a plan it is not known in which file its source stood: "line 3". What was recorded by calls has numbers that say
 * nothing to a reader. */
const lineOf = (line) => DOCUMENT.source_file ? `${fileName(DOCUMENT.source_file)}:${line}` : DOCUMENT.file ? `line ${line}` : "";
const afterOf = (id) => form.nodeFacts.has(id) ? form.nodeFacts.get(id).after : [];
const beforeOf = (id) => form.nodeFacts.has(id) ? form.nodeFacts.get(id).before : [];
const barrierTime = (at) => form.barrierTimes.get(at);
const rateOf = (n) => n >= 1e12 ? (n / 1e12).toFixed(2) + " TB/s" : n >= 1e9 ? (n / 1e9).toFixed(1) + " GB/s" : (n / 1e6).toFixed(1) + " MB/s";
const percentOf = (share) => share === null || share === undefined ? "" : (100 * share).toFixed(share < .0995 ? 1 : 0) + " %";
const factorOf = (factor) => factor === null || factor === undefined ? "" : factor.toFixed(factor < 100 ? 2 : 0) + " ×";
const timeOf = (ns) => ns === null || ns === undefined ? "" : ns >= 1e9 ? (ns / 1e9).toFixed(2) + " s" : ns >= 1e6 ? (ns / 1e6).toFixed(2) + " ms" : ns >= 1000 ? (ns / 1e3).toFixed(2) + " µs" : ns.toFixed(ns < 10 ? 1 : 0) + " ns";
const countOf = (n) => n === null || n === undefined ? "" : Number(n).toLocaleString("en");
const nodeWord = (node) => node.members && node.members.length > 1 ? node.members.map((m) => m.op).join(" ") : node.kind === "op" || !node.members ? node.name : node.members[0].op;
const isTransfer = (node) => !["run", "op", "fence"].includes(node.kind);
const bufferWord = (buffer) => (buffer.kind === "tmp" ? "%" : "$") + buffer.name;
const typeOf = (buffer) => buffer.image ? `${buffer.image.dim} ${buffer.image.format} ${buffer.image.width}×${buffer.image.height}×${buffer.image.depth}` : buffer.dtype === "raw" ? "raw" : `${buffer.dtype}[${buffer.shape.join(", ")}]`;
const gridOf = (node) => node.grid ? node.grid.join(" × ") : node.kind === "run" ? "by the GPU" : "";
const whereOf = (group) => group >= form.graph.groups.length ? "at the end" : group === 0 ? "before the plan" : `before group ${group}`;
