package scenario

// Type describes how values of a type are written in a scenario file.
type Type struct {
	Name    string `json:"name"` // as in [Key.Type]
	Example string `json:"example"`
	Doc     string `json:"meaning"` // units, and what they mean
}

// Types describes the types of keys.
func Types() []Type {
	return []Type{
		{"time", `"20ms", "1.5s", "1m30s"`, "numbers with the units ns, us, ms, s, m and h; virtual times count from the start of the run"},
		{"rate", `"20Mbit/s", "20mbit"`, "bit/s, kbit/s, Mbit/s, Gbit/s and Tbit/s, or bit, kbit, mbit, gbit and tbit as in tc; by 1000; \"unlimited\" where a limit may be left out"},
		{"size", `"1500B", "64KB", 1500`, "bytes: B; KB, MB and GB by 1000; KiB, MiB and GiB by 1024; without a unit bytes"},
		{"queue limit", `"64KB", "25packets", "100ms", "1BDP", "unlimited"`, "a size; packets; a time, which is what the rate of the moment sends in it; or multiples of the bandwidth-delay product: the direction's rate times the propagation delays of both directions of this link, all as at the start, of a trace the means"},
		{"frequency", `"50Hz", "29.97Hz", "20ms"`, "events a second, or the time from one to the next"},
		{"number", `0.01`, "a decimal number; probabilities are from 0 to 1, not in percent"},
		{"whole number", `25, 1_000, 0x8001`, "as in TOML"},
		{"boolean", `true, false`, "as in TOML"},
		{"string", `"text"`, "as in TOML; where only some words are accepted, they are listed"},
		{"pair of names", `["client", "server"]`, "two hosts or routers"},
		{"list of whole numbers", `[3, 7]`, "as in TOML"},
		{"list of strings", `["flows.bulk.goodput", "fairness.jain"]`, "as in TOML"},
		{"distribution", `"normal", "measured.dist"`, "uniform, normal, pareto or paretonormal, or a table of tc-netem's in a file beside the scenario"},
		{"list of points", `[{ size = "10KB", p = 0.5 }, { size = "1MB", p = 1.0 }]`, "points of a distribution function, in ascending order"},
		{"mix of sizes", `"imix", [{ size = "64B", weight = 1 }]`, "a name, or sizes with weights"},
		{"options of tc-netem", `"delay 20ms 5ms loss 1%"`, "what follows 'tc qdisc add dev eth0 root netem', in the units of tc"},
		{"formula", `"0.9 * links.access.rate"`, "a number, a quantity such as 20ms, 5Mbit/s, 64KB, 10packets or 5%, or an expression of them, of keys of the scenario, of metrics and of laws with + - * / ( ) min max abs sqrt; a hyphen without spaces belongs to a name"},
		{"claim", `"each", "mean", "median", "p90", "confidence", "confidence99"`, "of what of several seeds something is expected"},
	}
}
