"""Inspections: the JSON says what is so, and the page holds that JSON, is HTML, loads nothing and runs nothing of what
it shows. What it looks like is for tests/browser."""
import html.parser
import json
import pathlib
import re
import subprocess
import sys
import unittest

import cli
from cli import INPUT, OK, SOURCE, USAGE

sys.path.insert(0, str(SOURCE / "tests" / "support"))
from large_graph import large_graph
from page_document import document_of, text_of

VOID = {"meta", "link", "input", "br", "img", "hr"}
FORMS = """
reprise: 1
name: forms
live:
  tokens: {dtype: u32, shape: [1], default: 1, max: 64, ranges: [1, 8]}
buffers:
  x: {kind: in, dtype: f32, shape: [tokens, 16]}
  y: {kind: out, dtype: f32, shape: [tokens, 16]}
nodes:
  - {map: x * 2, out: y}
"""
HOSTILE = "</script><script>alert(1)</script> \" ' & \u202e right to left \u05d0 <!-- \\u0009 ]]>"


class Reader(html.parser.HTMLParser):
    """Checks that tags close as they open, and gathers what could load or run something."""

    def __init__(self):
        super().__init__()
        self.open, self.faults, self.addresses, self.handlers, self.ids, self.scripts = [], [], [], [], [], []

    def handle_starttag(self, tag, attributes):
        for key, value in attributes:
            if key in ("src", "href", "action", "data", "poster", "srcset"):
                self.addresses.append(value)
            if key.startswith("on"):
                self.handlers.append(key)
            if key == "id":
                self.ids.append(value)
        if tag == "script":
            self.scripts.append(dict(attributes))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> at {self.getpos()}")


