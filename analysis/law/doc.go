// Package law predicts what a correct simulator must measure: closed formulas
// of congestion control, links, queues and timers. Expectations of scenarios
// name them as law.NAME.
//
// A prediction is of a long run of the model that its comment states; the
// comment says where the formula comes from, or derives it.
package law
