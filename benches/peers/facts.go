// Dates, key and subject of one certificate by Go: prints nanoseconds of one certificate.
package main

import (
	"crypto/x509"
	"fmt"
	"os"
	"runtime"
	"sort"
	"time"
)

func main() {
	der, err := os.ReadFile(os.Args[1])
	if err != nil {
		panic(err)
	}
	const rounds, batch = 101, 200
	times := make([]float64, 0, rounds)
	for range [rounds]struct{}{} {
		start := time.Now()
		for range [batch]struct{}{} {
			if _, err := x509.ParseCertificate(der); err != nil {
				panic(err)
			}
		}
		times = append(times, float64(time.Since(start).Nanoseconds())/batch)
	}
	sort.Float64s(times)
	fmt.Printf("Go %s\t%.1f\n", runtime.Version(), times[rounds/2])
}
