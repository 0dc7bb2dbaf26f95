package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

const (
	last        = uint64(1) << 63
	writerShift = 48
	beforeStall = 10
)

type job struct {
	name, mode     string
	serves         bool
	size           int
	time           time.Duration
	clients, index int
}

func readJob(words []string) (job, error) {
	if len(words) != 9 {
		return job{}, fmt.Errorf("PEER server|client NAME MODE SIZE MILLISECONDS CLIENTS INDEX")
	}
	var numbers [4]int
	for i := range numbers {
		number, err := strconv.Atoi(words[5+i])
		if err != nil {
			return job{}, err
		}
		numbers[i] = number
	}
	return job{words[3], words[4], words[2] == "server", numbers[0], time.Duration(numbers[1]) * time.Millisecond,
		numbers[2], numbers[3]}, nil
}

func (j *job) fans() bool { return strings.HasPrefix(j.mode, "fan") }

func (j *job) links() int {
	if j.fans() {
		return j.clients
	}
	return 1
}

// ---- the clock: one for all processes, and finer than time.Now on Windows ----

var (
	counter   = windows.NewLazySystemDLL("kernel32.dll").NewProc("QueryPerformanceCounter")
	frequency = windows.NewLazySystemDLL("kernel32.dll").NewProc("QueryPerformanceFrequency")
	perUs     = float64(ask(frequency)) / 1e6
)

func ask(function *windows.LazyProc) (value int64) {
	function.Call(uintptr(unsafe.Pointer(&value)))
	return
}

func nowUs() float64 { return float64(ask(counter)) / perUs }

func cpuSeconds() float64 {
	var begun, ended, kernel, user windows.Filetime
	must(windows.GetProcessTimes(windows.CurrentProcess(), &begun, &ended, &kernel, &user), "GetProcessTimes")
	seconds := func(t windows.Filetime) float64 {
		return float64(uint64(t.HighDateTime)<<32|uint64(t.LowDateTime)) * 1e-7
	}
	return seconds(kernel) + seconds(user)
}

// ---- what is said to the driver ----

var input = bufio.NewReader(os.Stdin)

func awaitLine() {
	if _, err := input.ReadString('\n'); err != nil {
		os.Exit(4)
	}
}

func broken(format string, arguments ...any) {
	at := nowUs()
	fmt.Printf("{\"error\": %q, \"at\": %.3f}\n", fmt.Sprintf(format, arguments...), at)
	os.Exit(3)
}

func must(err error, call string) {
	if err != nil {
		broken("%s: %v", call, err)
	}
}

// ---- messages ----

func newMessage(size int) []byte {
	message := make([]byte, size)
	for i := range message {
		message[i] = 1
	}
	return message
}

func number(message []byte, n uint64) []byte {
	binary.LittleEndian.PutUint64(message, n)
	binary.LittleEndian.PutUint64(message[len(message)-8:], n)
	return message
}

var sink uint64

func look(message []byte) uint64 {
	var sum uint64
	for i := 0; i < len(message); i += 64 {
		sum += binary.LittleEndian.Uint64(message[i:])
	}
	sink = sum
	first := binary.LittleEndian.Uint64(message)
	if binary.LittleEndian.Uint64(message[len(message)-8:]) != first {
		broken("a torn message")
	}
	return first
}

func check(n, expected uint64) {
	if n&^last != expected {
		broken("message %x instead of %x", n&^last, expected)
	}
}

// ---- round trips ----

func (j *job) trip(l *link, message []byte, n uint64) float64 {
	start := nowUs()
	l.send(number(message, n))
	check(look(l.receive()), n&^last)
	return nowUs() - start
}

func (j *job) trips(l *link, pause time.Duration) {
	var samples []float64
	message, n, start := newMessage(j.size), uint64(0), nowUs()
	end := start + float64(j.time.Microseconds())
	for ; n < 3 || pause == 0 && nowUs() < start+(end-start)/10; n++ {
		j.trip(l, message, n)
	}
	for ; len(samples) == 0 || nowUs() < end; n++ {
		time.Sleep(pause)
		samples = append(samples, j.trip(l, message, n))
	}
	j.trip(l, message, n|last)
	slices.Sort(samples)
	at := func(place float64) float64 { return samples[int(place*float64(len(samples)-1))] }
	fmt.Printf("{\"trips\": %d, \"least\": %.4f, \"median\": %.4f, \"p99\": %.4f, \"p999\": %.4f}\n",
		len(samples), at(0), at(.5), at(.99), at(.999))
}

