/* The schedule: groups from left to right, the nodes of a group below one another, a barrier on each boundary.
 *
 * A schedule that is long and low, a chain above all, goes on in the next row like the lines of a text, as long as two
 * rows fit on the screen; a tall one is one row that scrolls sideways. Only what is on the screen is in the page, so
 * that ten thousand nodes scroll like ten. */
const LANE = 27, HEAD = 38, REST = 22 /* for the barriers */, EDGE = 12, WIDTHS = [30, 64, 112, 168, 250], PAPER = 700;
const lanes = {zoom: 3, wrap: null /* as it fits */, group: 0};

/* Each node a lane: that of one it waits for in the group before, so that chains run straight, or else the first free
 * one. */
function layOut() {
  if (form.lane) return;
  form.lane = new Map();
  form.tallest = 1;
  for (const ids of form.graph.groups) {
    const taken = new Set();
    let free = 0;
    for (const id of ids) {
      const fact = form.nodeFacts.get(id);
      let lane = -1;
      for (const other of fact ? fact.after : []) if (form.lane.has(other) && !taken.has(form.lane.get(other))) { lane = form.lane.get(other); break; }
      if (lane < 0) { while (taken.has(free)) free++; lane = free; }
      taken.add(lane);
      form.lane.set(id, lane);
    }
    form.tallest = Math.max(form.tallest, ids.length);
  }
}

/* Rows of so many groups: each with its place, and its lanes without those that no node of it has. */
function rowsOf(perRow, head) {
  const rows = [], groups = form.graph.groups;
  for (let first = 0, top = 0; first < groups.length; first += perRow) {
    const last = Math.min(first + perRow, groups.length) - 1, used = new Set();
    for (let group = first; group <= last; group++) for (const id of groups[group]) used.add(form.lane.get(id));
    const lane = new Map([...used].sort((a, b) => a - b).map((from, to) => [from, to]));
    const height = head + 8 + Math.max(lane.size, 1) * LANE + 10;
    rows.push({first, last, top, height, lane});
    top += height;
  }
  return rows;
}

const STRENGTH = ["raw", "waw", "war", "order"];

