"""Recurrent networks, step by step: as many copies of a step as the sequence has elements.

Everything lies with sequences of the batch last, [hidden, batch], so that gates, which stand one behind the other,
are views. What inputs add to all gates of all steps is one product in front.
"""

from __future__ import annotations

from typing import Dict, List, Optional, Sequence, Tuple

import numpy as np

from ..dims import Refused
from ..recorder import Given, Value, of_sizes
from .table import Call, Result, number, operator

MOST_STEPS = 512

_ACTIVATIONS = {"Sigmoid": "sigmoid({})", "Tanh": "tanh({})", "Relu": "max({}, 0.0)"}
_GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}
_DEFAULTS = {"RNN": ["Tanh"], "GRU": ["Sigmoid", "Tanh"], "LSTM": ["Sigmoid", "Tanh", "Tanh"]}
State = Dict[str, Value]


class Cell:
    """One direction: its weights, and what its gates go through."""

    def __init__(self, call: Call, direction: int, directions: int):
        op = call.step.op
        self.call, self.op, self.gates = call, op, _GATES[op]
        self.hidden = number(call.shape(2)[-1], "the hidden size")
        rows = self.gates * self.hidden
        functions = [str(f) for f in call.attribute("activations") or _DEFAULTS[op] * directions]
        each = len(_DEFAULTS[op])
        names = functions[direction * each:(direction + 1) * each]
        if len(functions) != each * directions or any(n not in _ACTIVATIONS for n in names):
            raise Refused(f"activations {functions} are not known: expected {', '.join(_ACTIVATIONS)}")
        self.functions = [_ACTIVATIONS[n] for n in names]
        self.weight = self._part(1, direction, (rows, number(call.shape(1)[-1], "the input size")))
        self.recurrence = self._part(2, direction, (rows, self.hidden))
        self.peepholes: List[Value] = []
        if op == "LSTM" and call.maybe(7) is not None:
            every = call.r.value(self._part(7, direction, (3 * self.hidden,)))
            self.peepholes = [call.r.window(every, 0, k * self.hidden, self.hidden).view((self.hidden, 1)) for k in range(3)]
        self.bias: Optional[List[Given]] = None
        if call.maybe(3) is not None:
            both = self._part(3, direction, (2 * rows,))
            self.bias = [call.r.window(both, 0, at, rows).view((rows, 1)) if isinstance(both, Value)
                         else call.r.constant(f"{call.step.inputs[3]}.{direction}.{at}", both[at:at + rows, None])
                         for at in (0, rows)]

    def _part(self, index: int, direction: int, shape: Tuple[int, ...]) -> Given:
        given = self.call[index]
        if tuple(given.shape[1:]) != shape:
            raise Refused(f"input {index} is {list(given.shape)}: expected {list(shape)} for each direction")
        if isinstance(given, Value):
            return self.call.r.window(given, 0, direction, 1).view(shape)
        return self.call.r.constant(f"{self.call.step.inputs[index]}.{direction}", np.ascontiguousarray(given[direction]))

    def inputs(self, x: Value) -> List[Value]:
        """What each step adds to the gates: [gates * hidden, batch] of each."""
        steps, batch, width = x.shape
        r = self.call.r
        sums = r.op("matmul", {"a": self.weight, "b": x.view((steps * batch, width))}, {"transpose_b": 1})
        if self.bias is not None:
            sums = r.map("a + b", sums, self.bias[0])
        if steps == 1:
            return [sums]
        rows = self.gates * self.hidden
        apart = r.transpose(sums.view((rows, steps, batch)), [1, 0, 2])
        return [r.window(apart, 0, t, 1).view((rows, batch)) for t in range(int(steps))]

    def gate(self, sums: Value, which: int) -> Value:
        return self.call.r.window(sums, 0, which * self.hidden, self.hidden)

    def recurrent(self, state: Value, first: int, count: int) -> Value:
        """What the state adds to some of the gates."""
        r, at, rows = self.call.r, first * self.hidden, count * self.hidden
        weight = self.recurrence
        if count != self.gates:
            weight = r.window(r.value(weight), 0, at, rows)
        sums = r.op("matmul", {"a": weight, "b": state})
        if self.bias is None:
            return sums
        bias = self.bias[1]
        return r.map("a + b", sums, r.window(r.value(bias), 0, at, rows) if count != self.gates else bias)

    def step(self, x: Value, state: State) -> State:
        return {"RNN": self._rnn, "GRU": self._gru, "LSTM": self._lstm}[self.op](x, state)

    def _rnn(self, x: Value, state: State) -> State:
        return {"h": self.call.r.map(self.functions[0].format("a + b"), x, self.recurrent(state["h"], 0, 1))}

    def _gru(self, x: Value, state: State) -> State:
        r, (f, g) = self.call.r, self.functions
        if self.call.attribute("linear_before_reset", 0):
            added = self.recurrent(state["h"], 0, 3)
            z, rz, n = (self.gate(added, i) for i in range(3))
            new = r.map(g.format(f"a + {f.format('b + c')} * d"), self.gate(x, 2), self.gate(x, 1), rz, n)
        else:
            added = self.recurrent(state["h"], 0, 2)
            z = self.gate(added, 0)
            reset = r.map(f"{f.format('a + b')} * c", self.gate(x, 1), self.gate(added, 1), state["h"])
            new = r.map(g.format("a + b"), self.gate(x, 2), self.recurrent(reset, 2, 1))
        update = r.map(f.format("a + b"), self.gate(x, 0), z)
        return {"h": r.map("(1.0 - a) * b + a * c", update, new, state["h"])}

    def _lstm(self, x: Value, state: State) -> State:
        r, (f, g, h) = self.call.r, self.functions
        sums = r.map("a + b", x, self.recurrent(state["h"], 0, 4))
        i, o, forget, c = (self.gate(sums, k) for k in range(4))
        if self.peepholes:  # gates see the cell: that of the step before, and the output's the new one
            of_i, of_o, of_forget = self.peepholes
            cell = r.map(f"{f.format('a + b * c')} * c + {f.format('d + e * c')} * {g.format('f')}",
                         forget, of_forget, state["c"], i, of_i, c)
            return {"h": r.map(f"{f.format('a + b * c')} * {h.format('c')}", o, of_o, cell), "c": cell}
        cell = r.map(f"{f.format('a')} * b + {f.format('c')} * {g.format('d')}", forget, state["c"], i, c)
        return {"h": r.map(f"{f.format('a')} * {h.format('b')}", o, cell), "c": cell}


