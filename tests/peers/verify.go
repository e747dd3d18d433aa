// What Go's crypto/x509 says of chains at instants.
//
// Reads a JSON list of {"roots": [PEM], "intermediates": [PEM], "leaf": PEM, "name": DNS name,
// "times": [Unix seconds]} from the file named first, and prints a JSON list with one list of
// booleans a case: whether it accepts the chain at each of the times.
package main

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"time"
)

type question struct {
	Roots         []string
	Intermediates []string
	Leaf          string
	Name          string
	Times         []int64
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func pool(pems []string) *x509.CertPool {
	pool := x509.NewCertPool()
	for _, text := range pems {
		// What Go does not read is in no pool of its.
		pool.AppendCertsFromPEM([]byte(text))
	}
	return pool
}

func (q question) verdicts() []bool {
	verdicts := make([]bool, len(q.Times))
	block, _ := pem.Decode([]byte(q.Leaf))
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return verdicts
	}
	for i, seconds := range q.Times {
		_, err := leaf.Verify(x509.VerifyOptions{
			DNSName:       q.Name,
			Roots:         pool(q.Roots),
			Intermediates: pool(q.Intermediates),
			CurrentTime:   time.Unix(seconds, 0),
		})
		verdicts[i] = err == nil
	}
	return verdicts
}

func main() {
	data, err := os.ReadFile(os.Args[1])
	check(err)
	var questions []question
	check(json.Unmarshal(data, &questions))
	answers := make([][]bool, len(questions))
	for i, q := range questions {
		answers[i] = q.verdicts()
	}
	check(json.NewEncoder(os.Stdout).Encode(answers))
}
