import { expect } from 'chai';
import fc from 'fast-check';
import {
  buildSpiffeId,
  isTrustDomain,
  parseAgentSpiffeId,
  parseSpiffeId,
} from '../../../../src/domain/certificate/spiffe-id.ts';

const agent = { trustDomain: 'cluster.local', namespace: 'ai-agents', serviceAccountName: 'agent-deployer' };

describe('buildSpiffeId', () => {
  it('names the ServiceAccount in its namespace', () => {
    expect(buildSpiffeId(agent)).to.equal('spiffe://cluster.local/ns/ai-agents/sa/agent-deployer');
  });

  const rejected: Record<string, Partial<typeof agent>> = {
    'a slash in the namespace': { namespace: 'a/sa/b' },
    'a namespace of two dots': { namespace: '..' },
    'an empty ServiceAccount': { serviceAccountName: '' },
    'a percent sign': { serviceAccountName: 'a%2Fb' },
    'an upper-case trust domain': { trustDomain: 'Cluster.local' },
    'an empty trust domain': { trustDomain: '' },
    'a trust domain with a port': { trustDomain: 'cluster.local:8443' },
    'an ID of more than 2048 bytes': { serviceAccountName: 'a'.repeat(2048) },
  };
  for (const [name, part] of Object.entries(rejected)) {
    it(`rejects ${name}`, () => expect(buildSpiffeId({ ...agent, ...part })).to.equal(undefined));
  }
});

describe('parseSpiffeId', () => {
  const accepted: Record<string, { trustDomain: string; segments: string[] }> = {
    'spiffe://example.org': { trustDomain: 'example.org', segments: [] },
    'spiffe://example.org/a': { trustDomain: 'example.org', segments: ['a'] },
    'spiffe://a_b.c-d/x.y/Z_9/-': { trustDomain: 'a_b.c-d', segments: ['x.y', 'Z_9', '-'] },
    'spiffe://1/...': { trustDomain: '1', segments: ['...'] },
  };
  for (const [text, parts] of Object.entries(accepted)) {
    it(`accepts ${text}`, () => expect(parseSpiffeId(text)).to.deep.equal(parts));
  }

  const rejected: readonly string[] = [
    '',
    'spiffe://',
    'SPIFFE://example.org/a',
    'https://example.org/a',
    'spiffe:/example.org/a',
    'spiffe:///a',
    'spiffe://Example.org/a',
    'spiffe://example.org:8443/a',
    'spiffe://user@example.org/a',
    'spiffe://example.org/a?b',
    'spiffe://example.org/a#b',
    'spiffe://example.org/',
    'spiffe://example.org/a/',
    'spiffe://example.org//a',
    'spiffe://example.org/a//b',
    'spiffe://example.org/./a',
    'spiffe://example.org/a/..',
    'spiffe://example.org/a/../b',
    'spiffe://example.org/%61',
    'spiffe://example.org/a b',
    'spiffe://example.org/a\n',
    'spiffe://example.org\n',
    'spiffe://example.org/ä',
    'spiffe://example.org/a*',
    `spiffe://${'a'.repeat(256)}/b`,
    `spiffe://example.org/${'a'.repeat(2048 - 'spiffe://example.org/'.length + 1)}`,
  ];
  for (const text of rejected) {
    it(`rejects ${JSON.stringify(text.slice(0, 60))}`, () => expect(parseSpiffeId(text)).to.equal(undefined));
  }

  it('accepts exactly 2048 bytes', () => {
    const segment = 'a'.repeat(2048 - 'spiffe://example.org/'.length);
    expect(parseSpiffeId(`spiffe://example.org/${segment}`)).to.deep.equal({
      trustDomain: 'example.org',
      segments: [segment],
    });
  });

  it('reads what it prints and nothing else: no two texts are one ID', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'ab./%?#@:-_ A\n') }), (rest) => {
        const text = `spiffe://${rest}`;
        const id = parseSpiffeId(text);
        if (id !== undefined) expect(['spiffe:/', id.trustDomain, ...id.segments].join('/')).to.equal(text);
      }),
    );
  });
});

describe('parseAgentSpiffeId', () => {
  it('reads what buildSpiffeId writes', () => {
    expect(parseAgentSpiffeId('spiffe://cluster.local/ns/ai-agents/sa/agent-deployer')).to.deep.equal(agent);
  });

  for (const path of [
    '',
    '/ns/a',
    '/ns/a/sa',
    '/ns/a/sa/b/c',
    '/sa/a/ns/b',
    '/agent-trust/bundle/of/all',
    '/NS/a/sa/b',
  ]) {
    it(`rejects the path "${path}"`, () => {
      expect(parseAgentSpiffeId(`spiffe://cluster.local${path}`)).to.equal(undefined);
    });
  }
});

describe('isTrustDomain', () => {
  it('accepts 255 characters', () => expect(isTrustDomain('a'.repeat(255))).to.equal(true));
  it('rejects 256 characters', () => expect(isTrustDomain('a'.repeat(256))).to.equal(false));
});
