import { expect } from 'chai';
import type { ServedCertificate, ServingFacts } from '../../../../src/domain/serving/facts.ts';
import { servingNames } from '../../../../src/domain/serving/names.ts';
import { bundleOrder, planServing, type ServingInput } from '../../../../src/domain/serving/plan.ts';

const NOW = Date.UTC(2026, 0, 31);
const DAY_MS = 86_400_000;
const LIFE_MS = 30 * DAY_MS;
const GRACE_MS = 10_000;
const BACKDATE_MS = 120_000;
const NAMES = servingNames('hook', 'system', 'cluster.local');

/** Issued so many days ago. */
function certificate(fingerprint: string, ageDays: number, dnsNames = NAMES): ServedCertificate {
  const issuedMs = NOW - ageDays * DAY_MS;
  return {
    fingerprint,
    certificatePem: `${fingerprint}\n`,
    notBeforeMs: issuedMs - BACKDATE_MS,
    notAfterMs: issuedMs + LIFE_MS,
    dnsNames,
  };
}

function plan(
  facts: Partial<ServingFacts>,
  more: Partial<ServingInput> = {},
): ReturnType<typeof planServing> {
  return planServing({
    facts: { current: undefined, next: undefined, trusted: [], ...facts },
    names: NAMES,
    nowMs: NOW,
    lifeMs: LIFE_MS,
    graceMs: GRACE_MS,
    trustedForMs: undefined,
    served: undefined,
    ...more,
  });
}

describe('planServing', () => {
  const young = certificate('young', 1);
  const due = certificate('due', 21);
  const expired = certificate('expired', 31);
  const next = certificate('next', 0);

  it('makes a pair when there is nothing', () => {
    expect(plan({})).to.deep.equal({ kind: 'replace', trusted: [] });
  });

  it('keeps a young pair until two thirds of its life are over', () => {
    expect(plan({ current: young, trusted: [young] }, { trustedForMs: 0 })).to.deep.equal({
      kind: 'keep',
      untilMs: NOW + 19 * DAY_MS,
    });
  });

  it('stages a pair beside one that is due', () => {
    expect(plan({ current: due, trusted: [due] })).to.deep.equal({ kind: 'stage', trusted: [due] });
  });

  it('does not promote before the API server has trusted the staged pair for the grace', () => {
    const facts = { current: due, next, trusted: [next, due] };
    const until = (trustedForMs: number | undefined) => plan(facts, { trustedForMs });
    expect([until(undefined), until(0), until(GRACE_MS - 1), until(GRACE_MS)]).to.deep.equal([
      { kind: 'keep', untilMs: due.notAfterMs },
      { kind: 'keep', untilMs: NOW + GRACE_MS },
      { kind: 'keep', untilMs: NOW + 1 },
      { kind: 'promote', trusted: [next, due] },
    ]);
  });

  it('goes on trusting the pair before while a replica may serve it', () => {
    const facts = { current: next, trusted: [next, due] };
    expect([
      plan(facts, { trustedForMs: 30 * GRACE_MS - 1 }),
      plan(facts, { trustedForMs: 30 * GRACE_MS }),
    ]).to.deep.equal([
      { kind: 'keep', untilMs: NOW + 1 },
      { kind: 'tidy', trusted: [next] },
    ]);
  });

  it('promotes a staged pair at once when the other cannot be served', () => {
    expect(plan({ current: expired, next, trusted: [next, expired] })).to.deep.equal({
      kind: 'promote',
      trusted: [next],
    });
  });

  it('replaces an expired pair, and trusts it no more', () => {
    expect(plan({ current: expired, trusted: [expired] })).to.deep.equal({ kind: 'replace', trusted: [] });
  });

  it('replaces a pair that is not valid yet', () => {
    const early = certificate('early', -1);
    expect(plan({ current: early, trusted: [early] })).to.deep.equal({ kind: 'replace', trusted: [early] });
  });

  it('replaces a pair without the name that the API server asks for', () => {
    const other = certificate('other', 1, ['hook.elsewhere.svc']);
    expect(plan({ current: other, trusted: [other] }).kind).to.equal('replace');
  });

  it('stages a pair when only another of its names is wrong', () => {
    const moved = certificate('moved', 1, servingNames('hook', 'system', 'example.org'));
    expect(plan({ current: moved, trusted: [moved] })).to.deep.equal({ kind: 'stage', trusted: [moved] });
  });

  it('stages a pair when the one in use would live far beyond what is asked for', () => {
    expect(plan({ current: young, trusted: [young] }, { lifeMs: DAY_MS }).kind).to.equal('stage');
  });

  it('replaces a staged pair that cannot be served', () => {
    const facts = { current: due, next: expired, trusted: [due, expired] };
    expect(plan(facts)).to.deep.equal({ kind: 'stage', trusted: [due] });
  });

  it('has a damaged list of the trusted written anew', () => {
    const facts = { current: due, next, trusted: [] };
    expect(plan(facts)).to.deep.equal({ kind: 'tidy', trusted: [next, due] });
  });

  it('goes on trusting what replicas serve when the Secret was deleted under them', () => {
    expect(plan({}, { served: young })).to.deep.equal({ kind: 'replace', trusted: [young] });
  });

  it('does nothing twice: after each step it comes to rest, and serves a pair that is trusted', () => {
    let facts: ServingFacts = { current: due, next: undefined, trusted: [due] };
    const steps: string[] = [];
    for (let round = 0; round < 10; round++) {
      const step = plan(facts, { trustedForMs: round * 100 * GRACE_MS });
      steps.push(step.kind);
      if (step.kind === 'keep') break;
      if (step.kind === 'stage') facts = { ...facts, next, trusted: bundleOrder([...step.trusted, next]) };
      if (step.kind === 'promote') facts = { current: facts.next, next: undefined, trusted: step.trusted };
      if (step.kind === 'tidy') facts = { ...facts, trusted: step.trusted };
    }
    expect({ steps, facts }).to.deep.equal({
      steps: ['stage', 'promote', 'tidy', 'keep'],
      facts: { current: next, next: undefined, trusted: [next] },
    });
  });
});

describe('bundleOrder', () => {
  it('names each once, the youngest first', () => {
    const [old, young] = [certificate('old', 2), certificate('young', 1)];
    expect(bundleOrder([old, young, old])).to.deep.equal([young, old]);
  });
});

describe('servingNames', () => {
  it('gives the name that the API server asks for first', () => {
    expect(servingNames('hook', 'system', 'example.org')).to.deep.equal([
      'hook.system.svc',
      'hook',
      'hook.system',
      'hook.system.svc.example.org',
    ]);
  });
});
