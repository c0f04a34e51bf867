package wt

import (
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

// offerProtocols adds the header field that offers subprotocols, if there are any.
func offerProtocols(h http.Header, protocols []string) error {
	if len(protocols) == 0 {
		return nil
	}
	list := make(httpsfv.List, len(protocols))
	for i, p := range protocols {
		if err := checkProtocol(p); err != nil {
			return err
		}
		list[i] = httpsfv.NewItem(p)
	}
	value, err := httpsfv.Marshal(list)
	if err != nil {
		return fmt.Errorf("wt: subprotocols %q: %w", protocols, err)
	}
	h.Set(headerAvailable, value)
	return nil
}

// checkProtocol reports whether a subprotocol can be negotiated: it is a
// non-empty String of RFC 9651, section 3.3.3.
func checkProtocol(p string) error {
	if p == "" {
		return fmt.Errorf("wt: empty subprotocol")
	}
	if _, err := httpsfv.Marshal(httpsfv.NewItem(p)); err != nil {
		return fmt.Errorf("wt: subprotocol %q: %w", p, err)
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
		if p, ok := parseItem(h.Values(headerProtocol)); ok {
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

// parseItem parses an Item that is a String. Parameters are ignored.
func parseItem(values []string) (string, bool) {
	if len(values) == 0 {
		return "", false
	}
	item, err := httpsfv.UnmarshalItem(values)
	if err != nil {
		return "", false
	}
	value, ok := item.Value.(string)
	return value, ok
}
