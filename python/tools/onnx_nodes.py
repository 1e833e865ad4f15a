#!/usr/bin/env python3
"""Runs the node tests of ONNX's own backend suite for the operators that are imported, and writes what came of
it into docs/onnx.md.

    python3 tools/onnx_nodes.py [--only REGEX] [--write]

The cases are those of the package ``onnx`` that is installed, as far as they are of versions that are read. Each is
imported by itself; those of an operator then run as one plan. Where an operator wants a constant that a case has as
an input, as the shape of Reshape, the case is imported with that input known. Without ``--write`` the section is
printed. Exit 1 where a result is wrong.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import re
import sys
import tempfile
import warnings
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Sequence, Set, Tuple

import numpy as np
import onnx
import reprise as rp
import reprise.onnx
from reprise.onnx.importer import FOLDED
from reprise.onnx.operators import OPERATORS
from reprise.onnx.reader import OPSETS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "onnx.md"
BEGIN, END = "<!-- of tools/onnx_nodes.py -->", "<!-- so far -->"
CLAIMED = {*OPERATORS, "If", *FOLDED}
AT_ONCE = 40


class Case(NamedTuple):
    """A node with its arrays, and what of its inputs is known when it is imported."""

    name: str
    op: str
    model: Any
    inputs: Dict[str, Any]
    outputs: Dict[str, Any]
    known: Set[str]


class Outcome(NamedTuple):
    case: str
    op: str
    why: str
    """Nothing where it passed."""
    wrong: bool = False


# ---- The cases -----------------------------------------------------------------------------------


def collected(modules: Sequence[str] = ()) -> "List[Any]":
    """The suite's cases, of some of its modules or of all; it prints a lot."""
    from onnx.backend.test.case import node
    for name, kind in (("float", float), ("int", int), ("bool", bool), ("object", object)):
        if name not in np.__dict__:  # which older suites were written with
            setattr(np, name, kind)
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for name in modules:
            importlib.import_module(f"onnx.backend.test.case.node.{name}")
        return list(node._NodeTestCases) if modules else list(node.collect_testcases(None))


def cases(only: "Optional[re.Pattern[str]]" = None, modules: Sequence[str] = ()) -> Iterator[Case]:
    """Those of operators that are claimed, and of versions that are read."""
    for test in collected(modules):
        graph = test.model.graph
        ops = {n.op_type if n.domain in ("", "ai.onnx") else f"{n.domain}.{n.op_type}" for n in graph.node}
        opset = max((o.version for o in test.model.opset_import if o.domain in ("", "ai.onnx")), default=0)
        name = test.name[5:] if test.name.startswith("test_") else test.name
        if not ops <= CLAIMED or opset > OPSETS[1] or "_expanded" in name or len(graph.node) != 1:
            continue
        if only is not None and not only.search(name):
            continue
        inputs, outputs = test.data_sets[0]
        yield Case(name, graph.node[0].op_type, test.model,
                   dict(zip((i.name for i in graph.input), inputs)), dict(zip((o.name for o in graph.output), outputs)),
                   set())


def with_version(model: Any) -> Any:
    """A model of a version that is read: those of older ones have not changed since."""
    made = type(model)()
    made.CopyFrom(model)
    for opset in made.opset_import:
        if opset.domain in ("", "ai.onnx"):
            opset.version = max(opset.version, OPSETS[0])
    return made


def load(model: Any, known: Dict[str, Any]) -> reprise.onnx.Model:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "case.onnx"
        path.write_bytes(model.SerializeToString())
        return reprise.onnx.load(path, values=known)


def imported(case: Case) -> Tuple[Optional[Case], str]:
    """The case as it can be imported, or why it cannot."""
    model = with_version(case.model)
    tries: List[Set[str]] = [set(), {name for i, name in enumerate(case.inputs) if i and np.asarray(case.inputs[name]).dtype.kind in "iub"},
                             set(list(case.inputs)[1:]), set(case.inputs)]
    why = ""
    for known in tries:
        try:
            load(model, {name: case.inputs[name] for name in known})
            return case._replace(known=known), ""
        except rp.Error as error:
            lines = str(error).splitlines()
            why = re.sub(r"^\s*\w+ '[^']*': ", "", lines[-1]) if len(lines) > 1 else re.sub(r"^\S+: ", "", lines[0])
        except Exception as error:  # arrays that are none, such as sequences
            return None, why or f"{type(error).__name__}: {error}"
    return None, why


