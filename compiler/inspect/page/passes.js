/* Passes side by side: what each decided and why, what it changed, and the figures from one to the next. Entries that
 * name the selection stand first. */
const SIGNS = {added: "+", removed: "−", changed: "~", moved: "→"};
const ENTRIES = 60; /* of a list, at first */

function delta(term, before, after, format) {
  const changed = before !== undefined && before !== after;
  return [make("span", {class: "soft"}, term), make("span", {}, changed ? [format(before), " → ", make("b", {}, format(after))] : format(after))];
}

function touches(text, nodes, picked) {
  const {kind, key} = state;
  if (!kind) return false;
  if (kind === "n") return nodes.some((id) => picked.has(id));
  if (kind === "g" || kind === "b") return false;
  const name = kind === "buffer" ? bufferWord(form.buffers.get(key)) : "@" + form.kernels.get(key).name;
  const at = text.indexOf(name);
  return at >= 0 && !/[\w.\-]/.test(text[at + name.length] || " ");
}

function entryList(title, entries) {
  if (!entries.length) return null;
  const box = make("div", {});
  let shown = 0;
  const more = make("button", {class: "more", type: "button", onclick: () => grow(500)});
  const grow = (count) => {
    for (const end = Math.min(entries.length, shown + count); shown < end; shown++) box.append(entries[shown].draw());
    more.textContent = `${countOf(entries.length - shown)} more`;
    more.hidden = shown === entries.length;
  };
  entries.sort((a, b) => b.touched - a.touched);
  grow(Math.max(ENTRIES, entries.filter((e) => e.touched).length));
  return [make("h3", {}, `${title} ${countOf(entries.length)}`), box, more];
}

function changeEntries(changes, picked) {
  return changes.lines.map((line) => {
    const touched = state.kind === "n" && line.what === "node" ? picked.has(line.id) : state.kind === "b" && line.what === "barrier" ? line.id === state.key : touches(line.text, [], picked);
    return {touched, draw: () => make("div", {class: "entry" + (touched ? " touched" : "")}, make("span", {class: "sign " + line.how, title: line.how}, SIGNS[line.how]), make("span", {class: "name"}, linked(line.text.replaceAll(" -> ", " → ")), line.cut ? " …" : ""))};
  });
}

function passColumn(pass, before, picked) {
  const decided = pass.decisions.map((d) => {
    const touched = touches(d.text, d.nodes, picked);
    return {touched, draw: () => make("div", {class: "entry" + (touched ? " touched" : "") + (d.kind === "kept apart" || d.kind === "left" ? " kept" : "")}, linked(d.text))};
  });
  const quiet = !pass.changed && !pass.decisions.length;
  return make("section", {class: "pass" + (quiet ? " quiet" : ""), "aria-label": "Pass " + pass.pass},
    make("header", {}, make("span", {class: "name"}, pass.pass), make("span", {class: "soft"}, pass.changed ? "" : " changed nothing"),
      make("div", {class: "soft"}, pass.summary),
      make("div", {class: "deltas"}, delta("nodes", pass.nodes_before, pass.nodes, countOf), pass.groups ? delta("groups", before && before.groups || undefined, pass.groups, countOf) : null,
        pass.barriers || pass.pass.startsWith("sync") ? delta("barriers", before && before.barriers || undefined, pass.barriers, countOf) : null, delta("bytes", pass.bytes_before, pass.bytes, bytesOf),
        make("span", {class: "soft"}, "took"), make("span", {}, pass.seconds === null ? "?" : (pass.seconds * 1e3).toFixed(2) + " ms"))),
    make("div", {class: "body", tabindex: 0, "aria-label": "What " + pass.pass + " did"}, entryList("Decided", decided), entryList("Changed", changeEntries(pass.changes, picked)),
      pass.changes.left_out ? make("p", {class: "entry soft"}, `${countOf(pass.changes.left_out)} more changes are left out of the document`) : null));
}

