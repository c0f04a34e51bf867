// Package nearest finds the word, or the folder, that someone who mistyped it may have meant.
package nearest

import "strings"

// Word returns the valid word with the smallest edit distance to word, of equals
// the first that begins in the same way, or else the first, and "" if more than a
// third of the word would change.
func Word(word string, valid []string) string {
	best, bestDistance := "", max(1, len(word)/3)+1
	for _, v := range valid {
		d := editDistance(strings.ToLower(word), strings.ToLower(v), bestDistance+1)
		if d < bestDistance || best != "" && d == bestDistance && alike(v, word) && !alike(best, word) {
			best, bestDistance = v, d
		}
	}
	return best
}

// alike reports whether two words begin with the same letter.
func alike(a, b string) bool {
	return a != "" && b != "" && strings.EqualFold(a[:1], b[:1])
}

// editDistance counts the insertions, deletions, substitutions and swaps of
// neighbours that turn a into b. It may return limit for anything above it.
func editDistance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	var before, above []int
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before, above, row = above, row, make([]int, len(b)+1)
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(above[j+1]+1, row[j]+1, above[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
	}
	return row[len(b)]
}
