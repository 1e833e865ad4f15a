/* The panel: everything about what is selected, in the words of the data. */
function drawPanel() {
  const panel = byId("panel");
  panel.replaceChildren();
  panel.scrollTop = 0;
  const {kind, key} = state;
  const parts = kind === "n" ? nodePanel(form.nodes.get(key)) : kind === "buffer" ? bufferPanel(form.buffers.get(key)) :
    kind === "b" ? barrierPanel(form.barriers.get(key)) : kind === "g" ? groupPanel(key) :
    kind === "kernel" ? kernelPanel(form.kernels.get(key)) : overviewPanel();
  add(panel, parts);
}

/* Behind so many of a list. */
const more = (list, shown) => list.length > shown ? ` and ${countOf(list.length - shown)} more` : null;

/* ---- Nothing selected ---- */
function overviewPanel() {
  const s = form.graph.stats, passes = form.raw.passes;
  const critical = form.facts.nodes.filter((fact) => fact.critical).map((fact) => fact.id);
  const needless = form.facts.barriers.filter((b) => b.needless);
  return [
    make("h2", {}, form.graph.graph || "nothing compiled"),
    facts(["file", DOCUMENT.file ? make("span", {title: DOCUMENT.file}, fileName(DOCUMENT.file)) : null], ["form", form.raw.title], ["target", form.graph.target ? form.graph.target.name : "portable"],
      ["longest path", form.facts.longest_path ? `${countOf(form.facts.longest_path)} nodes; no order needs fewer than ${countOf(s.barrier_bound)} barriers` : null],
      ["memory", s.arena_bytes ? `${bytesOf(s.arena_bytes)} of arena, at least ${bytesOf(s.arena_bound_bytes)} for this schedule, ${bytesOf(s.transient_bytes)} unshared` : null],
      ["compiled in", passes.length ? `${timeOf(form.raw.seconds * 1e9)} in ${passes.length} passes` : null]),
    needless.length ? section("Barriers that nothing needs alone", make("p", {}, commas(needless.slice(0, 40).map((b) => pickBarrier(b.before_group))), more(needless, 40))) : null,
    critical.length ? section("Critical path", make("p", {}, commas(critical.slice(0, 60).map(pickNode)), more(critical, 60))) : null,
    section("Select", make("p", {class: "soft"}, "Click a node, a barrier, a buffer or a kernel in any view: all views show the same selection. Press ? for the keys.")),
  ];
}

/* ---- A node ---- */
function sourcePart(node) {
  return [...node.source.slice(0, 40).map((id) => {
    const source = form.sources.get(id);
    if (!source) return null;
    return make("div", {},
      make("p", {}, make("span", {class: "name"}, "n" + id), source.line ? make("span", {class: "soft"}, " " + lineOf(source.line)) : null, source.label ? make("span", {class: "soft"}, " " + source.label) : null),
      source.written ? make("pre", {class: "written"}, source.written.trim()) : null,
      make("p", {class: "name soft"}, source.text ? linked(source.text) : null));
  }), more(node.source, 40)];
}

function orderPart(node, fact) {
  const entries = form.hazards.get(node.id) || [];
  const side = (here) => {
    const those = entries.filter(here), rows = those.slice(0, 60).map(({hazard, barrier}) => make("li", {},
      make("span", {class: hazard.kind}, hazard.kind), " ",
      hazard.from === node.id ? ["→ ", hazard.to === "host" ? "the host" : pickNode(hazard.to)] : ["← ", pickNode(hazard.from)], " ",
      hazardBytes(hazard), hazard.next_replay ? " in the next replay" : "", hazard.waits ? " (waits for its words)" : "", make("span", {class: "soft"}, " by "), pickBarrier(barrier.before_group)));
    return rows.length ? make("ul", {}, rows, make("li", {class: "soft"}, more(those, 60))) : make("p", {class: "soft"}, "nothing");
  };
  return [
    section("Waits for", side((e) => e.hazard.to === node.id && !(e.hazard.from === node.id && !e.hazard.next_replay)),
      fact && fact.after.length ? make("p", {class: "soft"}, "By what it names: ", commas(fact.after.map(pickNode)), fact.after_more ? " …" : "") : null),
    section("Waited for by", side((e) => e.hazard.from === node.id && e.hazard.to !== node.id),
      fact && fact.before.length ? make("p", {class: "soft"}, "By what it names: ", commas(fact.before.map(pickNode)), fact.before_more ? " …" : "") : null),
  ];
}