# ---- Running -------------------------------------------------------------------------------------


def merged(several: "List[Case]") -> Tuple[Any, Dict[str, Any], Dict[str, Any]]:
    """One model of several cases, its inputs, and those that are known."""
    graph = onnx.GraphProto(name="cases")
    given: Dict[str, Any] = {}
    known: Dict[str, Any] = {}
    opset = OPSETS[0]
    for at, case in enumerate(several):
        model = with_version(case.model)
        opset = max(opset, *(o.version for o in model.opset_import if o.domain in ("", "ai.onnx")))
        for node in model.graph.node:
            new = graph.node.add()
            new.CopyFrom(node)
            new.name = f"c{at}"
            new.ClearField("input")
            new.ClearField("output")
            new.input.extend(f"c{at}.{n}" if n else "" for n in node.input)
            new.output.extend(f"c{at}.{n}" if n else "" for n in node.output)
        for ports, all_of in ((model.graph.input, graph.input), (model.graph.output, graph.output)):
            for port in ports:
                new_port = all_of.add()
                new_port.CopyFrom(port)
                new_port.name = f"c{at}.{port.name}"
        for name, array in case.inputs.items():
            (known if name in case.known else given)[f"c{at}.{name}"] = array
    made = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", opset)])
    made.ir_version = 8
    return made, given, known


def difference(got: Any, want: Any) -> str:
    """Nothing, where an array is what the suite wants, by its own tolerances."""
    want = np.asarray(want)
    rtol = 1e-3
    if want.dtype == np.uint16 and got.dtype == np.float32:  # bf16, which NumPy has not; the suite cuts it off
        want, rtol = (want.astype(np.uint32) << 16).view(np.float32), 2**-7
    if got.shape != want.shape or got.dtype != want.dtype:
        return f"{got.dtype}{list(got.shape)}, not {want.dtype}{list(want.shape)}"
    if want.dtype.kind != "f":
        wrong = int((got != want).sum())
        return f"{wrong} of {want.size} elements differ" if wrong else ""
    try:
        np.testing.assert_allclose(got.astype("f8"), want.astype("f8"), rtol=rtol, atol=1e-7 if want.dtype != "f2" else 1e-3)
    except AssertionError as error:
        found = re.search(r"Max absolute difference[^:]*: *(\S+)", str(error))
        return f"differs by {found.group(1) if found else 'NaN'}"
    return ""


def as_onnxruntime(case: Case, results: "Dict[str, Any]") -> bool:
    """Whether onnxruntime, where it is installed, gives these results and not the suite's."""
    try:
        import onnxruntime
        session = onnxruntime.InferenceSession(case.model.SerializeToString(), providers=["CPUExecutionProvider"])
        wanted = session.run(list(case.outputs), case.inputs)
    except Exception:  # not installed, or it does not run the case
        return False
    return not any(difference(results[name], want) for name, want in zip(case.outputs, wanted))


def run(several: "List[Case]") -> "List[Outcome]":
    """Outcomes of cases that can be imported."""
    model, given, known = merged(several)
    made = load(model, known)
    results = made(**given)
    if not isinstance(results, dict):
        results = {next(iter(made.outputs)): results}
    outcomes: List[Outcome] = []
    for at, case in enumerate(several):
        own = {name: np.asarray(results[f"c{at}.{name}"]) for name in case.outputs}
        why = next(filter(None, (difference(own[name], want) for name, want in case.outputs.items())), "")
        same = bool(why) and as_onnxruntime(case, own)
        outcomes.append(Outcome(case.name, case.op, f"{why}; onnxruntime gives what is given here" if same else why,
                                bool(why) and not same))
    return outcomes