def joined(call: Call, values: Sequence[Value], final: Tuple[int, ...]) -> Value:
    """States [hidden, batch] of each, as [..., batch, hidden]."""
    value = call.r.concat(list(values), 0) if len(values) > 1 else values[0]
    hidden = values[0].shape[0]
    moved = call.r.transpose(value.view((len(values), hidden, values[0].shape[1])), [0, 2, 1])
    return moved.view((*final, values[0].shape[1], hidden))


@operator("LSTM", "GRU", "RNN")
def recurrent(call: Call) -> Result:
    call.refuse("layout", 0, 1)
    call.refuse("input_forget", 0)
    call.refuse("direction", "forward", "reverse", "bidirectional")
    if call.attribute("clip"):
        raise Refused("has a clip, which is not known")
    x = call.value(0)
    if x.ndim != 3:
        raise Refused(f"is of {list(x.shape)}: expected three dimensions")
    batch_first = bool(call.attribute("layout", 0))
    if batch_first:
        x = call.r.transpose(x, [1, 0, 2])
    steps = number(x.shape[0], "the number of steps")
    if steps > MOST_STEPS:
        raise Refused(f"has {steps} steps: expected at most {MOST_STEPS}")
    direction = call.attribute("direction", "forward")
    directions = 2 if direction == "bidirectional" else 1
    lengths = sequence_lengths(call, steps, x)
    made: List[List[State]] = []
    for d in range(directions):
        cell = Cell(call, d, directions)
        order = range(steps) if direction == "forward" or d == 0 and directions == 2 else range(steps - 1, -1, -1)
        state = {name: start(call, index, d, cell.hidden, x) for name, index in (("h", 5), ("c", 6))
                 if name == "h" or call.step.op == "LSTM"}
        states: List[State] = [{}] * steps
        inputs = cell.inputs(x)
        for t in order:
            before, state = state, cell.step(inputs[t], state)
            states[t] = state
            if lengths is not None:  # behind its end a sequence keeps its state, and gives zeros
                states[t] = {"h": call.r.map(f"{t} < a ? b : 0.0", lengths, state["h"])}
                state = {name: call.r.map(f"{t} < a ? b : c", lengths, state[name], before[name]) for name in state}
        made.append([*states, state])
    results: List[Value] = []
    if call.wants(0):
        every = [made[d][t]["h"] for t in range(steps) for d in range(directions)]
        together = joined(call, every, (steps, directions))
        results.append(call.r.transpose(together, [2, 0, 1, 3]) if batch_first else together)
    else:
        results.append(made[0][-1]["h"])
    for name in ("h", "c"):
        if name in made[0][-1]:
            last = joined(call, [made[d][-1][name] for d in range(directions)], (directions,))
            results.append(call.r.transpose(last, [1, 0, 2]) if batch_first else last)
    return results


def start(call: Call, index: int, direction: int, hidden: int, x: Value) -> Value:
    """The state in front of the first step, [hidden, batch]."""
    given = call.maybe(index)
    if given is None:
        return call.r.op("fill", {}, {"value": 0.0}, dtype=x.dtype, shape=(hidden, x.shape[1]))
    apart = call.r.window(given, 1 if call.attribute("layout", 0) else 0, direction, 1)
    return call.r.transpose(apart.view((x.shape[1], hidden)), [1, 0])


def sequence_lengths(call: Call, steps: int, x: Value) -> Optional[Value]:
    """How many steps each sequence has, [1, batch], where not all have all."""
    given = call.maybe(4)
    if given is None or not isinstance(given, Value) and not of_sizes(given) and (given == steps).all():
        return None
    if tuple(given.shape) != (x.shape[1],):
        raise Refused(f"the lengths of sequences are {list(given.shape)}: expected [{x.shape[1]}]")
    return call.r.value(given).view((1, x.shape[1]))
