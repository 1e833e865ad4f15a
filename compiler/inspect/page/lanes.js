/* The schedule: groups from left to right, the nodes of a group below one another, a barrier on each boundary. Only
 * what is on the screen is in the page, so that ten thousand nodes scroll like ten. */
const LANE = 27, HEAD = 38, WIDTHS = [30, 64, 112, 168, 250];
const lanes = {zoom: 3, left: 0, top: 0};

/* Each node a lane: that of one it waits for in the group before, so that chains run straight, or else the first free
 * one. */
function layOut() {
  if (form.lane) return;
  form.lane = new Map();
  form.laneCount = 1;
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
      if (lane >= form.laneCount) form.laneCount = lane + 1;
    }
  }
}

const STRENGTH = ["raw", "waw", "war", "order"];
const kindOf = (barrier) => STRENGTH.find((kind) => barrier.hazards.some((h) => h.kind === kind)) || "order";

function drawLanes(main) {
  const groups = form.graph.groups;
  if (!groups.length) return main.append(make("p", {class: "empty"}, "This graph is not scheduled: its nodes have no groups yet. The passes and the table of nodes show it."));
  layOut();
  const tools = make("div", {class: "tools"},
    make("span", {class: "key"}, make("i", {style: "border-left:3px solid var(--critical)"}), "critical path"),
    make("span", {class: "key"}, make("i", {style: "border-style:dashed;border-color:var(--pick)"}), "where the selected node could stand"),
    STRENGTH.map((kind) => make("span", {class: "key " + kind}, make("i", {class: "line", style: "border-color:currentColor"}), kind)),
    make("span", {class: "key"}, make("i", {class: "line", style: "border-top-style:dashed"}), "nothing needs it alone"),
    form.graph.stats.tagged ? make("span", {class: "key"}, make("i", {class: "line", style: "border-top-style:dotted;opacity:.5"}), "gone where readers wait") : null,
    make("span", {}, make("button", {type: "button", onclick: () => zoom(-1), "aria-label": "Narrower"}, "−"), " ", make("button", {type: "button", onclick: () => zoom(1), "aria-label": "Wider"}, "+")));
  const scroll = make("div", {class: "lanes", tabindex: 0, "aria-label": "Schedule"}), head = make("div", {class: "head"}), sheet = make("div", {class: "sheet"});
  scroll.append(head, sheet);
  main.append(tools, scroll);
  let all = false;
  const width = () => WIDTHS[lanes.zoom];
  const rest = 22; /* for the barriers */
  const x = (group) => 12 + group * (width() + rest) + rest;
  const y = (lane) => 8 + lane * LANE;
  const zoom = (by) => {
    const middle = (scroll.scrollLeft + scroll.clientWidth / 2) / (width() + rest);
    lanes.zoom = Math.max(0, Math.min(WIDTHS.length - 1, lanes.zoom + by));
    size();
    scroll.scrollLeft = middle * (width() + rest) - scroll.clientWidth / 2;
    draw();
  };
  const size = () => {
    head.style.cssText = `height:${HEAD}px;width:${x(groups.length) + 60}px`;
    sheet.style.cssText = `height:${y(form.laneCount) + 40}px;width:${x(groups.length) + 60}px`;
  };
  function chip(id, near) {
    const node = form.nodes.get(id), fact = form.nodeFacts.get(id), word = nodeWord(node), picked = isPicked("n", id);
    const classes = "chip" + (fact && fact.critical ? " critical" : "") + (isTransfer(node) ? " transfer" : "") + (picked ? " picked" : near.has(id) ? " near" : state.kind && state.kind !== "g" ? " dim" : "");
    const slack = slackOf(fact);
    return make("button", {type: "button", class: classes, style: `left:${x(node.group)}px;top:${y(form.lane.get(id))}px;width:${width()}px`, title: `n${id} ${word}${node.label ? " [" + node.label + "]" : ""}` + (slack ? `, slack ${slack}` : ""),
      "aria-label": `n${id} ${word}, group ${node.group}${fact && fact.critical ? ", critical" : ""}${slack ? ", slack " + slack : ""}`, "aria-pressed": picked ? "true" : "false", onclick: () => select("n", id)},
      make("span", {class: "id"}, "n" + id), width() > 60 ? word : "");
  }
  function edges(id) {
    const fact = form.nodeFacts.get(id), svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("width", "100%");
    svg.setAttribute("height", "100%");
    svg.setAttribute("aria-hidden", "true");
    const curve = (from, to) => {
      const a = form.nodes.get(from), b = form.nodes.get(to);
      if (!a || !b) return;
      const x1 = x(a.group) + width(), y1 = y(form.lane.get(from)) + 11, x2 = x(b.group), y2 = y(form.lane.get(to)) + 11, bend = Math.max(20, (x2 - x1) / 3);
      const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
      path.setAttribute("d", `M${x1} ${y1} C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`);
      path.setAttribute("style", "fill:none;stroke:var(--pick);stroke-width:1.2;opacity:.75");
      svg.append(path);
    };
    for (const other of fact ? fact.after : []) curve(other, id);
    for (const other of beforeOf(id)) curve(id, other);
    return svg;
  }
  function draw() {
    lanes.left = scroll.scrollLeft;
    lanes.top = scroll.scrollTop;
    const step = width() + rest, first = all ? 0 : Math.max(0, Math.floor((scroll.scrollLeft - 100) / step) - 1), last = all ? groups.length - 1 : Math.min(groups.length - 1, Math.ceil((scroll.scrollLeft + scroll.clientWidth) / step) + 1);
    const low = all ? 0 : Math.floor((scroll.scrollTop - 100) / LANE), high = all ? Infinity : Math.ceil((scroll.scrollTop + scroll.clientHeight) / LANE) + 2;
    const near = nearNodes(), heads = [], items = [], tall = y(form.laneCount) + 20;
    const picked = state.kind === "n" ? form.nodes.get(state.key) : null, fact = picked && form.nodeFacts.get(picked.id);
    if (picked && slackOf(fact)) items.push(make("div", {class: "slack", style: `left:${x(fact.earliest) - 3}px;top:${y(form.lane.get(picked.id)) - 3}px;height:28px;width:${x(fact.latest) + width() - x(fact.earliest) + 6}px`}));
    if (picked) items.push(edges(picked.id));
    for (let group = first; group <= last; group++) {
      const alive = form.facts.alive_bytes ? form.facts.alive_bytes[group] : null, time = form.profile && form.profile.groups[group];
      heads.push(make("button", {type: "button", class: "grouphead" + (isPicked("g", group) ? " picked" : ""), style: `left:${x(group)}px;width:${width()}px`, onclick: () => select("g", group), "aria-label": `Group ${group}, ${groups[group].length} nodes`},
        make("b", {}, group), width() > 60 && alive ? " " + bytesOf(alive) : "", time && width() > 100 ? make("div", {}, timeOf(time.median_ns)) : width() > 100 && groups[group].length > 1 ? make("div", {}, `${groups[group].length} nodes`) : ""));
      for (const id of groups[group]) { const lane = form.lane.get(id); if (lane >= low && lane <= high) items.push(chip(id, near)); }
    }
    for (let at = first; at <= last + 1; at++) {
      const barrier = form.barriers.get(at);
      if (!barrier) continue;
      const f = form.barrierFacts.get(at), between = at > 0 && at < groups.length, needless = between && f && !f.alone.length, place = at === 0 ? 14 : x(at) - rest / 2;
      const label = `Barrier ${whereOf(at)}, ${barrier.hazards.length} hazards` + (needless ? ", nothing needs it alone" : "") + (barrier.tagged_src === "none" && barrier.tagged_dst === "none" ? ", gone where readers wait" : "");
      const waited = barrier.tagged_src === "none" && barrier.tagged_dst === "none"; /* readers wait for words instead */
      const classes = kindOf(barrier) + (needless ? " needless" : "") + (waited ? " waited" : "") + (isPicked("b", at) ? " picked" : "");
      items.push(make("button", {type: "button", class: "barrier " + classes, style: `left:${place}px;top:0;height:${tall}px`, title: label, "aria-label": label, onclick: () => select("b", at)}));
      if (width() > 60) heads.push(make("span", {class: "barrierhead " + classes, style: `left:${place}px`, "aria-hidden": true}, barrier.hazards.length || ""));
    }
    const focus = document.activeElement && scroll.contains(document.activeElement) ? document.activeElement.getAttribute("aria-label") : null;
    head.replaceChildren(...heads);
    sheet.replaceChildren(...items);
    if (focus) { const again = [...scroll.querySelectorAll("button")].find((b) => b.getAttribute("aria-label") === focus); if (again) again.focus({preventScroll: true}); }
  }
  function reveal() {
    const {kind, key} = state;
    const group = kind === "n" ? form.nodes.get(key).group : kind === "g" || kind === "b" ? key : kind === "buffer" && form.bufferFacts.get(key) ? form.bufferFacts.get(key).first_group : null;
    if (group === null || group === undefined) return;
    const left = x(group);
    if (left < scroll.scrollLeft + 10 || left + width() > scroll.scrollLeft + scroll.clientWidth) scroll.scrollLeft = left - scroll.clientWidth / 2 + width() / 2;
    if (kind === "n") {
      const top = y(form.lane.get(key));
      if (top < scroll.scrollTop || top + LANE + HEAD > scroll.scrollTop + scroll.clientHeight) scroll.scrollTop = top - scroll.clientHeight / 2;
    }
  }
  let waiting = false;
  scroll.addEventListener("scroll", () => { if (!waiting) { waiting = true; requestAnimationFrame(() => { waiting = false; draw(); }); } });
  size();
  scroll.scrollLeft = lanes.left;
  scroll.scrollTop = lanes.top;
  reveal();
  draw();
  redraw = () => { reveal(); draw(); };
  redraw.zoom = zoom;
  redraw.print = (on) => { all = on && form.graph.nodes.length <= 2000; draw(); };
}
