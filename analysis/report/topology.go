package report

import (
	"fmt"
	"html/template"
	"slices"
	"strings"
)

// mostNodes bounds a topology that is drawn.
const mostNodes = 60

// drawTopology draws a network as SVG. It draws nothing if that would be no help:
// without links, and for more nodes than an eye can follow.
func drawTopology(n network) template.HTML {
	if len(n.links) == 0 || len(n.nodes) > mostNodes {
		return ""
	}
	p := newPlan(n)
	var b strings.Builder
	fmt.Fprintf(&b, `<svg class="topology" role="img" aria-label="%s" viewBox="0 0 %.0f %.0f" style="width:%.0fpx;min-width:%.0fpx">`,
		template.HTMLEscapeString(describeNetwork(n)), p.width, p.height, p.width, min(p.width, max(0.8*p.width, 300)))
	for i := range n.links {
		p.drawLink(&b, n, i)
	}
	for i, node := range n.nodes {
		drawNode(&b, node, p.at[i])
	}
	b.WriteString("</svg>")
	return template.HTML(b.String())
}

// describeNetwork says in words what is drawn.
func describeNetwork(n network) string {
	var hosts, routers []string
	for _, node := range n.nodes {
		switch {
		case node.router:
			routers = append(routers, node.name)
		case node.count > 1:
			hosts = append(hosts, fmt.Sprintf("%s (%d)", node.name, node.count))
		default:
			hosts = append(hosts, node.name)
		}
	}
	s := "Hosts: " + strings.Join(hosts, ", ") + "."
	if len(routers) > 0 {
		s += " Routers: " + strings.Join(routers, ", ") + "."
	}
	for _, l := range n.links {
		s += " " + l.describe(n.nodes)
	}
	return s
}

func nodeWidth(n node) float64 {
	return max(76, boldLetter*float64(len([]rune(n.label())))+26)
}

// label names a node.
func (n node) label() string {
	name := clip(n.name, 22)
	if n.count > 1 {
		return fmt.Sprintf("%s ×%d", name, n.count)
	}
	return name
}

// clip shortens a text.
func clip(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}

func drawNode(b *strings.Builder, n node, at place) {
	class, corner := "host", 7.0
	if n.router {
		class, corner = "router", nodeHeight/2
	}
	fmt.Fprintf(b, `<g class="%s">`, class)
	box := func(shift float64) {
		fmt.Fprintf(b, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.0f" rx="%.0f"/>`,
			at.x-at.width/2+shift, at.y-nodeHeight/2-shift, at.width, nodeHeight, corner)
	}
	if n.count > 1 {
		box(5)
		box(2.5)
	}
	box(0)
	kind := class
	if n.count > 1 {
		kind = "hosts"
	}
	fmt.Fprintf(b, `<text class="name" x="%.1f" y="%.1f">%s</text>`, at.x, at.y-1, template.HTMLEscapeString(n.label()))
	fmt.Fprintf(b, `<text class="kind" x="%.1f" y="%.1f">%s</text></g>`, at.x, at.y+13, kind)
}

// lines returns the words of the link: its name, and how it is configured. Where
// both directions differ, an arrow says which is meant; flipped says that
// forward goes to the left. Lines have as many letters if words allow.
func (l link) lines(flipped bool, letters int) []string {
	name := clip(l.name, 26)
	if l.count > 1 {
		name += fmt.Sprintf(" ×%d", l.count)
	}
	out := []string{name}
	if l.sameWords() {
		return append(out, wrap("", l.words[0], letters)...)
	}
	// What both have in common is said once, after what they do not.
	var common []string
	rest := [2][]string{}
	for _, w := range l.words[0] {
		if slices.Contains(l.words[1], w) {
			common = append(common, w)
		} else {
			rest[0] = append(rest[0], w)
		}
	}
	for _, w := range l.words[1] {
		if !slices.Contains(common, w) {
			rest[1] = append(rest[1], w)
		}
	}
	arrows := [2]string{"→ ", "← "}
	if flipped {
		arrows = [2]string{"← ", "→ "}
	}
	for i, r := range rest {
		if len(r) > 0 {
			out = append(out, wrap(arrows[i], r, letters)...)
		}
	}
	return append(out, wrap("", common, letters)...)
}

// wrap puts words into lines.
func wrap(before string, words []string, letters int) []string {
	var out []string
	line := ""
	for _, w := range words {
		w = clip(w, longWord)
		switch {
		case line == "":
			line = before + w
		case len([]rune(line))+3+len([]rune(w)) > letters:
			out = append(out, line)
			line = w
		default:
			line += " · " + w
		}
	}
	if line != "" {
		out = append(out, line)
	}
	return out
}

