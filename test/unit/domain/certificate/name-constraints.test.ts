import { expect } from 'chai';
import {
  forbiddenByConstraints,
  type NameBase,
  type NameConstraints,
  permitsUris,
} from '../../../../src/domain/certificate/name-constraints.ts';

const SPACE = { trustDomain: 'agents.example.org', clusterDomain: 'cluster.local' };

/** `uri:x`, `dns:x`, `directory:`, `other:`. */
function constraints(
  permitted: readonly string[],
  excluded: readonly string[] = [],
  hasDistances = false,
): NameConstraints {
  const base = (text: string): NameBase => {
    const [kind, rest = ''] = text.split(':');
    return { kind: kind as NameBase['kind'], text: rest };
  };
  return { permitted: permitted.map(base), excluded: excluded.map(base), hasDistances };
}

describe('forbiddenByConstraints', () => {
  const accepted: Readonly<Record<string, NameConstraints>> = {
    nothing: constraints([]),
    'exactly what there is': constraints(['uri:agents.example.org', 'dns:svc', 'dns:svc.cluster.local']),
    'more than there is': constraints(['uri:.example.org', 'uri:agents.example.org', 'dns:svc', 'dns:local']),
    'upper case': constraints(['uri:AGENTS.example.org', 'dns:SVC', 'dns:Cluster.Local']),
    'a dot in front': constraints(['dns:.svc', 'dns:.cluster.local']),
    'URIs below a domain': constraints(['uri:.example.org']),
    'every DNS name': constraints(['dns:']),
    'other kinds of names': constraints(['other:', 'dns:svc', 'dns:cluster.local'], ['other:']),
    'foreign names that are excluded': constraints(
      [],
      ['dns:example.org', 'uri:example.org', 'uri:.agents.example.org'],
    ),
  };
  for (const [what, given] of Object.entries(accepted)) {
    it(`accepts ${what}`, () => expect(forbiddenByConstraints(given, SPACE)).to.equal(undefined));
  }

  const URIS = 'do not let URIs of host agents.example.org through, which SPIFFE IDs are';
  const SHORT = 'do not let every DNS name below svc through';
  const LONG = 'do not let every DNS name below svc.cluster.local through';
  const DIRECTORY =
    'are about directory names, and the subject of a leaf is O=<namespace>, CN=<name>.<namespace>';
  const rejected: Readonly<Record<string, readonly [NameConstraints, string]>> = {
    'URIs of another host': [constraints(['uri:example.org']), URIS],
    'URIs below the trust domain alone': [constraints(['uri:.agents.example.org']), URIS],
    'URIs of no host': [constraints(['uri:']), URIS],
    'the trust domain excluded': [constraints([], ['uri:agents.example.org']), URIS],
    'what is above the trust domain excluded': [constraints([], ['uri:.example.org']), URIS],
    'every URI excluded': [constraints([], ['uri:']), URIS],
    'DNS names of a company': [constraints(['dns:example.org']), SHORT],
    'the short names alone': [constraints(['dns:svc']), LONG],
    'the long names alone': [constraints(['dns:cluster.local']), SHORT],
    'one namespace alone': [constraints(['dns:ai.svc', 'dns:ai.svc.cluster.local']), SHORT],
    'one namespace excluded': [constraints([], ['dns:payroll.svc']), SHORT],
    'the domain of the cluster excluded': [constraints([], ['dns:local']), LONG],
    'a name that only ends alike': [constraints(['dns:vc', 'dns:cluster.local']), SHORT],
    'directory names permitted': [constraints(['directory:']), DIRECTORY],
    'directory names excluded': [constraints([], ['directory:']), DIRECTORY],
    'a minimum': [constraints(['dns:'], [], true), 'have a minimum or a maximum'],
  };
  for (const [what, [given, says]] of Object.entries(rejected)) {
    it(`rejects ${what}`, () => expect(forbiddenByConstraints(given, SPACE)).to.equal(says));
  }
});

describe('permitsUris', () => {
  it('accepts a host that is permitted, and rejects one that is excluded beside', () => {
    const permitted = constraints(['uri:a.example.org', 'dns:svc']);
    expect([permitsUris(permitted, 'a.example.org'), permitsUris(permitted, 'b.example.org')]).to.deep.equal([
      true,
      false,
    ]);
    expect(permitsUris(constraints(['uri:.example.org'], ['uri:a.example.org']), 'a.example.org')).to.equal(
      false,
    );
  });
});
