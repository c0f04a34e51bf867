package wt

import (
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/dunglas/httpsfv"
)

// Header fields of the negotiation of a subprotocol (draft-ietf-webtrans-http3-16,
// section 3.3), and those of drafts 08 and 09, whose values are Tokens.
const (
	headerAvailable   = "WT-Available-Protocols"
	headerProtocol    = "WT-Protocol"
	headerAvailable09 = "WebTransport-Subprotocols-Available"
	headerProtocol09  = "WebTransport-Subprotocol"
)

// offerProtocols adds the header field that offers subprotocols, if there are
// any. Servers of drafts 07 to 12 may know it, or the one of before draft 10, which can name fewer.
func offerProtocols(h http.Header, protocols []string, draft Draft) {
	if len(protocols) == 0 {
		return
	}
	h.Set(headerAvailable, marshalList(protocols, func(p string) any { return p }))
	if draft == Draft07 {
		if value := marshalList(protocols, func(p string) any { return httpsfv.Token(p) }); value != "" {
			h.Set(headerAvailable09, value)
		}
	}
}

// marshalList returns a List of values that stand for the subprotocols, without those
// that none can stand for.
func marshalList(protocols []string, value func(string) any) string {
	var list httpsfv.List
	for _, p := range protocols {
		if _, err := httpsfv.Marshal(httpsfv.NewItem(value(p))); err == nil {
			list = append(list, httpsfv.NewItem(value(p)))
		}
	}
	s, _ := httpsfv.Marshal(list) // its members can be
	return s
}

// checkProtocols reports whether the subprotocols can be negotiated: each is a
// non-empty String of RFC 9651, section 3.3.3, and if one is required there is one.
// CheckProtocols reports whether subprotocols can be negotiated: they are not
// empty and of printable ASCII characters (RFC 9651, section 3.3.3).
func CheckProtocols(protocols []string) error { return checkProtocols(protocols, false) }

func checkProtocols(protocols []string, required bool) error {
	if required && len(protocols) == 0 {
		return errors.New("a subprotocol is required and there is none")
	}
	for _, p := range protocols {
		if p == "" {
			return errors.New("empty subprotocol")
		}
		if _, err := httpsfv.Marshal(httpsfv.NewItem(p)); err != nil {
			return fmt.Errorf("subprotocol %q: %w", p, err)
		}
	}
	return nil
}

// chooseProtocol returns the first subprotocol of the server that the client
// offers, "" if there is none, and sets the header field of the response that names it.
func chooseProtocol(request, response http.Header, protocols []string) string {
	available := parseList[string](request.Values(headerAvailable))
	name, value := headerProtocol, func(p string) any { return p }
	if available == nil {
		available = parseList[httpsfv.Token](request.Values(headerAvailable09))
		name, value = headerProtocol09, func(p string) any { return httpsfv.Token(p) }
	}
	for _, p := range protocols {
		if !slices.Contains(available, p) {
			continue
		}
		if v, err := httpsfv.Marshal(httpsfv.NewItem(value(p))); err == nil {
			response.Set(name, v)
			return p
		}
	}
	return ""
}

// acceptedProtocol returns the subprotocol that a response names, and checks
// that it was offered.
func acceptedProtocol(h http.Header, options *SessionOptions) (string, error) {
	if len(options.Protocols) > 0 {
		p, ok := parseItem[string](h.Values(headerProtocol))
		if !ok {
			p, ok = parseItem[httpsfv.Token](h.Values(headerProtocol09))
		}
		if ok {
			if !slices.Contains(options.Protocols, p) {
				return "", fmt.Errorf("%w: the server chose %q", ErrProtocol, p)
			}
			return p, nil
		}
	}
	if options.RequireProtocol {
		return "", fmt.Errorf("%w: the server chose none", ErrProtocol)
	}
	return "", nil
}

// parseList parses a List whose members are Strings, or Tokens, and nil if the
// field is absent, malformed, or has a member of another type. Parameters are ignored.
func parseList[T ~string](values []string) []string {
	if len(values) == 0 {
		return nil
	}
	list, err := httpsfv.UnmarshalList(values)
	if err != nil {
		return nil
	}
	members := make([]string, 0, len(list))
	for _, m := range list {
		item, ok := m.(httpsfv.Item)
		if !ok {
			return nil
		}
		value, ok := item.Value.(T)
		if !ok {
			return nil
		}
		members = append(members, string(value))
	}
	return members
}

// parseItem parses an Item that is a String, or a Token. Parameters are ignored.
func parseItem[T ~string](values []string) (string, bool) {
	if len(values) == 0 {
		return "", false
	}
	item, err := httpsfv.UnmarshalItem(values)
	if err != nil {
		return "", false
	}
	value, ok := item.Value.(T)
	return string(value), ok
}