def attempt(several: "List[Case]") -> "List[Outcome]":
    """Together; or each by itself, where that does not go, so that the others are not judged by it."""
    try:
        return run(several)
    except Exception as error:
        if len(several) == 1:
            text = re.sub(r"^\S+: ", "", str(error).splitlines()[-1]) if str(error) else type(error).__name__
            return [Outcome(several[0].name, several[0].op, text, not isinstance(error, rp.UnsupportedError))]
    half = len(several) // 2
    return attempt(several[:half]) + attempt(several[half:])


def all_of(only: "Optional[re.Pattern[str]]" = None, modules: Sequence[str] = (), *, tell: bool = False,
           key: "Callable[[Case], str]" = lambda case: opset_key(case)) -> "List[Outcome]":
    """What came of them; those with one ``key`` run as one plan."""
    outcomes: List[Outcome] = []
    ready: Dict[str, List[Case]] = defaultdict(list)
    alone: List[Case] = []
    for case in cases(only, modules):
        found, why = imported(case)
        if found is None:
            outcomes.append(Outcome(case.name, case.op, why))
        elif set(found.inputs) <= found.known or not found.inputs:
            alone.append(found)
        else:
            ready[key(found)].append(found)
    groups = [group[i:i + AT_ONCE] for group in [*ready.values(), alone] for i in range(0, len(group), AT_ONCE)]
    for group in groups:
        new = attempt(group)
        outcomes += new
        if tell:
            print(f"{group[0].op}: {sum(not o.why for o in new)} of {len(new)}", file=sys.stderr, flush=True)
            for o in new:
                if o.why:
                    print(f"    {o.case}: {o.why}", file=sys.stderr, flush=True)
    return outcomes


def opset_key(case: Case) -> str:
    """Cases of one model are of one version, as what attributes mean depends on it."""
    version = max(o.version for o in case.model.opset_import if o.domain in ("", "ai.onnx"))
    return f"{case.op} {version}"


# ---- The page ------------------------------------------------------------------------------------


def section(outcomes: "List[Outcome]") -> str:
    passed = Counter(o.op for o in outcomes if not o.why)
    total = Counter(o.op for o in outcomes)
    without = sorted(CLAIMED - set(total))
    lines = [f"Of the {len(outcomes)} node tests of onnx {onnx.__version__} for these operators {sum(passed.values())} pass.", "",
             "| passes | operators |", "|---|---|"]
    full = [f"{op} {passed[op]}" for op in sorted(total) if passed[op] == total[op]]
    part = [f"{op} {passed[op]} of {total[op]}" for op in sorted(total) if passed[op] != total[op]]
    lines += [f"| all | {', '.join(full)} |", f"| some | {', '.join(part)} |"]
    if without:
        lines.append(f"| there is none | {', '.join(without)} |")
    reasons: Dict[str, List[str]] = defaultdict(list)
    for o in outcomes:
        if o.why:
            reasons[f"{o.op}: {o.why}"].append(o.case)
    lines += ["", "| not passed | why |", "|---|---|"]
    for why, names in sorted(reasons.items()):
        escaped = why.replace("|", "\\|")
        lines.append(f"| {', '.join(sorted(names))} | {escaped} |")
    return "\n".join(lines) + "\n"


def write(page: Path, begin: str, end: str, text: str) -> None:
    """Puts a section in its place on a page."""
    old = page.read_text()
    start, stop = old.index(begin) + len(begin), old.index(end)
    page.write_text(old[:start] + "\n" + text + old[stop:])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", type=re.compile, help="cases with such names")
    parser.add_argument("--write", action="store_true", help="into docs/onnx.md")
    given = parser.parse_args()
    outcomes = all_of(given.only, tell=True)
    text = section(outcomes)
    if given.write:
        write(PAGE, BEGIN, END, text)
    else:
        print(text)
    return int(any(o.wrong for o in outcomes))


if __name__ == "__main__":
    sys.exit(main())
