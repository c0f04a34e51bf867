package figure

import (
	"fmt"
	"math"
	"time"
)

const ms = time.Millisecond

// sample is a run such as the quickstart scenario gives: a link that falls from
// 20 to 8 Mbit/s at 6 s, flows that share it, a sawtooth, losses.
func sample() Data {
	end := 10*time.Second + 60*ms
	d := Data{
		Name:    "quickstart, seed\u00a01",
		End:     end,
		Changes: []time.Duration{6 * time.Second},
		Directions: []Direction{
			{Name: "server → client", Rates: []Series{{"access", []Point{{0, 20e6}, {6 * time.Second, 8e6}}}}, Capacity: []Point{{0, 20e6}, {6 * time.Second, 8e6}}},
			{Name: "client → server", Rates: []Series{{"access", []Point{{0, 5e6}}}}},
		},
		Sessions: []Session{session("main", 40*ms)},
	}
	down, up := &d.Directions[0], &d.Directions[1]
	bulk, voice, upload := Series{Name: "bulk"}, Series{Name: "voice"}, Series{Name: "upload"}
	queue := Series{Name: "access, server → client"}
	back := Series{Name: "access, client → server"}
	server := Sender{Name: "main, server"}
	server.Window = append(server.Window, Point{0, 40960})
	rtt := RTT{Name: "main, server"}
	smoothed, window := 0.060, 14.0
	slow := true
	var got, sent float64
	for t := 130 * ms; t < end-60*ms; t += 5 * ms {
		rate := 20e6
		if t >= 6*time.Second {
			rate = 8e6
		}
		noise := math.Abs(math.Sin(float64(t)*1.7e-8)) + 0.3*math.Sin(float64(t)*9e-9)
		bdp := rate * 0.04 / 8
		full := window*1280 - bdp
		wait := math.Max(0, full) * 8 / rate * (0.7 + 0.3*noise)
		speed := math.Min(rate*0.96, window*1280*8/0.045) * (0.92 + 0.08*noise)
		got += speed * 0.005 / 8
		bulk.Points = append(bulk.Points, Point{t, got})
		voice.Points = append(voice.Points, Point{t, 160 * 50 * (t - 130*ms).Seconds()})
		if t > 2*time.Second && t < 8*time.Second {
			sent += 2e6 * 0.005 / 8 * (0.8 + 0.4*noise)
			upload.Points = append(upload.Points, Point{t, sent})
		}
		queue.Points = append(queue.Points, Point{t, wait})
		back.Points = append(back.Points, Point{t, 0.002 * noise * noise})
		latest := 0.041 + wait
		smoothed += (latest - smoothed) / 8
		rtt.Latest = append(rtt.Latest, Point{t, latest})
		rtt.Smoothed = append(rtt.Smoothed, Point{t, smoothed})
		server.Window = append(server.Window, Point{t, window * 1280})
		server.InFlight = append(server.InFlight, Point{t, window * 1280 * (0.9 + 0.1*math.Sin(float64(t)*3e-8))})
		if full > bdp {
			window *= 0.7
			slow = false
			server.Losses = append(server.Losses, t)
		} else if slow {
			window *= 1.08
		} else {
			window += 0.12
		}
	}
	d.Bin = 100 * ms
	down.Goodput = []Series{binned(bulk, d.Bin), binned(voice, d.Bin)}
	up.Goodput = []Series{binned(upload, d.Bin)}
	d.Queues = []Series{queue, back}
	d.RTTs = []RTT{rtt, {Name: "main, client", Smoothed: rtt.Smoothed[:40], Latest: rtt.Latest[:40]}}
	d.Senders = []Sender{server}
	media, echo := Series{Name: "voice: one-way delay"}, Series{Name: "ping: round trip"}
	for i, p := range queue.Points {
		if i%4 == 0 {
			media.Points = append(media.Points, Point{p.T + 20*ms, 0.0203 + p.V})
		}
		if i%20 == 0 {
			echo.Points = append(echo.Points, Point{p.T + 40*ms, 0.0411 + p.V + back.Points[i].V})
		}
	}
	d.Delays = []Series{media, echo}
	d.Latencies = []Distribution{exponential("voice: one-way delay", 500, 0.02, 0.01), exponential("main, server: RTT", 2000, 0.04, 0.015)}
	d.Queueing = []Distribution{exponential("access, server → client", 5000, 0, 0.01)}
	return d
}

