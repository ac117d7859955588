// SPDX-License-Identifier: MIT
// Looks at the report's pages by the boxes of their elements: one frame for each page and width.
// Writes a line for each fault, then "done"; see pages.sh.
const widths = [[1280, 800], [900, 900], [400, 850]];
const faults = [];

// A box for each line of each text, with the element that it stands in.
function textBoxes(doc) {
    const boxes = [], walk = doc.createTreeWalker(doc.body, NodeFilter.SHOW_TEXT);
    for (let node = walk.nextNode(); node; node = walk.nextNode()) {
        if (node.data.trim() === "" || node.parentElement.closest("title,.fixed")) continue;
        const range = doc.createRange();
        range.selectNodeContents(node);
        for (const box of range.getClientRects())
            if (box.width > 0) boxes.push({box, words: node.data.trim(), of: node.parentElement});
    }
    return boxes.sort((a, b) => a.box.top - b.box.top);
}

// Boxes of neighbouring lines touch by the leading of their letters.
function overlaps(a, b) {
    return Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 &&
           Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 3.5;
}

// Of an element's ground, as WCAG has it.
function luminance(element) {
    const style = element.ownerDocument.defaultView.getComputedStyle(element);
    const [r, g, b] = style.backgroundColor.match(/\d+/g).map(value => value / 255)
        .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function look(name, frame, dark) {
    const doc = frame.contentDocument, width = frame.clientWidth, height = frame.clientHeight;
    const say = words => faults.push(`${name}, ${width} px, ${dark ? "dark" : "light"}: ${words}`);
    const boxes = textBoxes(doc);
    for (let i = 0; i < boxes.length; i++) {
        const {box, words, of} = boxes[i];
        for (let k = i + 1; k < boxes.length && boxes[k].box.top < box.bottom; k++)
            if (overlaps(box, boxes[k].box)) say(`"${words}" lies over "${boxes[k].words}"`);
        const svg = of.closest("svg[viewBox]"), wide = of.closest(".wide");
        const inside = svg ? svg.getBoundingClientRect() : {left: 0, right: width};
        if (!wide && (box.left < inside.left - 1.5 || box.right > inside.right + 1.5))
            say(`"${words}" is cut off`);
    }
    if (doc.documentElement.scrollWidth > width) say("the page scrolls sideways");
    for (const wide of doc.querySelectorAll(".wide")) {
        const hint = wide.previousElementSibling;
        if (wide.scrollWidth > wide.clientWidth + 1 && hint.getBoundingClientRect().height === 0)
            say(`a table is wider than its box and does not say so: ${wide.innerText.slice(0, 40)}`);
    }
    const first = (what, element) => {
        const box = element && element.getBoundingClientRect();
        if (!box || box.height === 0 || box.bottom > height) say(`first screen: no ${what}`);
    };
    const strips = doc.querySelectorAll(".ratios svg.p");
    first("verdict", doc.querySelector(".verdict"));
    first("trust line", doc.querySelector(".trust"));
    /* What speaks against the figures stands above the verdict, as a warning. */
    const said = [...doc.querySelectorAll(".warn,.trust")].map(part => part.innerText).join(" ");
    if (!["runs ", "disturbed", "void", "control", "instruments"].every(word => said.includes(word)))
        say("first screen: the trust line lacks runs, control or instruments");
    first("scale of the ratio chart", strips[1]);
    for (let i = 2; i < 8 && i < strips.length; i++) first(`row of the ratio chart (${i})`, strips[i]);
    for (let i = 0; i < 12; i++) {
        const paint = doc.body.appendChild(doc.createElement("i"));
        paint.className = `c${i}`;
        const own = luminance(paint);
        for (const ground of [doc.body, doc.querySelector(".card")]) {
            const [low, high] = [own, luminance(ground)].sort((a, b) => a - b);
            if ((high + 0.05) / (low + 0.05) < 3) say(`colour ${i} is hard to see`);
        }
        paint.remove();
    }
    const [red] = doc.defaultView.getComputedStyle(doc.body).backgroundColor.match(/\d+/g);
    if (red > 128 === dark) say("it has not the theme that was asked for");
}

// pages: names of files beside this one.
async function lookAtAll(pages, dark) {
    for (const name of pages) {
        for (const [width, height] of widths) {
            const frame = document.createElement("iframe");
            frame.style = `width:${width}px;height:${height}px;border:0`;
            frame.src = name;
            await new Promise(loaded => { frame.onload = loaded; document.body.append(frame); });
            look(name, frame, dark);
            frame.remove();
        }
    }
    document.body.innerText = [...faults.map(fault => `FAULT ${fault}`), "done", ""].join("\n");
}