class Inspection(cli.Case):
    def inspect(self, *arguments):
        return json.loads(self.expect(OK, "show", *arguments, "--format", "inspection"))

    def page(self, *arguments):
        page = self.expect(OK, "show", *arguments, "--format", "html")
        self.check_page(page)
        return page

    def check_page(self, page):
        reader = Reader()
        reader.feed(page)
        reader.close()
        self.assertEqual((reader.faults, reader.open, reader.handlers), ([], [], []))
        self.assertEqual(reader.addresses, ["data:,"], "a page loads nothing")
        self.assertEqual(len(reader.ids), len(set(reader.ids)))
        self.assertEqual([s.get("id") for s in reader.scripts], ["document", None])
        self.assertIn(reader.scripts[0]["type"], ("application/json", "text/plain"))
        self.assertIn("default-src 'none'", page)
        return document_of(page)

    def check_facts(self, form):
        """What can be found again from the graph alone."""
        graph, facts = form["graph"], form["facts"]
        nodes = {n["id"]: n for n in graph["nodes"]}
        buffers = {b["id"]: b for b in graph["buffers"]}
        self.assertEqual([f["id"] for f in facts["nodes"]], [n["id"] for n in graph["nodes"]])
        before = {n: {f["id"] for f in facts["nodes"] if n in f["after"]} for n in nodes}
        for fact in facts["nodes"]:
            if fact.get("before_more"):
                self.assertEqual(len(fact["before"]), 32)
            else:
                self.assertLessEqual(before[fact["id"]], set(fact["before"]))
            if not any(f.get("after_more") for f in facts["nodes"]):
                self.assertLessEqual(set(fact["before"]), before[fact["id"]])
            self.assertEqual(fact["slack"], fact["latest"] - fact["earliest"])
        expected = [max([f.get("expected_ns", 0) for f in facts["nodes"] if nodes[f["id"]]["group"] == g], default=0) for g in range(len(graph["groups"]))]
        for found, wanted in zip(facts["longest_expected_ns"], expected, strict=True):
            self.assertAlmostEqual(found, wanted, delta=1e-6 * wanted)
        depth = {}
        for fact in sorted(facts["nodes"], key=lambda f: f["id"]):
            depth[fact["id"]] = 1 + max((depth[i] for i in fact["after"]), default=0)
        if not any(f.get("after_more") for f in facts["nodes"]) and all(n["kind"] != "fence" for n in nodes.values()):
            self.assertEqual(max(depth.values(), default=0), facts["longest_path"])
        for fact in facts["nodes"]:
            node = nodes[fact["id"]]
            self.assertTrue(fact["earliest"] <= node["group"] <= fact["latest"], fact)
            self.assertTrue(all(nodes[i]["group"] < node["group"] for i in fact["after"]))
            if fact.get("critical") and facts["longest_path"] == len(graph["groups"]):
                self.assertEqual(fact["earliest"], fact["latest"])
        for fact in facts["buffers"]:
            for key, letters in (("readers", ("r", "rw", "u", "s")), ("writers", ("w", "rw"))):
                using = [n["id"] for n in graph["nodes"] if any(u["buffer"] == fact["buffer"] and u["access"] in letters for u in n["uses"])]
                self.assertEqual(fact[key], using)
            groups = [nodes[i]["group"] for i in fact["readers"] + fact["writers"]]
            if groups and not buffers[fact["buffer"]].get("tagged"):
                self.assertEqual((fact["first_group"], fact["last_group"]), (min(groups), max(groups)))
        most = max(facts["alive_bytes"], default=0)
        self.assertEqual(most, graph["stats"]["arena_bound_bytes"])
        self.assertEqual(facts["fullest_group"], facts["alive_bytes"].index(most) if facts["alive_bytes"] else None)
        self.assertEqual(facts["above_bound_bytes"], graph["stats"]["arena_bytes"] - most)
        for fact in facts["kernels"]:
            kernel = next(k for k in graph["kernels"] if k["id"] == fact["kernel"])
            self.assertEqual(fact["nodes"], sum(n.get("kernel") == fact["kernel"] for n in nodes.values()))
            self.assertEqual(fact["invocations"], kernel["local"][0] * kernel["local"][1] * kernel["local"][2])
        if form["passes"]:
            self.assertAlmostEqual(form["seconds"], sum(p["seconds"] for p in form["passes"]), delta=1e-6)
        life = {f["buffer"]: f for f in facts["buffers"]}
        for a, b in facts["aliases"]:
            x, y = buffers[a], buffers[b]
            self.assertTrue(x["offset"] < y["offset"] + life[b]["arena_bytes"] and y["offset"] < x["offset"] + life[a]["arena_bytes"])
            self.assertTrue(life[a]["last_group"] < life[b]["first_group"] or life[b]["last_group"] < life[a]["first_group"])
        for barrier, fact in zip(graph["barriers"], facts["barriers"], strict=True):
            self.assertEqual(barrier["before_group"], fact["before_group"])
            self.assertTrue(all(i < len(barrier["hazards"]) for i in fact["alone"]))
            kinds = [h["kind"] for h in barrier["hazards"]]
            self.assertEqual(fact["kinds"], {kind: kinds.count(kind) for kind in ("raw", "war", "waw", "order")})
            self.assertEqual(fact["kind"], next((k for k in ("raw", "waw", "war") if k in kinds), "order"))
            self.assertEqual(fact.get("needless", False), not fact["alone"] and 0 < fact["before_group"] < len(graph["groups"]))
            self.assertEqual(fact.get("tagged_away", False), barrier.get("tagged_src") == barrier.get("tagged_dst") == "none")

    def test_graph(self):
        self.check_facts(self.inspect("graph.rpir")["forms"][0])
        form = self.inspect("graph.rpir")["forms"][0]
        self.assertEqual([p["pass"] for p in form["passes"]], "dce rename transfers fuse lower schedule place sync".split())
        self.assertEqual(form["source"]["nodes"][2]["written"].strip(), "n2 = run @k grid 16 1 1 (r $x, w %c)")
        self.assertEqual(self.read("graph.rpir").decode().split("\n")[form["source"]["nodes"][2]["line"] - 1], form["source"]["nodes"][2]["written"])
        removed = [line["id"] for line in form["passes"][0]["changes"]["lines"] if line["what"] == "node" and line["how"] == "removed"]
        self.assertEqual(removed, [4])
        self.assertTrue(all(f["alone"] for f in form["facts"]["barriers"] if 0 < f["before_group"] < 3), "no barrier of -O1 is needless")

    def test_source_order_has_needless_barriers(self):
        """At -O0 everything waits: what no neighbours need, nothing needs."""
        form = self.inspect("graph.rpir", "-O0")["forms"][0]
        alone = {f["before_group"]: f["alone"] for f in form["facts"]["barriers"]}
        self.assertTrue(alone[1], "n1 reads what n0 wrote")
        self.assertEqual(alone[2], [], "n2 has nothing to do with n1")
        self.check_facts(form)

    def test_ops(self):
        form = self.inspect("ops.yaml")["forms"][0]
        self.check_facts(form)
        self.assertTrue(form["facts"]["glsl"])
        fused = [n for n in form["graph"]["nodes"] if len(n.get("members", [])) > 1]
        self.assertTrue(fused)
        for node in fused:
            fact = next(f for f in form["facts"]["nodes"] if f["id"] == node["id"])
            text = form["facts"]["glsl"][fact["glsl"]]
            lines = text["text"].split("\n")
            self.assertEqual({p[2] for p in text["parts"]} - set(range(len(node["members"]))), set())
            self.assertTrue(all(1 <= a <= b <= len(lines) for a, b, _ in text["parts"]))
            self.assertTrue(all(a[1] < b[0] for a, b in zip(text["parts"], text["parts"][1:])))
        for fact in form["facts"]["kernels"]:
            self.assertGreater(fact["spirv"]["stores"], 0)
            self.assertGreater(fact["spirv"]["instructions"], fact["spirv"]["loads"])
        decided = [d for p in form["passes"] for d in p["decisions"]]
        self.assertTrue(any(d["kind"] == "fused" and len(d["nodes"]) > 2 for d in decided))
        self.assertTrue(all(d["kind"] != "other" for d in decided))

    def test_plan(self):
        self.expect(OK, "compile", "graph.rpir", "-o", "p.rplan", "-q")
        form = self.inspect("p.rplan")["forms"][0]
        self.assertEqual(len(form["passes"]), 8)
        self.expect(OK, "compile", "graph.rpir", "--passes", "schedule=inorder,place=separate,sync", "-o", "q.rplan", "-q")
        document = self.inspect("q.rplan")
        self.assertIn("no level makes this plan", self.err)
        self.assertEqual(document["forms"][0]["passes"], [])
        self.check_facts(document["forms"][0])
        graph = json.loads(self.expect(OK, "show", "q.rplan", "--format", "json"))
        self.assertEqual(document["forms"][0]["graph"], graph)

    def test_page_holds_the_document(self):
        def timeless(document):
            for form in document["forms"]:
                form["seconds"] = 0
                for done in form["passes"]:
                    done["seconds"] = 0
            # The first to be compiled finds its kernels in no cache.
            return json.loads(re.sub(r"\d+ compiled now", "some compiled now", json.dumps(document)))
        for file in ("graph.rpir", "pipeline.yaml", "ops.yaml"):
            self.assertEqual(timeless(document_of(self.page(file))), timeless(self.inspect(file)))

    def test_empty_and_one(self):
        for name, text in (("empty", ""), ("one", "  buf $y out 16\n  n0 = fill 00000007 (w $y)\n"), ("wide", "  kern @k spirv - local 64 1 1 (r, w)\n  buf $x in 64\n" + "".join(
                f"  buf $y{i} out 64\n" for i in range(100)) + "".join(f"  n{i} = run @k grid 1 1 1 (r $x, w $y{i})\n" for i in range(100)))):
            self.write(f"{name}.rpir", f"reprise 1\ngraph {name} {{\n{text}}}\n")
            self.check_facts(document_of(self.page(f"{name}.rpir"))["forms"][0])

    def test_neighbours_are_cut_on_both_sides(self):
        """More nodes than are listed read one value: the one that wrote it says that there are others."""
        self.write("fan.rpir", "reprise 1\ngraph fan {\n  kern @k spirv - local 64 1 1 (r, w)\n  kern @j spirv - local 64 1 1 (r, r, w)\n  buf $x in 64\n  buf %t tmp 64\n" + "".join(f"  buf $y{i} out 64\n" for i in range(40)) +
                   "  n0 = run @k grid 1 1 1 (r $x, w %t)\n" + "".join(f"  n{i + 1} = run @k grid 1 1 1 (r %t, w $y{i})\n" for i in range(40)) + "}\n")
        form = self.inspect("fan.rpir")["forms"][0]
        self.check_facts(form)
        self.assertTrue(form["facts"]["nodes"][0]["before_more"])

    def test_tags(self):
        self.check_facts(self.inspect(SOURCE / "examples/workloads/llama.yaml", "-D", "layers=2", "--target", "h200", "-O2", "-q")["forms"][0])

    def test_lines_of_a_plan(self):
        """The source of a plan is not the plan: its lines are told without a file."""
        self.expect(OK, "compile", "ops.yaml", "-o", "p.rplan", "-q")
        self.assertEqual((self.inspect("ops.yaml")["source_file"], self.inspect("p.rplan")["source_file"]), ("ops.yaml", None))
        self.assertEqual(self.inspect("p.rplan")["file"], "p.rplan")
        for file, place in (("ops.yaml", r"n0 at ops.yaml:\d+: "), ("p.rplan", r"n0 at line \d+: ")):
            self.assertRegex(self.expect(OK, "explain", file, "n0"), place)

    def test_packed(self):
        """A large document stands in the page in less, whatever it is made of."""
        page = self.page("graph.rpir")
        self.assertIn('type="application/json" id="document">', page, "a small one stands there as it is")
        profile = {**self.measured("graph.rpir"), "name": "~" * 100 + "</script>\u2028\u20ac\U0001f600\u00e9" * 20 + HOSTILE, "more": [f"~{i} <b>{i * 7919 % 1000}" for i in range(20000)], "same": "x" * 100000}
        for ascii in (False, True):
            text = json.dumps(profile, ensure_ascii=ascii, indent=1).replace("\n", "\r\n")
            self.write("p.json", text.encode())
            page = self.page("graph.rpir", "--profile", "p.json")
            self.assertLess(len(page), len(text))
            self.assertNotRegex(text_of(page), "[<~\r]|[^\\x00-\\x7f]")
            self.assertEqual(document_of(page)["forms"][0]["profile"], profile)

    def test_hostile(self):
        text = self.read("graph.rpir").decode()
        label = HOSTILE.replace("\\", "\\\\").replace('"', '\\"')
        self.write("hostile.rpir", text.replace("n0 = run @k grid 16 1 1 (r $x, w %a)", f'n0 = run @k grid 16 1 1 (r $x, w %a) label "{label}" op "{label}"'))
        document = document_of(self.page("hostile.rpir"))
        self.assertEqual(document["forms"][0]["graph"]["nodes"][0]["label"], HOSTILE)
        self.write("h.rpir", b"; \xff\xfe </script>\n" + self.read("hostile.rpir").replace(b"label \"<", b"label \"\xc3<"))
        page = self.run_program("show", "h.rpir", "--format", "html").stdout
        if page:
            self.check_page(page.decode())

    def test_difference(self):
        self.write("other.rpir", self.read("graph.rpir").replace(b"r $x, w %c", b"r %b, w %c"))
        result = self.run_program("diff", "graph.rpir", "other.rpir", "--format", "inspection")
        self.assertEqual(result.returncode, INPUT, result.stderr)
        difference = json.loads(result.stdout)["forms"][0]["difference"]
        self.assertEqual(difference["from"], "graph.rpir")
        self.assertEqual(difference["stats"]["barriers"], 2)
        self.assertTrue(any(line["what"] == "barrier" and line["how"] == "added" for line in difference["changes"]["lines"]))
        result = self.run_program("diff", "graph.rpir", "graph.rpir", "--format", "html")
        self.assertEqual(result.returncode, OK)
        self.assertEqual(self.check_page(result.stdout.decode())["forms"][0]["difference"]["changes"]["lines"], [])

    def test_dumps(self):
        self.expect(OK, "compile", "graph.rpir", "--dump-after", "all", "--dump-format", "html", "--dump-dir", "d")
        self.check_page(self.read("d/inspection.html").decode())
        self.assertEqual(self.files() & {"d/inspection.html", "d/00-source.rpir"}, {"d/inspection.html"})
        self.expect(OK, "opt", "graph.rpir", "--passes", "dce,schedule", "--dump-after", "all", "--dump-format", "inspection", "--dump-dir", "d", "-o", "o.rpir")
        form = json.loads(self.read("d/inspection.json"))["forms"][0]
        self.assertEqual([p["pass"] for p in form["passes"]], ["dce", "schedule"])
        self.assertTrue(form["graph"]["scheduled"])
        self.expect(INPUT, "compile", "graph.rpir", "--arena-limit", "16", "--dump-after", "all", "--dump-format", "inspection", "--dump-dir", "e", error="limit")
        passes = json.loads(self.read("e/inspection.json"))["forms"][0]["passes"]
        self.assertEqual(passes[-1]["pass"], "lower", "of passes that fail there is what came before")

    def measured(self, *arguments, form=0):
        """What a profile must have to be one of a form."""
        nodes = self.inspect(*arguments)["forms"][form]["graph"]["nodes"]
        return {"form": form, "nodes": [{"id": n["id"], "group": n["group"], "median_ns": 5} for n in nodes], "groups": []}

    def test_times(self):
        profile = {**self.measured("graph.rpir"), "name": HOSTILE}
        self.write("p.json", json.dumps(profile))
        self.assertEqual(self.inspect("graph.rpir", "--profile", "p.json")["forms"][0]["profile"], profile)
        begin = json.dumps(profile)[:-1].encode()
        for wrong in (b"", b"{}", b'{"nodes":{}}', b'{"nodes":[],"form":-1}', b'{"nodes":[],"form":1e9}', begin + b',"a":01}', begin + b',"a":"\xff"}', begin + b"}}", begin, b"[]", b"{", b"{}}", b'{"a":01}', b'{"a":"\x01"}', b'{"a":"\xff"}', b'{"a"}', b'{,}', b'{"a":1,}', b"{" * 100,
                      b'{"a":' + b"[" * 100 + b"]" * 100 + b"}", b'{"a":nul}', b'{"a":"\\x"}', b'{"a":1}\0'):
            self.write("p.json", wrong)
            self.expect(INPUT, "show", "graph.rpir", "--format", "html", "--profile", "p.json", error="p.json: error: is no profile")
        for more in (b',"a":[]}', b', "a" : [1, -2.5e+3, {"b":null,"c":[[],{}]}] , "d":"\\u00e9\\n\xc3\xa9"}\n', b"}"):
            self.write("p.json", begin + more)
            self.assertEqual(self.inspect("graph.rpir", "--profile", "p.json")["forms"][0]["profile"], json.loads(begin + more))

    def test_times_of_another_plan(self):
        """Times stand at the nodes that they were measured of, or nowhere."""
        profile = self.measured("graph.rpir")
        others = [self.measured("graph.rpir", "-O0"), {**profile, "nodes": profile["nodes"][:-1]}, {**profile, "nodes": profile["nodes"] + profile["nodes"][:1]},
                  {**profile, "nodes": [{**n, "id": n["id"] + 1} for n in profile["nodes"]]}, {**profile, "nodes": [{"median_ns": 1}] * len(profile["nodes"])}]
        for other in others:
            self.write("p.json", json.dumps(other))
            self.expect(INPUT, "show", "graph.rpir", "--format", "html", "--profile", "p.json", error="p.json: error: was measured of another plan")
        self.write("forms.yaml", FORMS)
        for source in ("forms.yaml", "forms.rplan"):
            if source.endswith(".rplan"):
                self.expect(OK, "compile", "forms.yaml", "-o", source, "-q")
            for form in range(3):
                self.write("p.json", json.dumps(self.measured(source, form=form)))
                found = [f["profile"] and f["profile"]["form"] for f in self.inspect(source, "--profile", "p.json")["forms"]]
                self.assertEqual(found, [form if i == form else None for i in range(3)])
        self.assertEqual(len(self.inspect("forms.rplan", "--form", "3", "--profile", "p.json")["forms"]), 1)
        self.expect(INPUT, "show", "forms.rplan", "--form", "1", "--format", "html", "--profile", "p.json", error="was measured of form 3, which is not shown")
        self.assertIn("form 3 of 3: tokens <= 64 is explained; --form N chooses another", self.run_program("explain", "forms.rplan").stderr.decode())

    def test_wrong_use(self):
        self.expect(USAGE, "show", "graph.rpir", "--target", "h200", error="--target is for pipelines")
        self.assertEqual(self.inspect("graph.rpir", "--target", "h200", "-q")["forms"][0]["graph"]["target"]["name"], "h200")
        for arguments, error in ((("--format", "htm"), "did you mean 'html'"), (("--format", "html", "--stats"), "not for pages"), (("-O1",), "levels and passes are for"),
                                 (("--profile", "x"), "--profile is for"), (("--format", "html", "--profile", "-"), "file")):
            self.expect(USAGE, "show", "graph.rpir", *arguments, error=error)
        self.expect(OK, "compile", "graph.rpir", "-o", "p.rplan", "-q")
        self.expect(USAGE, "show", "p.rplan", "--format", "html", "-O1", error="already compiled")
        self.expect(USAGE, "compile", "graph.rpir", "--dump-after", "dce", "--dump-format", "html", error="--dump-after all")
        self.expect(USAGE, "diff", "graph.rpir", "graph.rpir", "--format", "dot", error="text, html or inspection")
        self.expect(USAGE, "diff", "graph.rpir", "graph.rpir", "-o", "x", error="-o is for")

    def test_large(self):
        self.write("l.rpir", large_graph(1000))
        page = self.page("l.rpir", "-q")
        self.assertLess(len(page.encode()), 600_000)
        self.check_facts(document_of(page)["forms"][0])


if __name__ == "__main__":
    unittest.main()
