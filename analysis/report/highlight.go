package report

import "strings"

// token is a piece of a TOML text; its class says what it is, and is empty for
// what has no colour.
type token struct{ Class, Text string }

// highlight cuts a TOML text into tokens, line by line, for the eye alone: the
// texts of the tokens together are the text.
func highlight(text string) []token {
	var out []token
	add := func(class, s string) {
		if s == "" {
			return
		}
		if n := len(out); n > 0 && out[n-1].Class == class {
			out[n-1].Text += s
			return
		}
		out = append(out, token{class, s})
	}
	for line := range strings.Lines(text) {
		code := strings.TrimLeft(line, " \t")
		add("", line[:len(line)-len(code)])
		end := commentStart(code)
		comment := code[end:]
		code = code[:end]
		switch key, value, ok := strings.Cut(code, "="); {
		case strings.HasPrefix(code, "["):
			add("table", code)
		case ok && !strings.ContainsAny(key, `"'[{`):
			add("key", key)
			add("", "=")
			add("value", value)
		default:
			add("value", code)
		}
		body := strings.TrimRight(comment, "\r\n")
		add("comment", body)
		add("", comment[len(body):])
	}
	return out
}

// commentStart returns where the comment of a line begins, or its length.
func commentStart(line string) int {
	var quote byte
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case quote == '"' && c == '\\':
			i++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '#':
			return i
		}
	}
	return len(line)
}
