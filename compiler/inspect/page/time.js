/* Measured times: nodes by how long they take, beside what the compiler had expected and what limits them. */
function drawTime(main) {
  const p = form.profile, nodes = p.nodes.filter((n) => form.nodes.has(n.id)), most = nodes.reduce((sofar, n) => Math.max(sofar, n.median_ns, n.expected_ns || 0), 1);
  const bar = (ns, kind) => ns === null || ns === undefined ? null : make("span", {class: "bar " + kind, style: `width:${Math.max(1, 100 * ns / most).toFixed(1)}px`});
  const rate = (n) => n.bytes_per_second === null || n.bytes_per_second === undefined ? "" : rateOf(n.bytes_per_second);
  const off = (n) => n.off_ns === null || n.off_ns === undefined ? null : Math.abs(n.off_ns);
  main.append(make("div", {class: "tools"},
    make("span", {}, `${p.device}, ${p.rounds} rounds: whole ${timeOf(p.whole.median_ns)}, groups ${timeOf(p.groups_sum_ns)}, ` + (p.barriers_sum_ns === undefined ? "" : `their barriers ${timeOf(p.barriers_sum_ns)}, `) + `nodes alone ${timeOf(p.nodes_sum_ns)}`),
    make("span", {class: "key"}, make("i", {style: "background:var(--bar);border:0"}), "measured"), make("span", {class: "key"}, make("i", {style: "background:var(--bar2);border:0"}), "expected")));
  drawTable(main, "time", nodes, [
    {title: "node", width: "64px", name: true, value: (n) => n.id, show: (n) => "n" + n.id},
    {title: "does", width: "minmax(150px, 1.5fr)", name: true, value: (n) => nodeWord(form.nodes.get(n.id))},
    {title: "measured", width: "88px", number: true, first: true, value: (n) => n.median_ns, show: (n) => timeOf(n.median_ns)},
    {title: "share", width: "66px", number: true, value: (n) => n.share, show: (n) => percentOf(n.share)},
    {title: "", width: "116px", value: (n) => n.median_ns, show: (n) => make("span", {class: "bars"}, bar(n.median_ns, ""), bar(n.expected_ns, "expected"))},
    {title: "expected", width: "86px", number: true, value: (n) => n.expected_ns, show: (n) => timeOf(n.expected_ns)},
    {title: "off by", width: "104px", number: true, value: off, show: (n) => off(n) === null ? "" : (n.off_ns < 0 ? "−" : "+") + timeOf(off(n))},
    {title: "factor", width: "76px", number: true, value: (n) => n.expected_factor, show: (n) => make("span", {class: n.misjudged ? "bad" : ""}, factorOf(n.expected_factor))},
    {title: "limit", width: "90px", value: (n) => n.limit},
    {title: "of memory", width: "84px", number: true, value: (n) => n.memory_share, show: (n) => percentOf(n.memory_share)},
    {title: "rate", width: "92px", number: true, value: (n) => n.bytes_per_second, show: rate},
    {title: "of ops", width: "64px", number: true, value: (n) => n.arithmetic_share, show: (n) => percentOf(n.arithmetic_share)},
    {title: "group", width: "60px", number: true, value: (n) => n.group},
  ], "n", (n) => n.id, nearNodes);
}
