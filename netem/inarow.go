package netem

// inARow limits how often in a row something happens to packets. Of packets to
// which it would happen with probability p each, that leaves the share e/(1+e),
// where e = p + p² + … + p^most is the mean number between two that pass.
type inARow struct {
	most uint64 // 0 is any number
	now  uint64
}

// allows reports whether it happens to the next packet, given that it would.
func (r *inARow) allows(happens bool) bool {
	if !happens || r.most != 0 && r.now >= r.most {
		r.now = 0
		return false
	}
	r.now++
	return true
}
