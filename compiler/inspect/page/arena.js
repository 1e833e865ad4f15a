/* The arena: its bytes from top to bottom, the groups from left to right; a transient is a box from its first group to
 * its last. Boxes in one row share bytes. Above it how much is alive in each group, against what is reserved. */
function drawMemory(main) {
  const groups = form.graph.groups.length, stats = form.graph.stats;
  const placed = form.graph.buffers.filter((b) => b.offset !== null && b.kind === "tmp").map((b) => ({buffer: b, fact: form.bufferFacts.get(b.id)})).filter((p) => p.fact && p.fact.first_group !== null);
  if (!placed.length) return main.append(make("p", {class: "empty"}, stats.transient_bytes ? "This graph has no places in memory yet." : "This graph has no transients: no memory is shared."));
  const arena = Math.max(stats.arena_bytes, ...placed.map((p) => p.buffer.offset + (p.fact.arena_bytes || p.buffer.size)));
  const fullest = form.facts.alive_bytes.reduce((best, bytes, i, all) => bytes > all[best] ? i : best, 0);
  main.append(make("div", {class: "tools"},
    make("span", {}, `${bytesOf(stats.arena_bytes)} reserved, ${bytesOf(stats.arena_bound_bytes)} alive at once in `, pickGroup(fullest), stats.arena_bytes === stats.arena_bound_bytes ? ": no placement of this schedule needs less" : `: ${bytesOf(stats.arena_bytes - stats.arena_bound_bytes)} above the bound`),
    make("span", {}, `${placed.length} transients, ${bytesOf(stats.transient_bytes)} unshared`), make("span", {class: "soft"}, "Click a box; the table of buffers has the same in words.")));
  const scroll = make("div", {class: "memory", tabindex: 0, "aria-label": "Arena over groups"}), canvas = make("canvas", {role: "img", "aria-label": `Arena of ${bytesOf(stats.arena_bytes)} over ${groups} groups`}), tip = make("div", {class: "tip", hidden: true});
  const span = make("div", {style: "position:absolute;top:0;left:0;height:1px"});
  scroll.append(span, canvas, tip);
  main.append(scroll);
  const left = 84, top = 84, right = 16, bottom = 22;
  let column = 0, all = false;
  const px = (group) => left + group * column - scroll.scrollLeft;
  function draw() {
    const style = getComputedStyle(document.documentElement), color = (name) => style.getPropertyValue(name).trim();
    const ratio = window.devicePixelRatio || 1, w = scroll.clientWidth, h = Math.max(200, scroll.clientHeight - 2);
    column = Math.max((w - left - right) / groups, all ? 0 : 5);
    span.style.width = left + groups * column + right + "px";
    canvas.width = w * ratio;
    canvas.height = h * ratio;
    canvas.style.cssText = `width:${w}px;height:${h}px`;
    const c = canvas.getContext("2d"), py = (bytes) => top + bytes / arena * (h - top - bottom);
    c.scale(ratio, ratio);
    c.clearRect(0, 0, w, h);
    c.font = "11px " + style.getPropertyValue("--mono");
    const near = nearBuffers(), first = Math.max(0, Math.floor((scroll.scrollLeft - left) / column)), last = Math.min(groups, Math.ceil((scroll.scrollLeft + w) / column));
    if (state.kind === "g" || state.kind === "n") {
      const group = state.kind === "g" ? state.key : form.nodes.get(state.key).group;
      c.fillStyle = color("--pickbg");
      c.fillRect(px(group), top - 60, Math.max(column, 1), h - top - bottom + 60);
    }
    /* alive bytes, and the two lines that they are held against */
    const cy = (bytes) => top - 10 - bytes / arena * 56;
    c.fillStyle = color("--curve");
    c.globalAlpha = .35;
    for (let g = first; g < last; g++) { const bytes = form.facts.alive_bytes[g]; c.fillRect(px(g), cy(bytes), Math.max(column - (column > 4 ? 1 : 0), .6), cy(0) - cy(bytes)); }
    c.globalAlpha = 1;
    for (const [bytes, name] of [[stats.arena_bound_bytes, "--soft"], [stats.arena_bytes, "--critical"]]) { c.strokeStyle = color(name); c.setLineDash(name === "--soft" ? [3, 3] : []); c.beginPath(); c.moveTo(left, cy(bytes) + .5); c.lineTo(w - right, cy(bytes) + .5); c.stroke(); }
    c.setLineDash([]);
    for (const {buffer, fact} of placed) {
      if (fact.last_group < first || fact.first_group > last) continue;
      const x = px(fact.first_group), y = py(buffer.offset), bw = Math.max((fact.last_group - fact.first_group + 1) * column - 1, 1), bh = Math.max(py(buffer.offset + (fact.arena_bytes || buffer.size)) - y - 1, 1);
      const picked = isPicked("buffer", buffer.id), close = near.has(buffer.id);
      c.fillStyle = color(picked ? "--pick" : close ? "--bar" : "--sunk");
      c.fillRect(x, y, bw, bh);
      c.strokeStyle = color(picked || close ? "--pick" : "--rule");
      if (bw > 3 && bh > 3) c.strokeRect(x + .5, y + .5, bw - 1, bh - 1);
      if (bh > 12 && bw > 30) {
        c.save();
        c.beginPath();
        c.rect(Math.max(x, left), y, bw - 4, bh);
        c.clip();
        c.fillStyle = color(picked ? "--paper" : "--ink");
        c.fillText(bufferWord(buffer), Math.max(x, left) + 4, y + Math.min(bh / 2 + 4, 14));
        c.restore();
      }
    }
    c.clearRect(0, 0, left - 1, h);
    c.fillStyle = color("--soft");
    c.textAlign = "right";
    c.fillText("alive", left - 6, top - 50);
    for (let i = 0; i <= 4; i++) { const bytes = arena * i / 4; c.fillText(bytesOf(Math.round(bytes)), left - 6, py(bytes) + (i ? 0 : 8)); }
    c.textAlign = "left";
    const every = Math.max(1, Math.ceil(44 / column));
    for (let g = Math.ceil(first / every) * every; g < last; g += every) if (px(g) >= left) c.fillText(String(g), px(g), h - 6);
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
    tip.textContent = found ? `${bufferWord(found.buffer)}  ${typeOf(found.buffer)}, ${bytesOf(found.buffer.size)}, groups ${found.fact.first_group} to ${found.fact.last_group}` : `group ${group}: ${bytesOf(form.facts.alive_bytes[group])} alive`;
    const box = scroll.getBoundingClientRect();
    tip.style.left = Math.min(event.clientX - box.left + 14, box.width - 380) + scroll.scrollLeft + "px";
    tip.style.top = event.clientY - box.top + 16 + "px";
  });
  canvas.addEventListener("mouseleave", () => { tip.hidden = true; });
  let waiting = false;
  scroll.addEventListener("scroll", () => { if (!waiting) { waiting = true; requestAnimationFrame(() => { waiting = false; draw(); }); } });
  new ResizeObserver(() => draw()).observe(scroll);
  draw();
  redraw = draw;
  redraw.print = (on) => { all = on; draw(); };
}
