// Package analysis turns a recording into metrics and into the series and
// timelines that figures draw. It knows nothing of a run but its recording.
package analysis
