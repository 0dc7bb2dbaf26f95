// go-winio's named pipes as a peer of the channel benchmark; the command line and the modes are those of c/harness.h.
package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"github.com/Microsoft/go-winio"
	"golang.org/x/sys/windows"
)

const (
	buffer   = 65536
	patience = 20 * time.Second
)

type peer struct {
	job
	path string
}

// On Wine the first instance, which go-winio keeps as a guard of the name, takes in a client: so a client that
// nobody needs goes first.
func feedTheGuard(path string) {
	if windows.NewLazySystemDLL("ntdll.dll").NewProc("wine_get_version").Find() == nil {
		go winio.DialPipe(path, nil)
		time.Sleep(50 * time.Millisecond)
	}
}

func (p *peer) accept(count int) []net.Conn {
	config := winio.PipeConfig{MessageMode: true, InputBufferSize: buffer, OutputBufferSize: buffer}
	listener, err := winio.ListenPipe(p.path, &config)
	must(err, "ListenPipe")
	feedTheGuard(p.path)
	fmt.Println("ready")
	conns := make([]net.Conn, count)
	for i := range conns {
		conns[i], err = listener.Accept()
		must(err, "Accept")
	}
	return conns
}

func (p *peer) dial() []net.Conn {
	wait := patience
	conn, err := winio.DialPipe(p.path, &wait)
	must(err, "DialPipe")
	fmt.Println("ready")
	return []net.Conn{conn}
}

type link struct {
	conn    net.Conn
	message []byte
}

func (l *link) send(data []byte) {
	_, err := l.conn.Write(data)
	must(err, "Write")
}

func (l *link) receive() []byte {
	_, err := io.ReadFull(l.conn, l.message)
	must(err, "Read")
	return l.message
}

func main() {
	job, err := readJob(os.Args)
	must(err, "arguments")
	p := peer{job: job, path: `\\.\pipe\` + job.name}
	time.AfterFunc(2*time.Minute, func() { os.Exit(5) })
	var conns []net.Conn
	if job.serves {
		conns = p.accept(job.links())
	} else {
		conns = p.dial()
	}
	links := make([]*link, len(conns))
	for i, conn := range conns {
		links[i] = &link{conn, make([]byte, job.size)}
	}
	awaitLine()
	job.run(links)
	awaitLine()
}
