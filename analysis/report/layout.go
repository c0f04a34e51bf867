package report

import (
	"cmp"
	"math"
	"slices"
)

// Distances of a drawn topology in pixels.
const (
	nodeHeight = 42.0
	rowHeight  = 96.0  // between nodes that stand above each other
	fanWidth   = 44.0  // of the part of a link that slants towards a node with many
	leastGap   = 64.0  // between the nodes of neighbouring columns
	curveLift  = 46.0  // between links of the same two nodes
	lineHeight = 16.0  // of words
	letter     = 6.4   // width of a letter of the words, on average
	boldLetter = 7.2   // of a name
	wordsGap   = 9.0   // between a link and its words
	longWord   = 38    // letters to which a word is cut
	outboard   = 118.0 // from the middle row to nodes above and below it
)

// plan is where everything of a topology is.
type plan struct {
	width, height float64
	at            []place // of each node
	column        []int
	row           []int // 0 is the spine's; others stand above (negative) or below it
	spine         []int
}

// place is the middle of a node, and its width.
type place struct{ x, y, width float64 }

// newPlan lays out a network: its longest way from left to right, what hangs at
// the ends of it stacked in the first and the last column, and what hangs
// between above and below.
func newPlan(n network) plan {
	p := plan{at: make([]place, len(n.nodes)), column: make([]int, len(n.nodes)), row: make([]int, len(n.nodes))}
	if len(n.nodes) == 0 {
		return p
	}
	near := n.neighbours()
	p.spine = n.spine(near)
	columns := p.assign(near)
	p.place(n, columns)
	return p
}

// neighbours returns the nodes that links join to each node, in order of the links.
func (n network) neighbours() [][]int {
	near := make([][]int, len(n.nodes))
	for _, l := range n.links {
		for i, end := range l.ends {
			if other := l.ends[1-i]; !slices.Contains(near[end], other) {
				near[end] = append(near[end], other)
			}
		}
	}
	return near
}

// distances returns how many links each node is from one, and the node before
// it on the way; -1 for nodes without a way.
func distances(near [][]int, from int) (far, before []int) {
	far, before = make([]int, len(near)), make([]int, len(near))
	for i := range far {
		far[i], before[i] = -1, -1
	}
	far[from] = 0
	for queue := []int{from}; len(queue) > 0; queue = queue[1:] {
		for _, next := range near[queue[0]] {
			if far[next] < 0 {
				far[next], before[next] = far[queue[0]]+1, queue[0]
				queue = append(queue, next)
			}
		}
	}
	return far, before
}

// spine returns the longest of the shortest ways between two nodes, the first
// of several, from the side that sends.
func (n network) spine(near [][]int) []int {
	var best []int
	for from := range n.nodes {
		far, before := distances(near, from)
		to := 0
		for i, d := range far {
			if d > far[to] {
				to = i
			}
		}
		if far[to]+1 <= len(best) {
			continue
		}
		best = best[:0]
		for i := to; i >= 0; i = before[i] {
			best = append(best, i)
		}
	}
	if n.nodes[best[len(best)-1]].sends > n.nodes[best[0]].sends {
		slices.Reverse(best)
	}
	return best
}

// assign gives each node its column and row, and returns the nodes of each
// column beyond the spine's, above and below it.
func (p *plan) assign(near [][]int) [][2][]int {
	last := len(p.spine) - 1
	columns := make([][2][]int, len(p.spine))
	placed := make([]bool, len(near))
	for i, node := range p.spine {
		p.column[node], placed[node] = i, true
	}
	for range near {
		for node := range near {
			if placed[node] {
				continue
			}
			sum, known := 0, 0
			for _, other := range near[node] {
				if placed[other] {
					sum, known = sum+p.column[other], known+1
				}
			}
			if known == 0 {
				continue
			}
			c := int(math.Round(float64(sum) / float64(known)))
			// What hangs at the node before an end of the spine stands with that end.
			if known == 1 && len(near[node]) == 1 && last >= 2 {
				switch c {
				case 1:
					c = 0
				case last - 1:
					c = last
				}
			}
			p.hang(columns, node, c)
			placed[node] = true
		}
	}
	for node := range near { // apart from all others
		if !placed[node] {
			p.hang(columns, node, 0)
		}
	}
	return columns
}

// hang puts a node into a column, on the side of the spine that has fewer.
func (p *plan) hang(columns [][2][]int, node, column int) {
	side := 0
	if len(columns[column][1]) < len(columns[column][0]) {
		side = 1
	}
	columns[column][side] = append(columns[column][side], node)
	p.column[node] = column
	p.row[node] = (2*side - 1) * len(columns[column][side])
}