function sourceColumn(picked) {
  const nodes = form.raw.source ? form.raw.source.nodes : [];
  const entries = nodes.map((node) => ({touched: picked.has(node.id), draw: () => make("div", {class: "entry" + (picked.has(node.id) ? " touched" : "")}, pickNode(node.id), " ", make("span", {class: "name"}, node.text || (node.written || "").trim().replace(/^n\d+ = /, "")), node.label && node.text ? make("span", {class: "soft"}, " " + node.label) : null)}));
  return make("section", {class: "pass", "aria-label": "Source"}, make("header", {}, make("span", {class: "name"}, "source"), make("div", {class: "soft"}, `${countOf(nodes.length)} nodes as they were written`)),
    make("div", {class: "body", tabindex: 0, "aria-label": "Nodes of the source"}, entryList("Nodes", entries)));
}

function drawPasses(main) {
  const box = make("div", {class: "passes"});
  main.append(box);
  const fill = () => {
    const scrolls = [...box.querySelectorAll(".body")].map((body) => body.scrollTop), left = box.scrollLeft;
    const picked = new Set(), node = state.kind === "n" && form.nodes.get(state.key);
    if (node) { picked.add(node.id); for (const id of node.source) picked.add(id); }
    box.replaceChildren();
    if (form.raw.source) box.append(sourceColumn(picked));
    form.raw.passes.forEach((pass, i) => box.append(passColumn(pass, form.raw.passes[i - 1], picked)));
    if (!form.raw.passes.length) box.append(make("p", {class: "empty"}, "No passes are known of this graph: it was compiled before. Show its source, or compile it with --dump-format html."));
    box.scrollLeft = left;
    if (!state.kind) box.querySelectorAll(".body").forEach((body, i) => { body.scrollTop = scrolls[i] || 0; });
  };
  fill();
  const touched = box.querySelector(".pass:not(:first-child) .entry.touched");
  if (touched) touched.closest(".pass").scrollIntoView({inline: "center", block: "nearest"});
  redraw = fill;
}

function drawDifference(main) {
  const d = form.raw.difference, s = form.graph.stats;
  const row = (term, key, format) => [make("span", {class: "soft"}, term), make("span", {}, d.stats[key] === s[key] ? format(s[key]) : [format(d.stats[key]), " → ", make("b", {class: s[key] <= d.stats[key] ? "good" : "bad"}, format(s[key]))])];
  const box = make("div", {class: "passes"});
  main.append(box);
  const fill = () => {
    const picked = new Set(state.kind === "n" ? [state.key] : []);
    const of = (...what) => changeEntries({lines: d.changes.lines.filter((line) => what.includes(line.what))}, picked);
    const column = (title, ...what) => { const entries = of(...what); return entries.length ? make("section", {class: "pass", "aria-label": title}, make("header", {}, make("span", {class: "name"}, title)), make("div", {class: "body", tabindex: 0, "aria-label": title}, entryList("Changed", entries))) : null; };
    box.replaceChildren();
    add(box, [make("section", {class: "pass", "aria-label": "Figures"}, make("header", {}, make("span", {class: "name"}, "figures"), make("div", {class: "soft"}, "from ", d.from, " to ", DOCUMENT.file || "this"),
      make("div", {class: "deltas"}, row("nodes", "nodes", countOf), row("dispatches", "dispatches", countOf), row("groups", "groups", countOf), row("barriers", "barriers", countOf), row("arena", "arena_bytes", bytesOf), row("arena bound", "arena_bound_bytes", bytesOf), row("unshared", "transient_bytes", bytesOf), row("other buffers", "external_bytes", bytesOf))),
      make("div", {class: "body"}, make("p", {class: "entry"}, d.changes.summary || "Nothing differs."))),
    column("nodes", "node"), column("groups", "group"), column("barriers", "barrier"), column("buffers", "buffer"), column("kernels", "kernel", "sampler"), column("graph", "graph")]);
  };
  fill();
  redraw = fill;
}
