/* Measured times: nodes by how long they take, beside what the compiler had expected and what limits them. */
function drawTime(main) {
  const p = form.profile, nodes = p.nodes.filter((n) => form.nodes.has(n.id)), most = nodes.reduce((sofar, n) => Math.max(sofar, n.median_ns, n.expected_ns || 0), 1);
  const bar = (ns, kind) => ns === null || ns === undefined ? null : make("span", {class: "bar " + kind, style: `width:${Math.max(1, 100 * ns / most).toFixed(1)}px`});
  const rate = (n) => n.bytes_read === null || n.bytes_written === null || !n.median_ns ? null : (n.bytes_read + n.bytes_written) / n.median_ns;
  const ceiling = p.cached ? p.target.cache_rate : p.target.memory_rate;
  main.append(make("div", {class: "tools"},
    make("span", {}, `${p.device}, ${p.rounds} rounds: whole ${timeOf(p.whole.median_ns)}, groups ${timeOf(p.groups_sum_ns)}, nodes alone ${timeOf(p.nodes_sum_ns)}`),
    make("span", {class: "key"}, make("i", {style: "background:var(--bar);border:0"}), "measured"), make("span", {class: "key"}, make("i", {style: "background:var(--bar2);border:0"}), "expected")));
  drawTable(main, "time", nodes, [
    {title: "node", width: "64px", name: true, value: (n) => n.id, show: (n) => "n" + n.id},
    {title: "does", width: "minmax(150px, 1.5fr)", name: true, value: (n) => nodeWord(form.nodes.get(n.id))},
    {title: "group", width: "56px", number: true, value: (n) => n.group},
    {title: "measured", width: "86px", number: true, value: (n) => n.median_ns, show: (n) => timeOf(n.median_ns)},
    {title: "share", width: "74px", number: true, value: (n) => n.median_ns, show: (n) => (100 * n.median_ns / Math.max(p.nodes_sum_ns, 1)).toFixed(1) + " %"},
    {title: "", width: "118px", value: (n) => n.median_ns, show: (n) => bar(n.median_ns, "")},
    {title: "expected", width: "86px", number: true, value: (n) => n.expected_ns, show: (n) => timeOf(n.expected_ns)},
    {title: "", width: "118px", value: (n) => n.expected_ns, show: (n) => bar(n.expected_ns, "expected")},
    {title: "off by", width: "66px", number: true, value: (n) => n.expected_ns ? n.median_ns / n.expected_ns : null, show: (n) => n.expected_ns ? make("span", {class: n.median_ns > 2 * n.expected_ns || n.median_ns < n.expected_ns / 2 ? "bad" : ""}, (n.median_ns / n.expected_ns).toFixed(2) + " ×") : ""},
    {title: "bytes/ns", width: "76px", number: true, value: rate, show: (n) => rate(n) === null ? "" : rate(n).toFixed(1)},
    {title: "of memory", width: "78px", number: true, value: rate, show: (n) => rate(n) === null || !ceiling ? "" : (100 * rate(n) / (ceiling / 1000)).toFixed(0) + " %"},
    {title: "limit", width: "90px", value: (n) => n.limit},
  ], "n", (n) => n.id, nearNodes);
}
