"""The page in a real browser: every view is clicked through, on the golden graphs, a decoder of 16 layers, ten thousand nodes, names
that mean harm, and data that is damaged. Pictures go to the folder that REPRISE_PICTURES names."""
import html
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).parent
SOURCE = HERE.parents[1]
sys.path[:0] = [str(SOURCE / "tests" / "support"), str(HERE)]
from chromium import Chromium, find
from large_graph import large_graph
from page_document import document_of, text_of

REPRISE = os.environ.get("REPRISE", "reprise")
PICTURES = os.environ.get("REPRISE_PICTURES")


def reprise(*arguments, cwd=None, statuses=(0,)):
    done = subprocess.run([REPRISE, *map(str, arguments)], cwd=cwd, capture_output=True, text=True, timeout=300)
    if done.returncode not in statuses:
        raise AssertionError(f"{arguments}: {done.stderr}")
    return done.stdout


class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="reprise-page-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.browser = Chromium().__enter__()
        cls.addClassCleanup(cls.browser.__exit__)

    def setUp(self):
        self.browser.messages.clear()

    def tearDown(self):
        self.assertEqual(self.browser.messages, [], "the console is silent")
        self.assertEqual([r for r in self.browser.requests if not r.startswith("file://" + str(self.folder))], [], "nothing is loaded")

    def show(self, name, *arguments, command="show", statuses=(0,)):
        path = self.folder / (name + ".html")
        reprise(command, *arguments, "--format", "html", "-o", path, "-q", statuses=statuses)
        return path

    def picture(self, name):
        if PICTURES:
            self.browser.picture(pathlib.Path(PICTURES) / (name + ".png"))

    def run_in_page(self, text):
        return self.browser.run(text)

    def click_through(self, name):
        """Every view, and in each a thing or two is clicked; the panel and the address follow."""
        b = self.browser
        views = self.run_in_page("[...document.querySelectorAll('#views button')].map((v) => v.dataset.view)")
        for view in views:
            b.click(f'#views button[data-view="{view}"]')
            self.assertEqual(self.run_in_page("location.hash.split('/')[0].replace(/^#(f\\d+\\.)?/, '')"), view)
            self.assertTrue(self.run_in_page("document.getElementById('main').innerText.trim() !== '' || document.querySelector('canvas') !== null"), view)
            for selector in (".chip", ".barrier", ".grouphead", ".table .line", ".pass .link", "canvas"):
                if not self.run_in_page(f"document.querySelector({json.dumps('#main ' + selector)}) !== null"):
                    continue
                b.click("#main " + selector)
                self.assertTrue(self.run_in_page("document.querySelector('#panel h2').textContent.trim()"), f"{view} {selector}")
            self.picture(f"{name}-{view}")
        self.assertEqual(b.messages, [], name)
        return views

    def test_golden_graphs(self):
        for path in sorted((SOURCE / "tests/golden/graphs").glob("*.rpir")):
            with self.subTest(path.name):
                self.browser.open(self.show(path.stem, path))
                self.click_through(path.stem)

    def test_decoder(self):
        """Sixteen layers of a Llama, for a GPU, with tags."""
        path = SOURCE / "examples/workloads/llama.yaml"
        page = self.show("decoder", path, "-D", "layers=16", "--target", "h200", "-O2")
        self.browser.open(page)
        self.click_through("decoder")
        node = self.run_in_page("form.graph.nodes.find((n) => n.members && n.members.length > 1).id")
        self.browser.open(page, f"#lanes/n{node}")
        self.assertEqual(self.run_in_page("document.querySelector('#panel h2 .name').textContent"), f"n{node}")
        self.assertTrue(self.run_in_page("document.querySelector('#panel pre .row') !== null"), "its GLSL is there")
        b = self.browser
        buttons = self.run_in_page("document.querySelectorAll('#panel .link').length")
        self.assertGreater(buttons, 4)
        self.run_in_page("[...document.querySelectorAll('#panel h3')].find((h) => h.textContent.startsWith('GLSL')).nextElementSibling.querySelector('button').click()")
        self.assertGreater(self.run_in_page("document.querySelectorAll('#panel pre .row.mine').length"), 0)

    def test_times_of_painting(self):
        for nodes, most in ((1000, 1.0), (10000, 5.0)):
            graph = self.folder / f"large{nodes}.rpir"
            graph.write_text(large_graph(nodes))
            page = self.show(f"large{nodes}", graph)
            seconds, busy = [], []
            for _ in range(3):
                seconds.append(self.browser.open(page))
                busy.append(self.browser.busy)
            print(f"{nodes} nodes: {page.stat().st_size / 1e6:.2f} MB, drawn after {min(seconds):.2f} s, busy for {min(busy):.2f} s", file=sys.stderr)
            self.assertLess(min(busy), most)
            self.assertLess(page.stat().st_size, 700 * nodes)
        self.click_through("large")
        self.browser.open(page, "#lanes/n7000")
        self.assertLess(self.run_in_page("document.querySelectorAll('*').length"), 5000, "only what is on the screen is in the page")
        self.assertTrue(self.run_in_page("document.querySelector('.chip.picked').textContent.startsWith('n7000')"))

    def test_selection_is_shared(self):
        b = self.browser
        page = self.show("shared", SOURCE / "tests/golden/graphs/moe-expert-loop.rpir")
        b.open(page)
        b.click('.chip[title^="n10 "]')
        self.assertEqual(self.run_in_page("location.hash"), "#lanes/n10")
        for view, picked in (("nodes", ".line.picked"), ("passes", ".entry.touched"), ("buffers", ".line.near"), ("barriers", ".line.near"), ("kernels", ".line.near")):
            b.click(f'#views button[data-view="{view}"]')
            self.assertTrue(self.run_in_page(f"document.querySelector('#main {picked}') !== null"), view)
            self.assertEqual(self.run_in_page("location.hash"), f"#{view}/n10")
        b.click('#panel [data-pick^="buffer "]')
        self.assertTrue(self.run_in_page("location.hash").startswith("#kernels/buffer:"))
        self.run_in_page("new Promise((done) => { addEventListener('popstate', () => setTimeout(done, 50), {once: true}); history.back(); })")
        self.assertEqual(self.run_in_page("location.hash"), "#kernels/n10")
        self.assertEqual(self.run_in_page("document.querySelector('#panel h2 .name').textContent"), "n10")
        for wrong in ("#nothing/n1", "#lanes/n99999", "#lanes/buffer:%zz", "#lanes/kernel:none", "#f9.lanes/n1", "#<script>"):
            b.open(page, wrong)
            self.assertTrue(self.run_in_page("document.querySelector('#panel h2') !== null"))

    def test_keys_and_search(self):
        b = self.browser
        b.open(self.show("keys", SOURCE / "tests/golden/graphs/moe-expert-loop.rpir"))
        b.key("j")
        first = self.run_in_page("location.hash")
        b.key("j")
        self.assertNotEqual(first, self.run_in_page("location.hash"))
        b.key("k")
        self.assertEqual(first, self.run_in_page("location.hash"))
        b.key("l")
        self.assertRegex(self.run_in_page("location.hash"), r"^#lanes/g\d+$")
        b.key("Escape")
        self.assertEqual(self.run_in_page("location.hash"), "#lanes")
        b.key("/")
        b.type("se.3")
        self.assertEqual(self.run_in_page("document.querySelector('#found li .name').textContent"), "%se.3")
        b.key("Enter")
        self.assertEqual(self.run_in_page("location.hash"), "#lanes/buffer:se.3")
        b.key("2")
        self.assertEqual(self.run_in_page("state.view"), "memory")
        before = self.run_in_page("getComputedStyle(document.body).backgroundColor")
        b.key("t")
        self.assertNotEqual(before, self.run_in_page("getComputedStyle(document.body).backgroundColor"))
        self.picture("dark-memory")
        b.key("1")
        self.picture("dark-lanes")
        b.key("t")
        b.key("?")
        self.assertTrue(self.run_in_page("document.getElementById('help').open"))
        b.key("Escape")

    def test_hostile_names(self):
        text = (SOURCE / "tests/cli/data/graph.rpir").read_text()
        label = '</script><script>alert(1)</script><img src=x onerror=alert(2)> \\" \' \u202e\u05d0\u05d1 &amp; <!--'
        graph = self.folder / "hostile.rpir"
        graph.write_text(text.replace("w %a)", f'w %a) label "{label}" op "{label}"'))
        self.browser.open(self.show("hostile", graph), "#lanes/n0")
        self.assertEqual(self.run_in_page("document.querySelectorAll('img, body script').length"), 2, "the document and the scripts alone")
        self.assertIn("</script><script>alert(1)", self.run_in_page("document.querySelector('#panel .tag.name').textContent"))
        self.click_through("hostile")

    def test_difference_and_times(self):
        graphs = SOURCE / "tests/golden/graphs"
        profile = self.folder / "profile.json"
        reprise("compile", graphs / "moe-expert-loop.rpir", "-o", self.folder / "p.rplan", "-q")
        nodes = json.loads(reprise("show", self.folder / "p.rplan", "--format", "json"))["nodes"]
        groups = 1 + max(n["group"] for n in nodes)
        profile.write_text(json.dumps({"plan": "p", "device": "a device", "rounds": 3, "target": {"name": "t", "memory_rate": 1000, "cache_rate": 2000}, "cached": False,
            "whole": {"median_ns": 5000, "least_ns": 4000}, "groups_sum_ns": 6000, "nodes_sum_ns": 7000, "groups": [{"median_ns": 100 + i, "nodes": []} for i in range(groups)],
            "nodes": [{"id": n["id"], "group": n["group"], "median_ns": 100 + n["id"], "least_ns": 90, "expected_ns": 50 if n["id"] % 2 else None, "bytes_read": 4096, "bytes_written": 4096, "limit": "launch"} for n in nodes]}))
        self.browser.open(self.show("timed", self.folder / "p.rplan", "--profile", profile))
        self.assertIn("time", self.click_through("timed"), "a profile that lacks what later ones have is shown all the same")
        self.browser.open(self.show("differ", graphs / "decode870-naive.rpir", graphs / "decode870-interleaved.rpir", command="diff", statuses=(1,)))
        self.assertIn("difference", self.click_through("differ"))

    def test_times_are_those_of_the_profile(self):
        """Nodes, groups and barriers of a plan that ran: every figure in the view and the panel is one of the document's."""
        b, plan, profile = self.browser, self.folder / "mlp.rplan", self.folder / "mlp.json"
        reprise("compile", SOURCE / "examples/ops/mlp.yaml", "-O0", "-o", plan, "-q")
        profile.write_text(reprise("profile", plan, "-n", "3", "-f", "json", "-q"))
        measured = json.loads(profile.read_text())
        b.open(self.show("measured", plan, "--profile", profile), "#time")
        self.click_through("measured")
        b.open(self.folder / "measured.html", "#time")
        cells = self.run_in_page("[...document.querySelectorAll('#main .line')].map((l) => [...l.children].map((c) => c.textContent))")
        order = sorted(measured["nodes"], key=lambda n: -n["median_ns"])
        self.assertEqual([c[0] for c in cells], [f"n{n['id']}" for n in order], "the longest in front")
        for row, node in zip(cells, order, strict=True):
            wanted = self.run_in_page(f"((n) => [timeOf(n.median_ns), percentOf(n.share), timeOf(n.expected_ns), factorOf(n.expected_factor), percentOf(n.memory_share)])({json.dumps(node)})")
            self.assertEqual([row[i] for i in (2, 3, 5, 7, 9)], wanted)
            self.assertEqual(row[6], "" if node["off_ns"] is None else ("−" if node["off_ns"] < 0 else "+") + self.run_in_page(f"timeOf({abs(node['off_ns'])})"))
        self.run_in_page("[...document.querySelectorAll('#main .titles button')].find((t) => t.textContent === 'off by').click()")
        first = self.run_in_page("document.querySelector('#main .line').firstChild.textContent")
        self.assertEqual(first, f"n{max((n for n in order if n['off_ns'] is not None), key=lambda n: abs(n['off_ns']))['id']}")
        for barrier in measured["barriers"]:
            b.open(self.folder / "measured.html", f"#lanes/b{barrier['before_group']}")
            self.assertIn(self.run_in_page(f"timeOf({barrier['median_ns']})"), self.run_in_page("document.getElementById('panel').innerText"))
            self.assertIn(self.run_in_page(f"timeOf({barrier['median_ns']})"), self.run_in_page(f"document.querySelector('.barrier.picked').getAttribute('aria-label')"))
        for node in measured["nodes"]:
            self.assertIn(self.run_in_page(f"timeOf({node['median_ns']})"), self.run_in_page(f"[...document.querySelectorAll('.chip')].find((c) => c.title.startsWith('n{node['id']} ')).getAttribute('aria-label')"))
        for i, group in enumerate(measured["groups"]):
            b.open(self.folder / "measured.html", f"#lanes/g{i}")
            text = self.run_in_page("document.getElementById('panel').innerText")
            for key in ("median_ns", "longest_ns", "beyond_ns"):
                self.assertIn(self.run_in_page(f"timeOf({group[key]})"), text, key)

    def chain(self, nodes, wide=1):
        """So many groups of so many nodes each."""
        k, text = "  kern @k spirv - local 64 1 1 (r, w)\n  buf $x in 65536\n", ""
        for i in range(nodes):
            for lane in range(wide):
                k += f"  buf %t{i}_{lane} tmp 65536\n" if i + 1 < nodes else f"  buf $y{lane} out 65536\n"
                text += f"  n{i * wide + lane} = run @k grid 16 1 1 (r {f'%t{i - 1}_{lane}' if i else '$x'}, w {f'%t{i}_{lane}' if i + 1 < nodes else f'$y{lane}'})\n"
        path = self.folder / f"chain{nodes}x{wide}.rpir"
        path.write_text(f"reprise 1\ngraph chain {{\n{k}{text}}}\n")
        return self.show(path.stem, path)

    def chips(self):
        return self.run_in_page("[...document.querySelectorAll('.chip')].map((e) => { const r = e.getBoundingClientRect(), m = document.querySelector('.lanes').getBoundingClientRect();"
                                " return [e.querySelector('.id').textContent, r.left, r.top, r.right <= m.right && r.left >= m.left && r.top >= m.top && r.bottom <= m.bottom]; })")

    def test_long_schedules_go_on_in_the_next_row(self):
        b = self.browser
        b.open(self.chain(500))
        chips = self.chips()
        seen = [c for c in chips if c[3]]
        self.assertGreater(len(seen), 30, "a chain fills the screen")
        self.assertLess(len(chips), 120, "and what is not on it is not in the page")
        places = {c[0]: (c[2], c[1]) for c in chips}
        order = sorted(places, key=lambda name: places[name])
        self.assertEqual(order, [f"n{i}" for i in range(len(order))], "it reads as text does")
        self.assertEqual(len(set(places.values())), len(places))
        for group in (0, 250, 499):
            b.open(self.folder / "chain500x1.html", f"#lanes/n{group}")
            here = {c[0]: c[3] for c in self.chips()}
            self.assertTrue(here[f"n{group}"], "the selected one is on the screen")
        self.assertTrue(self.run_in_page("document.querySelector('.chip.near') !== null"))
        b.key("l")
        self.assertEqual(self.run_in_page("location.hash"), "#lanes/g499")
        b.key("w")
        self.assertEqual(len({c[2] for c in self.chips()}), 1, "all in one row, where that is wanted")
        self.assertIn("n499", {c[0] for c in self.chips() if c[3]})
        b.key("-")
        b.key("w")
        self.assertGreater(len({c[2] for c in self.chips()}), 3)
        b.open(self.chain(60, 40))
        self.assertEqual(self.run_in_page("document.querySelectorAll('.lanes .row').length"), 0, "a tall one scrolls sideways")
        b.key("w")
        self.assertGreater(self.run_in_page("document.querySelectorAll('.lanes .row').length"), 0)
        b.open(self.chain(3))
        self.assertTrue(self.run_in_page("document.querySelector('.overview').hidden"), "no overview of what fits")

    def test_overview(self):
        """A click in the strip of all groups goes there, in the schedule and in memory."""
        b = self.browser
        for name, page in (("rows", self.chain(500)), ("row", self.chain(60, 40))):
            b.open(page)
            box = self.run_in_page("(() => { const r = document.querySelector('.overview').getBoundingClientRect(); return [r.left, r.top, r.width, r.height]; })()")
            groups = self.run_in_page("form.graph.groups.length")
            for share in (.9, .5, .02):
                b.click(None, at=(box[0] + box[2] * share, box[1] + box[3] / 2))
                b.frame()
                self.assertIn(round(groups * share - .5), self.run_in_page("[...document.querySelectorAll('.grouphead b')].map((e) => +e.textContent)"), f"{name} {share}")
            self.assertEqual(self.run_in_page("state.kind"), None, "it selects nothing")
            self.picture(f"overview-{name}")
        b.open(self.chain(500), "#memory")
        self.run_in_page("for (let i = 0; i < 6; i++) redraw.zoom(1)")
        box = self.run_in_page("(() => { const r = document.querySelector('.overview').getBoundingClientRect(); return [r.left, r.top, r.width, r.height]; })()")
        b.click(None, at=(box[0] + box[2] * .9, box[1] + box[3] / 2))
        self.assertTrue(440 <= self.run_in_page("arenaView.group") <= 460, self.run_in_page("arenaView.group"))
        b.key("Escape")
        b.key("k")
        self.assertTrue(self.run_in_page("location.hash").startswith("#memory/buffer:"), "the order of this view is that of its transients")

    def test_nothing_to_draw(self):
        for name, text, words in (("empty", "", "has no nodes"), ("one", "  buf $y out 16\n  n0 = fill 00000007 (w $y)\n", "n0")):
            path = self.folder / f"{name}.rpir"
            path.write_text(f"reprise 1\ngraph {name} {{\n{text}}}\n")
            self.browser.open(self.show(name, path))
            self.assertIn(words, self.run_in_page("document.getElementById('main').innerText"))
            self.click_through(name)

    def test_saved_document(self):
        """What the button saves is what `--format inspection` writes, small and packed."""
        for name, page in (("small", self.chain(5)), ("packed", self.chain(500))):
            self.browser.open(page)
            self.assertEqual('type="text/plain" id="document"' in page.read_text(), name == "packed")
            self.run_in_page("(() => { const make = URL.createObjectURL; window.saved = new Promise((done) => { URL.createObjectURL = (blob) => { done(blob.text()); return make.call(URL, blob); }; }); })()")
            self.run_in_page("HTMLAnchorElement.prototype.click = function () { window.savedAs = this.download; }")
            self.browser.click("#save")
            saved = self.run_in_page("window.saved")
            self.assertEqual((saved, json.loads(saved)), (text_of(page.read_text()), document_of(page.read_text())))
            self.assertEqual(self.run_in_page("window.savedAs"), "chain.json")

    def test_in_a_frame(self):
        """As a notebook shows it: in a document without an address, where nothing of the selection can be kept in one."""
        page = self.show("framed", SOURCE / "tests/golden/graphs/moe-expert-loop.rpir")
        host = self.folder / "host.html"
        host.write_text(f'<!doctype html><meta charset="utf-8"><iframe style="width:1200px;height:700px" srcdoc="{html.escape(page.read_text())}"></iframe><script>onload = () => performance.mark("drawn")</script>')
        self.browser.open(host)
        for view in ("memory", "lanes", "passes"):
            self.run_in_page(f"frames[0].document.querySelector('#views button[data-view=\"{view}\"]').click()")
            self.assertEqual(self.run_in_page("frames[0].document.querySelector('#views button[aria-current]').dataset.view"), view)
        self.run_in_page("frames[0].document.querySelector('#views button').click()")
        self.run_in_page("frames[0].document.querySelector('.chip').click()")
        self.assertEqual(self.run_in_page("frames[0].document.querySelector('#panel h2 .name').textContent"), self.run_in_page("frames[0].document.querySelector('.chip.picked .id').textContent"))

    def test_forms_and_unscheduled(self):
        forms = self.folder / "forms.yaml"
        forms.write_text("reprise: 1\nname: forms\nlive:\n  tokens: {dtype: u32, shape: [1], default: 1, max: 64, ranges: [8]}\n"
                         "buffers:\n  x: {kind: in, dtype: f32, shape: [tokens, 16]}\n  y: {kind: out, dtype: f32, shape: [tokens, 16]}\nnodes:\n  - {map: x * 2, out: y}\n")
        try:
            page = self.show("forms", forms)
        except AssertionError as error:
            self.skipTest(str(error)[:200])
        self.browser.open(page)
        count = self.run_in_page("DOCUMENT.forms.length")
        self.assertEqual(count, 2)
        self.run_in_page("(() => { const f = document.getElementById('form'); f.value = 1; f.dispatchEvent(new Event('change')); })()")
        self.assertTrue(self.run_in_page("location.hash").startswith("#f2."))
        self.click_through("forms")
        reprise("opt", SOURCE / "tests/cli/data/graph.rpir", "--passes", "dce", "--dump-after", "all", "--dump-format", "html", "--dump-dir", self.folder / "d", "-o", self.folder / "o", "-q")
        self.browser.open(self.folder / "d" / "inspection.html")
        self.click_through("unscheduled")

    def test_damaged(self):
        packed = self.chain(500).read_text()
        size = packed.index('data-size="')
        for name, page in (("half", packed[:len(packed) // 2] + "</script>" + packed[packed.index("</script>") + 9:]), ("size", packed[:size + 11] + "9" + packed[size + 11:]), ("short", packed[:size + 12] + packed[size + 13:])):
            path = self.folder / f"damaged-{name}.html"
            path.write_text(page)
            self.browser.open(path)
            self.assertIn("cannot be read", self.run_in_page("document.getElementById('main').innerText"), name)
        page = self.show("whole", SOURCE / "tests/cli/data/graph.rpir").read_text()
        begin = page.index('id="document">') + 14
        end = page.index("</script>", begin)
        for name, data in (("number", "7"), ("null", "null"), ("list", "[]"), ("cut", page[begin:(begin + end) // 2]), ("empty", ""), ("other", '{"forms":[]}'), ("nothing", '{"inspection":1,"forms":[{"title":null,"source":null,"passes":[],"graph":null,"facts":null,"profile":null,"difference":null}]}')):
            path = self.folder / f"damaged-{name}.html"
            path.write_text(page[:begin] + data + page[end:])
            self.browser.open(path)
            self.assertTrue(self.run_in_page("document.getElementById('main').innerText.trim()"), name)

    def test_profiles_of_other_programs(self):
        page = self.show("other", SOURCE / "tests/cli/data/graph.rpir").read_text()
        self.assertIn('"profile":null', page)
        for i, profile in enumerate(({}, {"nodes": [], "groups": []}, {"nodes": [], "groups": [], "whole": {}, "target": {}}, {"nodes": 1, "groups": None})):
            path = self.folder / f"profile{i}.html"
            path.write_text(page.replace('"profile":null', '"profile":' + json.dumps(profile)))
            self.browser.open(path)
            self.assertEqual("time" in self.click_through(f"profile{i}"), i == 2)

    def test_print_and_names(self):
        b = self.browser
        b.open(self.show("print", SOURCE / "tests/golden/graphs/moe-expert-loop.rpir"), "#nodes")
        self.assertEqual(b.pdf()[:5], b"%PDF-")
        b.open(self.chain(100))
        self.run_in_page("document.documentElement.className = 'dark'")
        self.run_in_page("window.printed = []; addEventListener('beforeprint', () => printed.push(document.querySelectorAll('.chip').length, Math.max(...[...document.querySelectorAll('.chip')].map((e) => e.getBoundingClientRect().right)), getComputedStyle(document.body).color))")
        b.pdf()
        chips, right, ink = self.run_in_page("window.printed")
        self.assertEqual((chips, ink), (100, "rgb(29, 31, 33)"), "all of the schedule, on light paper")
        self.assertLess(right, 720, "as wide as a page")
        self.assertEqual(self.run_in_page("getComputedStyle(document.body).color"), "rgb(230, 231, 232)", "and as before behind it")
        b.open(self.chain(100), "#memory")
        self.run_in_page("window.printed = []; addEventListener('beforeprint', () => { const c = document.querySelector('.memory canvas'), last = form.graph.groups.length; printed.push(c.getBoundingClientRect().width, parseFloat(document.querySelector('.memory > div').style.width)); })")
        b.pdf()
        canvas, groups = self.run_in_page("window.printed")
        self.assertLessEqual(canvas, 720)
        self.assertLessEqual(groups, canvas + 1, "all groups are on the paper")
        b.open(self.folder / "print.html")
        nameless = "[...document.querySelectorAll('button, input, select, [tabindex]')].filter((e) => !(e.getAttribute('aria-label') || e.textContent.trim() || e.getAttribute('title')) && e.id !== 'main').map((e) => e.outerHTML.slice(0, 80))"
        for view in self.run_in_page("viewsHere().map((v) => v.name)"):
            self.run_in_page(f"showView({json.dumps(view)})")
            self.assertEqual([e for e in self.run_in_page(nameless) if 'id="form"' not in e], [], view)

    def test_contrast(self):
        """Every text that is seen, against what is behind it: at least 4.5 to 1, in all views, light and dark, with things selected
        and not."""
        faint = r"""(() => {
            const parse = (c) => { const v = c.match(/[\d.]+/g).map(Number), mixed = c.startsWith("color("); return [0, 1, 2].map((i) => mixed ? 255 * v[i] : v[i]).concat(v[3] === undefined ? 1 : v[3]); };
            const light = (v) => { const f = v.slice(0, 3).map((x) => { x /= 255; return x <= .03928 ? x / 12.92 : ((x + .055) / 1.055) ** 2.4; }); return .2126 * f[0] + .7152 * f[1] + .0722 * f[2]; };
            const over = (a, b) => [0, 1, 2].map((i) => a[i] * a[3] + b[i] * (1 - a[3])).concat(1);
            const up = (e) => { const all = []; for (; e; e = e.parentElement) all.unshift(getComputedStyle(e)); return all; };
            const found = {}, note = (e, color, what) => {
                const styles = up(e), ground = styles.reduce((c, s) => over(parse(s.backgroundColor), c), [255, 255, 255, 1]);
                const ink = parse(color);
                ink[3] *= styles.reduce((o, s) => o * s.opacity, 1);
                const a = light(over(ink, ground)), b = light(ground), ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
                if (ratio < 4.5) found[what + (e.className || e.tagName)] = ratio.toFixed(2);
            };
            const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
            for (let n; n = walk.nextNode();) {
                const e = n.parentElement;
                if (!n.textContent.trim() || !e.checkVisibility({visibilityProperty: true}) || e.closest("script, dialog:not([open]), noscript")) continue;
                note(e, getComputedStyle(e).color, "");
            }
            for (const e of document.querySelectorAll("pre .row")) note(e, getComputedStyle(e, "::before").color, "number of ");
            note(document.getElementById("search"), getComputedStyle(document.getElementById("search"), "::placeholder").color, "placeholder of ");
            return found; })()"""
        self.browser.open(self.show("contrast", SOURCE / "examples/workloads/kmeans.yaml"))
        for theme in ("light", "dark"):
            self.run_in_page(f"document.documentElement.className = '{theme}'")
            for view in self.run_in_page("viewsHere().map((v) => v.name)"):
                for picked in ("null", "'n', 12", "'b', 3", "'buffer', form.nodes.get(12).uses[0].buffer"):
                    self.run_in_page(f"select({picked}); showView({json.dumps(view)})")
                    self.assertEqual(self.run_in_page(faint), {}, f"{theme} {view} {picked}")
            self.run_in_page("document.getElementById('search').focus(); document.getElementById('search').value = 'n1'; document.getElementById('search').dispatchEvent(new Event('input'))")
            self.assertEqual(self.run_in_page(faint), {}, f"{theme} search")
            self.run_in_page("document.getElementById('help').showModal()")
            self.assertEqual(self.run_in_page(faint), {}, f"{theme} keys")
            self.run_in_page("document.getElementById('help').close(); document.getElementById('search').blur()")


if __name__ == "__main__":
    if not find():
        print("no Chromium: install chromium")
        sys.exit(77)
    unittest.main()