/* What the later node says that it uses, where that is more than the bytes that are shared. */
function namedMore(hazard) {
  const node = hazard.to === "host" || hazard.buffer === null ? null : form.nodes.get(hazard.to);
  const use = node && node.uses.find((u) => u.buffer === hazard.buffer && u.offset <= hazard.offset && hazard.offset + hazard.size <= u.offset + u.size && u.size > hazard.size);
  if (!use) return null;
  const whole = use.offset === 0 && use.size === form.buffers.get(use.buffer).size;
  return make("span", {class: "soft"}, `, of which n${node.id} names ${whole ? "all " + bytesOf(use.size) : `[${use.offset} + ${use.size}]`}`);
}

function hazardBytes(hazard) {
  if (hazard.buffer === null) return "everything";
  const buffer = form.buffers.get(hazard.buffer);
  const whole = buffer && hazard.offset === 0 && hazard.size === buffer.size;
  const aliased = hazard.from_buffer !== null && hazard.from_buffer !== hazard.buffer;
  return [aliased ? [pickBuffer(hazard.from_buffer), make("span", {class: "soft"}, " whose memory became "), ""] : null, pickBuffer(hazard.buffer),
    make("span", {class: "soft"}, whole ? ` whole, ${bytesOf(hazard.size)}` : ` [${hazard.offset} + ${hazard.size}]`)];
}

function usesPart(node) {
  if (!node.uses.length) return node.unknown ? section("Uses", make("p", {}, "not declared: it is ordered against everything")) : null;
  return section("Uses", make("table", {}, make("tr", {}, make("th", {}, ""), make("th", {}, "buffer"), make("th", {}, "bytes")),
    node.uses.map((use) => {
      const buffer = form.buffers.get(use.buffer);
      const whole = use.offset === 0 && buffer && use.size === buffer.size;
      return make("tr", {}, make("td", {class: "mono " + use.access}, use.access + (use.indirect ? " grid" : "")), make("td", {}, pickBuffer(use.buffer)),
        make("td", {class: "soft"}, whole ? `whole, ${bytesOf(use.size)}` : `[${use.offset} + ${use.size}]`));
    })));
}

function membersPart(node) {
  if (!node.members) return null;
  const operand = (o) => o.access === null ? "-" : [make("span", {class: o.access}, o.access + " "), o.name, " ", o.buffer === null ? `^${o.value}` : pickBuffer(o.buffer), make("span", {class: "soft"}, ` ${o.dtype}[${o.shape.join(",")}]`)];
  return section(node.members.length > 1 ? `${node.members.length} ops in one kernel` : "Op", make("ul", {}, node.members.map((m) => make("li", {},
    make("span", {class: "name"}, `n${m.id} `, make("b", {}, m.op), Object.keys(m.attrs).length ? " " + JSON.stringify(m.attrs) : ""),
    make("div", {class: "name soft"}, m.operands.flatMap((o, i) => i ? [", ", operand(o)] : [operand(o)]))))));
}

function decisionsPart(node) {
  const seen = new Set(), rows = [];
  for (const id of new Set([node.id, ...node.source]))
    for (const {pass, decision} of form.decisions.get(id) || [])
      if (!seen.has(decision)) { seen.add(decision); rows.push(make("li", {}, make("span", {class: "soft"}, pass.pass + ": "), linked(decision.text))); }
  return rows.length ? section("Why so", make("ul", {}, rows.slice(0, 60), make("li", {class: "soft"}, more(rows, 60)))) : null;
}

function timePart(node, fact) {
  const time = form.times.get(node.id);
  if (!time && (!fact || fact.bytes_read === undefined)) return null;
  return section(time ? "Time" : "Cost", facts(
    ["measured", time ? `${timeOf(time.median_ns)} alone, least ${timeOf(time.least_ns)}` : null],
    ["expected", fact && fact.expected_ns !== undefined ? timeOf(fact.expected_ns) : null],
    ["estimate", time && time.expected_factor ? `measured is ${factorOf(time.expected_factor)} what was expected` : null],
    ["limit", time ? time.limit : null],
    ["share", time && time.share !== undefined ? `${percentOf(time.share)} of all nodes, each alone` : null],
    ["achieved", time && time.memory_share ? `${percentOf(time.memory_share)} of what memory gives` + (time.arithmetic_share ? `, ${percentOf(time.arithmetic_share)} of ${time.ceiling}` : "") : null],
    ["bytes", fact && fact.bytes_read !== undefined ? `${bytesOf(fact.bytes_read)} read, ${bytesOf(fact.bytes_written)} written` + (fact.memory_ns ? `, ${timeOf(fact.memory_ns)} at the target's rate` : "") : null],
    ["operations", fact && fact.operations !== undefined ? countOf(fact.operations) + (fact.arithmetic_ns ? `, ${timeOf(fact.arithmetic_ns)} at ${fact.ceiling}` : "") : null]));
}

