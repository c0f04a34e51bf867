package wt_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/wtsim/wtsim/wt"
)

// A server that speaks two subprotocols and refuses guests, and a client that
// sends a question along with its request.
func ExampleClientConn_StartSession() {
	ln, clientTLS, err := listen()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer ln.Close()
	server := &wt.Server{}
	server.Handle("/ask", wt.Application{
		Protocols: []string{"questions-2", "questions-1"},
		Connecting: func(s *wt.Session) error {
			if s.Request().URL.Query().Get("user") == "guest" {
				return &wt.RefusedError{Status: http.StatusUnauthorized}
			}
			return nil
		},
		Serve: func(s *wt.Session) {
			str, err := s.AcceptStream(s.Context())
			if err != nil {
				return
			}
			question, _ := io.ReadAll(str)
			fmt.Fprintf(str, "%s? Who knows.", question)
			str.Close()
			<-s.Context().Done()
		},
	})
	go server.Serve(ln)
	defer server.Close()

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	url := fmt.Sprintf("https://%s/ask", ln.Addr())
	conn, err := (&wt.Dialer{TLSConfig: clientTLS}).DialConn(ctx, url)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.Close()
	session, err := conn.StartSession(ctx, url, &wt.SessionOptions{Protocols: []string{"questions-1"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	str, err := session.OpenStream(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	io.WriteString(str, "Why")
	str.Close()
	if _, err := session.Ready(ctx); err != nil {
		fmt.Println(err)
		return
	}
	answer, err := io.ReadAll(str)
	fmt.Println(session.Draft(), session.Protocol(), string(answer), err)

	_, response, err := conn.OpenSession(ctx, url+"?user=guest", nil)
	fmt.Println(errors.Is(err, wt.ErrRefused), response.Status)
	// Output:
	// draft-16 questions-1 Why? Who knows. <nil>
	// true 401 Unauthorized
}
