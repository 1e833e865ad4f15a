/* All groups in one strip: what each has as a bar, the groups of the selection, and a frame around those on the screen. A
 * click or a drag goes there. */
function makeOverview(label, bar, visible, go) {
  const groups = form.graph.groups.length, height = 34;
  const canvas = make("canvas", {class: "overview", role: "img", "aria-label": `${label}, all ${countOf(groups)} groups; a click shows one`, title: label});
  const groupAt = (event) => { const box = canvas.getBoundingClientRect(); return Math.max(0, Math.min(groups - 1, Math.floor((event.clientX - box.left) / box.width * groups))); };
  canvas.addEventListener("pointerdown", (event) => { canvas.setPointerCapture(event.pointerId); go(groupAt(event)); });
  canvas.addEventListener("pointermove", (event) => { if (event.buttons & 1) go(groupAt(event)); });
  let most = 0;
  for (let group = 0; group < groups; group++) most = Math.max(most, bar(group)[0]);
  const near = () => {
    const picked = new Set(), {kind, key} = state;
    if (kind === "g" || kind === "b") picked.add(Math.min(key, groups - 1));
    else if (kind) for (const id of kind === "n" ? [key] : nearNodes()) { const node = form.nodes.get(id); if (node) picked.add(node.group); }
    return picked;
  };
  const draw = () => {
    const w = canvas.clientWidth, ratio = window.devicePixelRatio || 1, [first, last] = visible();
    const paint = colors(), c = canvas.getContext("2d");
    canvas.hidden = first <= 0 && last >= groups - 1;
    if (canvas.hidden || !w) return;
    canvas.width = w * ratio;
    canvas.height = height * ratio;
    c.scale(ratio, ratio);
    const step = w / groups, wide = Math.max(step - (step > 3 ? 1 : 0), .6), tall = (value) => Math.max(1, value / (most || 1) * (height - 8));
    c.fillStyle = paint("--pickbg");
    c.fillRect(first * step, 0, Math.max((last - first + 1) * step, 3), height);
    for (let group = 0; group < groups; group++) {
      const [value, part] = bar(group);
      c.fillStyle = paint("--curve");
      c.fillRect(group * step, height - tall(value), wide, tall(value));
      if (part) { c.fillStyle = paint("--bar2"); c.fillRect(group * step, height - tall(value), wide, Math.min(tall(part), tall(value))); }
    }
    c.fillStyle = paint("--pick");
    for (const group of near()) c.fillRect(group * step, 0, Math.max(wide, 2), 5);
    c.strokeStyle = paint("--pick");
    c.strokeRect(first * step + .5, .5, Math.max((last - first + 1) * step - 1, 3), height - 1);
  };
  return {canvas, draw};
}
