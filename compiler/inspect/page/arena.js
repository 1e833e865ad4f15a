/* The arena: its bytes from top to bottom, the groups from left to right; a transient is a box from its first group to
 * its last. Boxes in one row share bytes. Above it how much is alive in each group, against what is reserved. */
const COLUMNS = [0 /* as wide as fits */, 2, 5, 12, 30, 80];
const arenaView = {zoom: null, group: 0};

function drawMemory(main) {
  const groups = form.graph.groups.length, stats = form.graph.stats, facts = form.facts;
  const placed = form.graph.buffers.filter((b) => b.offset !== null && b.kind === "tmp").map((b) => ({buffer: b, fact: form.bufferFacts.get(b.id)})).filter((p) => p.fact && p.fact.first_group !== null);
  if (!placed.length) return main.append(make("p", {class: "empty"}, stats.transient_bytes ? "This graph has no places in memory yet." : "This graph has no transients: no memory is shared."));
  const arena = Math.max(stats.arena_bytes, ...placed.map((p) => p.buffer.offset + (p.fact.arena_bytes || p.buffer.size)));
  main.append(make("div", {class: "tools"},
    make("span", {}, `${bytesOf(stats.arena_bytes)} reserved, ${bytesOf(stats.arena_bound_bytes)} alive at once in `, pickGroup(facts.fullest_group), facts.above_bound_bytes ? `: ${bytesOf(facts.above_bound_bytes)} above the bound` : ": no placement of this schedule needs less"),
    make("span", {}, `${countOf(placed.length)} transients, ${bytesOf(stats.transient_bytes)} unshared`),
    make("span", {}, make("button", {type: "button", onclick: () => zoom(-1), "aria-label": "Narrower"}, "−"), " ", make("button", {type: "button", onclick: () => zoom(1), "aria-label": "Wider"}, "+"))));
  const scroll = make("div", {class: "memory", tabindex: 0, "aria-label": "Arena over groups"}), canvas = make("canvas", {role: "img", "aria-label": `Arena of ${bytesOf(stats.arena_bytes)} over ${groups} groups; the table of buffers has the same in words`}), tip = make("div", {class: "tip", hidden: true});
  const span = make("div", {style: "position:absolute;top:0;left:0;height:1px"});
  const left = 84, top = 84, right = 16, bottom = 22;
  let column = 0, all = false;
  const px = (group) => left + group * column - scroll.scrollLeft;
  const room = () => all ? PAPER : scroll.clientWidth, fit = () => (room() - left - right) / groups;
  const seen = () => [Math.max(0, Math.floor(scroll.scrollLeft / column)), Math.min(groups - 1, Math.floor((scroll.scrollLeft + room() - left) / column))];
  const overview = makeOverview("Bytes alive in each group", (group) => [facts.alive_bytes[group], 0], seen, (group) => scrollTo(group));
  scroll.append(span, canvas, tip);
  main.append(overview.canvas, scroll);
  const scrollTo = (group) => { scroll.scrollLeft = group * column - (scroll.clientWidth - left) / 2; };
  const size = () => {
    if (arenaView.zoom === null) arenaView.zoom = fit() >= 2 ? 0 : 2;
    column = all ? fit() : Math.max(fit(), COLUMNS[arenaView.zoom]);
    span.style.width = left + groups * column + right + "px";
  };
  const zoom = (by) => {
    const [first, last] = seen(), before = column;
    do arenaView.zoom = Math.max(0, Math.min(COLUMNS.length - 1, arenaView.zoom + by)); while (by > 0 && COLUMNS[arenaView.zoom] <= before && arenaView.zoom < COLUMNS.length - 1);
    size();
    scrollTo((first + last) / 2);
    draw();
  };
  function draw() {
    const paint = colors(), ratio = window.devicePixelRatio || 1, w = room(), h = Math.max(200, scroll.clientHeight - 2);
    size();
    canvas.width = w * ratio;
    canvas.height = h * ratio;
    canvas.style.cssText = `width:${w}px;height:${h}px`;
    const c = canvas.getContext("2d"), py = (bytes) => top + bytes / arena * (h - top - bottom);
    c.scale(ratio, ratio);
    c.clearRect(0, 0, w, h);
    c.font = "11px " + getComputedStyle(document.documentElement).getPropertyValue("--mono");
    const near = nearBuffers(), first = Math.max(0, Math.floor((scroll.scrollLeft - left) / column)), last = Math.min(groups, Math.ceil((scroll.scrollLeft + w) / column));
    arenaView.group = Math.floor(scroll.scrollLeft / column);
    if (state.kind === "g" || state.kind === "n") {
      const group = state.kind === "g" ? state.key : form.nodes.get(state.key).group;
      c.fillStyle = paint("--pickbg");
      c.fillRect(px(group), top - 60, Math.max(column, 1), h - top - bottom + 60);
    }
    /* alive bytes, and the two lines that they are held against */
    const cy = (bytes) => top - 10 - bytes / arena * 56;
    c.fillStyle = paint("--curve");
    c.globalAlpha = .35;
    for (let g = first; g < last; g++) { const bytes = facts.alive_bytes[g]; c.fillRect(px(g), cy(bytes), Math.max(column - (column > 4 ? 1 : 0), .6), cy(0) - cy(bytes)); }
    c.globalAlpha = 1;
    for (const [bytes, name] of [[stats.arena_bound_bytes, "--soft"], [stats.arena_bytes, "--critical"]]) { c.strokeStyle = paint(name); c.setLineDash(name === "--soft" ? [3, 3] : []); c.beginPath(); c.moveTo(left, cy(bytes) + .5); c.lineTo(Math.min(w, px(groups)), cy(bytes) + .5); c.stroke(); }
    c.setLineDash([]);
    for (const {buffer, fact} of placed) {
      if (fact.last_group < first || fact.first_group > last) continue;
      const x = px(fact.first_group), y = py(buffer.offset), bw = Math.max((fact.last_group - fact.first_group + 1) * column - 1, 1), bh = Math.max(py(buffer.offset + (fact.arena_bytes || buffer.size)) - y - 1, 1);
      const picked = isPicked("buffer", buffer.id), close = near.has(buffer.id);
      c.fillStyle = paint(picked ? "--pick" : close ? "--bar" : "--sunk");
      c.fillRect(x, y, bw, bh);
      c.strokeStyle = paint(picked || close ? "--pick" : "--rule");
      if (bw > 3 && bh > 3) c.strokeRect(x + .5, y + .5, bw - 1, bh - 1);
      if (bh > 12 && bw > 30) {
        c.save();
        c.beginPath();
        c.rect(Math.max(x, left), y, x + bw - Math.max(x, left) - 4, bh);
        c.clip();
        c.fillStyle = paint(picked ? "--paper" : "--ink");
        c.fillText(bufferWord(buffer), Math.max(x, left) + 4, y + Math.min(bh / 2 + 4, 14));
        c.restore();
      }
    }
    c.clearRect(0, 0, left - 1, h);
    c.fillStyle = paint("--soft");
    c.textAlign = "right";
    c.fillText("alive", left - 6, top - 50);
    for (let i = 0; i <= 4; i++) { const bytes = arena * i / 4; c.fillText(bytesOf(Math.round(bytes)), left - 6, py(bytes) + (i ? 0 : 8)); }
    c.textAlign = "left";
    const every = Math.max(1, Math.ceil(44 / column));
    for (let g = Math.ceil(first / every) * every; g < last; g += every) if (px(g) >= left) c.fillText(String(g), px(g), h - 6);
    overview.draw();
  }
  function hit(event) {
    const box = canvas.getBoundingClientRect(), mx = event.clientX - box.left, my = event.clientY - box.top, h = box.height;
    const group = Math.floor((mx + scroll.scrollLeft - left) / column), bytes = (my - top) / (h - top - bottom) * arena;
    if (mx < left || group < 0 || group >= groups) return {};
    if (my < top) return {group};
    const found = placed.find(({buffer, fact}) => fact.first_group <= group && group <= fact.last_group && buffer.offset <= bytes && bytes < buffer.offset + Math.max(fact.arena_bytes || buffer.size, 3 / (h - top) * arena));
    return {group, found};
  }
  canvas.addEventListener("click", (event) => { const {group, found} = hit(event); if (found) select("buffer", found.buffer.id); else if (group !== undefined) select("g", group); });
  canvas.addEventListener("mousemove", (event) => {
    const {group, found} = hit(event);
    tip.hidden = group === undefined;
    if (tip.hidden) return;
    tip.textContent = found ? `${bufferWord(found.buffer)}  ${typeOf(found.buffer)}, ${bytesOf(found.buffer.size)}, groups ${found.fact.first_group} to ${found.fact.last_group}` : `group ${group}: ${bytesOf(facts.alive_bytes[group])} alive`;
    const box = scroll.getBoundingClientRect();
    tip.style.left = Math.max(0, Math.min(event.clientX - box.left + 14, box.width - 380)) + scroll.scrollLeft + "px";
    tip.style.top = event.clientY - box.top + 16 + "px";
  });
  canvas.addEventListener("mouseleave", () => { tip.hidden = true; });
  const reveal = () => {
    const {kind, key} = state, fact = kind === "buffer" && form.bufferFacts.get(key);
    const from = fact ? fact.first_group : kind === "n" ? form.nodes.get(key).group : kind === "g" || kind === "b" ? key : null, to = fact ? fact.last_group : from;
    if (from === null || from === undefined) return;
    const [first, last] = seen();
    if (to < first || from > last) scrollTo((from + to) / 2);
  };
  onScroll(scroll, draw);
  new ResizeObserver(() => draw()).observe(scroll);
  size();
  scroll.scrollLeft = arenaView.group * column;
  reveal();
  draw();
  redraw = () => { reveal(); draw(); };
  redraw.zoom = zoom;
  redraw.print = (on) => { all = on; draw(); };
  redraw.keys = () => placed.map((p) => p.buffer.id);
}
