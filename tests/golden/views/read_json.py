"""Reads graphs as JSON the way another tool would: with Python's parser and by the names of
docs/json.md. Every argument is a file; a wrong one is an assertion with its name."""
import json
import sys

KINDS = {"buffers": {"in", "out", "inout", "weight", "tmp", "live"},
         "nodes": {"run", "copy", "fill", "update", "fence", "op", "blit", "clear"},
         "hazards": {"raw", "war", "waw", "order"}}


def check(graph):
    buffers = {b["id"]: b for b in graph["buffers"]}
    kernels = {k["id"]: k for k in graph["kernels"]}
    nodes = {n["id"]: n for n in graph["nodes"]}
    assert len(buffers) == len(graph["buffers"]) and len(nodes) == len(graph["nodes"])
    for b in buffers.values():
        assert b["kind"] in KINDS["buffers"] and b["size"] > 0 and b["name"]
        assert b["offset"] is None or b["kind"] == "tmp"
        if "image" in b:
            assert b["dtype"] == "raw" and b["offset"] is None
            assert b["alias"] is None or b["kind"] == "tmp"
            assert b["image"]["mips"] >= 1 and b["image"]["layers"] >= 1
        place = b["alias" if "image" in b else "offset"]
        assert (place is not None) == (graph["placed"] and b["kind"] == "tmp")
    samplers = {s["name"] for s in graph.get("samplers", [])}
    for n in nodes.values():
        assert set(n.get("samplers", [])) <= samplers
        assert n["kind"] in KINDS["nodes"] and n["source"]
        assert {"name", "label", "group"} <= n.keys()
        if n["kind"] == "run":
            assert n["name"] == kernels[n["kernel"]]["name"]
            bytes.fromhex(n["push"])
        assert ("members" in n) or n["kind"] != "op"
        check_members(n, buffers)
        for use in n["uses"]:
            assert use["access"] in {"r", "w", "rw", "u", "s"}
            assert ("mips" in use) == ("image" in buffers[use["buffer"]])
            assert use["offset"] + use["size"] <= buffers[use["buffer"]]["size"]
    check_plan(graph, buffers, nodes)


def check_members(node, buffers):
    values = {}
    for member in node.get("members", []):
        assert member["id"] in node["source"] and member["op"]
        assert all(isinstance(v, (int, float, str)) for v in member["attrs"].values())
        for o in member["operands"]:
            if o["access"] is None:
                assert o.keys() == {"name", "access"}
            elif o["access"] == "r" and o["value"] is not None:
                assert o["buffer"] is None and values[o["value"]] == o["dtype"]
            else:
                assert o["buffer"] is not None or o["access"] == "w"
                used = {k: o[k] for k in ("access", "buffer", "offset", "size")}
                assert o["buffer"] is None or used in node["uses"]
                if o["value"] is not None:
                    values[o["value"]] = o["dtype"]
    ids = [m["id"] for m in node.get("members", [])]
    assert not ids or sorted(ids) == node["source"]


def check_plan(graph, buffers, nodes):
    stats = graph["stats"]
    assert stats["nodes"] == len(nodes)
    assert stats["groups"] == len(graph["groups"])
    for index, group in enumerate(graph["groups"]):
        assert group and all(nodes[i]["group"] == index for i in group)
    assert sum(map(len, graph["groups"])) == (len(nodes) if graph["scheduled"] else 0)
    between = [b for b in graph["barriers"] if 0 < b["before_group"] < len(graph["groups"])]
    assert stats["barriers"] == len(between)
    for barrier in graph["barriers"]:
        assert barrier["src"] and barrier["dst"] and barrier["hazards"]
        for h in barrier["hazards"]:
            assert h["kind"] in KINDS["hazards"] and h["from"] in nodes
            assert h["to"] == "host" or h["to"] in nodes
            assert h["next_replay"] or nodes[h["from"]]["group"] < barrier["before_group"]
            if h["kind"] != "order":
                assert h["offset"] + h["size"] <= buffers[h["buffer"]]["size"]
    assert stats["arena_bound_bytes"] <= stats["arena_bytes"] or not graph["placed"]
    assert {"dispatches", "barrier_bound"} <= stats.keys()


for path in sys.argv[1:]:
    with open(path, encoding="utf-8") as file:
        try:
            check(json.load(file))
        except Exception as error:
            raise AssertionError(path) from error
print(f"{len(sys.argv) - 1} graphs read")
