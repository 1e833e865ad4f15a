"""profile: the table, the JSON, the options, and that what is shown follows from what is measured."""
import json
import math
import re
import unittest

import numpy as np

import cli
from cli import ENVIRONMENT, INPUT, OK, SOURCE, USAGE

NUMBER = (int, float)
NONE = type(None)
TIME = {"median_ns": NUMBER, "least_ns": NUMBER}
LIMITS = {"none", "memory", "arithmetic", "launch", "starts", "workgroups", "latency", "unknown"}
SCHEMA = {
    "plan": str, "device": str, "target": dict, "rounds": int, "plan_bytes": int, "cached": bool,
    "whole": dict, "groups_sum_ns": NUMBER, "nodes_sum_ns": NUMBER, "stamp_ns": NUMBER,
    "groups": list, "nodes": list,
}
NODE = {
    "id": int, "kind": str, "group": int, "kernel": (str, NONE), "ops": (str, NONE),
    "variant": (str, NONE), "decided": (str, NONE), "label": (str, NONE), **TIME,
    "grid": (list, NONE), "bytes_read": (*NUMBER, NONE), "bytes_written": (*NUMBER, NONE),
    "operations": (*NUMBER, NONE), "ceiling": (str, NONE), "memory_ns": (*NUMBER, NONE),
    "arithmetic_ns": (*NUMBER, NONE), "expected_ns": (*NUMBER, NONE), "limit": str,
}

SWITCHED = """
reprise: 1
name: switched
live: {n: {default: 64, max: 1000}}
buffers:
  x: {kind: in, dtype: f32, shape: [1000]}
  y: {kind: inout, dtype: f32, shape: [1000]}
kernels:
  add: {glsl: add.comp}
nodes:
  - {run: add, bind: {a: x, b: x, sum: y}, threads: [n], push: {count: 1000}, label: 'side "1"'}
"""


