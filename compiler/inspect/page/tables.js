/* Tables: sorted by a click, as many rows in the page as are on the screen. */
const ROW = 25, sorting = {};

/* columns: {title, width, number, value: what is sorted by, show: what stands there (default: the value), first: whether it
 * is sorted by this at first, the largest in front} */
function drawTable(main, name, items, columns, kind, keyOf, near) {
  if (!items.length) return main.append(make("p", {class: "empty"}, "There are none."));
  const grid = "grid-template-columns:" + columns.map((c) => c.width).join(" ");
  const box = make("div", {class: "table", tabindex: 0, role: "table", "aria-rowcount": items.length + 1, "aria-label": name}), titles = make("div", {class: "cells titles", style: grid, role: "row"}), rows = make("div", {class: "rows", role: "rowgroup"});
  const order = sorting[name] || (sorting[name] = {column: columns.findIndex((c) => c.first), up: false});
  let sorted = items, all = false;
  const sort = () => {
    sorted = items;
    if (order.column < 0) return;
    const value = columns[order.column].value, sign = order.up ? 1 : -1;
    sorted = [...items].sort((a, b) => { const x = value(a), y = value(b); return x === y ? 0 : x === null || x === undefined ? 1 : y === null || y === undefined ? -1 : (x < y ? -1 : 1) * sign; });
  };
  const title = () => titles.replaceChildren(...columns.map((c, i) => make("button", {type: "button", role: "columnheader", class: c.number ? "number" : "", "data-sorted": order.column === i ? (order.up ? "up" : "down") : null, "aria-sort": order.column === i ? (order.up ? "ascending" : "descending") : "none",
    onclick: () => { order.up = order.column === i ? !order.up : !c.number; order.column = i; sort(); title(); draw(); }}, c.title)));
  const draw = () => {
    const first = all ? 0 : Math.max(0, Math.floor(box.scrollTop / ROW) - 4), last = all ? sorted.length : Math.min(sorted.length, Math.ceil((box.scrollTop + box.clientHeight) / ROW) + 4);
    rows.style.height = sorted.length * ROW + "px";
    const close = near ? near() : new Set();
    rows.replaceChildren(...sorted.slice(first, last).map((item, i) => {
      const key = keyOf(item), picked = isPicked(kind, key);
      return make("div", {class: "cells line" + (picked ? " picked" : close.has(key) ? " near" : ""), style: `${grid};top:${(first + i) * ROW}px`, role: "row", "aria-rowindex": first + i + 2, "aria-selected": picked ? "true" : "false", onclick: () => select(kind, key)},
        columns.map((c) => make("span", {class: (c.number ? "number" : "") + (c.name ? " name" : ""), role: "cell"}, c.show ? c.show(item) : c.value(item))));
    }));
  };
  const reveal = () => {
    const at = state.kind === kind ? sorted.findIndex((item) => keyOf(item) === state.key) : -1;
    if (at >= 0 && (at * ROW < box.scrollTop || (at + 2) * ROW > box.scrollTop + box.clientHeight - ROW)) box.scrollTop = at * ROW - box.clientHeight / 2;
  };
  box.append(titles, rows);
  main.append(box);
  sort();
  title();
  onScroll(box, draw);
  reveal();
  draw();
  redraw = () => { reveal(); draw(); };
  redraw.print = (on) => { all = on && items.length <= 5000; draw(); };
  redraw.keys = () => sorted.map(keyOf);
}

function drawNodes(main) {
  const fact = (n) => form.nodeFacts.get(n.id) || {}, time = (n) => form.times.get(n.id);
  const source = (n) => { const s = form.sources.get(n.source[0]); return s ? s.line : null; };
  drawTable(main, "nodes", form.graph.nodes, [
    {title: "node", width: "64px", name: true, value: (n) => n.id, show: (n) => "n" + n.id},
    {title: "does", width: "minmax(160px, 2fr)", name: true, value: nodeWord},
    {title: "label", width: "minmax(90px, 1fr)", name: true, value: (n) => n.label || ""},
    {title: "line", width: "54px", number: true, value: source, show: (n) => source(n) || ""},
    {title: "group", width: "60px", number: true, value: (n) => n.group},
    {title: "slack", width: "70px", number: true, value: (n) => fact(n).slack, show: (n) => fact(n).critical ? make("span", {class: "raw"}, "critical") : fact(n).slack},
    {title: "grid", width: "minmax(110px, 1fr)", value: gridOf},
    {title: "read", width: "84px", number: true, value: (n) => fact(n).bytes_read, show: (n) => fact(n).bytes_read === null || fact(n).bytes_read === undefined ? "" : bytesOf(fact(n).bytes_read)},
    {title: "written", width: "84px", number: true, value: (n) => fact(n).bytes_written, show: (n) => fact(n).bytes_written === null || fact(n).bytes_written === undefined ? "" : bytesOf(fact(n).bytes_written)},
    {title: "expected", width: "84px", number: true, value: (n) => fact(n).expected_ns, show: (n) => timeOf(fact(n).expected_ns)},
    ...(form.profile ? [{title: "measured", width: "84px", number: true, value: (n) => time(n) ? time(n).median_ns : null, show: (n) => time(n) ? timeOf(time(n).median_ns) : ""}] : []),
  ], "n", (n) => n.id, nearNodes);
}

