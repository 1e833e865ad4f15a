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
    "plan": str, "form": int, "device": str, "target": dict, "rounds": int, "plan_bytes": int, "cached": bool,
    "whole": dict, "groups_sum_ns": NUMBER, "barriers_sum_ns": NUMBER, "nodes_sum_ns": NUMBER, "stamp_ns": NUMBER,
    "groups": list, "barriers": list, "nodes": list,
}
GROUP = {**TIME, "longest_ns": NUMBER, "beyond_ns": NUMBER, "nodes": list}
BARRIER = {"before_group": int, **TIME}
NODE = {
    "id": int, "kind": str, "group": int, "kernel": (str, NONE), "ops": (str, NONE),
    "variant": (str, NONE), "decided": (str, NONE), "label": (str, NONE), **TIME,
    "grid": (list, NONE), "bytes_read": (*NUMBER, NONE), "bytes_written": (*NUMBER, NONE),
    "operations": (*NUMBER, NONE), "ceiling": (str, NONE), "memory_ns": (*NUMBER, NONE),
    "arithmetic_ns": (*NUMBER, NONE), "expected_ns": (*NUMBER, NONE), "limit": str,
    "share": (*NUMBER, NONE), "bytes_per_second": (*NUMBER, NONE), "operations_per_second": (*NUMBER, NONE), "memory_share": (*NUMBER, NONE),
    "arithmetic_share": (*NUMBER, NONE), "expected_factor": (*NUMBER, NONE), "off_ns": (*NUMBER, NONE), "misjudged": bool,
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
            self.assertTrue(math.isfinite(value) and (value >= 0 or where.endswith(".off_ns")), where)

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
            self.fits(group, GROUP, f"group {i}")
            ids += group["nodes"]
            alone = [n["median_ns"] for n in found["nodes"] if n["group"] == i]
            self.assertAlmostEqual(group["longest_ns"], max(alone), delta=1e-6 * max(alone))
            self.assertAlmostEqual(group["beyond_ns"], max(group["median_ns"] - max(alone), 0), delta=1e-6 * group["median_ns"] + 1e-6)
        self.assertEqual([b["before_group"] for b in found["barriers"]], sorted({b["before_group"] for b in found["barriers"]}))
        for barrier in found["barriers"]:
            self.fits(barrier, BARRIER, "barrier")
            self.assertTrue(1 <= barrier["before_group"] <= len(found["groups"]))
        self.assertEqual([node["id"] for node in found["nodes"]], ids)
        for node in found["nodes"]:
            self.fits(node, NODE, f"n{node['id']}")
            self.assertIn(node["id"], found["groups"][node["group"]]["nodes"])
            self.assertLessEqual(node["least_ns"], node["median_ns"])
            self.assertIn(node["limit"], LIMITS)
            if node["ceiling"]:
                self.assertIn(node["ceiling"], found["target"])
            self.check_figures(node, found)
        for what in ("groups", "nodes", "barriers"):
            total = sum(item["median_ns"] for item in found[what])
            self.assertAlmostEqual(found[f"{what}_sum_ns"], total, delta=1e-6 * total + 1e-6)
        return found

    def check_figures(self, node, found):
        """What follows from the rest follows from it, and is null with it."""
        time, works = node["median_ns"], node["limit"] != "none" and node["median_ns"] > 0
        bytes = None if node["bytes_read"] is None else node["bytes_read"] + node["bytes_written"]
        follows = {
            "share": time / found["nodes_sum_ns"] if found["nodes_sum_ns"] else None,
            "bytes_per_second": bytes / time * 1e9 if works and bytes is not None else None,
            "operations_per_second": node["operations"] / time * 1e9 if works and node["operations"] else None,
            "memory_share": node["memory_ns"] / time if works and node["memory_ns"] is not None else None,
            "arithmetic_share": node["arithmetic_ns"] / time if works and node["operations"] and node["arithmetic_ns"] is not None else None,
            "expected_factor": time / node["expected_ns"] if works and node["expected_ns"] else None,
            "off_ns": time - node["expected_ns"] if works and node["expected_ns"] else None,
        }
        for key, value in follows.items():
            if value is None:
                self.assertIsNone(node[key], key)
            else:
                self.assertAlmostEqual(node[key], value, delta=1e-6 * abs(value) + 1e-6, msg=key)
        self.assertEqual(node["misjudged"], follows["expected_factor"] is not None and not .5 <= follows["expected_factor"] <= 2)

    def test_barriers(self):
        """Every barrier of the plan but the one in front of it, and no other, has a time."""
        self.expect(OK, "compile", "pipeline.yaml", "-o", "b.rplan", "-q", "-O0")
        stand = [b["before_group"] for b in json.loads(self.expect(OK, "show", "b.rplan", "--format", "json"))["barriers"] if b["src"] != "none" or b["dst"] != "none"]
        self.assertEqual([b["before_group"] for b in self.profile("b.rplan", "-n", "2")["barriers"]], [g for g in stand if g > 0])

    def test_page(self):
        """The page takes what profile prints, of the form that was measured."""
        self.write("forms.yaml", "reprise: 1\nname: forms\nlive:\n  tokens: {dtype: u32, shape: [1], default: 1, max: 64, ranges: [1, 8]}\n"
                   "buffers:\n  x: {kind: in, dtype: f32, shape: [tokens, 16]}\n  y: {kind: out, dtype: f32, shape: [tokens, 16]}\nnodes:\n  - {map: x * 2, out: y}\n")
        self.expect(OK, "compile", "forms.yaml", "-o", "forms.rplan", "-q")
        for form, tokens in ((0, 1), (2, 33)):
            self.write("p.json", self.run_program("profile", "forms.rplan", "-n", "1", "--set", f"tokens={tokens}", "-f", "json").stdout)
            shown = json.loads(self.expect(OK, "show", "forms.rplan", "--format", "inspection", "--profile", "p.json"))["forms"]
            self.assertEqual([f["profile"] and f["profile"]["form"] for f in shown], [form if i == form else None for i in range(3)])

    def test_names_that_are_no_utf8(self):
        self.write("bytes.rpir", b"reprise 1\ngraph bytes {\n  buf $y out 16\n  n0 = fill 00000007 (w $y) label \"a\xc3\xff\\\"b\"\n}\n")
        result = self.run_program("compile", "bytes.rpir", "-o", "bytes.rplan", "-q")
        if result.returncode == OK:
            self.assertEqual(self.profile("bytes.rplan", "-n", "1")["nodes"][0]["label"], "a\ufffd\ufffd\"b")

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
        for word in ("whole", "groups", "barriers", "nodes"):
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

    def test_estimates(self):
        """Where the estimate was wrong: all of those nodes, by how far."""
        self.write("fast.target", "name: fast\nmemory_rate: 1000000000\ncache_rate: 1000000000\nbarrier_ns: 1\ngroup_ns: 1\n")
        out = self.expect(OK, "profile", "pipeline.yaml", "-n", "3", "--top", "0", "--target", "fast.target")
        table = out[out.index("misjudged"):]
        rows = re.findall(r"^n(\d+) +([\d.]+) +([\d.]+) +([+-][\d.]+) +([\d.]+) ", table, re.M)
        self.assertGreater(len(rows), 1)
        for _, measured, expected, off, factor in rows:
            self.assertAlmostEqual(float(measured) - float(expected), float(off), delta=.011)
            self.assertFalse(.5 <= float(factor) <= 2)
        self.assertEqual([abs(float(r[3])) for r in rows], sorted((abs(float(r[3])) for r in rows), reverse=True))
        self.assertIn("nodes more: --top 0 shows all", self.expect(OK, "profile", "pipeline.yaml", "-n", "3", "--top", "1", "--target", "fast.target").split("misjudged")[1])

    def trace(self, *arguments):
        """Events as the trace event format documents them for Perfetto: complete ones that nest on each track, in microseconds, and
        names for every process and track that has any."""
        np.save(self.folder / "x.npy", np.ones(1000, np.float32))
        self.expect(OK, "run", *arguments, "-i", "x=x.npy", "-i", "w=x.npy", "--trace", "t.json", "-q")
        trace = json.loads(self.read("t.json"))
        self.assertEqual(set(trace), {"traceEvents", "displayTimeUnit", "otherData"})
        self.assertIn(trace["displayTimeUnit"], ("ms", "ns"))
        self.assertIn(trace["otherData"]["clock"], ("calibrated", "host"))
        tracks, names = {}, set()
        for event in trace["traceEvents"]:
            self.assertTrue(type(event["pid"]) is int and type(event["tid"]) is int and isinstance(event["name"], str) and event["name"])
            if event["ph"] == "X":
                self.assertTrue(all(type(event[key]) in (int, float) and event[key] >= 0 for key in ("ts", "dur")) and isinstance(event["cat"], str))
                self.assertIsInstance(event.get("args", {}), dict)
                tracks.setdefault((event["pid"], event["tid"]), []).append(event)
            else:
                self.assertEqual(event["ph"], "M")
                self.assertIn(event["name"], ("process_name", "thread_name"))
                self.assertIsInstance(event["args"]["name"], str)
                names.add((event["pid"], event["tid"] if event["name"] == "thread_name" else None))
        slack = 1 + trace["otherData"]["deviation_ns"] / 1000
        for track, events in tracks.items():
            self.assertLessEqual({track, (track[0], None)}, names)
            events.sort(key=lambda e: (e["ts"], -e["dur"]))
            open_until = []
            for event in events:
                while open_until and open_until[-1] <= event["ts"] + slack:
                    open_until.pop()
                end = event["ts"] + event["dur"]
                self.assertTrue(not open_until or end <= open_until[-1] + slack, f"{event} begins in another and ends behind it")
                open_until.append(end)
        return trace, {track: events for track, events in tracks.items() if track[0] == 2}, tracks[1, 1]

    def test_trace(self):
        """What the device did lies within what the host saw."""
        trace, device, host = self.trace("pipeline.yaml", "-n", "4")
        names = [e["name"] for e in host]
        for name in ("source", "dce", "sync", "device", "exec and pipelines", "uploads", "submit", "wait", "results"):
            self.assertIn(name, names)
        submits, waits = ([e for e in host if e["name"] == name] for name in ("submit", "wait"))
        (slot,) = device.values()
        replays = [e for e in slot if e["cat"] == "replay"]
        self.assertEqual([len(submits), len(waits), [e["name"] for e in replays]], [4, 4, [f"replay {i}" for i in range(4)]])
        slack = 50 + trace["otherData"]["deviation_ns"] / 1000
        for submit, wait, replay in zip(submits, waits, replays):
            self.assertGreaterEqual(replay["ts"], submit["ts"] - slack)
            self.assertLessEqual(replay["ts"] + replay["dur"], wait["ts"] + wait["dur"] + slack)
        self.expect(USAGE, "run", "pipeline.yaml", "--trace", "-", error="file")

    def test_trace_of_slots(self):
        """A track for each slot, which are in flight at once, and results that are those of one slot."""
        results = []
        for slots in (1, 3):
            trace, device, host = self.trace("pipeline.yaml", "-n", "8", "--slots", str(slots), "-o", "total=total.npy", "-o", "y=y.npy")
            results.append([np.load(self.folder / f"{name}.npy").tobytes() for name in ("total", "y")])
            self.assertEqual(len(device), slots)
            names = [e["args"]["name"] for e in trace["traceEvents"] if e["ph"] == "M" and e["name"] == "thread_name" and e["pid"] == 2]
            self.assertEqual(names, [f"slot {i}" for i in range(slots)])
            for (_, track), events in sorted(device.items()):
                of_slot = [e for e in events if e["cat"] == "replay"]
                self.assertEqual([e["name"] for e in of_slot], [f"replay {i}" for i in range(8) if i % slots == of_slot[0]["args"]["slot"]])
                self.assertEqual({e["args"]["slot"] for e in events}, {of_slot[0]["args"]["slot"]})
            flights = sorted((e["ts"], e["ts"] + e["dur"]) for e in self.flights(device))
            at_once = sum(b[0] < a[1] for a, b in zip(flights, flights[1:]))
            self.assertEqual(at_once > 0, slots > 1)
        self.assertEqual(results[0], results[1], "state goes on from replay to replay, whichever slot it takes")
        out = self.expect(OK, "run", "pipeline.yaml", "-i", "x=x.npy", "-i", "w=x.npy", "-n", "5", "--slots", "2")
        self.assertRegex(out, r"slots +2, a replay every [\d.]+ us")
        for wrong in ("0", "65", "x"):
            self.expect(USAGE, "run", "pipeline.yaml", "--slots", wrong, error="--slots needs a number from 1 to 64")

    def flights(self, device):
        """Each replay from when it was submitted to its end."""
        for events in device.values():
            for event in events:
                if event["cat"] != "replay":
                    continue
                queued = [e for e in events if e["cat"] == "queue" and e["args"]["replay"] == int(event["name"].split()[1])]
                begin = min([e["ts"] for e in queued], default=event["ts"])
                yield {"ts": begin, "dur": event["ts"] + event["dur"] - begin}

    def test_slots_have_what_each_needs(self):
        """Live values and switches hold in all of them."""
        self.write("switched.yaml", SWITCHED)
        np.save(self.folder / "x.npy", np.arange(1000, dtype=np.float32))
        results = []
        for slots in ("1", "4"):
            self.expect(OK, "run", "switched.yaml", "-i", "x=x.npy", "--set", "n=700", "-n", "4", "--slots", slots, "-o", "y=y.npy")
            results.append(np.load(self.folder / "y.npy"))
        np.testing.assert_array_equal(*results)
        self.assertEqual(results[0][650], 1300)

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
        for name in [*SCHEMA, *NODE, *GROUP, *BARRIER]:
            self.assertIn(f"`{name}`", section, name)
        for name in LIMITS:
            self.assertIn(f"`{name}`", section, name)


if __name__ == "__main__":
    cli.main()
