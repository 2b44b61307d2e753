// Shows the values under the pointer in the legend, in the place of the last ones.
const LEFT = 56, RIGHT = 590, TOP = 10, BOTTOM = 222;
const text = v => Math.abs(v) >= 1e6 || (v !== 0 && Math.abs(v) < 1e-3) ? v.toExponential(2) : String(+v.toPrecision(4));
for (const figure of document.querySelectorAll("figure")) {
  const svg = figure.querySelector("svg");
  const lines = [...svg.querySelectorAll("polyline:not(.faint)")].map(line =>
    line.getAttribute("points").split(" ").map(p => p.split(",").map(Number)));
  const values = [...figure.querySelectorAll(".legend b")];
  const last = values.map(v => v.textContent);
  const caption = figure.querySelector("figcaption");
  const title = caption.textContent;
  const cursor = document.createElementNS("http://www.w3.org/2000/svg", "line");
  cursor.setAttribute("class", "cursor");
  cursor.setAttribute("y1", TOP);
  cursor.setAttribute("y2", BOTTOM);
  const { x: most, low, high, log } = svg.dataset;
  svg.addEventListener("pointermove", event => {
    const at = Math.min(RIGHT, Math.max(LEFT, event.offsetX / svg.clientWidth * 600));
    cursor.setAttribute("x1", at);
    cursor.setAttribute("x2", at);
    svg.append(cursor);
    caption.textContent = title + " · step " + Math.round((at - LEFT) / (RIGHT - LEFT) * most);
    lines.forEach((points, i) => {
      const near = points.reduce((a, b) => Math.abs(b[0] - at) < Math.abs(a[0] - at) ? b : a);
      const y = +low + (BOTTOM - near[1]) / (BOTTOM - TOP) * (high - low);
      values[i].textContent = text(log === "true" ? 10 ** y : y);
    });
  });
  svg.addEventListener("pointerleave", () => {
    cursor.remove();
    caption.textContent = title;
    values.forEach((v, i) => v.textContent = last[i]);
  });
}