function drawBuffers(main) {
  const fact = (b) => form.bufferFacts.get(b.id) || {writers: [], readers: []};
  const some = (ids) => ids.slice(0, 8).map((id) => "n" + id).join(" ") + (ids.length > 8 ? ` and ${ids.length - 8}` : "");
  const alive = (b) => { const f = fact(b); return f.first_group === null || f.first_group === undefined ? "" : f.first_group === f.last_group ? f.first_group : `${f.first_group} – ${f.last_group}`; };
  drawTable(main, "buffers", form.graph.buffers, [
    {title: "buffer", width: "minmax(150px, 2fr)", name: true, value: bufferWord},
    {title: "kind", width: "60px", value: (b) => b.kind},
    {title: "type", width: "minmax(120px, 1.4fr)", name: true, value: typeOf},
    {title: "size", width: "86px", number: true, value: (b) => b.size, show: (b) => bytesOf(b.size)},
    {title: "arena from", width: "96px", number: true, value: (b) => b.offset, show: (b) => b.offset === null ? "" : countOf(b.offset)},
    {title: "groups", width: "84px", number: true, value: (b) => fact(b).first_group, show: alive},
    {title: "shares", width: "60px", number: true, value: (b) => (form.aliases.get(b.id) || []).length, show: (b) => (form.aliases.get(b.id) || []).length || ""},
    {title: "written by", width: "minmax(100px, 1.2fr)", name: true, value: (b) => fact(b).writers.length, show: (b) => some(fact(b).writers)},
    {title: "read by", width: "minmax(100px, 1.2fr)", name: true, value: (b) => fact(b).readers.length, show: (b) => some(fact(b).readers)},
  ], "buffer", (b) => b.id, nearBuffers);
}

function drawBarriers(main) {
  const fact = (b) => form.barrierFacts.get(b.before_group) || {alone: [], bytes: 0, kinds: {}};
  const count = (b, kind) => fact(b).kinds[kind], time = (b) => barrierTime(b.before_group);
  const near = () => new Set(state.kind === "n" ? (form.hazards.get(state.key) || []).map((e) => e.barrier.before_group) : state.kind === "buffer" ? form.graph.barriers.filter((b) => b.hazards.some((h) => h.buffer === state.key || h.from_buffer === state.key)).map((b) => b.before_group) : []);
  const first = (b) => { const h = b.hazards[0]; return h ? `${h.kind} n${h.from} → ${h.to === "host" ? "host" : "n" + h.to}` + (h.buffer !== null && form.buffers.get(h.buffer) ? " " + bufferWord(form.buffers.get(h.buffer)) : "") + (b.hazards.length > 1 ? ` and ${b.hazards.length - 1} more` : "") : ""; };
  drawTable(main, "barriers", form.graph.barriers, [
    {title: "stands", width: "130px", value: (b) => b.before_group, show: (b) => whereOf(b.before_group)},
    {title: "scopes", width: "minmax(190px, 1.3fr)", name: true, value: (b) => b.src + " → " + b.dst},
    ...["raw", "war", "waw", "order"].map((kind) => ({title: kind, width: "56px", number: true, value: (b) => count(b, kind), show: (b) => count(b, kind) ? make("span", {class: kind}, count(b, kind)) : ""})),
    {title: "bytes", width: "86px", number: true, value: (b) => fact(b).bytes, show: (b) => fact(b).bytes ? bytesOf(fact(b).bytes) : ""},
    {title: "breaks without", width: "104px", number: true, value: (b) => fact(b).alone.length, show: (b) => fact(b).alone.length || "nothing"},
    ...(form.barrierTimes.size ? [{title: "measured", width: "84px", number: true, value: (b) => time(b) ? time(b).median_ns : null, show: (b) => time(b) ? timeOf(time(b).median_ns) : ""}] : []),
    {title: "why", width: "minmax(220px, 2fr)", name: true, value: first},
  ], "b", (b) => b.before_group, near);
}

function drawKernels(main) {
  const fact = (k) => form.kernelFacts.get(k.id) || {}, spirv = (k, key) => fact(k).spirv ? fact(k).spirv[key] : null;
  const column = (title, key, width) => ({title, width, number: true, value: (k) => spirv(k, key), show: (k) => spirv(k, key) === null ? "" : countOf(spirv(k, key))});
  const near = () => new Set(state.kind === "n" && form.nodes.get(state.key).kernel !== undefined ? [form.nodes.get(state.key).kernel] : []);
  drawTable(main, "kernels", form.graph.kernels, [
    {title: "kernel", width: "minmax(180px, 2fr)", name: true, value: (k) => "@" + k.name},
    {title: "nodes", width: "60px", number: true, value: (k) => fact(k).nodes},
    {title: "workgroup", width: "96px", number: true, value: (k) => fact(k).invocations, show: (k) => k.local.join(" × ")},
    {title: "shared", width: "82px", number: true, value: (k) => k.shared_bytes, show: (k) => k.shared_bytes ? bytesOf(k.shared_bytes) : ""},
    {title: "resident", width: "70px", number: true, value: (k) => fact(k).resident_groups, show: (k) => fact(k).resident_groups || ""},
    column("instructions", "instructions", "92px"), column("loads", "loads", "60px"), column("stores", "stores", "60px"), column("floats", "floats", "60px"), column("integers", "integers", "68px"), column("loops", "loops", "56px"), column("barriers", "barriers", "66px"),
    {title: "SPIR-V", width: "84px", number: true, value: (k) => spirv(k, "bytes"), show: (k) => spirv(k, "bytes") === null ? "" : bytesOf(spirv(k, "bytes"))},
  ], "kernel", (k) => k.id, near);
}
