package main

import (
	"context"
	"fmt"
	"sort"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/promql/promqltest"
)

func answerTo(asked question) (answer, error) {
	answered := answer{Problems: []string{}, Alerts: []alert{}, Holds: [][]string{}}
	groups, problems := rulefmt.Parse([]byte(asked.Rules), false, model.LegacyValidation)
	for _, problem := range problems {
		answered.Problems = append(answered.Problems, problem.Error())
	}
	if len(problems) > 0 {
		return answered, nil
	}
	rules := rulesOf(groups)
	for _, rule := range rules {
		metrics, err := metricsOf(rule.Expr)
		if err != nil {
			return answered, err
		}
		answered.Alerts = append(answered.Alerts, alert{Name: rule.Alert, Metrics: metrics})
	}
	for _, each := range asked.Cases {
		holds, err := holding(rules, each)
		if err != nil {
			return answered, err
		}
		answered.Holds = append(answered.Holds, holds)
	}
	return answered, nil
}

func rulesOf(groups *rulefmt.RuleGroups) []rulefmt.Rule {
	rules := []rulefmt.Rule{}
	for _, group := range groups.Groups {
		rules = append(rules, group.Rules...)
	}
	return rules
}

func metricsOf(text string) (map[string][]string, error) {
	expression, err := parser.ParseExpr(text)
	if err != nil {
		return nil, err
	}
	metrics := map[string][]string{}
	for _, selector := range parser.ExtractSelectors(expression) {
		name := ""
		selectedBy := []string{}
		for _, matcher := range selector {
			if matcher.Name == labels.MetricName {
				name = matcher.Value
			} else {
				selectedBy = append(selectedBy, matcher.Name)
			}
		}
		sort.Strings(selectedBy)
		metrics[name] = selectedBy
	}
	return metrics, nil
}

// holding evaluates each expression once: how long it has to hold is not looked at.
func holding(rules []rulefmt.Rule, tried testCase) ([]string, error) {
	lines := []string{"load 1m"}
	for series, values := range tried.Series {
		lines = append(lines, fmt.Sprintf("  %s %s", series, values))
	}
	storage, err := promqltest.NewLazyLoader(strings.Join(lines, "\n"), promqltest.LazyLoaderOpts{})
	if err != nil {
		return nil, err
	}
	defer storage.Close()
	at := time.Unix(tried.AtSeconds, 0)
	holds := []string{}
	storage.WithSamplesTill(at, func(problem error) { err = problem })
	if err != nil {
		return nil, err
	}
	for _, rule := range rules {
		query, err := storage.QueryEngine().NewInstantQuery(context.Background(), storage.Queryable(), nil, rule.Expr, at)
		if err != nil {
			return nil, err
		}
		found, err := query.Exec(context.Background()).Vector()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", rule.Alert, err)
		}
		if len(found) > 0 {
			holds = append(holds, rule.Alert)
		}
		query.Close()
	}
	return holds, nil
}