function nodePanel(node) {
  const fact = form.nodeFacts.get(node.id), slack = fact && fact.slack, groups = form.graph.groups.length;
  const kernel = node.kernel !== undefined ? form.kernels.get(node.kernel) : null;
  const kernelFact = kernel && form.kernelFacts.get(kernel.id);
  const place = (n) => (100 * n / Math.max(groups, 1)).toFixed(2) + "%";
  return [
    make("h2", {}, make("span", {class: "name"}, "n" + node.id), " ", nodeWord(node)),
    make("div", {class: "tagline"}, make("span", {class: "tag"}, node.kind), fact && fact.critical ? make("span", {class: "tag critical"}, "critical") : null,
      node.optional ? make("span", {class: "tag"}, "optional") : null, node.unknown ? make("span", {class: "tag"}, "unknown uses") : null, node.label ? make("span", {class: "tag name"}, node.label) : null, node.op ? make("span", {class: "tag name"}, node.op) : null),
    node.group === null ? null : [facts(["place", pickGroup(node.group), slack ? ` could stand in groups ${fact.earliest} to ${fact.latest}: slack ${slack}` : slack === 0 ? " and nowhere else: no slack" : ""]),
      slack ? make("div", {class: "spark", "aria-hidden": true}, make("i", {style: `left:${place(fact.earliest)};width:${place(slack + 1)}`}), make("b", {style: `left:${place(node.group + .5)}`})) : null],
    kernel ? facts(["kernel", pick("kernel", kernel.id, "@" + kernel.name)], ["grid", gridOf(node)], ["workgroup", kernel.local.join(" × ")],
      ["variant", fact && fact.variant ? fact.variant + (fact.decided ? ": " + fact.decided : "") : null],
      ["resident", kernelFact && kernelFact.resident_groups ? kernelFact.resident_groups + " workgroups a multiprocessor" : null]) : facts(["grid", gridOf(node)]),
    timePart(node, fact), section("Source", sourcePart(node)), decisionsPart(node), orderPart(node, fact), usesPart(node), membersPart(node),
    kernelFact ? spirvPart(kernelFact) : null, fact && fact.glsl !== undefined && fact.glsl !== null ? glslPart(fact.glsl, node) : null,
  ];
}

/* ---- Kernels ---- */
function spirvPart(fact) {
  const s = fact.spirv;
  if (!s) return null;
  const some = ["loads", "stores", "floats", "integers", "extended", "dots", "matrices", "subgroups", "atomics", "branches", "loops", "barriers", "functions"].filter((key) => s[key]);
  return section("SPIR-V", make("p", {}, `${bytesOf(s.bytes)}, ${countOf(s.instructions)} instructions: `, some.map((key) => `${s[key]} ${key}`).join(", ")));
}

function glslPart(index, node) {
  const {text, parts} = form.facts.glsl[index], lines = text.replace(/\n$/, "").split("\n"), owner = new Map();
  for (const [first, last, member] of parts) for (let i = first; i <= last; i++) owner.set(i, member);
  const pre = make("pre", {tabindex: 0, "aria-label": "GLSL"}), members = node && node.members || [];
  const rows = lines.map((line, i) => make("span", {class: "row", "data-line": i + 1, title: owner.has(i + 1) && members[owner.get(i + 1)] ? `n${members[owner.get(i + 1)].id} ${members[owner.get(i + 1)].op}` : null}, line || " "));
  add(pre, [rows]);
  const show = (member) => rows.forEach((row, i) => row.classList.toggle("mine", member !== null && owner.get(i + 1) === member));
  const names = members.length > 1 ? make("p", {}, make("span", {class: "soft"}, "Lines of "), members.map((m, i) => [make("button", {class: "link", type: "button", onclick: () => { show(i); const first = rows.findIndex((r, at) => owner.get(at + 1) === i); if (first >= 0) pre.scrollTop = rows[first].offsetTop - pre.offsetTop - 20; }}, `n${m.id} ${m.op}`), " "])) : null;
  return section(`GLSL, ${lines.length} lines`, names, pre);
}

