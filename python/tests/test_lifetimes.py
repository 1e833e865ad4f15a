"""Whatever order objects die in, are closed in, or are used in afterwards: exceptions, never a crash.

Each test that could end the process has an interpreter of its own.
"""

from __future__ import annotations

HEAD = """
import gc, random, sys, threading, time, weakref
import numpy as np
import reprise as rp
from reprise import ops

def program(name="p"):
    p = rp.Program(name)
    x, w = p.input("x", 64), p.weight("w", np.full(64, 2, "f4"))
    p.output("y", x * w + p.live("gain", 1.0))
    return p

ONE = np.ones(64, "f4")
"""


def test_random_orders(python):
    """Objects that stand on each other are closed, dropped and used in random orders."""
    out = python(HEAD + """
plan_bytes = bytes(program().compile())
used = refused = 0
for seed in range(20):
    rng = random.Random(seed)
    d = rp.Device()
    s = d.storage(256, host_visible=True)
    plan = rp.Plan.from_bytes(plan_bytes)
    e = plan.open(d, slots=2, bind={"w": s} if seed % 2 else {})
    objects = {"device": d, "storage": s, "plan": plan, "exec": e, "graph": plan.graph, "program": program()}
    objects["replay"] = e.submit(x=ONE)
    objects["map"] = s.numpy("f32")
    objects["y"] = e.map("y")
    objects["cycle"] = [objects]  # garbage that only the collector finds
    del d, s, plan, e
    names = list(objects)
    rng.shuffle(names)
    for name in names:
        thing = objects[name]
        action = rng.randrange(3)
        if action == 0 and hasattr(thing, "close"):
            thing.close()
            thing.close()
        elif action == 1:
            del objects[name]
        del thing
        if rng.randrange(3) == 0:
            gc.collect()
        calls = [lambda: objects["exec"](x=ONE), lambda: objects["replay"].result(), lambda: objects["exec"].map("x"),
                 lambda: objects["storage"].read(), lambda: objects["plan"].text(), lambda: objects["graph"].text(),
                 lambda: objects["program"].graph(), lambda: objects["plan"].open(objects["device"]),
                 lambda: objects["map"].fill(3), lambda: objects["y"].sum(), lambda: objects["device"].info,
                 lambda: objects["device"].storage(64)]
        for call in calls:
            try:
                call()
                used += 1
            except (rp.UsageError, KeyError):
                refused += 1
    del objects, calls, call, names
gc.collect()
assert used > 100 and refused > 100, (used, refused)
print("ended well")
""")
    assert "ended well" in out.stdout


def test_end_of_the_interpreter(python):
    """What is still there when the interpreter ends: execs in flight, maps, callbacks, threads, cycles."""
    for keep in ("[e, d, m, r, p, f]", "m", "None"):
        python(HEAD + f"""
d = rp.Device()
p = program()
e = p.compile().open(d, slots=2)
m = e.map("y")
r = e.submit(x=ONE)
f = rp.function(lambda x: x + 1, device=d)
f(ONE)
class Late:
    def __init__(self, things): self.things = things
    def __del__(self):
        try:
            self.things[0](x=ONE)
        except Exception:
            pass
late = Late([e])
sys.modules["kept"] = {keep}
cycle = [e, d]; cycle.append(cycle)
""")


def test_memory_goes_when_the_last_is_gone(python):
    """Devices are destroyed, behind the last array that lies in their memory."""
    python(HEAD + """
from reprise._handles import Handle
destroyed = []
old = Handle.__init__
def init(self, what, pointer, destroy, *a, **k):
    old(self, what, pointer, lambda p: (destroyed.append(what), destroy(p))[1], *a, **k)
Handle.__init__ = init
d = rp.Device()
e = program().compile().open(d)
y = e.map("y")
e(x=ONE)
d.close()
assert destroyed[-1] == "the exec" and "the device" not in destroyed, destroyed
assert (y == 3).all()
del y
gc.collect()
assert destroyed[-2:] == ["mapped memory", "the device"], destroyed
d = rp.Device()
e = program().compile().open(d)
d = weakref.ref(d)
del destroyed[:]
assert d() is e.device
del e
gc.collect()
assert d() is None and destroyed[-1] == "the device" and "the exec" in destroyed, destroyed
""")


def test_closing_while_others_work(python):
    """close() waits for the calls of other threads; they are refused from then on."""
    python(HEAD + """
plan = program().compile()
for round in range(6):
    d = rp.Device()
    e = plan.open(d, slots=4)
    failures = []
    started = threading.Barrier(5)
    def work(slot):
        started.wait()
        try:
            while True:
                out = e(x=ONE * slot, slot=slot)
                if not (out == 2 * slot + 1).all():
                    failures.append(out)
        except rp.UsageError as error:
            if "closed" not in str(error):
                failures.append(error)
        except BaseException as error:
            failures.append(error)
    threads = [threading.Thread(target=work, args=(slot,)) for slot in range(4)]
    for t in threads: t.start()
    started.wait()
    time.sleep(0.01 * round)
    (d if round % 2 else e).close()
    for t in threads: t.join(60)
    assert not failures and not any(t.is_alive() for t in threads), failures
    assert e.closed
""")


def test_closing_from_a_callback(python):
    """What a call uses cannot be closed from within it."""
    python(HEAD + """
g = program().graph()
def observer(index, report, graph):
    g.close()
try:
    g.compile(observer=observer)
    raise SystemExit("closed in use")
except rp.UsageError as error:
    assert "in use" in str(error)
assert g.compile().info.nodes
""")


def test_fork(python):
    """A child refuses what its parent made, makes nothing of it go, and ends well."""
    python(HEAD + """
import os, warnings
warnings.simplefilter("ignore", DeprecationWarning)
parent = rp.device()
d = rp.Device()
e = program().compile().open(d)
e(x=ONE)
child = os.fork()
if child == 0:
    for call in (lambda: e(x=ONE), lambda: d.info, lambda: e.plan.text()):
        try:
            call()
            os._exit(3)
        except rp.UsageError as error:
            if "forked" not in str(error):
                os._exit(4)
    e.close(); d.close()
    del e, d
    gc.collect()
    if rp.Graph(program().graph().text()).stats["nodes"] != 2 or rp.device() is parent:
        os._exit(5)
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
assert (e(x=ONE) == 3).all()
""")


def test_downloads_outlive_their_replay(python):
    """Nobody waits for a replay: the library writes its results all the same, into memory that is still there."""
    python(HEAD + """
e = program().compile().open()
for k in range(200):
    e.submit(x=ONE * k)
    if k % 7 == 0:
        junk = [np.empty(64, "f4") for _ in range(20)]
    if k % 50 == 0:
        gc.collect()
assert len(e._handle.keep) > 0
e.wait()
assert not e._handle.keep
e.submit(x=ONE)
e.close()
""")


def test_interrupt(python):
    """A wait hears an interrupt."""
    python(HEAD + """
import signal
e = program().compile().open()
real = e._wait
e._wait = lambda number, ns: (time.sleep(min(ns / 1e9, 0.05)), False)[1]
signal.signal(signal.SIGALRM, signal.default_int_handler)
r = e.submit(x=ONE)
try:
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    r.wait()
    raise SystemExit("not heard")
except KeyboardInterrupt:
    pass
try:
    r.wait(timeout=0.05)
    raise SystemExit("no timeout")
except TimeoutError as error:
    assert isinstance(error, rp.TimeoutError)
e._wait = real
assert (r.result()["y"] == 3).all()
""")
