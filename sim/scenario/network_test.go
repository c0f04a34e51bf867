package scenario

import "testing"

func TestANameThatThereIsNotIsAnsweredWithTheNearest(t *testing.T) {
	for _, test := range []struct {
		name  string
		names []string
		want  string
	}{
		{"acess", []string{"access", "lan"}, `the scenario has no link "acess"; did you mean "access"?`},
		{"links.access", []string{"access", "lan"}, `the scenario has no link "links.access"; did you mean "access"?`},
		{"links.acess.reverse", []string{"access", "lan"}, `the scenario has no link "links.acess.reverse"; did you mean "access"?`},
		{"far", []string{"access", "lan"}, `the scenario has no link "far"; expected one of access, lan`},
		{"far", []string{"access"}, `the scenario has no link "far"; expected access`},
		{"far", nil, `the scenario has no link "far", and no other`},
	} {
		if err := unknownLink(test.name, test.names); err.Error() != test.want {
			t.Errorf("%v, want %s", err, test.want)
		}
	}
	s := &Scenario{Hosts: []Host{{Name: "client", Count: 1}}}
	if _, err := s.HostsNamed("hosts.client"); err == nil || err.Error() != `the scenario has no host "hosts.client"; did you mean "client"?` {
		t.Errorf("error %v", err)
	}
}