function kernelPanel(kernel) {
  const fact = form.kernelFacts.get(kernel.id), nodes = form.graph.nodes.filter((n) => n.kernel === kernel.id);
  return [
    make("h2", {}, make("span", {class: "name"}, "@" + kernel.name)),
    facts(["entry", kernel.entry], ["workgroup", kernel.local.join(" × ")], ["shared", kernel.shared_bytes ? bytesOf(kernel.shared_bytes) : null], ["push", kernel.push_bytes ? bytesOf(kernel.push_bytes) : null], ["hash", kernel.hash ? make("span", {class: "name"}, kernel.hash) : "no body"],
      ["resident", fact && fact.resident_groups ? fact.resident_groups + " workgroups a multiprocessor" : null],
      ["constants", kernel.spec.length ? kernel.spec.map((s) => `${s.id} = ${s.value}`).join(", ") : null]),
    section(`${countOf(fact ? fact.nodes : nodes.length)} nodes`, make("p", {}, commas(nodes.slice(0, 200).map((n) => pickNode(n.id))), more(nodes, 200))),
    section("Parameters", make("table", {}, kernel.params.map((p) => make("tr", {}, make("td", {class: "mono " + p.access}, p.access), make("td", {class: "name"}, p.name || ""), make("td", {class: "soft"}, `set ${p.set}, binding ${p.binding}` + (p.resource ? ", " + p.resource : "")))))),
    fact ? spirvPart(fact) : null, fact && fact.glsl !== undefined && fact.glsl !== null ? glslPart(fact.glsl, nodes[0]) : null,
  ];
}

/* ---- Buffers, barriers, groups ---- */
function bufferPanel(buffer) {
  const fact = form.bufferFacts.get(buffer.id) || {writers: [], readers: []}, shared = form.aliases.get(buffer.id) || [];
  const lived = fact.first_group !== null && fact.first_group !== undefined;
  return [
    make("h2", {}, make("span", {class: "name"}, bufferWord(buffer))),
    make("div", {class: "tagline"}, make("span", {class: "tag"}, buffer.kind), buffer.tagged ? make("span", {class: "tag"}, "tagged") : null),
    facts(["type", make("span", {class: "name"}, typeOf(buffer))], ["size", `${bytesOf(buffer.size)} (${countOf(buffer.size)} bytes)`],
      ["arena", buffer.offset !== null ? `from byte ${countOf(buffer.offset)}` + (fact.arena_bytes ? `, ${bytesOf(fact.arena_bytes)} there` : "") : null],
      ["alias set", buffer.alias !== undefined && buffer.alias !== null ? buffer.alias : null],
      ["alive", lived ? (fact.first_group === fact.last_group ? pickGroup(fact.first_group) : ["from ", pickGroup(fact.first_group), " to ", pickGroup(fact.last_group)]) : null],
      ["largest", buffer.max !== undefined && buffer.max !== null ? countOf(buffer.max) : null]),
    section("Writers", make("p", {}, fact.writers.length ? [commas(fact.writers.slice(0, 300).map(pickNode)), more(fact.writers, 300)] : make("span", {class: "soft"}, buffer.kind === "tmp" ? "none" : "the host"))),
    section("Readers", make("p", {}, fact.readers.length ? [commas(fact.readers.slice(0, 300).map(pickNode)), more(fact.readers, 300)] : make("span", {class: "soft"}, "none"))),
    shared.length ? section("Shares bytes with", make("ul", {}, shared.slice(0, 100).map((id) => { const f = form.bufferFacts.get(id); return make("li", {}, pickBuffer(id), make("span", {class: "soft"}, f ? `, groups ${f.first_group} to ${f.last_group}` : "")); }), make("li", {class: "soft"}, more(shared, 100)))) : null,
    bufferHazards(buffer),
  ];
}

function bufferHazards(buffer) {
  const rows = [];
  for (const barrier of form.graph.barriers)
    for (const h of barrier.hazards)
      if (h.buffer === buffer.id || h.from_buffer === buffer.id) rows.push([h, barrier]);
  return rows.length ? section("Ordered for it", make("ul", {}, rows.slice(0, 60).map(([h, barrier]) => make("li", {}, hazardWords(h), make("span", {class: "soft"}, " by "), pickBarrier(barrier.before_group))), make("li", {class: "soft"}, more(rows, 60)))) : null;
}

