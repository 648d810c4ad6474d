import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { readRevocationLists } from '../../../src/crypto/crl-reader.ts';
import { readBundleSignature } from '../../../src/crypto/jose/bundle-signature.ts';
import type { Applied } from '../../../src/dev/apply.ts';
import { Keeper, type KeptSwarm } from '../../../src/dev/keeper.ts';
import { StateFolder } from '../../../src/dev/state.ts';
import { readSigningKeys } from '../../../src/domain/signing/key-files.ts';
import { readJwksFile } from '../../../src/domain/token/state/jwks-file.ts';
import { readPolicyFile } from '../../../src/domain/token/state/policy-file.ts';
import { agentText, applyText, manifest, policyText, useFolder } from '../../support/dev/laptop.ts';

const NOW_MS = Date.UTC(2026, 10, 20, 10);
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const SWARM =
  agentText('one', 'read_file') + agentText('two', 'read_file') + policyText('one', 'two', 'read_file');

describe('Keeper', () => {
  const folder = useFolder();
  let keeper: Keeper;
  let state: StateFolder;
  let applied: Applied;

  const open = (): void => {
    state = new StateFolder(join(folder.path, 'out'));
    keeper = new Keeper({
      folder: join(folder.path, 'out'),
      state,
      addresses: new Map(),
      trustDomain: 'dev.test',
      clusterDomain: 'cluster.local',
      bundleLifeSeconds: 1800,
    });
  };
  const read = (path: string) => readFileSync(join(folder.path, 'out/default', path), 'utf8');
  const keep = (atMs: number): Promise<KeptSwarm> => keeper.keep(applied, atMs);
  const claimsAt = (nowMs: number) =>
    readBundleSignature(read('one/bundle/bundle.jws'), {
      rootsPem: read('one/tls/ca.crt'),
      trustDomain: 'dev.test',
      nowMs,
    });
  const signingKeys = () => readSigningKeys(read('one/signing/signing-keys.json'));
  const publishedKids = () => {
    const issuer = 'spiffe://dev.test/ns/default/sa/one';
    return readJwksFile(read('two/bundle/jwks.json'))
      ?.issuers.get(issuer)
      ?.keys.map(({ kid }) => kid);
  };

  beforeEach(async () => {
    applied = await applyText(SWARM);
    open();
  });
  afterEach(() => state.close());

  it('writes every agent once, and then nothing until something is due', async () => {
    const first = await keep(NOW_MS);
    expect(first.changed).to.deep.equal(['default/one', 'default/two']);
    expect(first.recheckAtMs).to.equal(NOW_MS + 15 * MINUTE_MS);
    const second = await keep(NOW_MS + 14 * MINUTE_MS);
    expect([second.changed, second.recheckAtMs]).to.deep.equal([[], first.recheckAtMs]);
  });

  it('lists the certificates of agents that are cut off or gone, and keeps the list over a restart', async () => {
    const listed = (agent = 'one'): unknown =>
      readRevocationLists(Buffer.from(read(`${agent}/bundle/ca.crl`)))?.map(({ entries }) =>
        [...entries].map(([serialHex, { reason }]) => [serialHex, reason]),
      );
    const serialOf = (path: string): string => new X509Certificate(read(path)).serialNumber.toLowerCase();
    await keep(NOW_MS);
    expect(listed()).to.deep.equal([[]]);
    const [one, two] = [serialOf('one/tls/tls.crt'), serialOf('two/tls/tls.crt')];
    const suspended = manifest('AgentIdentity', 'two', { suspended: true });
    applied = await applyText(agentText('one', 'read_file') + suspended, applied);
    await keep(NOW_MS + MINUTE_MS);
    expect(listed()).to.deep.equal([[[two, 'privilegeWithdrawn']]]);
    state.close();
    open();
    applied = await applyText(agentText('two', 'read_file'), applied);
    await keep(NOW_MS + 2 * MINUTE_MS);
    const kept = [
      [one, 'cessationOfOperation'],
      [two, 'privilegeWithdrawn'],
    ];
    expect(listed('two')).to.deep.equal([kept.toSorted(([a = ''], [b = '']) => (a < b ? -1 : 1))]);
    expect(serialOf('two/tls/tls.crt')).to.not.equal(two);
  });

  it('signs the bundle for 30 min, and anew after 15', async () => {
    await keep(NOW_MS);
    const first = claimsAt(NOW_MS);
    expect([first?.aud, first?.iat, first?.exp]).to.deep.equal([
      'default',
      NOW_MS / 1000,
      NOW_MS / 1000 + 1800,
    ]);
    const laterMs = NOW_MS + 15 * MINUTE_MS;
    expect((await keep(laterMs)).changed).to.deep.equal(['default/one', 'default/two']);
    const second = claimsAt(laterMs);
    expect(second?.iat).to.equal(laterMs / 1000);
    expect(second?.sequence).to.be.greaterThan(first?.sequence ?? Number.NaN);
  });

  it('lets sequences grow when the clock goes back', async () => {
    await keep(NOW_MS);
    const first = claimsAt(NOW_MS);
    applied = await applyText(SWARM + agentText('three'), applied);
    await keep(NOW_MS - HOUR_MS / 60);
    expect(claimsAt(NOW_MS)?.sequence).to.equal((first?.sequence ?? 0) + 1);
  });

  it('renews a certificate before its last third', async () => {
    await keep(NOW_MS);
    const serialOf = () => new X509Certificate(read('one/tls/tls.crt')).serialNumber;
    const first = serialOf();
    await keep(NOW_MS + 12 * HOUR_MS);
    expect(serialOf()).to.equal(first);
    await keep(NOW_MS + 16 * HOUR_MS);
    expect(serialOf()).not.to.equal(first);
  });

  it('publishes the next key before it signs, and the last one for a while after', async () => {
    await keep(NOW_MS);
    const [first] = signingKeys();
    await keep(NOW_MS + 23.6 * HOUR_MS);
    const [active, next] = signingKeys();
    expect([active?.kid, active?.state, next?.state]).to.deep.equal([first?.kid, 'Active', 'Next']);
    expect(publishedKids()).to.have.members([first?.kid, next?.kid]);
    await keep(NOW_MS + 24.2 * HOUR_MS);
    expect(signingKeys().map(({ kid, state: is }) => [kid, is])).to.deep.equal([[next?.kid, 'Active']]);
    expect(read('one/signing/signing.kid')).to.equal(next?.kid);
    expect(publishedKids()).to.have.members([first?.kid, next?.kid]);
  });

  it('goes on where the run before ended', async () => {
    await keep(NOW_MS);
    const paths = [
      'one/tls/tls.crt',
      'one/tls/ca.crt',
      'one/signing/signing-keys.json',
      'two/bundle/jwks.json',
    ];
    const before = paths.map(read);
    const sequence = claimsAt(NOW_MS)?.sequence ?? Number.NaN;
    state.close();
    open();
    applied = await applyText(SWARM, { births: keeper.births, accepted: new Map() });
    await keep(NOW_MS + 1);
    expect(paths.map(read)).to.deep.equal(before);
    expect(claimsAt(NOW_MS)?.sequence).to.be.greaterThan(sequence);
  });

  it('lets agents trust the next authority before it signs, and the last one until it ends', async () => {
    await keep(NOW_MS);
    const first = read('one/tls/ca.crt');
    const issuedBy = (roots: string): readonly boolean[] => {
      const leaf = new X509Certificate(read('one/tls/tls.crt'));
      return (
        roots
          .match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----\n/g)
          ?.map((pem) => leaf.checkIssued(new X509Certificate(pem))) ?? []
      );
    };
    await keep(NOW_MS + 356.5 * DAY_MS);
    const both = read('one/tls/ca.crt');
    expect(both).to.not.equal(first);
    expect(both.startsWith(first)).to.equal(true);
    expect(issuedBy(both)).to.deep.equal([true, false]);
    await keep(NOW_MS + 357.5 * DAY_MS);
    expect(issuedBy(both)).to.deep.equal([false, true]);
    expect(read('one/tls/ca.crt')).to.have.length(both.length);
    await keep(NOW_MS + 366 * DAY_MS);
    expect(both).to.equal(first + read('one/tls/ca.crt'));
  });

  it('binds tokens to certificates also where the namespace has a mesh in the cluster', async () => {
    const labels = { 'istio-injection': 'enabled' };
    applied = await applyText(manifest('Namespace', 'default', {}, { labels }) + SWARM);
    await keep(NOW_MS);
    const bindings = readPolicyFile(read('one/bundle/policy.json'))?.edges.map(({ binding }) => binding);
    expect(bindings).to.deep.equal(['Certificate']);
  });

  it('takes the folder of an agent away with the agent', async () => {
    await keep(NOW_MS);
    applied = await applyText(agentText('two', 'read_file'), applied);
    const { agents } = await keep(NOW_MS);
    expect(agents.map(({ id }) => id)).to.deep.equal(['default/two']);
    expect(existsSync(join(folder.path, 'out/default/one'))).to.equal(false);
  });
});
