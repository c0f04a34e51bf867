package record

// Table names a table of a recording, which is in the file of that name and
// ".parquet".
type Table string

// The tables of a recording.
const (
	TablePackets Table = "packets" // what became of each datagram on each link
	TableSeries  Table = "series"  // values of quantities over time
	TableEvents  Table = "events"  // what happened at one instant
)

// Tables returns all tables.
func Tables() []Table { return []Table{TablePackets, TableSeries, TableEvents} }

func (t Table) file() string { return string(t) + ".parquet" }
