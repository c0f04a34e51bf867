package tracegen_test

import (
	"fmt"
	"time"

	"github.com/wtsim/wtsim/netem/tracegen"
)

// A terminal whose trace begins a second before a slot does.
func ExampleLEO() {
	model := tracegen.TypicalLEO(tracegen.Downlink)
	model.Seed = 7
	model.Start = 11 * time.Second
	model.Step = 5 * time.Second
	profile, err := model.Profile()
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, row := range profile.Rows[:6] {
		fmt.Println(row.At, row.Rate, row.Delay, row.Loss)
	}
	// Output:
	// 0s 171.762Mbit/s 29.472ms 0
	// 1s 84.342Mbit/s 17.514ms 1
	// 1.031s 84.342Mbit/s 17.514ms 0
	// 6s 79.472Mbit/s 17.713ms 0
	// 11s 76.681Mbit/s 17.912ms 0
	// 16s 86.144Mbit/s 18.558ms 1
}
