// Command istio-filters asks Istio's own code two questions about policy objects, for tests and without a cluster.
// Questions come as one JSON document on standard input, answers leave as one on standard output.
//
//	istio-filters filters: which HTTP filters istiod gives to a workload's Envoy
//	istio-filters validate: what istiod's admission webhook answers to each object
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"istio.io/istio/pkg/log"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	// Istio logs to standard output unless told otherwise
	options := log.DefaultOptions()
	options.OutputPaths = []string{"stderr"}
	options.SetDefaultOutputLevel(log.OverrideScopeName, log.ErrorLevel)
	if err := log.Configure(options); err != nil {
		return err
	}
	input, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	answer, err := answerTo(os.Args[1:], input)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(answer)
}

func answerTo(arguments []string, input []byte) (any, error) {
	if len(arguments) == 1 && arguments[0] == "filters" {
		return filters(input)
	}
	if len(arguments) == 1 && arguments[0] == "validate" {
		return validate(input)
	}
	return nil, fmt.Errorf("usage: istio-filters filters|validate <QUESTION.json")
}
