/** The alerts of the chart, asked of Prometheus' own code: its reader of rules and its engine. */

import { expect } from 'chai';
import { stringify } from 'yaml';
import { metricsTable } from '../../hack/generate/metrics-table.ts';
import { askRules, type RulesAnswer, type ScrapedCase } from '../support/alert-rules.ts';
import { OWN, type Rendered, render } from '../support/chart.ts';

const MINUTE = 60;
const HOUR = 3600;
const DAY = 24 * HOUR;
/** When the cases are looked at, since the Unix epoch. */
const AT = 4 * HOUR;
const UNTIL_THEN = AT / MINUTE;

/** A series that always had this value. */
const always = (value: number): string => `${value}+0x${UNTIL_THEN}`;
/** A counter that was 0 until ten minutes ago. */
const grownLately = (to: number): string => `0+0x${UNTIL_THEN - 11} ${to}+0x10`;
/** One that came into being with this value ten minutes ago, as that of a process that has just begun. */
const newLately = (value: number): string => `_x${UNTIL_THEN - 10} ${value}+0x10`;
/** One that grew three hours ago. */
const grownEarlier = (to: number): string => `0+0x59 ${to}+0x${UNTIL_THEN - 60}`;

const STEPS = 'agent_trust_authority_steps_total';
const ISSUED = 'agent_trust_certificates_issued_total';
const SIGNING_END = 'agent_trust_authority_not_after_timestamp_seconds';
const LEAF_END = 'agent_trust_certificate_not_after_timestamp_seconds';

/** What is scraped of two replicas while all is well. */
const QUIET: ScrapedCase['series'] = {
  [`${SIGNING_END}{instance="a"}`]: always(AT + 20 * DAY),
  [`${SIGNING_END}{instance="b"}`]: always(AT + 20 * DAY),
  'agent_trust_authority_stalled{instance="a"}': always(0),
  'agent_trust_authority_namespaces{instance="a",coverage="covered"}': always(3),
  'agent_trust_authority_namespaces{instance="a",coverage="lacking"}': always(0),
  'agent_trust_authority_namespaces{instance="a",coverage="excluded"}': always(0),
  [`${STEPS}{instance="a",step="activate"}`]: grownLately(1),
  [`${STEPS}{instance="a",step="force"}`]: always(0),
  [`${STEPS}{instance="a",step="rebuild"}`]: grownEarlier(1),
  'agent_trust_authority_intent_problems{instance="a"}': always(0),
  [`${LEAF_END}{instance="a",namespace="ai-agents",name="agent-a"}`]: always(AT + 9 * HOUR),
  'agent_trust_issue_failures_total{instance="a"}': grownEarlier(4),
  [`${ISSUED}{instance="a",reason="RenewalDue"}`]: grownLately(9),
  [`${ISSUED}{instance="a",reason="UnknownLeaf"}`]: grownEarlier(1),
  'agent_trust_revoked_certificates_left_out{instance="a"}': always(0),
  'agent_trust_clock_skew_seconds{instance="a"}': always(-2),
};

/** What else is scraped, and the one alert that holds then. */
const CASES: readonly (readonly [title: string, alert: string, series: ScrapedCase['series']])[] = [
  [
    'the generation that signs is in the last 24th of its life',
    'AgentTrustAuthorityEnding',
    { [`${SIGNING_END}{instance="a"}`]: always(AT + 29 * HOUR) },
  ],
  [
    'the authority stalls',
    'AgentTrustAuthorityStalled',
    { 'agent_trust_authority_stalled{instance="a"}': always(1) },
  ],
  [
    'a namespace lacks the next generation',
    'AgentTrustNamespacesLacking',
    { 'agent_trust_authority_namespaces{instance="a",coverage="lacking"}': always(1) },
  ],
  [
    'a namespace is waited for no more',
    'AgentTrustNamespacesExcluded',
    { 'agent_trust_authority_namespaces{instance="a",coverage="excluded"}': always(1) },
  ],
  [
    'a generation was forced',
    'AgentTrustRotationForced',
    { [`${STEPS}{instance="a",step="force"}`]: grownLately(1) },
  ],
  [
    'a new leader has lost its state',
    'AgentTrustStateRebuilt',
    { [`${STEPS}{instance="c",step="rebuild"}`]: newLately(1) },
  ],
  [
    'an intent cannot be read',
    'AgentTrustIntentRefused',
    { 'agent_trust_authority_intent_problems{instance="a"}': always(2) },
  ],
  [
    'a certificate ends within the hour',
    'AgentTrustCertificateEnding',
    { [`${LEAF_END}{instance="a",namespace="ai-agents",name="agent-a"}`]: always(AT + HOUR - MINUTE) },
  ],
  [
    'a certificate is over',
    'AgentTrustCertificateEnding',
    { [`${LEAF_END}{instance="a",namespace="ai-data",name="agent-b"}`]: always(AT - MINUTE) },
  ],
  [
    'issuing fails',
    'AgentTrustIssueFailing',
    { 'agent_trust_issue_failures_total{instance="a"}': grownLately(3) },
  ],
  [
    'the first leaf is found that nobody has issued',
    'AgentTrustUnknownLeaf',
    { [`${ISSUED}{instance="b",reason="UnknownLeaf"}`]: newLately(1) },
  ],
  [
    'another leaf is found that nobody has issued',
    'AgentTrustUnknownLeaf',
    { [`${ISSUED}{instance="a",reason="UnknownLeaf"}`]: grownLately(1) },
  ],
  [
    'the lists are full',
    'AgentTrustRevocationsLeftOut',
    { 'agent_trust_revoked_certificates_left_out{instance="a"}': always(1) },
  ],
  [
    'the clock is behind',
    'AgentTrustClockSkew',
    { 'agent_trust_clock_skew_seconds{instance="a"}': always(-31) },
  ],
];

