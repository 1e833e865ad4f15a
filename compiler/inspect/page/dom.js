/* Making elements. Texts of the document become text nodes and never markup. */
function make(tag, properties, ...children) {
  const element = document.createElement(tag);
  for (const [key, value] of Object.entries(properties || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (key === "class") element.className = value;
    else if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "style") element.style.cssText = value;
    else element.setAttribute(key, value === true ? "" : value);
  }
  add(element, children);
  return element;
}

function add(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : String(child));
  }
}

/* The colours of the style as the page has them now, light or dark, for what is drawn on a canvas. */
function colors() {
  const probe = document.body.appendChild(make("i", {hidden: true})), known = new Map(), style = getComputedStyle(probe);
  queueMicrotask(() => probe.remove());
  return (name) => {
    if (!known.has(name)) { probe.style.color = `var(${name})`; known.set(name, style.color); }
    return known.get(name);
  };
}

/* Draws once a frame at most, however often it is scrolled. */
function onScroll(element, draw) {
  let waiting = false;
  element.addEventListener("scroll", () => { if (!waiting) { waiting = true; requestAnimationFrame(() => { waiting = false; if (element.isConnected) draw(); }); } });
}

const byId = (id) => document.getElementById(id);
const section = (title, ...body) => [make("h3", {}, title), ...body];

/* A list of terms and what they are; entries without a value are left out. */
function facts(...pairs) {
  const list = make("dl");
  for (const [term, ...value] of pairs) {
    if (value.every((v) => v === null || v === undefined || v === "")) continue;
    list.append(make("dt", {}, term), make("dd", {}, ...value));
  }
  return list;
}

/* Something that selects: kind and key as in links.js. */
function pick(kind, key, ...text) {
  return make("button", {class: "link", type: "button", "data-pick": kind + " " + key, onclick: () => select(kind, key)}, ...text);
}
const pickNode = (id) => form.nodes.has(id) ? pick("n", id, "n" + id) : form.inside.has(id) ? pick("n", form.inside.get(id), "n" + id) : make("span", {class: "name soft"}, "n" + id);
const pickBuffer = (id) => { const b = form.buffers.get(id); return b ? pick("buffer", b.id, bufferWord(b)) : make("span", {class: "soft"}, "a buffer that is gone"); };
const pickGroup = (group) => pick("g", group, "group " + group);
const pickBarrier = (group) => pick("b", group, "barrier " + whereOf(group));
const commas = (items) => items.flatMap((item, i) => i ? [" ", item] : [item]);

/* Text in which nodes and buffers that there are can be clicked. */
function linked(text) {
  const out = [];
  let at = 0;
  for (const match of text.matchAll(/(?<![\w.%$@])(?:n(\d+)|[%$]([\w.\-]+))/g)) {
    const node = match[1] !== undefined && (form.nodes.has(+match[1]) || form.inside.has(+match[1]));
    const buffer = match[2] !== undefined && form.bufferNames.get(match[2]);
    if (!node && !buffer) continue;
    out.push(text.slice(at, match.index), node ? pickNode(+match[1]) : pickBuffer(buffer.id));
    at = match.index + match[0].length;
  }
  out.push(text.slice(at));
  return out;
}