const hazardWords = (h) => [make("span", {class: h.kind}, h.kind), " ", pickNode(h.from), " → ", h.to === "host" ? "the host" : pickNode(h.to), h.next_replay ? " of the next replay" : ""];
const hazardMeaning = {raw: "reads what was written", war: "overwrites what was read", waw: "overwrites what was written", order: "is ordered against everything"};

function barrierPanel(barrier) {
  const fact = form.barrierFacts.get(barrier.before_group) || {alone: [], bytes: 0}, alone = new Set(fact.alone);
  const groups = form.graph.groups.length, at = barrier.before_group, time = barrierTime(at), before = form.profile && at > 0 && form.profile.groups[at - 1];
  const row = (h, i, only) => make("li", {}, hazardWords(h), " ", make("span", {}, hazardBytes(h), namedMore(h)), only ? make("span", {class: "bad", title: "no other barrier orders it"}, " ●") : null);
  const shown = barrier.hazards.slice(0, 300);
  return [
    make("h2", {}, "Barrier ", whereOf(at)),
    facts(["orders", at > 0 && at < groups ? [pickGroup(at - 1), " and earlier before ", pickGroup(at)] : at === 0 ? "the replay before it" : "results for the host"],
      ["scopes", make("span", {class: "name"}, `${barrier.src} → ${barrier.dst}`)], ["tagged form", barrier.tagged_src !== undefined ? make("span", {class: "name"}, fact.tagged_away ? "not needed there" : `${barrier.tagged_src} → ${barrier.tagged_dst}`) : null],
      ["bytes", fact.bytes ? bytesOf(fact.bytes) : null], ["measured", time ? `${timeOf(time.median_ns)} behind the last of the work before it, least ${timeOf(time.least_ns)}` : null],
      ["group before", before ? `${timeOf(before.median_ns)} with this barrier` + (before.beyond_ns === undefined ? "" : `, ${timeOf(before.beyond_ns)} beyond its longest node`) : null]),
    section("Without it", fact.alone.length ? make("p", {}, `${countOf(fact.alone.length)} of ${countOf(barrier.hazards.length)} hazards would be ordered by nothing (`, make("span", {class: "bad"}, "●"), "): ",
      [...new Set(fact.alone.map((i) => barrier.hazards[i].kind))].map((kind) => hazardMeaning[kind]).join("; "), ".") :
      make("p", {}, barrier.hazards.length ? "Nothing would break: other barriers order each of its hazards." : "It has no hazard of its own: it repeats what the replay before needs.")),
    section(`Hazards`, make("ul", {}, shown.map((h, i) => row(h, i, alone.has(i)))), make("p", {class: "soft"}, more(barrier.hazards, 300))),
    barrier.tagged_hazards ? section("Hazards of the tagged form", make("ul", {}, barrier.tagged_hazards.slice(0, 100).map((h) => make("li", {}, hazardWords(h), " ", hazardBytes(h))), make("li", {class: "soft"}, more(barrier.tagged_hazards, 100)))) : null,
  ];
}

function groupPanel(group) {
  const ids = form.graph.groups[group], alive = form.facts.alive_bytes && form.facts.alive_bytes[group];
  const time = form.profile && form.profile.groups && form.profile.groups[group];
  return [
    make("h2", {}, "Group " + group),
    facts(["runs together", ids.length === 1 ? "one node" : `${countOf(ids.length)} nodes`], ["arena alive", alive !== undefined ? bytesOf(alive) + (group === form.facts.fullest_group ? ", the fullest group" : "") : null], ["measured", time ? `${timeOf(time.median_ns)} with the barrier behind it` : null],
      ["barrier", barrierTime(group + 1) ? timeOf(barrierTime(group + 1).median_ns) : null], ["longest node", time && time.longest_ns !== undefined ? `${timeOf(time.longest_ns)} alone; ${timeOf(time.beyond_ns)} beyond it` : null],
      ["before it", form.barriers.has(group) ? pickBarrier(group) : "no barrier"], ["behind it", form.barriers.has(group + 1) ? pickBarrier(group + 1) : "no barrier"]),
    section("Nodes", make("ul", {}, ids.slice(0, 500).map((id) => make("li", {}, pickNode(id), " ", make("span", {class: "name soft"}, nodeWord(form.nodes.get(id))))), make("li", {class: "soft"}, more(ids, 500)))),
  ];
}
