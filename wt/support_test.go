package wt_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// proofs names, for each row of the README's table of what is supported, the
// tests that prove it for wt, of this package, wt/browsertest or interop.
var proofs = map[string][]string{
	"drafts 15 and 16, token `webtransport-h3`":                              {"TestClientSpeaksTheHighestDraftOfTheServer", "TestServerAnnouncesEveryDraft", "TestWTAsServerOfWebTransportGo"},
	"clients of drafts 02 to 06: Chromium, Firefox":                          {"TestEveryClientInUseIsServed", "TestEchoOverStreamsAndDatagrams"},
	"clients of drafts 07 to 12: Deno, quinn":                                {"TestEveryClientInUseIsServed"},
	"clients of drafts 13 and 14: Safari":                                    {"TestEveryClientInUseIsServed"},
	"dials servers of older drafts":                                          {"TestClientSpeaksTheHighestDraftOfTheServer", "TestServersBeforeDraft10AreOfferedTokens"},
	"requirements of draft 16 asked only of peers that speak it":             {"TestTheRequirementsOnClientsAreThoseOfTheirDraft"},
	"403, 404 or 405 and 501 by the library, policy for origins":             {"TestRequestsThatAreNoSessions", "TestOriginsAreThoseOfTheApplication"},
	"subprotocols, only as structured strings":                               {"TestServerChoosesTheSubprotocolItPrefers", "TestClientTakesOnlyASubprotocolItOffered"},
	"blocking API with contexts and deadlines":                               {"TestEchoOnEveryChannelInBothDirections", "TestDeadlinesInterruptStreams", "TestEndOfSessionInterruptsEveryCall"},
	"callbacks: events one at a time, data pulled when QUIC can send":        {"TestTheOrderOfEventsHoldsForAnyApplications", "TestWritableFollowsWhatCanBeSent"},
	"HTTP/3 requests beside sessions on a connection":                        {"TestRequestBesideSession"},
	"several sessions on a connection, with their flow control":              {"TestSeveralSessionsOnOneConnection", "TestViolationsOfFlowControlEndTheSession", "TestBothEndsAgreeOnTheCreditUsed"},
	"windows of sessions that tune themselves, credit as applications read":  {"TestTheWindowDoublesWhenItIsReadAtOnce", "TestCreditIsGivenWhenTheApplicationHasReadAQuarterOfTheWindow"},
	"equal turns for the sessions of a connection":                           {"TestSessionsShareAConnectionEquallyWhateverTheirStreams", "TestSessionsTakeTurnsWithTheirDatagrams"},
	"streams ahead of their session are held, in bounds":                     {"TestStreamsAndDatagramsAheadOfTheirSessionArrive", "TestEarlyStreamsBeyondTheLimitAreRejected", "TestEarlyStreamsAreHeldForALimitedTime"},
	"datagrams ahead of their session are held, in bounds":                   {"TestStreamsAndDatagramsAheadOfTheirSessionArrive"},
	"streams and datagrams before the server's answer":                       {"TestStreamsAndDatagramsMayPrecedeTheAnswer", "TestARefusedSessionTakesItsStreamsAlong"},
	"datagrams in capsules (RFC 9297)":                                       {"TestDatagramsInCapsulesArrive"},
	"DRAIN in both directions":                                               {"TestDrainReachesThePeerAndTheSessionStaysUsable"},
	"GOAWAY drains a client's sessions":                                      {"TestGoAwayDrainsTheSessionsOfAClient", "TestClientOpensNoSessionAfterGoAway"},
	"graceful shutdown of a server":                                          {"TestShutdownWaitsForSessionsAndRequests", "TestShutdownClosesTheSessionsThatAreLeft"},
	"sending GOAWAY":                                                         {"TestHTTP3SendsNoGoAwayOnARawConnection"},
	"close code and reason reach Chromium, every time":                       {"TestServerClosesWithCodeAndReason", "TestCloseTravelsAlone"},
	"a FIN alone closes with code 0":                                         {"TestEndsOfTheConnectStream"},
	"malformed closes end with H3_MESSAGE_ERROR":                             {"TestMalformedCapsulesEndTheSession"},
	"streams of ended sessions are reset with WT_SESSION_GONE, however late": {"TestStreamsOfWhatIsNoSessionAreGone"},
	"reset and stop codes, also those outside the range of applications":     {"TestStreamCodesArriveInBothDirections", "TestCodesOutsideTheRangeAreNoApplicationCodes"},
	"session IDs that cannot be close the connection":                        {"TestInvalidInputClosesTheConnection", "TestClientClosesTheConnectionOnInvalidInput"},
	"keying material of a session's own":                                     {"TestExporterContextIsThatOfTheDraft", "TestBothEndsExportTheSameKeyingMaterialForASession"},
	"priority of sessions, streams and send orders":                          {"TestPriorityOfASession", "TestSendOrdersBecomeUrgencies", "TestStreamsArriveInTheirOrder"},
	"queues and ages of datagrams":                                           {"TestDatagramsThatWaitAreDroppedByPolicyAndAge", "TestIncomingDatagramsAreDroppedByNumberAndAge"},
	"statistics of sessions":                                                 {"TestStatsCountStreamsAndTheirData"},
	"limits on sessions and their rate, with 429":                            {"TestServerRefusesSessionsBeyondItsLimit", "TestSessionsAskedForTooFastAreRefused"},
	"memory and goroutines bounded against hostile peers":                    {"TestFloodsOfAClientFillNoMemory", "TestFloodsOfAServerFillNoMemory", "TestPeersThatOffendTooOftenLoseTheirConnection"},
}

func TestTheReadmeClaimsOnlyWhatIsProven(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(readme), "<!-- support -->\n")
	table, _, found := strings.Cut(rest, "<!-- /support -->")
	if !found {
		t.Fatal("the README has no table of what is supported")
	}
	tests := testNames(t, ".", "browsertest", "../interop")
	rows := strings.Split(strings.TrimSpace(table), "\n")[2:]
	if len(rows) != len(proofs) {
		t.Errorf("the table has %d rows, %d have a proof", len(rows), len(proofs))
	}
	for _, row := range rows {
		what := strings.TrimSpace(strings.Split(row, "|")[1])
		if len(proofs[what]) == 0 {
			t.Errorf("nothing proves %q", what)
		}
		for _, name := range proofs[what] {
			if !slices.Contains(tests, name) {
				t.Errorf("%q is to be proven by %s, which does not exist", what, name)
			}
		}
	}
}

// testNames returns the names of the tests in some folders.
func testNames(t *testing.T, folders ...string) []string {
	var names []string
	for _, folder := range folders {
		files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no tests in %s: %v", folder, err)
		}
		for _, name := range files {
			file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range file.Decls {
				if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil {
					names = append(names, f.Name.Name)
				}
			}
		}
	}
	return names
}
