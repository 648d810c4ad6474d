// Command alert-rules asks Prometheus' own code about alert rules, for tests and without a server: whether it takes them, which
// metrics they look at, and which alerts hold at the end of given series. The question comes as JSON on standard input, the
// answer leaves as JSON on standard output.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
)

// question is a file of rules as Prometheus reads it, and what is to be tried on it.
type question struct {
	Rules string     `json:"rules"`
	Cases []testCase `json:"cases"`
}

// testCase is what was scraped until a moment.
type testCase struct {
	// Series in the notation of promtool's unit tests, one each minute from the Unix epoch on.
	Series    map[string]string `json:"series"`
	AtSeconds int64             `json:"atSeconds"`
}

// answer has the alerts in the order of the file, and the names of those that hold for each case.
type answer struct {
	Problems []string   `json:"problems"`
	Alerts   []alert    `json:"alerts"`
	Holds    [][]string `json:"holds"`
}

// alert names each metric that its expression looks at, with the labels that it selects by.
type alert struct {
	Name    string              `json:"name"`
	Metrics map[string][]string `json:"metrics"`
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	input, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	var asked question
	if err := json.Unmarshal(input, &asked); err != nil {
		return err
	}
	answered, err := answerTo(asked)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(answered)
}
