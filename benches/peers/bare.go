// The least that a scanner in Go can do: whole handshakes with the standard library, a goroutine for each of so many
// connections, one line of JSON for each certificate. It is what the other programs in Go are compared with.
//
//	go build -o bare benches/peers/bare.go
package main

import (
	"bufio"
	"crypto/sha256"
	"crypto/tls"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"os"
	"sync"
	"time"
)

type found struct {
	Address string `json:"address"`
	SHA256  string `json:"sha256"`
}

func leaf(address string, timeout time.Duration) (found, error) {
	dialer := &net.Dialer{Timeout: timeout, Deadline: time.Now().Add(2 * timeout)}
	// Which certificate is shown is the question, not whether it is trusted.
	connection, err := tls.DialWithDialer(dialer, "tcp", address, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		return found{}, err
	}
	defer connection.Close()
	raw := connection.ConnectionState().PeerCertificates[0].Raw
	return found{address, fmt.Sprintf("%x", sha256.Sum256(raw))}, nil
}

func main() {
	port := flag.String("port", "443", "the port of all targets, whose addresses standard input has, one a line")
	out := flag.String("out", "/dev/stdout", "where results go")
	concurrency := flag.Int("c", 100, "connections at once")
	timeout := flag.Duration("timeout", 5*time.Second, "for a connection, and again for its handshake")
	flag.Parse()

	file, err := os.Create(*out)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	addresses, results := make(chan string), make(chan found, *concurrency)
	var workers sync.WaitGroup
	for i := 0; i < *concurrency; i++ {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for address := range addresses {
				if result, err := leaf(address, *timeout); err == nil {
					results <- result
				}
			}
		}()
	}
	go func() {
		lines := bufio.NewScanner(os.Stdin)
		for lines.Scan() {
			addresses <- net.JoinHostPort(lines.Text(), *port)
		}
		close(addresses)
		workers.Wait()
		close(results)
	}()

	writer := bufio.NewWriter(file)
	lines := json.NewEncoder(writer)
	for result := range results {
		if err = lines.Encode(result); err != nil {
			break
		}
	}
	if err == nil {
		err = writer.Flush()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