func echo(l *link) {
	for n, expected := uint64(0), uint64(0); n&last == 0; expected++ {
		message := l.receive()
		n = look(message)
		check(n, expected)
		l.send(message)
	}
	fmt.Println("{}")
}

// ---- streams ----

func (j *job) write(links []*link, time time.Duration) {
	message, n, longest := newMessage(j.size), uint64(0), 0.0
	from := uint64(j.index) << writerShift
	start := nowUs()
	send := func(n uint64) {
		for _, l := range links {
			l.send(number(message, n))
		}
	}
	for before, now := start, start; now < start+float64(time.Microseconds()); before = now {
		for range 16 {
			send(from | n)
			n++
		}
		now = nowUs()
		longest = max(longest, now-before)
	}
	send(from | n | last)
	fmt.Printf("{\"sent\": %d, \"longest_ms\": %.3f}\n", n+1, longest/1000)
}

type stream struct {
	messages     int
	begun, ended float64
}

func read(l *link) (s stream) {
	n := look(l.receive())
	s = stream{messages: 1, begun: nowUs()}
	for expected := n&^last + 1; n&last == 0; expected++ {
		n = look(l.receive())
		check(n, expected)
		s.messages++
	}
	s.ended = nowUs()
	return
}

func readAll(links []*link) {
	var done sync.WaitGroup
	all := make([]stream, len(links))
	for i, l := range links {
		done.Add(1)
		go func() { all[i] = read(l); done.Done() }()
	}
	done.Wait()
	total := stream{begun: all[0].begun}
	for _, s := range all {
		total.messages += s.messages
		total.begun, total.ended = min(total.begun, s.begun), max(total.ended, s.ended)
	}
	fmt.Printf("{\"messages\": %d, \"seconds\": %.6f}\n", total.messages-1, (total.ended-total.begun)/1e6)
}

// ---- silence, a stall, a peer that is killed ----

func (j *job) idle(l *link) {
	if !j.serves {
		time.Sleep(j.time)
		l.send(number(newMessage(j.size), last))
		fmt.Println("{}")
		return
	}
	cpu, start := cpuSeconds(), nowUs()
	look(l.receive())
	fmt.Printf("{\"cpu\": %.4f, \"seconds\": %.4f}\n", cpuSeconds()-cpu, (nowUs()-start)/1e6)
}

func (j *job) stall(l *link) {
	var n, received, lost, expected uint64
	for ; n&last == 0; received++ {
		if received == beforeStall {
			time.Sleep(j.time)
		}
		n = look(l.receive())
		lost += n&^last - expected
		expected = n&^last + 1
	}
	fmt.Printf("{\"received\": %d, \"lost\": %d}\n", received, lost)
}

func (j *job) endless(l *link) {
	message := newMessage(j.size)
	for n := uint64(0); ; n++ {
		if j.serves {
			check(look(l.receive()), n)
		} else {
			l.send(number(message, n))
		}
	}
}

func (j *job) run(links []*link) {
	reads := j.serves != (j.mode == "fan_out")
	switch {
	case j.mode == "endless":
		j.endless(links[0])
	case j.mode == "idle":
		j.idle(links[0])
	case j.mode == "stall" && j.serves:
		j.stall(links[0])
	case j.mode == "stall":
		j.write(links, j.time+200*time.Millisecond)
	case j.mode == "trip" && !j.serves:
		j.trips(links[0], 0)
	case j.mode == "cold" && !j.serves:
		j.trips(links[0], 20*time.Millisecond)
	case j.mode == "trip" || j.mode == "cold":
		echo(links[0])
	case reads:
		readAll(links)
	default:
		j.write(links, j.time)
	}
}
