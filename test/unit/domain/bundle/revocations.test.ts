import { expect } from 'chai';
import { limitRevocations } from '../../../../src/domain/bundle/revocation-limit.ts';
import { type RevocationInput, resolveRevocation } from '../../../../src/domain/bundle/revocations.ts';
import { type Revocation, readRevocationsFile } from '../../../../src/domain/token/state/revocations-file.ts';

const CREATED = 1_795_168_800;
const UNTIL = CREATED + 30 + 300 + 3600;
const AGENT = 'spiffe://cluster.local/ns/ai-data/sa/analyst';

function resolve(spec: RevocationInput, isForAll = false): ReturnType<typeof resolveRevocation> {
  return resolveRevocation({
    namespace: 'ai-agents',
    createdAt: CREATED,
    isForAll,
    spec,
    spiffeIdOf: (id) => `spiffe://cluster.local/ns/${id.replace('/', '/sa/')}`,
  });
}

describe('resolveRevocation', () => {
  const entries: readonly (readonly [string, RevocationInput, Partial<Revocation>])[] = [
    [
      'an agent of the namespace',
      { agent: 'writer' },
      { agent: 'spiffe://cluster.local/ns/ai-agents/sa/writer', issuedBefore: CREATED },
    ],
    ['an agent of another one', { agent: 'ai-data/analyst' }, { agent: AGENT, issuedBefore: CREATED }],
    ['a policy of the namespace', { policy: 'swarm' }, { policy: 'ai-agents/swarm', issuedBefore: CREATED }],
    ['a whole tree, whenever its tokens were issued', { transaction: 't' }, { transaction: 't' }],
    ['a whole token', { tokenID: 'j' }, { tokenID: 'j' }],
    ['a token of an agent', { tokenID: 'j', agent: 'ai-data/analyst' }, { tokenID: 'j', agent: AGENT }],
    [
      'a user',
      { subject: { issuer: 'https://login.example.org', name: 'u-17' } },
      { subject: { issuer: 'https://login.example.org', name: 'u-17' }, issuedBefore: CREATED },
    ],
    ['everything', { everything: true }, { everything: true, issuedBefore: CREATED }],
  ];
  for (const [what, spec, wanted] of entries)
    it(`accepts ${what}`, () => {
      const entry = { ...wanted, namespace: 'ai-agents', until: UNTIL };
      expect(resolve(spec)).to.deep.equal({ kind: 'entry', entry, issuedBefore: CREATED });
    });

  it('concerns chains of all namespaces from that of the operator', () => {
    expect(resolve({ everything: true }, true)).to.deep.equal({
      kind: 'entry',
      entry: { everything: true, issuedBefore: CREATED, until: UNTIL },
      issuedBefore: CREATED,
    });
  });

  it('counts from the moment that it says, and ends so much later', () => {
    const entry = resolve({ agent: 'writer', transaction: 't', issuedBefore: '2026-11-20T11:00:00.7+01:00' });
    expect(entry).to.deep.include({ issuedBefore: CREATED });
    expect(entry.kind === 'entry' && entry.entry).to.deep.include({ issuedBefore: CREATED, until: UNTIL });
  });

  const refused: readonly (readonly [string, RevocationInput, string])[] = [
    ['nothing', {}, 'spec must'],
    ['an everything that is false', { everything: false }, 'spec.everything'],
    ['an agent that is none', { agent: 'a/b/c' }, 'spec.agent'],
    ['a transaction that no token has', { transaction: 'ä' }, 'spec.transaction'],
    ['a token that there cannot be', { tokenID: '\n' }, 'spec.tokenID'],
    ['an issuer with a query', { subject: { issuer: 'https://x/?y', name: 'u' } }, 'spec.subject.issuer'],
    ['a name in Greek', { subject: { issuer: 'https://x', name: 'Ω' } }, 'spec.subject.name'],
    ['a moment that is none', { agent: 'a', issuedBefore: 'soon' }, 'spec.issuedBefore'],
    ['a moment before 1970', { agent: 'a', issuedBefore: '1969-12-31T00:00:00Z' }, 'spec.issuedBefore'],
  ];
  for (const [what, spec, field] of refused)
    it(`rejects ${what}`, () => {
      const resolved = resolve(spec);
      expect(
        resolved.kind === 'invalid' && resolved.invalidFields.map((text) => text.startsWith(field)),
      ).to.deep.equal([true]);
    });
});

describe('limitRevocations', () => {
  const entry = (at: number, namespace?: string): Revocation => ({
    tokenID: `token-${at}`,
    ...(namespace === undefined ? {} : { namespace }),
    until: at + 3930,
  });
  const many = (count: number, namespace?: string, from = 1000): readonly Revocation[] =>
    Array.from({ length: count }, (_, at) => entry(from + at, namespace));

  it('keeps all that fit, each once, in the order of their moments', () => {
    const [one, two, three] = [entry(3), entry(1), entry(2)];
    expect(limitRevocations([one, two, three, { ...two }])).to.deep.equal([two, three, one]);
    expect(limitRevocations(many(2000))).to.deep.equal(many(2000));
  });

  it('replaces the oldest of a namespace by one entry for all its tokens up to the latest of their moments', () => {
    const limited = limitRevocations(many(2001, 'a'));
    expect(limited).to.have.length(2000);
    expect(limited[0]).to.deep.equal({
      everything: true,
      namespace: 'a',
      issuedBefore: 1001,
      until: 1001 + 3930,
    });
    expect(limited.slice(1)).to.deep.equal(many(2001, 'a').slice(2));
  });

  it('lets who revokes much cut off nobody but the own namespace', () => {
    const limited = limitRevocations([...many(5000, 'loud'), ...many(300, 'quiet'), ...many(20)]);
    expect(limited.length).to.be.within(1500, 2000);
    expect(limited.filter(({ namespace }) => namespace === 'quiet')).to.deep.equal(many(300, 'quiet'));
    expect(limited.filter(({ namespace }) => namespace === undefined)).to.deep.equal(many(20));
    expect(limited.filter(({ everything }) => everything).map(({ namespace }) => namespace)).to.deep.equal([
      'loud',
    ]);
  });

  it('gives one entry for everything when there are more namespaces than entries', () => {
    const limited = limitRevocations(
      Array.from({ length: 30 }, (_, at) => entry(at, `n-${at}`)),
      { entries: 10, characters: 1e6 },
    );
    expect(limited).to.deep.equal([{ everything: true, issuedBefore: 29, until: 29 + 3930 }]);
  });

  it('makes less of them when their text is too long', () => {
    const limited = limitRevocations(many(100, 'a'), { entries: 2000, characters: 2000 });
    expect(JSON.stringify(limited).length).to.be.below(2100);
    expect(limited[0]?.everything).to.equal(true);
    expect(limited.at(-1)).to.deep.equal(many(100, 'a').at(-1));
  });

  it('gives what it gave before when what it gave comes again beside the rest', () => {
    const all = many(2500, 'a');
    const limited = limitRevocations(all);
    expect(limitRevocations([...all, ...limited])).to.deep.equal(limited);
  });

  it('gives what verifiers read', () => {
    const file = { version: 1, suspended: [], notBefore: {}, revocations: limitRevocations(many(9000, 'a')) };
    expect(readRevocationsFile(JSON.stringify(file))).to.not.equal(undefined);
  });
});
