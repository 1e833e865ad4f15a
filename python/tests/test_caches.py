"""Caches of attention whose sequences, rows and pages follow live sizes: sessions of several submissions to one plan, in which
what is kept is seen by later ones, against softmax in double over all that a sequence has had."""

import numpy as np
import reprise as rp

HEADS, GROUPS, WIDTH = 4, 2, 8
TEXT = """reprise: 1
live: {{batch: {{max: 3}}, tokens: {{max: 7, ranges: [1]}}, {live}}}
buffers:
  q: {{kind: in, dtype: f32, shape: [batch, tokens, 4, 8]}}
  key: {{kind: in, dtype: f32, shape: [batch, tokens, 2, 8]}}
  value: {{kind: in, dtype: f32, shape: [batch, tokens, 2, 8]}}
  position: {{kind: in, dtype: u32, shape: [batch]}}
  {table}
  k: {{kind: inout, dtype: f32, shape: {cache}}}
  v: {{kind: inout, dtype: f32, shape: {cache}}}
  out: {{kind: out, dtype: f32, shape: [batch, tokens, 4, 8]}}
nodes:
  - {{op: attention, q: q, k: k, v: v, key: key, value: value, position: position, {more}, out: out}}
"""


class Session:
    """What sequences have had so far."""

    def __init__(self, run, rng, room=None):
        self.run, self.rng, self.room = run, rng, room
        self.had = [(np.zeros((0, GROUPS, WIDTH)),) * 2 for _ in range(3)]

    def normal(self, *shape):
        return self.rng.standard_normal(shape).astype("f4")

    def want(self, q, sequence):
        """Each token sees the rows up to its own, in a ring of the last ones."""
        keys, values = self.had[sequence]
        total, out = len(keys), np.zeros(q.shape)
        for t, own in enumerate(range(total - len(q), total)):
            rows = slice(max(total - self.room, 0) if self.room else 0, own + 1)
            for h in range(HEADS):
                scores = keys[rows, h // (HEADS // GROUPS)] @ q[t, h].astype("f8") * WIDTH ** -0.5
                shares = np.exp(scores - scores.max(initial=-np.inf))
                out[t, h] = shares @ values[rows, h // (HEADS // GROUPS)] / shares.sum() if len(scores) else 0
        return out

    def step(self, batch, tokens, form, **sizes):
        q, key, value = (self.normal(batch, tokens, heads, WIDTH) for heads in (HEADS, GROUPS, GROUPS))
        position = np.array([len(self.had[b][0]) for b in range(batch)], "u4")
        out = self.run(q=q, key=key, value=value, position=position, batch=batch, tokens=tokens, **sizes)
        assert self.run.form() == form and out.shape == q.shape
        for b in range(batch):
            self.had[b] = tuple(np.concatenate([old, new[b]]) for old, new in zip(self.had[b], (key, value)))
            np.testing.assert_allclose(out[b], self.want(q[b], b), rtol=1e-4, atol=1e-5)


def test_pages(device, rng):
    """Pages are handed out as sequences grow, so that there are more of them, and longer lines of the table."""
    text = TEXT.format(live="rows: {max: 12}, line: {max: 4}", cache="[rows, 5, 2, 8]", more="table: table",
                       table="table: {kind: in, dtype: u32, shape: [batch, line]}")
    with rp.parse(text, target=device).compile(target=device).open(device) as run:
        session, pages, used = Session(run, rng), [[], [], []], 0
        for batch, tokens in ((3, 7), (3, 1), (2, 1), (1, 3), (3, 1), (0, 1), (2, 0), (2, 4), (3, 1)):
            for b in range(batch):
                while 5 * len(pages[b]) < len(session.had[b][0]) + tokens:
                    pages[b].append(used)
                    used += 1
            line = max((len(p) for p in pages[:batch]), default=0)
            table = np.array([p + [2**32 - 1] * (line - len(p)) for p in pages[:batch]], "u4").reshape(batch, line)
            session.step(batch, tokens, 0 if tokens == 1 else 1, rows=used, line=line, table=table)
        assert used > 8 and len({len(p) for p in pages}) > 1


def test_rings(device, rng):
    """Rings of as many rows as a session wants: rows that it has had longer ago are seen no more."""
    text = TEXT.format(live="rows: {max: 12}", cache="[batch, rows, 2, 8]", more="ring: 1", table="")
    with rp.parse(text, target=device).compile(target=device).open(device) as run:
        for batch, rows, steps in ((2, 5, (3, 1, 1, 1, 4, 1)), (3, 12, (7, 1, 6, 1)), (1, 1, (1, 1, 2))):
            session = Session(run, rng, rows)
            for tokens in steps:
                session.step(batch, tokens, 0 if tokens == 1 else 1, rows=rows)
