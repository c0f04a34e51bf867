package run

import (
	"context"
	"runtime"
	"sync"
)

// Many runs several scenarios, jobs of them at once; as many as there are
// cores if jobs is 0. The results are in the order of the requests, and the
// first error ends the other runs. It calls onProgress, if not nil, with the
// index of the request, from one goroutine at a time, and once more with done
// set when that run has ended well.
func Many(ctx context.Context, requests []Request, jobs int, onProgress func(i int, p Progress, done bool)) ([]*Result, error) {
	if jobs <= 0 {
		jobs = runtime.NumCPU()
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var (
		results = make([]*Result, len(requests))
		next    = make(chan int)
		group   sync.WaitGroup
		speak   sync.Mutex
	)
	for range min(jobs, len(requests)) {
		group.Go(func() {
			for i := range next {
				var last Progress
				report := func(p Progress, done bool) {
					last = p
					if onProgress != nil {
						speak.Lock()
						defer speak.Unlock()
						onProgress(i, p, done)
					}
				}
				result, err := Do(ctx, requests[i], func(p Progress) { report(p, false) })
				if err != nil {
					cancel(err)
					continue
				}
				results[i] = result
				last.Virtual, last.Datagrams = result.Virtual, result.Datagrams
				report(last, true)
			}
		})
	}
	for i := range requests {
		next <- i
	}
	close(next)
	group.Wait()
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	return results, nil
}