// width returns the width of the link's words.
func (l link) width(letters int) float64 {
	lines := l.lines(false, letters)
	width := boldLetter * float64(len([]rune(lines[0])))
	for _, line := range lines[1:] {
		width = max(width, letter*float64(len([]rune(line))))
	}
	return width
}

// drawLink draws a link and its words.
func (p *plan) drawLink(b *strings.Builder, n network, i int) {
	way := p.way(n, i)
	fmt.Fprintf(b, `<path d="%s"/>`, way.path)
	l := n.links[i]
	lines := l.lines(way.flipped, p.wrap())
	if len(lines) == 1 && (l.name == n.nodes[l.ends[0]].name || l.name == n.nodes[l.ends[1]].name) {
		return // the node says it already
	}
	p.drawWords(b, lines, way)
}

// way is how a link goes, and where its words are.
type way struct {
	path    string
	flipped bool    // forward goes to the left
	x, y    float64 // the middle of the words' edge
	below   bool    // the words are below that, not above
}

// way returns how a link of the network goes.
func (p *plan) way(n network, i int) way {
	l := n.links[i]
	from, to := l.ends[0], l.ends[1]
	w := way{flipped: p.at[from].x > p.at[to].x}
	if w.flipped {
		from, to = to, from
	}
	a, c := p.at[from], p.at[to]
	k, of := n.parallel(i)
	last := len(p.spine) - 1
	switch {
	case p.column[from] == p.column[to]: // hangs above or below: words on the far side
		hanging := p.at[from]
		side := p.row[from]
		if side == 0 || abs(p.row[to]) > abs(side) {
			hanging, side = p.at[to], p.row[to]
		}
		w.path = fmt.Sprintf("M%.1f %.1fL%.1f %.1f", a.x, a.y, c.x, c.y)
		w.x, w.y, w.below = hanging.x, hanging.y-nodeHeight/2, side > 0
		if w.below {
			w.y = hanging.y + nodeHeight/2
		}
	case of > 1:
		lift := lifted(k, of)
		w.x, w.y, w.below = (a.x+c.x)/2, (a.y+c.y)/2+lift, lift > 0
		left, right := a.x+a.width/2+20, c.x-c.width/2-20
		w.path = fmt.Sprintf("M%.1f %.1fC%.1f %.1f %.1f %.1f %.1f %.1fS%.1f %.1f %.1f %.1f",
			a.x, a.y, left, w.y, left, w.y, w.x, w.y, right, w.y, c.x, c.y)
	case a.y == c.y:
		w.path = fmt.Sprintf("M%.1f %.1fH%.1f", a.x, a.y, c.x)
		w.x, w.y = (a.x+a.width/2+c.x-c.width/2)/2, a.y
	case p.column[from] == 0 && p.column[to] == 1: // level at the host, slanting at the router
		bend := c.x - c.width/2 - fanWidth
		w.path = fmt.Sprintf("M%.1f %.1fH%.1fL%.1f %.1f", a.x, a.y, bend, c.x-c.width/2+8, c.y)
		w.x, w.y = (a.x+a.width/2+bend)/2, a.y
	case p.column[to] == last && p.column[from] == last-1:
		bend := a.x + a.width/2 + fanWidth
		w.path = fmt.Sprintf("M%.1f %.1fL%.1f %.1fH%.1f", a.x+a.width/2-8, a.y, bend, c.y, c.x)
		w.x, w.y = (bend+c.x-c.width/2)/2, c.y
	default:
		w.path = fmt.Sprintf("M%.1f %.1fL%.1f %.1f", a.x, a.y, c.x, c.y)
		w.x, w.y = (a.x+c.x)/2, (a.y+c.y)/2
	}
	return w
}

// drawWords writes lines above or below a link.
func (p *plan) drawWords(b *strings.Builder, lines []string, w way) {
	y := w.y - wordsGap - lineHeight*float64(len(lines)-1)
	if w.below {
		y = w.y + wordsGap + 0.7*lineHeight
	}
	for i, line := range lines {
		class := "words"
		if i == 0 {
			class = "words link"
		}
		fmt.Fprintf(b, `<text class="%s" x="%.1f" y="%.1f">%s</text>`, class, w.x, y+lineHeight*float64(i), template.HTMLEscapeString(line))
	}
}

func abs(x int) int { return max(x, -x) }