function drawLanes(main) {
  const groups = form.graph.groups;
  if (!form.graph.nodes.length) return main.append(make("p", {class: "empty"}, "This graph has no nodes."));
  if (!groups.length) return main.append(make("p", {class: "empty"}, "This graph is not scheduled: its nodes have no groups yet. The passes and the table of nodes show it."));
  layOut();
  const wrapButton = make("button", {type: "button", onclick: () => setWrap(!wrapped())});
  const tools = make("div", {class: "tools"},
    make("span", {class: "key"}, make("i", {style: "border-left:3px solid var(--critical)"}), "critical path"),
    make("span", {class: "key"}, make("i", {style: "border-style:dashed;border-color:var(--pick)"}), "where the selected node could stand"),
    STRENGTH.map((kind) => make("span", {class: "key " + kind}, make("i", {class: "line", style: "border-color:currentColor"}), kind)),
    make("span", {class: "key"}, make("i", {class: "line", style: "border-top-style:dashed"}), "nothing needs it alone"),
    form.profile ? make("span", {class: "key"}, make("i", {class: "line", style: "border-color:var(--bar)"}), "time of a node, by the slowest") : null,
    form.graph.stats.tagged ? make("span", {class: "key"}, make("i", {class: "line", style: "border-top-style:dotted;opacity:.5"}), "gone where readers wait") : null,
    make("span", {}, make("button", {type: "button", onclick: () => zoom(-1), "aria-label": "Narrower"}, "−"), " ", make("button", {type: "button", onclick: () => zoom(1), "aria-label": "Wider"}, "+")), wrapButton);
  const timed = form.profile && form.profile.groups.length === groups.length;
  const slowest = form.profile ? form.profile.nodes.reduce((most, n) => Math.max(most, n.median_ns), 1) : 1;
  const overview = makeOverview(timed ? "GPU time of each group, of which the barrier behind it" : "Expected time of the longest node of each group",
    timed ? (group) => [form.profile.groups[group].median_ns, barrierTime(group + 1) ? barrierTime(group + 1).median_ns : 0] : (group) => [form.facts.longest_expected_ns[group] || 0, 0],
    () => seen(), (group) => { scrollTo(group, true); });
  const scroll = make("div", {class: "lanes", tabindex: 0, "aria-label": "Schedule"}), head = make("div", {class: "head"}), sheet = make("div", {class: "sheet"});
  scroll.append(head, sheet);
  main.append(tools, overview.canvas, scroll);
  let all = false, rows = [], perRow = groups.length, known = "";
  const width = () => WIDTHS[lanes.zoom], step = () => width() + REST;
  const room = () => all ? PAPER : scroll.clientWidth;
  const fitting = () => Math.max(1, Math.floor((room() - EDGE - REST) / step()));
  const wrapped = () => all || (lanes.wrap === null ? fitting() < groups.length && 2 * (HEAD + form.tallest * LANE + 18) <= scroll.clientHeight : lanes.wrap);
  const rowOf = (group) => rows[Math.min(rows.length - 1, Math.floor(group / perRow))];
  const x = (group) => EDGE + (group - rowOf(group).first) * step() + REST;
  const top = () => wrapped() ? HEAD : 0; /* of the lanes of a row: else the titles stand above the sheet */
  const y = (id) => top() + 8 + rowOf(form.nodes.get(id).group).lane.get(form.lane.get(id)) * LANE;
  const size = () => {
    const wrap = wrapped(), now = `${wrap} ${wrap ? fitting() : 0} ${lanes.zoom}`;
    if (now === known) return;
    known = now;
    perRow = wrap ? fitting() : groups.length;
    rows = rowsOf(perRow, wrap ? HEAD : 0);
    const wide = EDGE + Math.min(perRow, groups.length) * step() + REST + 20, last = rows[rows.length - 1];
    head.style.cssText = wrap ? "display:none" : `height:${HEAD}px;width:${wide}px`;
    sheet.style.cssText = `height:${last.top + last.height + 20}px;width:${wide}px`;
    wrapButton.textContent = wrap ? "one row" : "rows";
    wrapButton.hidden = fitting() >= groups.length;
    wrapButton.setAttribute("aria-label", wrap ? "All groups in one row" : "Groups in rows that fit");
  };
  /* The first and the last group on the screen. */
  const seen = () => {
    if (!wrapped()) return [Math.max(0, Math.floor((scroll.scrollLeft - EDGE) / step())), Math.min(groups.length - 1, Math.floor((scroll.scrollLeft + scroll.clientWidth - EDGE - REST) / step()))];
    const at = scroll.scrollTop, to = at + scroll.clientHeight, here = rows.filter((row) => row.top + row.height > at && row.top < to);
    return here.length ? [here[0].first, here[here.length - 1].last] : [0, 0];
  };
  const scrollTo = (group, center) => {
    const row = rowOf(group);
    if (wrapped()) scroll.scrollTop = row.top - (center ? Math.max(0, scroll.clientHeight - row.height) / 2 : 0);
    else scroll.scrollLeft = x(group) - (center ? (scroll.clientWidth - width()) / 2 : REST);
  };
  const keep = (change) => { const [first, last] = seen(), middle = Math.floor((first + last) / 2); change(); size(); scrollTo(first === 0 ? 0 : middle, first > 0); reveal(); draw(); };
  const zoom = (by) => keep(() => { lanes.zoom = Math.max(0, Math.min(WIDTHS.length - 1, lanes.zoom + by)); });
  const setWrap = (on) => keep(() => { lanes.wrap = on; });
  function chip(id, near) {
    const node = form.nodes.get(id), fact = form.nodeFacts.get(id), word = nodeWord(node), picked = isPicked("n", id);
    const classes = "chip" + (fact && fact.critical ? " critical" : "") + (isTransfer(node) ? " transfer" : "") + (picked ? " picked" : near.has(id) ? " near" : state.kind && state.kind !== "g" ? " dim" : "");
    const slack = fact && fact.slack, time = form.times.get(id), took = time ? ", " + timeOf(time.median_ns) : "";
    return make("button", {type: "button", class: classes, style: `left:${x(node.group)}px;top:${y(id)}px;width:${width()}px`, title: `n${id} ${word}${node.label ? " [" + node.label + "]" : ""}` + (slack ? `, slack ${slack}` : "") + took,
      "aria-label": `n${id} ${word}, group ${node.group}${fact && fact.critical ? ", critical" : ""}${slack ? ", slack " + slack : ""}${took}`, "aria-pressed": picked ? "true" : "false", onclick: () => select("n", id)},
      make("span", {class: "id"}, "n" + id), width() > 60 ? word : "", time ? make("i", {style: `width:${(100 * time.median_ns / slowest).toFixed(1)}%`}) : null);
  }
  function edges(id) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("width", "100%");
    svg.setAttribute("height", "100%");
    svg.setAttribute("aria-hidden", "true");
    const curve = (from, to) => {
      const a = form.nodes.get(from), b = form.nodes.get(to);
      if (!a || !b) return;
      const x1 = x(a.group) + width(), y1 = rowOf(a.group).top + y(from) + 11, x2 = x(b.group), y2 = rowOf(b.group).top + y(to) + 11, bend = Math.max(20, (x2 - x1) / 3);
      const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
      /* From one row to another only the ends are drawn: a line between would cross everything. */
      path.setAttribute("d", rowOf(a.group) === rowOf(b.group) ? `M${x1} ${y1} C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}` : `M${x1} ${y1} h9 l-4 -4 m4 4 l-4 4 M${x2 - 9} ${y2} h9 l-4 -4 m4 4 l-4 4`);
      path.setAttribute("style", "fill:none;stroke:var(--pick);stroke-width:1.2;opacity:.75");
      svg.append(path);
    };
    for (const other of afterOf(id)) curve(other, id);
    for (const other of beforeOf(id)) curve(id, other);
    return svg;
  }
  /* Where the selected node could stand: a frame in each row that is among it. */
  function slackFrame(row, node, fact) {
    const from = Math.max(fact.earliest, row.first), to = Math.min(fact.latest, row.last), own = row === rowOf(node.group);
    if (from > to) return null;
    const place = own ? `top:${y(node.id) - 3}px;height:28px` : `top:${top() + 5}px;height:${row.height - top() - 10}px`;
    return make("div", {class: "slack", style: `left:${x(from) - 3}px;${place};width:${x(to) + width() - x(from) + 6}px`});
  }
  function groupHead(group) {
    const alive = form.facts.alive_bytes ? form.facts.alive_bytes[group] : null, time = timed && form.profile.groups[group];
    return make("button", {type: "button", class: "grouphead" + (isPicked("g", group) ? " picked" : ""), style: `left:${x(group)}px;width:${width()}px;height:${HEAD}px`, onclick: () => select("g", group), "aria-label": `Group ${group}, ${groups[group].length} nodes`},
      make("b", {}, group), width() > 60 && alive ? " " + bytesOf(alive) : "", time && width() > 100 ? make("div", {}, timeOf(time.median_ns)) : width() > 100 && groups[group].length > 1 ? make("div", {}, `${groups[group].length} nodes`) : "");
  }
  function barrierLine(at, row) {
    const barrier = form.barriers.get(at), f = form.barrierFacts.get(at) || {}, place = at === 0 ? 14 : at > row.last ? x(row.last) + width() + REST / 2 : x(at) - REST / 2;
    if (!barrier) return [];
    const time = barrierTime(at);
    const label = `Barrier ${whereOf(at)}, ${barrier.hazards.length} hazards` + (f.needless ? ", nothing needs it alone" : "") + (f.tagged_away ? ", gone where readers wait" : "") + (time ? `, ${timeOf(time.median_ns)}` : "");
    const classes = (f.kind || "order") + (f.needless ? " needless" : "") + (f.tagged_away ? " waited" : "") + (isPicked("b", at) ? " picked" : "");
    return [make("button", {type: "button", class: "barrier " + classes, style: `left:${place}px;top:${top()}px;height:${row.height - top()}px`, title: label, "aria-label": label, onclick: () => select("b", at)}),
      width() > 60 ? make("span", {class: "barrierhead " + classes, style: `left:${place}px;top:${HEAD - 17}px`, "aria-hidden": true}, barrier.hazards.length || "") : null];
  }
  function drawRow(row, first, last, near, low, high) {
    const heads = [], items = [], picked = state.kind === "n" ? form.nodes.get(state.key) : null, fact = picked && form.nodeFacts.get(picked.id);
    if (picked && fact && fact.slack) items.push(slackFrame(row, picked, fact));
    for (let group = first; group <= last; group++) {
      heads.push(groupHead(group));
      for (const id of groups[group]) { const at = y(id); if (at >= low && at <= high) items.push(chip(id, near)); }
    }
    for (let at = first; at <= (last === groups.length - 1 ? last + 1 : last); at++) { const [line, number] = barrierLine(at, row); items.push(line); heads.push(number); }
    return [heads, items];
  }
  function draw() {
    const wrap = wrapped(), from = scroll.scrollTop - 100, to = scroll.scrollTop + scroll.clientHeight + 100, near = nearNodes();
    const focus = document.activeElement && scroll.contains(document.activeElement) ? document.activeElement.getAttribute("aria-label") : null;
    const [first, last] = seen();
    lanes.group = first;
    head.replaceChildren();
    sheet.replaceChildren();
    if (state.kind === "n") sheet.append(edges(state.key));
    if (wrap) {
      for (const row of rows) {
        if (!all && (row.top + row.height < from || row.top > to)) continue;
        const element = make("div", {class: "row", style: `top:${row.top}px;height:${row.height}px`});
        add(element, drawRow(row, row.first, row.last, near, 0, Infinity));
        sheet.append(element);
      }
    } else {
      const [heads, items] = drawRow(rows[0], Math.max(0, first - 1), Math.min(groups.length - 1, last + 2), near, from, to);
      add(head, heads);
      add(sheet, items);
    }
    overview.draw();
    if (focus) { const again = [...scroll.querySelectorAll("button")].find((b) => b.getAttribute("aria-label") === focus); if (again) again.focus({preventScroll: true}); }
  }
  function reveal() {
    const {kind, key} = state;
    const wanted = kind === "n" ? form.nodes.get(key).group : kind === "g" || kind === "b" ? key : kind === "buffer" && form.bufferFacts.get(key) ? form.bufferFacts.get(key).first_group : null;
    if (wanted === null || wanted === undefined) return;
    const group = Math.min(wanted, groups.length - 1), row = rowOf(group), left = x(group);
    if (wrapped()) {
      if (row.top < scroll.scrollTop || row.top + Math.min(row.height, scroll.clientHeight) > scroll.scrollTop + scroll.clientHeight) scrollTo(group, true);
      return;
    }
    if (left < scroll.scrollLeft + 10 || left + width() > scroll.scrollLeft + scroll.clientWidth) scrollTo(group, true);
    if (kind === "n") {
      const at = y(key);
      if (at < scroll.scrollTop || at + LANE + HEAD > scroll.scrollTop + scroll.clientHeight) scroll.scrollTop = at - scroll.clientHeight / 2;
    }
  }
  onScroll(scroll, draw);
  size();
  if (lanes.group > 0) scrollTo(Math.min(lanes.group, groups.length - 1), false);
  reveal();
  draw();
  redraw = () => { size(); reveal(); draw(); };
  redraw.zoom = zoom;
  redraw.wrap = () => setWrap(!wrapped());
  redraw.print = (on) => { all = on && form.graph.nodes.length <= 2000; size(); draw(); };
}