interface PrometheusRule extends Rendered {
  readonly apiVersion: string;
  readonly spec: Rendered['spec'] & { readonly groups: readonly object[] };
}

async function rendered(...values: readonly string[]): Promise<readonly PrometheusRule[]> {
  const objects = await render(...values);
  return objects.filter(
    ({ kind }) => kind === 'PrometheusRule',
  ) as readonly Rendered[] as readonly PrometheusRule[];
}

async function ask(values: readonly string[], cases: readonly ScrapedCase[] = []): Promise<RulesAnswer> {
  const [rule] = await rendered('alerts.enabled=true', ...values);
  return askRules(stringify({ groups: rule?.spec.groups }), cases);
}

describe('the alerts of the chart', function () {
  // the first run builds a program
  this.timeout(400_000);

  it('are not there unless asked for', async () => {
    expect(await rendered()).to.deep.equal([]);
  });

  it('are one PrometheusRule, with the labels that are wanted', async () => {
    const [rule, ...others] = await rendered('alerts.enabled=true', 'alerts.labels.release=prometheus');
    expect(others).to.deep.equal([]);
    expect(rule?.apiVersion).to.equal('monitoring.coreos.com/v1');
    expect(rule?.metadata).to.deep.include({ name: 'agent-trust', namespace: OWN });
    expect(rule?.metadata.labels).to.include({
      release: 'prometheus',
      'app.kubernetes.io/name': 'agent-trust',
    });
  });

  it('are taken by Prometheus, and each has a case here', async () => {
    const { problems, alerts } = await ask([]);
    expect(problems).to.deep.equal([]);
    const tried = new Set(CASES.map(([, alert]) => alert));
    expect(alerts.map(({ name }) => name)).to.have.members([...tried]);
  });

  it('look at metrics that the controller has, by labels that these have', async () => {
    const page = (await metricsTable()).get('docs/reference/metrics.md') ?? '';
    const rows = page.matchAll(/^\| `([a-z_]+)` \| \w+ \| (.*?) \|/gm);
    const known = new Map([...rows].map(([, name, labels = '']) => [name, labels]));
    const { alerts } = await ask([]);
    for (const { name, metrics } of alerts) {
      expect(Object.keys(metrics), name).to.not.deep.equal([]);
      for (const [metric, labels] of Object.entries(metrics)) {
        expect(known.has(metric), `${name}: ${metric}`).to.equal(true);
        for (const label of labels)
          expect(known.get(metric), `${name}: ${metric}`).to.contain(`\`${label}\``);
      }
    }
  });

  it('hold when they should, and no other with them', async () => {
    const cases = [{}, ...CASES.map(([, , series]) => series)].map((series) => ({
      series: { ...QUIET, ...series },
      atSeconds: AT,
    }));
    const { holds } = await ask([], cases);
    const expected = CASES.map(([title, alert]) => [title, [alert]]);
    expect(
      ['all is well', ...CASES.map(([title]) => title)].map((title, at) => [title, holds[at]]),
    ).to.deep.equal([['all is well', []], ...expected]);
  });

  const LEFT = [
    ['the last 24th of a life of 48 h', ['authority.life=48h'], 2 * HOUR],
    ['an hour of lives that are not in hours', ['authority.life=43200m'], HOUR],
    ['a week of an authority that is given', ['authority.secretName=corporate-ca'], 7 * DAY],
  ] as const;
  for (const [title, values, leftSeconds] of LEFT) {
    it(`of the authority begin with ${title}`, async () => {
      const cases = [leftSeconds - MINUTE, leftSeconds + MINUTE].map((left) => ({
        series: { [SIGNING_END]: always(AT + left) },
        atSeconds: AT,
      }));
      const { holds } = await ask(values, cases);
      expect(holds).to.deep.equal([['AgentTrustAuthorityEnding'], []]);
    });
  }

  it('of certificates begin when the value says', async () => {
    const series = { [LEAF_END]: always(AT + 11 * MINUTE) };
    const { holds } = await ask(['alerts.certificateLeftSeconds=600'], [{ series, atSeconds: AT }]);
    expect(holds).to.deep.equal([[]]);
  });
});
