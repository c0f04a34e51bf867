package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/wtsim/wtsim/analysis/quantity"
	"github.com/wtsim/wtsim/wt/probe"
)

// printField prints a line of a list of names and values.
func printField(out io.Writer, name, format string, args ...any) {
	fmt.Fprintf(out, "%-12s %s\n", name, fmt.Sprintf(format, args...))
}

// printReport prints what a probe found, as far as it came.
func printReport(out io.Writer, r *probe.Report) {
	if c := r.Connection; c != nil {
		printField(out, "Connection", "%s to %s in %s, QUIC %s", c.Local, c.Remote, quantity.Duration(c.Handshake.Seconds()), c.QUIC)
		printField(out, "TLS", "%s, %s, ALPN %s", strings.TrimPrefix(c.TLS, "TLS "), c.CipherSuite, c.ALPN)
		printField(out, "Certificate", "%s, valid until %s", subject(c), c.Certificate.NotAfter.UTC().Format("2006-01-02 15:04 UTC"))
		printField(out, "", "SHA-256 %s", c.Certificate.SHA256)
		printField(out, "Extensions", "datagrams %s, RESET_STREAM_AT %s", yesNo(c.Datagrams), yesNo(c.ResetStreamAt))
	}
	for i, s := range r.Settings {
		name := ""
		if i == 0 {
			name = "Settings"
		}
		printField(out, name, "%s = %d", printable(s.Name), s.Value)
	}
	if r.Session != nil {
		printSession(out, r.Session)
	}
	if b := r.Batons; b != nil {
		printField(out, "Batons", "%d of %d arrived and %d lost in %s; %d messages sent and %d received, in datagrams %d and %d",
			b.Arrived, b.Count, b.Lost, quantity.Duration(b.Elapsed.Seconds()), b.Sent, b.Received, b.DatagramsSent, b.DatagramsReceived)
	}
	if r.End != nil {
		printField(out, "End", "%s", printable(endText(r.End)))
	}
	if len(r.Exchanges) > 0 {
		fmt.Fprintf(out, "\n%s\n", exchangeTable(r.Exchanges))
	}
}

// subject returns whose the certificate is.
func subject(c *probe.Connection) string {
	if c.Certificate.Subject == "" {
		return "no subject"
	}
	return printable(c.Certificate.Subject)
}

func printSession(out io.Writer, s *probe.Session) {
	if s.Draft == "" {
		printField(out, "Session", "refused with status %d in %s", s.Status, quantity.Duration(s.Opening.Seconds()))
	} else {
		printField(out, "Session", "accepted with status %d in %s: %s, :protocol %s", s.Status, quantity.Duration(s.Opening.Seconds()), s.Draft, s.Token)
	}
	for i, line := range headerLines(s) {
		name := ""
		if i == 0 {
			name = "Header"
		}
		printField(out, name, "%s", line)
	}
	if s.Draft == "" {
		return
	}
	protocol := "none"
	if s.Protocol != "" {
		protocol = printable(s.Protocol)
	}
	printField(out, "Subprotocol", "%s", protocol)
	if l := s.Limits; l != nil {
		printField(out, "Flow control", "%s, %d bidirectional and %d unidirectional streams at first",
			quantity.Format("", float64(l.Data), "B"), l.Streams, l.UniStreams)
	} else {
		printField(out, "Flow control", "none, so one session a connection")
	}
	printField(out, "Datagrams", "at most %d bytes", s.MaxDatagramSize)
	printField(out, "RTT", "%s, at least %s", quantity.Duration(s.RTT.Seconds()), quantity.Duration(s.MinRTT.Seconds()))
	if s.Draining {
		printField(out, "Draining", "the server wants the session to be wound down")
	}
}

// endText says how a session ended.
func endText(e *probe.End) string {
	by := "by the probe"
	if e.Remote {
		by = "by the server"
	}
	if !e.Clean {
		return fmt.Sprintf("not closed, but ended %s: %s", by, e.Error)
	}
	text := fmt.Sprintf("closed %s with code %d", by, e.Code)
	if e.Reason != "" {
		text += fmt.Sprintf(" and reason %q", e.Reason)
	}
	return text
}

// headerLines returns the fields of the response, in order.
func headerLines(s *probe.Session) []string {
	var lines []string
	for name, values := range s.Header {
		for _, value := range values {
			lines = append(lines, printable(strings.ToLower(name)+": "+value))
		}
	}
	slices.Sort(lines)
	return lines
}

func exchangeTable(exchanges []probe.Exchange) string {
	t := newTable("Echo on", "sent", "returned", "fastest", "median", "slowest", "data", "time", "rate")
	t.SuppressEmptyColumns()
	for _, e := range exchanges {
		row := table.Row{e.What, e.Sent, e.Returned}
		if e.Median > 0 {
			row = append(row, quantity.Duration(e.Min.Seconds()), quantity.Duration(e.Median.Seconds()), quantity.Duration(e.Max.Seconds()))
		} else {
			row = append(row, "", "", "")
		}
		t.AppendRow(append(row, quantity.Format("", float64(e.Bytes), "B"), quantity.Duration(e.Elapsed.Seconds()), quantity.Format("", e.Rate(), "bit/s")))
	}
	return t.Render()
}

// printable quotes what a server sent where a terminal might obey it.
func printable(text string) string {
	if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f || 0x80 <= r && r < 0xa0 }) {
		return fmt.Sprintf("%q", text)
	}
	return text
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