// place gives each node its place.
func (p *plan) place(n network, columns [][2][]int) {
	last := len(p.spine) - 1
	for i := range n.nodes {
		p.at[i].width = nodeWidth(n.nodes[i])
	}
	// Between the columns there is room for the words of the links there.
	gaps := make([]float64, max(last, 0))
	for i := range gaps {
		gaps[i] = leastGap
	}
	for _, l := range n.links {
		a, b := p.column[l.ends[0]], p.column[l.ends[1]]
		if from, to := min(a, b), max(a, b); to == from+1 {
			need := l.width(p.wrap()) + 24
			if len(columns[from][0])+len(columns[to][0]) > 0 && (from == 0 || to == last) {
				need += fanWidth
			}
			gaps[from] = max(gaps[from], need)
		}
	}
	x := 0.0
	for i, node := range p.spine {
		end := i == 0 || i == last
		half := p.at[node].width / 2
		for _, side := range columns[i] {
			across := 0.0
			for _, hanging := range side {
				w := max(p.at[hanging].width, p.words(n, hanging)) + 20
				if end {
					across = max(across, p.at[hanging].width)
				} else {
					across += w
				}
			}
			half = max(half, across/2)
		}
		x += half
		p.at[node].x = x
		for _, side := range columns[i] {
			p.placeSide(n, node, side, end)
		}
		x += half
		if i < last {
			x += gaps[i]
		}
	}
	p.centreEnds(columns)
	p.crop(n, x)
}

// placeSide places the nodes on one side of a node of the spine: at the ends of
// the spine stacked, elsewhere side by side.
func (p *plan) placeSide(n network, spine int, side []int, end bool) {
	x := p.at[spine].x
	if !end {
		total := 0.0
		for _, node := range side {
			total += max(p.at[node].width, p.words(n, node)) + 20
		}
		x -= total / 2
	}
	for _, node := range side {
		up := float64(cmp.Compare(p.row[node], 0))
		if end {
			p.at[node].x, p.at[node].y = x, float64(p.row[node])*rowHeight
			continue
		}
		w := max(p.at[node].width, p.words(n, node)) + 20
		p.at[node].x, p.at[node].y = x+w/2, up*outboard
		x += w
	}
}

// centreEnds moves the stacks at both ends so that they are even about the
// middle.
func (p *plan) centreEnds(columns [][2][]int) {
	last := len(p.spine) - 1
	for _, i := range slices.Compact([]int{0, last}) {
		// One more above than below: half a row down.
		shift := float64(len(columns[i][0])-len(columns[i][1])) * rowHeight / 2
		p.at[p.spine[i]].y += shift
		for _, side := range columns[i] {
			for _, node := range side {
				p.at[node].y += shift
			}
		}
	}
}

// wrap returns how many letters a line of words has: fewer where many links are
// beside each other.
func (p *plan) wrap() int {
	if len(p.spine) > 4 {
		return 22
	}
	return 32
}

// crop finds how large the drawing is, and moves it to its corner.
func (p *plan) crop(n network, width float64) {
	top, bottom := 0.0, 0.0
	for i := range p.at {
		top, bottom = min(top, p.at[i].y-nodeHeight/2), max(bottom, p.at[i].y+nodeHeight/2)
	}
	for i, l := range n.links {
		height := lineHeight*float64(len(l.lines(false, p.wrap()))) + wordsGap
		if w := p.way(n, i); w.below {
			bottom = max(bottom, w.y+height)
		} else {
			top = min(top, w.y-height)
		}
	}
	const margin = 8
	for i := range p.at {
		p.at[i].x += margin
		p.at[i].y += margin - top
	}
	p.width, p.height = width+2*margin, bottom-top+2*margin
}

// words returns the width of the words of the links of a node that hangs above
// or below the spine, which stand at the node.
func (p *plan) words(n network, node int) float64 {
	width := 0.0
	for _, l := range n.links {
		if slices.Contains(l.ends[:], node) && p.column[l.ends[0]] == p.column[l.ends[1]] {
			width = max(width, l.width(p.wrap()))
		}
	}
	return width
}

// parallel returns the place of a link among those that join the same nodes,
// and how many those are.
func (n network) parallel(i int) (place, of int) {
	same := func(l link) bool {
		e := n.links[i].ends
		return l.ends == e || l.ends == [2]int{e[1], e[0]}
	}
	for j, l := range n.links {
		if same(l) {
			if j < i {
				place++
			}
			of++
		}
	}
	return place, of
}

// lifted returns how far one of several links between two nodes is bent down.
func lifted(place, of int) float64 {
	return (float64(place) - float64(of-1)/2) * 2 * curveLift
}