// session is a session whose set-up takes three round trips, and whose teardown has
// events that all but coincide.
func session(name string, rtt time.Duration) Session {
	half := rtt / 2
	close := 10 * time.Second
	us := time.Microsecond
	return Session{Name: name, Events: []Event{
		{Dial, Client, 0},
		{HandshakeComplete, Client, rtt + 1100*us},
		{HandshakeComplete, Server, rtt + half + 1300*us},
		{Settings, Client, rtt + 1150*us},
		{ConnectSent, Client, rtt + 1150*us},
		{Settings, Server, rtt + half + 1300*us},
		{ConnectReceived, Server, rtt + half + 1310*us},
		{Established, Server, rtt + half + 1310*us},
		{Established, Client, 2*rtt + 1500*us},
		{CloseCalled, Client, close},
		{CloseSent, Client, close},
		{LastStreamEnded, Client, close + 20*us},
		{CloseNotified, Server, close + half + 220*us},
		{LastStreamEnded, Server, close + half + 220*us},
		{ConnectStreamDone, Server, close + half + 230*us},
		{Gone, Server, close + half + 230*us},
		{ConnectStreamDone, Client, close + rtt + 450*us},
		{Gone, Client, close + rtt + 450*us},
	}}
}

// crowd is a run with n sessions, each with a connection, a flow and a sender.
func crowd(n int) Data {
	end := 10 * time.Second
	d := Data{Name: "crowd, seed 1", End: end, Directions: []Direction{{Name: "server → client", Rates: []Series{{"bottleneck", []Point{{0, 100e6}}}}, Capacity: []Point{{0, 100e6}}}}}
	for i := range n {
		name := fmt.Sprintf("many-%d", i+1)
		s := session(name, time.Duration(20+i%37)*ms)
		flow := Series{Name: "sessions." + name + ".flows.bulk"}
		sender := Sender{Name: name + ", server"}
		rtt := RTT{Name: name + ", client"}
		var got float64
		for t := time.Duration(i%50) * 2 * ms; t < end; t += 100 * ms {
			got += 95e6 / float64(n) / 80 * (0.6 + 0.4*math.Sin(float64(t)*1e-9+float64(i)))
			flow.Points = append(flow.Points, Point{t, got})
			sender.Window = append(sender.Window, Point{t, 2560 * (4 + 3*math.Sin(float64(t)*2e-9+float64(i)))})
			rtt.Smoothed = append(rtt.Smoothed, Point{t, 0.06 + 0.02*math.Sin(float64(t)*2e-9+float64(i))})
		}
		d.Sessions = append(d.Sessions, s)
		d.Senders = append(d.Senders, sender)
		d.RTTs = append(d.RTTs, rtt)
		d.Latencies = append(d.Latencies, exponential(name+", server: RTT", int64(100+i), 0.02, 0.001*float64(10+i%50)))
		d.Queueing = append(d.Queueing, exponential(name, 1000, 0, 0.001*float64(1+i%20)))
		d.Shares = append(d.Shares, binned(flow, time.Second))
		d.Bin = 100 * ms
		d.Directions[0].Goodput = append(d.Directions[0].Goodput, binned(flow, d.Bin))
	}
	for i := range 10 {
		d.Fairness = append(d.Fairness, Point{time.Duration(i)*time.Second + 500*ms, 0.9 + 0.01*float64(i)})
	}
	for _, s := range d.Shares {
		for i := range s.Points {
			s.Points[i].V /= 95e6
		}
	}
	d.Teardowns = []Distribution{exponential("peer notified", int64(n), 0.02, 0.01)}
	return d
}

// binned turns a cumulative count of bytes into bit/s per bin.
func binned(s Series, bin time.Duration) Series {
	out := Series{Name: s.Name}
	var before float64
	for i := 0; i < len(s.Points); {
		n := s.Points[i].T / bin
		for ; i < len(s.Points) && s.Points[i].T/bin == n; i++ {
		}
		after := s.Points[i-1].V
		out.Points = append(out.Points, Point{n*bin + bin/2, 8 * (after - before) / bin.Seconds()})
		before = after
	}
	return out
}