class Profile(cli.Case):
    def has_type(self, value, kind, where):
        self.assertIsInstance(value, kind, where)
        self.assertFalse(isinstance(value, bool) and kind is not bool, where)
        if isinstance(value, float):
            self.assertTrue(math.isfinite(value) and value >= 0, where)

    def fits(self, value, schema, where):
        self.assertEqual(set(value), set(schema), where)
        for key, kind in schema.items():
            self.has_type(value[key], kind, f"{where}.{key}")

    def profile(self, *arguments):
        found = json.loads(self.expect(OK, "profile", *arguments, "-f", "json"))
        self.fits(found, SCHEMA, "profile")
        self.fits(found["whole"], TIME, "whole")
        self.assertGreater(found["whole"]["least_ns"], 0)
        ids = []
        for i, group in enumerate(found["groups"]):
            self.fits(group, {**TIME, "nodes": list}, f"group {i}")
            ids += group["nodes"]
        self.assertEqual([node["id"] for node in found["nodes"]], ids)
        for node in found["nodes"]:
            self.fits(node, NODE, f"n{node['id']}")
            self.assertIn(node["id"], found["groups"][node["group"]]["nodes"])
            self.assertLessEqual(node["least_ns"], node["median_ns"])
            self.assertIn(node["limit"], LIMITS)
            if node["ceiling"]:
                self.assertIn(node["ceiling"], found["target"])
        for what in ("groups", "nodes"):
            total = sum(item["median_ns"] for item in found[what])
            self.assertAlmostEqual(found[f"{what}_sum_ns"], total, delta=1e-6 * total + 1e-6)
        return found

    def test_own_kernels(self):
        found = self.profile("pipeline.yaml", "-n", "3")
        self.assertEqual(found["rounds"], 3)
        self.assertEqual(found["plan"], "pipeline")
        nodes = {node["id"]: node for node in found["nodes"]}
        self.assertNotIn(2, nodes)  # dropped
        scale = nodes[0]
        self.assertEqual((scale["kind"], scale["kernel"], scale["ops"]), ("run", "scale", None))
        self.assertEqual(scale["grid"], [16, 1, 1])
        self.assertEqual(scale["bytes_read"], 4000 + 4)
        self.assertEqual(scale["bytes_written"], 4000)
        self.assertIsNone(scale["operations"])
        self.assertGreater(scale["expected_ns"], scale["memory_ns"])
        self.assertIn("no data for x, w", self.err)

    def test_ops(self):
        found = self.profile("ops.yaml", "-n", "2", "--target", "lavapipe", "-D", "rows=7")
        node, = found["nodes"]
        self.assertEqual(node["ops"], "rms_norm map")
        self.assertEqual(node["bytes_read"], 7 * 200 * 4 + 200 * 4)
        self.assertEqual(node["bytes_written"], 7 * 200 * 4)
        self.assertGreater(node["operations"], 7 * 200)
        self.assertEqual(node["ceiling"], "f32_rate")
        self.assertEqual(found["target"]["name"], "lavapipe")
        rate = found["target"]["f32_rate"]
        self.assertAlmostEqual(node["arithmetic_ns"], node["operations"] / rate * 1e3, delta=1)
        self.assertTrue(found["cached"])
        both = node["bytes_read"] + node["bytes_written"]
        self.assertAlmostEqual(node["memory_ns"], both / found["target"]["cache_rate"] * 1e3, delta=1e-3)

    def test_levels_and_plans(self):
        self.assertEqual(len(self.profile("ops.yaml", "-n", "1", "-O0")["nodes"]), 2)
        self.expect(OK, "compile", "ops.yaml", "-o", "o.rplan", "-q", "--target", "portable")
        found = self.profile("o.rplan", "-n", "1")
        self.assertEqual(len(found["nodes"]), 1)
        self.expect(USAGE, "profile", "o.rplan", "-O0", error="already compiled")
        # Ceilings from a file: half of lavapipe's.
        self.expect(OK, "profile", "o.rplan", "-n", "1", "--target", "portable", output="target portable")
        self.write("mine.target", "name: mine\nmemory_rate: 1000\nf32_rate: 7000\n")
        self.expect(OK, "profile", "o.rplan", "-n", "1", "--target", "mine.target",
                    output=["target mine: memory 1.00 GB/s, f32 7.00 Gop/s"])

    def test_limits(self):
        # One kernel of 16 workgroups and 8004 bytes, against targets that make each limit come true.
        def limit(**figures):
            figures = {"cache_bytes": 1, "memory_rate": 10**9, "barrier_ns": 1, "group_ns": 1,
                       "multiprocessors": 1, "f32_rate": 10**9, **figures}
            self.write("t.target", "name: t\n" + "".join(f"{k}: {v}\n" for k, v in figures.items()))
            found = self.profile("pipeline.yaml", "-n", "1", "-O0", "--target", "t.target")
            return next(node["limit"] for node in found["nodes"] if node["id"] == 0)
        self.assertEqual(limit(memory_rate=1), "memory")
        self.assertEqual(limit(barrier_ns=10**12), "launch")
        self.assertEqual(limit(group_ns=10**12), "starts")
        self.assertEqual(limit(multiprocessors=17), "workgroups")
        self.assertEqual(limit(), "unknown")
        node, = self.profile("ops.yaml", "-n", "1", "--target", "t.target")["nodes"]
        self.assertEqual(node["limit"], "latency")
        self.write("slow.target", self.read("t.target").replace(b"f32_rate: 1000000000", b"f32_rate: 1"))
        node, = self.profile("ops.yaml", "-n", "1", "--target", "slow.target")["nodes"]
        self.assertEqual(node["limit"], "arithmetic")

    def test_live_values_and_switches(self):
        self.write("switched.yaml", SWITCHED)
        node, = self.profile("switched.yaml", "-n", "1")["nodes"]
        self.assertEqual(node["grid"][0], 1)
        self.assertEqual(node["label"], 'side "1"')
        node, = self.profile("switched.yaml", "-n", "1", "--set", "n=1000")["nodes"]
        self.assertEqual(node["grid"][0], 16)
        node, = self.profile("switched.yaml", "-n", "1", "--set", "n=1000", "--without", "n0")["nodes"]
        self.assertEqual(node["grid"], [0, 0, 0])
        self.assertEqual(node["limit"], "none")
        self.expect(USAGE, "profile", "switched.yaml", "--set", "m=1", error="m")
        self.expect(INPUT, "profile", "switched.yaml", "-n", "1", "--without", "other", error="other")

    def test_data(self):
        np.save(self.folder / "x.npy", np.ones(1000, "f4"))
        self.expect(OK, "profile", "pipeline.yaml", "-n", "1", "-i", "x=x.npy")
        self.assertIn("no data for w:", self.err)
        np.save(self.folder / "x.npy", np.ones(999, "f4"))
        self.expect(INPUT, "profile", "pipeline.yaml", "-i", "x=x.npy", error="999")
        self.expect(INPUT, "profile", "pipeline.yaml", "-i", "x=no.npy", error="no.npy")

    def test_table(self):
        out = self.expect(OK, "profile", "pipeline.yaml", "-n", "3", "--top", "2")
        self.assertIn("pipeline on ", out)
        self.assertIn("3 rounds", out)
        for word in ("whole", "groups", "nodes"):
            self.assertTrue(re.search(rf"^{word} +\d+\.\d\d us ", out, re.M), word)
        self.assertIn("nodes more: --top 0 shows all", out)
        all_of_it = self.expect(OK, "profile", "pipeline.yaml", "-n", "3", "--top", "0")
        rows = re.findall(r"^n(\d+) +(\d+) +(\d+\.\d\d) ", all_of_it, re.M)
        times = [float(row[2]) for row in rows]
        self.assertEqual(times, sorted(times, reverse=True))
        self.assertEqual(sorted(int(row[0]) for row in rows), [0, 1, 3, 4, 5])
        self.assertNotIn("more: --top", all_of_it)
        groups = re.findall(r"^(\d+) +(\d+\.\d\d) ", all_of_it, re.M)
        self.assertGreater(len(groups), 1)

    def test_trace(self):
        """Events as Perfetto documents them; what the device did lies within what the host saw, slot by slot."""
        np.save(self.folder / "x.npy", np.ones(1000, np.float32))
        self.expect(OK, "run", "pipeline.yaml", "-i", "x=x.npy", "-i", "w=x.npy", "-n", "4", "--trace", "t.json", "-q")
        trace = json.loads(self.read("t.json"))
        events = trace["traceEvents"]
        for event in events:
            self.assertIn(event["ph"], ("X", "M"))
            self.assertTrue(isinstance(event["pid"], int) and isinstance(event["tid"], int) and event["name"])
            if event["ph"] == "X":
                self.assertTrue(event["ts"] >= 0 and event["dur"] >= 0 and event["cat"])
            else:
                self.assertIn(event["name"], ("process_name", "thread_name"))
                self.assertIsInstance(event["args"]["name"], str)
        complete = [e for e in events if e["ph"] == "X"]
        names = [e["name"] for e in complete]
        for name in ("source", "dce", "sync", "device", "exec and pipelines", "uploads", "submit", "wait", "results"):
            self.assertIn(name, names)
        host = sorted((e for e in complete if e["pid"] == 1), key=lambda e: (e["ts"], -e["dur"]))
        for a, b in zip(host, host[1:]):
            self.assertTrue(b["ts"] >= a["ts"] + a["dur"] - 1 or b["ts"] + b["dur"] <= a["ts"] + a["dur"] + 1, "one behind the other, or inside")
        submits, waits = ([e for e in complete if e["name"] == name] for name in ("submit", "wait"))
        replays = [e for e in complete if e["pid"] == 2]
        self.assertEqual([len(submits), len(waits), len(replays)], [4, 4, 4])
        self.assertIn(trace["otherData"]["clock"], ("calibrated", "host"))
        slack = 50 + trace["otherData"]["deviation_ns"] / 1000
        for submit, wait, replay in zip(submits, waits, replays):
            self.assertGreaterEqual(replay["ts"], submit["ts"] - slack)
            self.assertLessEqual(replay["ts"] + replay["dur"], wait["ts"] + wait["dur"] + slack)
        self.expect(USAGE, "run", "pipeline.yaml", "--trace", "-", error="file")

    def test_baseline(self):
        self.expect(OK, "bench", "ops.yaml", "--baseline", "b.json", "--update", "-n", "2")
        baseline = json.loads(self.read("b.json"))
        (device, times), = baseline["entries"][0]["times"].items()
        self.assertGreater(times["whole_ns"], 0)
        self.expect(OK, "bench", "ops.yaml", "--baseline", "b.json", "-n", "2", "--tolerance", "10000")
        baseline["entries"][0]["times"] = {device: {"whole_ns": 1.0}, "another device": {"whole_ns": 2.0}}
        self.write("b.json", json.dumps(baseline))
        result = self.run_program("bench", "ops.yaml", "--baseline", "b.json", "-n", "2")
        self.assertEqual(result.returncode, INPUT)
        self.assertRegex(result.stdout.decode(), r"replay, ns +1 +\d+  worse")
        self.expect(OK, "bench", "ops.yaml", "--baseline", "b.json", "--update", "-n", "2")
        self.assertEqual(json.loads(self.read("b.json"))["entries"][0]["times"]["another device"], {"whole_ns": 2.0})

    def test_wrong_use(self):
        for arguments, error in (([], "names no pipeline"),
                                 (["pipeline.yaml", "ops.yaml"], "too many"),
                                 (["pipeline.yaml", "-n", "0"], "from 1 to 10000"),
                                 (["pipeline.yaml", "-n", "10001"], "from 1 to 10000"),
                                 (["pipeline.yaml", "--top", "x"], "--top needs a number"),
                                 (["pipeline.yaml", "-f", "dot"], "text or json"),
                                 (["pipeline.yaml", "-i", "x"], "NAME=FILE"),
                                 (["pipeline.yaml", "-i", "x=-"], "needs a file"),
                                 (["pipeline.yaml", "--set", "x"], "NAME=VALUE"),
                                 (["pipeline.yaml", "-D", "x=y"], "PARAM=NUMBER"),
                                 (["pipeline.yaml", "-O7"], "no level"),
                                 (["pipeline.yaml", "--weights", "-"], "needs a file"),
                                 (["pipeline.yaml", "--device", "no such"], "no such"),
                                 (["pipeline.yaml", "--target", "no.target"], "no.target"),
                                 (["graph.rpir"], "is a graph text")):
            result = self.run_program("profile", *arguments)
            self.assertIn(result.returncode, (INPUT, USAGE, ENVIRONMENT), arguments)
            self.assertIn(error, result.stderr.decode(), arguments)
            self.assertEqual(result.stdout, b"", arguments)

    def test_documented_fields(self):
        page = (SOURCE / "docs/json.md").read_text()
        section = page[page.index("## Profiles"):]
        for name in [*SCHEMA, *NODE]:
            self.assertIn(f"`{name}`", section, name)
        for name in LIMITS:
            self.assertIn(f"`{name}`", section, name)


if __name__ == "__main__":
    cli.main()
