"use strict";
(() => {
  const root = document.documentElement;
  const data = JSON.parse(document.getElementById("charts").textContent);
  const dark = matchMedia("screen and (prefers-color-scheme: dark)");
  const style = (name) => getComputedStyle(root).getPropertyValue(name).trim();
  const make = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  };

  // Colours are chosen for paper: on a dark page their lightness is turned round.
  const ink = (hex) => {
    if (!dark.matches) return hex;
    const [r, g, b] = [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16) / 255);
    const max = Math.max(r, g, b), min = Math.min(r, g, b), light = (max + min) / 2, range = max - min;
    let hue = 0;
    if (range > 0) {
      if (max === r) hue = ((g - b) / range + 6) % 6;
      else if (max === g) hue = (b - r) / range + 2;
      else hue = (r - g) / range + 4;
    }
    const saturation = range === 0 ? 0 : range / (1 - Math.abs(2 * light - 1));
    return `hsl(${hue * 60} ${saturation * 85}% ${(0.92 - 0.8 * light) * 100}%)`;
  };

  // A group holds charts with equal horizontal axes, which zoom together.
  const groups = new Map();
  const groupOf = (part, x) => {
    const key = [part, x.quantity, x.unit, x.log, x.low, x.high].join("|");
    if (!groups.has(key)) groups.set(key, { key, low: x.low, high: x.high, view: [x.low, x.high], charts: [], resets: [] });
    return groups.get(key);
  };
  const zoom = (group, low, high) => {
    low = Math.max(low, group.low);
    high = Math.min(high, group.high);
    if (!(high > low)) return;
    group.view = [low, high];
    for (const chart of group.charts) chart.plot?.setScale("x", { min: low, max: high });
    const whole = low === group.low && high === group.high;
    for (const button of group.resets) button.hidden = whole;
  };
  const reset = (group) => zoom(group, group.low, group.high);

  const digits = (value, n) => {
    if (value === 0) return "0";
    const size = Math.floor(Math.log10(Math.abs(value)));
    return size >= 15 || size < -9 ? value.toPrecision(n) : value.toFixed(Math.max(0, Math.min(12, n - 1 - size)));
  };
  const withUnit = (value, axis) => digits(value, 4) + (axis.unit ? " " + axis.unit : "");
  // scaled is withUnit in the unit of the same kind that suits the value.
  const units = [["bit/s", "kbit/s", "Mbit/s", "Gbit/s"], ["B", "KB", "MB", "GB"], ["µs", "ms", "s"]];
  const scaled = (value, axis) => {
    const kind = units.find((names) => names.includes(axis.unit)) || [axis.unit];
    let i = kind.indexOf(axis.unit), size = value;
    for (; size !== 0 && Math.abs(size) < 1 && i > 0; i--) size *= 1000;
    for (; Math.abs(size) >= 1000 && i < kind.length - 1; i++) size /= 1000;
    return withUnit(size, { unit: kind[i] });
  };
  const named = (axis) => axis.quantity + (axis.unit ? ` (${axis.unit})` : "");

  // bisect returns how many of the sorted numbers are not above x.
  const bisect = (sorted, x) => {
    let low = 0, high = sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sorted[middle] <= x) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  // at returns the value that a line shows at x: with steps the one that holds,
  // otherwise that of the nearest point, none where the line is not.
  const at = (line, values, x, near) => {
    const i = bisect(line.x, x);
    if (line.step) return i > 0 ? values[i - 1] : null;
    const j = i > 0 && (i === line.x.length || x - line.x[i - 1] <= line.x[i] - x) ? i - 1 : i;
    const outside = i === 0 || i === line.x.length || line.width === 0;
    return j < line.x.length && (!outside || Math.abs(line.x[j] - x) <= near) ? values[j] : null;
  };

  const swatch = (item) => {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("width", 22);
    svg.setAttribute("height", 10);
    svg.setAttribute("aria-hidden", "true");
    const add = (tag, attributes) => {
      const shape = document.createElementNS(svg.namespaceURI, tag);
      for (const [name, value] of Object.entries(attributes)) shape.setAttribute(name, value);
      svg.append(shape);
    };
    const color = ink(item.color);
    if (item.low) add("rect", { width: 22, height: 10, rx: 2, fill: color });
    else if (item.width === 0) add("circle", { cx: 11, cy: 5, r: 3, fill: color });
    else add("line", { x1: 0, x2: 22, y1: 5, y2: 5, stroke: color, "stroke-width": 2, "stroke-dasharray": (item.dash || []).join(" ") });
    return svg;
  };

  let active = null; // the chart that is pointed at

  class Chart {
    constructor(spec, group, last, count) {
      Object.assign(this, { spec, group, last, count, hidden: new Set() });
      group.charts.push(this);
      this.items = [...(spec.areas || []), ...spec.curves, ...(spec.moments || [])];
      this.box = make("div", { class: "plot" });
      this.tip = make("div", { class: "tip", hidden: "" });
      this.legend = make("ul", { class: "legend" });
      const head = make("p", { class: "graph-head" });
      if (spec.name) head.append(make("b", {}, spec.name));
      head.append(make("span", {}, named(spec.y)));
      this.box.append(this.tip);
      this.element = make("div", { class: "graph", tabindex: 0, role: "group",
        "aria-label": `${spec.name || spec.y.quantity}: ${named(spec.y)} over ${named(spec.x)}. Arrow keys show values, plus and minus zoom, 0 shows all.` },
        head, this.box, this.legend);
      this.element.addEventListener("keydown", (event) => this.key(event));
      this.fillLegend();
      new ResizeObserver(() => this.fit()).observe(this.box);
    }

    fillLegend() {
      const { spec } = this;
      this.legend.replaceChildren();
      for (const item of this.items) {
        if (!item.label) continue;
        const button = make("button", { type: "button", "aria-pressed": String(!this.hidden.has(item)) }, swatch(item), item.label);
        button.addEventListener("click", () => {
          if (!this.hidden.delete(item)) this.hidden.add(item);
          button.setAttribute("aria-pressed", String(!this.hidden.has(item)));
          const i = spec.curves.indexOf(item);
          if (i >= 0) this.plot?.setSeries(i + 1, { show: !this.hidden.has(item) });
          else this.plot?.redraw();
        });
        this.legend.append(make("li", {}, button));
      }
    }

    // fit makes the plot when it is visible for the first time, and keeps it as wide as the page.
    fit() {
      const width = Math.floor(this.box.clientWidth);
      if (width === 0) return;
      const height = width < 500 ? 190 : this.count > 2 ? 170 : this.count > 1 ? 200 : 260;
      if (!this.plot) this.draw(width, height + (this.last ? 24 : 0));
      else if (this.plot.width !== width) this.plot.setSize({ width, height: height + (this.last ? 24 : 0) });
    }

    draw(width, height) {
      const { spec, group } = this;
      const tables = spec.curves.map((curve) => [curve.x, curve.y]);
      const points = tables.length ? uPlot.join(tables) : [[spec.x.low, spec.x.high]];
      const font = `12px ${style("--sans")}`;
      const series = spec.curves.map((curve) => {
        const line = {
          label: curve.label, show: !this.hidden.has(curve), spanGaps: true, auto: true,
          stroke: () => ink(curve.color), width: Math.max(1.25, curve.width * 1.25),
          dash: (curve.dash || []).map((d) => d * 1.3), points: { show: false },
        };
        if (curve.step) line.paths = uPlot.paths.stepped({ align: 1 });
        if (curve.width === 0 || curve.x.length === 1) {
          line.paths = () => null;
          line.points = { show: true, size: 5, width: 0, fill: () => ink(curve.color) };
        }
        // What lies beyond the axis altogether does not stretch it.
        if (curve.y.length && curve.y.every((v) => v === null || v > spec.y.high)) line.auto = false;
        return line;
      });
      const axis = (more) => ({
        stroke: () => style("--muted"), font, ticks: { stroke: () => style("--line"), width: 1, size: 5 },
        grid: { stroke: () => style("--line"), width: 1 }, ...more,
      });
      const label = (_, splits) => {
        const steps = splits.slice(1).map((v, i) => v - splits[i]).filter((d) => d > 0);
        const step = steps.length ? Math.min(...steps) : 1;
        let decimals = 0;
        while (decimals < 9 && Math.abs(Math.round(step * 10 ** decimals) / 10 ** decimals - step) > 1e-6 * step) decimals++;
        return splits.map((v) => (v === null ? "" : v.toFixed(decimals)));
      };
      const power = (_, splits) => splits.map((v) => (v === null || Math.abs(Math.log10(v) - Math.round(Math.log10(v))) > 1e-9 ? "" : String(+v.toPrecision(3))));
      this.plot = new uPlot({
        width, height, legend: { show: false }, padding: [10, 14, 0, 0],
        series: [{}, ...series],
        scales: {
          x: { time: false, auto: false, distr: spec.x.log ? 3 : 1, range: () => group.view },
          y: { distr: spec.y.log ? 3 : 1, range: (_, low, high) => this.range(low, high) },
        },
        axes: [
          axis({ values: spec.x.log ? power : label, size: this.last ? 30 : 24, ...(this.last ? { label: named(spec.x), labelSize: 22, labelFont: font } : {}) }),
          axis({ values: spec.y.log ? power : label, size: (_, values) => 14 + 7.2 * Math.max(3, ...(values || []).map((v) => (v || "").length)) }),
        ],
        cursor: {
          drag: { x: true, y: false, setScale: false },
          points: { size: 7 },
          hover: { prox: 30 },
          sync: { key: group.key, setSeries: false, scales: ["x", null], filters: { pub: (type) => type === "mousemove" || type === "mouseleave" } },
          bind: { dblclick: () => () => { reset(group); return null; } },
        },
        hooks: {
          setSelect: [(plot) => {
            const { left, width: span } = plot.select;
            if (span < 4) return;
            plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
            zoom(group, plot.posToVal(left, "x"), plot.posToVal(left + span, "x"));
          }],
          setCursor: [() => this.point()],
          drawAxes: [(plot) => { this.shade(plot); this.mark(plot); }],
        },
      }, points, this.box);
      this.touch(this.plot.over);
      this.plot.over.addEventListener("mouseenter", () => { active = this; });
      this.plot.over.addEventListener("mouseleave", () => { if (active === this) active = null; this.tip.hidden = true; });
    }

    // range keeps the axis of the whole figure until something is zoomed or hidden.
    range(low, high) {
      const { y } = this.spec, { group } = this;
      const whole = group.view[0] === group.low && group.view[1] === group.high && this.hidden.size === 0;
      for (const area of this.spec.areas || []) {
        area.x.forEach((x, i) => { if (x >= group.view[0] && x <= group.view[1] && area.high[i] <= y.high) high = Math.max(high, area.high[i]); });
      }
      if (whole || y.log || low === null || !(high > 0)) return [y.low, y.high];
      return [Math.min(y.low, low), high + 0.04 * (high - Math.min(y.low, low))];
    }

    // shade draws the areas behind everything else.
    shade(plot) {
      const { ctx, bbox } = plot;
      for (const area of this.spec.areas || []) {
        if (this.hidden.has(area) || !area.x.length) continue;
        const edge = (values) => area.x.flatMap((x, i) => {
          const left = plot.valToPos(x, "x", true), here = [left, plot.valToPos(values[i], "y", true)];
          return area.step && i > 0 ? [[left, plot.valToPos(values[i - 1], "y", true)], here] : [here];
        });
        ctx.save();
        ctx.beginPath();
        ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
        ctx.clip();
        ctx.beginPath();
        for (const [left, top] of [...edge(area.low), ...edge(area.high).reverse()]) ctx.lineTo(left, top);
        ctx.fillStyle = ink(area.color);
        ctx.fill();
        ctx.restore();
      }
    }

    // mark draws the marked moments behind the lines.
    mark(plot) {
      const { ctx, bbox } = plot;
      for (const item of this.spec.moments || []) {
        if (this.hidden.has(item)) continue;
        ctx.save();
        ctx.strokeStyle = ink(item.color);
        ctx.lineWidth = devicePixelRatio;
        ctx.setLineDash((item.dash || []).map((d) => 1.5 * d * devicePixelRatio));
        ctx.beginPath();
        for (const x of item.at) {
          if (x < this.group.view[0] || x > this.group.view[1]) continue;
          const left = plot.valToPos(x, "x", true);
          ctx.moveTo(left, bbox.top);
          ctx.lineTo(left, bbox.top + bbox.height);
        }
        ctx.stroke();
        ctx.restore();
      }
    }

    // point shows the values of all lines where the cursor is.
    point() {
      const { plot, spec, tip } = this;
      if (!plot || active !== this || plot.cursor.left < 0) {
        tip.hidden = true;
        return;
      }
      const x = plot.posToVal(plot.cursor.left, "x");
      const near = Math.abs(plot.posToVal(plot.cursor.left + 8, "x") - x);
      const rows = [];
      const show = (item, text) => {
        const label = make("span", { class: "label" }, item.label);
        rows.push(make("div", {}, swatch(item), label, make("span", { class: "value" }, text)));
      };
      for (const item of this.items) {
        if (this.hidden.has(item) || !item.label) continue;
        if (item.low) {
          const low = at(item, item.low, x, near), high = at(item, item.high, x, near);
          if (low !== null && high !== null) show(item, `${scaled(low, spec.y)} to ${scaled(high, spec.y)}`);
        } else if (item.at) {
          if (item.at.some((t) => Math.abs(t - x) <= near / 2)) show(item, "");
        } else {
          const value = at(item, item.y, x, near);
          if (value !== null && value !== undefined) show(item, scaled(value, spec.y));
        }
      }
      tip.replaceChildren(make("p", {}, `${spec.x.quantity} ${withUnit(x, spec.x)}`), ...rows);
      tip.hidden = false;
      const left = plot.over.offsetLeft + plot.cursor.left, width = tip.offsetWidth, all = this.box.clientWidth;
      tip.style.left = `${left + 14 + width <= all ? left + 14 : Math.max(0, left - width - 14)}px`;
      tip.style.top = `${plot.over.offsetTop + 6}px`;
    }

    // cursor puts the cursor at a place of the plot and shows the values there.
    cursor(left) {
      active = this;
      const width = this.plot.over.clientWidth;
      this.plot.setCursor({ left: Math.max(0, Math.min(width, left)), top: this.plot.over.clientHeight / 2 });
    }

    key(event) {
      if (!this.plot || event.target !== this.element || event.ctrlKey || event.metaKey || event.altKey) return;
      const width = this.plot.over.clientWidth, { group } = this;
      const left = active === this && this.plot.cursor.left >= 0 ? this.plot.cursor.left : width / 2;
      const step = (event.shiftKey ? 0.1 : 0.01) * width;
      const middle = this.plot.posToVal(left, "x"), [low, high] = group.view;
      const by = (factor) => zoom(group, middle - (middle - low) * factor, middle + (high - middle) * factor);
      switch (event.key) {
        case "ArrowLeft": this.cursor(left - step); break;
        case "ArrowRight": this.cursor(left + step); break;
        case "+": by(0.5); break;
        case "-": by(2); break;
        case "0": case "Escape": reset(group); this.tip.hidden = true; break;
        default: return;
      }
      this.tip.setAttribute("aria-live", "polite");
      event.preventDefault();
    }

    // touch zooms with a drag of one finger to the side, shows values on a tap,
    // and shows all on two.
    touch(over) {
      let from = null, dragging = false, tapped = 0;
      const place = (event) => event.clientX - over.getBoundingClientRect().left;
      const none = { left: 0, top: 0, width: 0, height: 0 };
      over.addEventListener("pointerdown", (event) => {
        if (event.pointerType !== "touch" || !event.isPrimary) return;
        from = place(event);
        dragging = false;
        this.cursor(from);
      });
      over.addEventListener("pointermove", (event) => {
        if (event.pointerType !== "touch" || from === null) return;
        const to = Math.max(0, Math.min(over.clientWidth, place(event)));
        dragging ||= Math.abs(to - from) > 8;
        if (dragging) this.plot.setSelect({ left: Math.min(from, to), top: 0, width: Math.abs(to - from), height: over.clientHeight }, false);
      });
      over.addEventListener("pointerup", (event) => {
        if (event.pointerType !== "touch" || from === null) return;
        const { left, width } = this.plot.select;
        this.plot.setSelect(none, false);
        if (dragging && width > 8) {
          zoom(this.group, this.plot.posToVal(left, "x"), this.plot.posToVal(left + width, "x"));
          this.tip.hidden = true;
          tapped = 0;
        } else if (event.timeStamp - tapped < 350) {
          reset(this.group);
        } else {
          tapped = event.timeStamp;
        }
        from = null;
      });
      over.addEventListener("pointercancel", () => {
        from = null;
        this.plot.setSelect(none, false);
      });
    }
  }

  const charts = [];
  for (const figure of document.querySelectorAll("figure[data-charts]")) {
    const specs = data[figure.id] || [];
    const holder = figure.querySelector(".charts");
    const part = figure.closest(".part")?.id;
    const same = (a, b) => a && b && groupOf(part, a.x) === groupOf(part, b.x);
    const tools = make("div", { class: "charts-tools" });
    specs.forEach((spec, i) => {
      const chart = new Chart(spec, groupOf(part, spec.x), !same(spec, specs[i + 1]), specs.length);
      charts.push(chart);
      holder.append(chart.element);
    });
    for (const group of new Set(specs.map((spec) => groupOf(part, spec.x)))) {
      const button = make("button", { type: "button", class: "reset", hidden: "" }, "Show all");
      button.addEventListener("click", () => reset(group));
      group.resets.push(button);
      tools.append(button);
    }
    holder.append(tools);
  }
  const repaint = () => charts.forEach((chart) => { chart.fillLegend(); chart.plot?.redraw(); });
  dark.addEventListener("change", repaint);

  // Of several sets one is shown.
  const choice = document.getElementById("choice");
  if (choice) {
    const parts = [...document.querySelectorAll(".part")];
    const show = () => parts.forEach((part) => { part.hidden = part.id !== choice.value; });
    choice.addEventListener("change", show);
    show();
  }
})();
