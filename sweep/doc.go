// Package sweep runs studies: a scenario in many variants, its cells, with several
// seeds each, in worker processes on all cores or as tasks of a cluster, and
// collects what the runs achieved.
//
// A result is kept in a file under a name that covers all that it depends on. So a
// study goes on where it was stopped, one that is extended runs only what is new,
// and tasks on many machines need no more than a folder that they share.
package sweep
