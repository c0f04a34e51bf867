package scenario

func validate(s *Scenario, root *node) error { return nil }
