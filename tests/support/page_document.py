"""The document of an inspection's page, taken out of it as the page's own script does."""
import json
import re

BASE = 85
ELEMENT = re.compile(r'<script type="(application/json|text/plain)" id="document"(?: data-size="(\d+)")?>(.*?)</script>', re.S)


def unpack(text, size):
    out, at, digits = [], 0, {c: i for i, c in enumerate(c for c in map(chr, range(ord("("), 127)) if c not in "<~")}
    while at < len(text):
        if text[at] != "~":
            out.append(text[at])
            at += 1
            continue
        length, high, middle, low = (digits[c] for c in text[at + 1:at + 5])
        begin = len(out) - ((high * BASE + middle) * BASE + low)
        for i in range(length + 6):
            out.append(out[begin + i])
        at += 5
    if len(out) != size:
        raise ValueError(f"{len(out)} characters instead of {size}")
    return "".join(out)


def text_of(page):
    kind, size, text = ELEMENT.search(page).groups()
    if (kind == "text/plain") != (size is not None):
        raise ValueError("a packed document has its size")
    return unpack(text, int(size)) if size else text


def document_of(page):
    return json.loads(text_of(page))
