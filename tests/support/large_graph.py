"""A graph of so many nodes as text: layers of a transformer's shape, with wide and narrow groups, long-lived values and
scratch memory that is used again."""
import sys


def large_graph(nodes, experts=4):
    lines, work = [], []
    lines.append("reprise 1\ngraph large {\n  buf $x inout 65536\n  buf $y out 65536")
    lines.append("  kern @norm spirv - local 256 1 1 (r, w)\n  kern @product spirv - local 64 1 1 push 8 (r, r, w)\n  kern @sum spirv - local 256 1 1 (r, rw)")
    declared = []

    def add(text, layer):
        work.append(f'  n{len(work)} = {text} label "layer{layer}"')

    layer, last = 0, "$x"
    while len(work) < nodes - 1:
        w, n, q, h, o = (f"{name}{layer}" for name in ("$w", "%n", "%q", "%h", "%o"))
        declared.append(f"  buf {w} weight 1048576\n  buf {n} tmp 65536\n  buf {o} tmp 65536")
        add(f"run @norm grid 64 1 1 (r {last}, w {n})", layer)
        add(f"run @norm grid 64 1 1 (r {last}, w {o})", layer)
        for e in range(experts):
            if len(work) >= nodes - 1:
                break
            declared.append(f"  buf {q}_{e} tmp {16384 * (1 + e % 3)}")
            add(f"run @product grid 16 4 1 push 00100000 0000000{e % 10} (r {n}, r {w}[{e * 65536}+65536], w {q}_{e}[0+16384])", layer)
            if len(work) < nodes - 1:
                add(f"run @sum grid 16 1 1 (r {q}_{e}[0+16384], rw {o}[{16384 * (e % 4)}+16384])", layer)
        last = o
        layer += 1
    add(f"run @norm grid 64 1 1 (r {last}, w $y)", layer)
    return "\n".join(lines + declared + work) + "\n}\n"


if __name__ == "__main__":
    sys.stdout.write(large_graph(int(sys.argv[1])))
