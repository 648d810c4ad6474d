/** How long a bundle is good for, and what becomes of one that is too large for one ConfigMap. */

import { isDeepStrictEqual } from 'node:util';
import { expect } from 'chai';
import { BUNDLE_NAME, TOKEN_REVOCATION } from '../../../src/api/group.ts';
import type { TokenRevocation } from '../../../src/api/token-revocation.ts';
import { readyAuthority } from '../../../src/controllers/authority/authority-record.ts';
import type { ReadyAuthority } from '../../../src/controllers/authority/authority-state.ts';
import { type ConfigMap, digestsOf } from '../../../src/controllers/bundle/bundle-record.ts';
import { createAuthority } from '../../../src/crypto/authority.ts';
import { type Authority, readAuthority } from '../../../src/crypto/authority-reader.ts';
import { readRevocationLists } from '../../../src/crypto/crl-reader.ts';
import { type BundleClaims, readBundleSignature } from '../../../src/crypto/jose/bundle-signature.ts';
import type { LedgerLine } from '../../../src/domain/ledger/ledger-line.ts';
import {
  mergePolicyFiles,
  type PolicyFile,
  readPolicyFile,
} from '../../../src/domain/token/state/policy-file.ts';
import { readRevocationsFile } from '../../../src/domain/token/state/revocations-file.ts';
import { CONFIG_MAP } from '../../../src/kube/core-types.ts';
import type { KubeObject } from '../../../src/kube/object.ts';
import { type BundleOperator, startBundles } from '../../support/bundle/bundle-operator.ts';
import { useControlPlane } from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { AGENTS, useSwarm } from '../../support/swarm.ts';

const MINUTE_MS = 60_000;
/** For what a bundle has beside its lists, and two agents or three. */
const SMALL_BYTES = 18 * 1024;

function newAuthority(): { readonly authority: ReadyAuthority; readonly generations: readonly Authority[] } {
  const created = createAuthority({ trustDomain: 'cluster.local', nowMs: Date.now() });
  const read = readAuthority({
    certificatePem: Buffer.from(created.certificatePem),
    privateKeyPem: Buffer.from(created.privateKeyPem),
  });
  const generations = read.kind === 'authority' ? [read.authority] : [];
  const authority = readyAuthority(generations);
  if (authority === undefined) throw new Error('no authority');
  return { authority, generations };
}

describe('the life of a bundle', () => {
  const controlPlane = useControlPlane();
  const swarm = useSwarm(controlPlane);
  const { authority, generations } = newAuthority();
  let offsetMs = 0;
  let leaves: readonly LedgerLine[] = [];
  let operator: BundleOperator | undefined;

  async function start(partBytes?: number): Promise<BundleOperator> {
    operator = await startBundles({
      controlPlane: controlPlane(),
      namespaces: [AGENTS],
      authority,
      generations,
      leaves,
      clock: { nowMs: () => Date.now() + offsetMs, monotonicMs: () => performance.now() },
      ...(partBytes === undefined ? {} : { partBytes }),
    });
    return operator;
  }
  async function restart(partBytes?: number): Promise<BundleOperator> {
    await operator?.stop();
    return start(partBytes);
  }
  after(() => operator?.stop());

  function part(number: number): Promise<ConfigMap | undefined> {
    const name = number === 0 ? BUNDLE_NAME : `${BUNDLE_NAME}-${number}`;
    return swarm().client.find<ConfigMap>(CONFIG_MAP, { namespace: AGENTS, name });
  }

  /** All parts, if the signature holds them together. */
  async function bundle(): Promise<{
    readonly claims: BundleClaims;
    readonly parts: readonly ConfigMap[];
    readonly policy: PolicyFile;
  }> {
    const parts = (await Promise.all([0, 1, 2, 3].map(part))).filter((each) => each !== undefined);
    const { 'bundle.jws': jws = '', ...files } = Object.assign(
      {},
      ...parts.map(({ data }) => data),
    ) as Record<string, string>;
    const trust = {
      rootsPem: authority.bundlePem,
      trustDomain: 'cluster.local',
      nowMs: Date.now() + offsetMs,
    };
    const claims = readBundleSignature(jws, trust);
    expect(claims?.files).to.deep.equal(digestsOf(files));
    const read = Object.entries(files).flatMap(([name, text]) =>
      name.startsWith('policy') ? [readPolicyFile(text)] : [],
    );
    const policy = mergePolicyFiles(read.filter((each) => each !== undefined));
    if (claims === undefined || policy === undefined || read.includes(undefined))
      throw new Error('not whole');
    return { claims, parts, policy };
  }

  const agents = (count: number): readonly string[] =>
    Array.from({ length: count }, (_, at) => `agent-${at}`);

  it('is signed anew when half of it is over, not earlier, and with the same files', async () => {
    await swarm().createAgent('agent-0');
    await start();
    const before = await eventually('the bundle', bundle);
    offsetMs = 14 * MINUTE_MS;
    await restart();
    await operator?.stop();
    expect(await bundle()).to.deep.equal(before);
    offsetMs = 15.1 * MINUTE_MS;
    await start();
    const after = await eventually('another signature', async () => {
      const now = await bundle();
      return now.claims.sequence > before.claims.sequence && now;
    });
    expect(after.claims.files).to.deep.equal(before.claims.files);
    expect(after.claims.iat - before.claims.iat).to.be.within(900, 960);
    expect(operator?.events).to.deep.equal([]);
  });

  it('begins anew after an outage of a month without a false alarm', async () => {
    offsetMs = 25 * 24 * 60 * MINUTE_MS;
    const { claims } = await bundleAt(15.1 * MINUTE_MS);
    await restart();
    await eventually('another signature', async () => (await bundle()).claims.sequence > claims.sequence);
    expect(operator?.events).to.deep.equal([]);
  });

  /** What was there at another time. */
  async function bundleAt(otherMs: number): ReturnType<typeof bundle> {
    const nowMs = offsetMs;
    offsetMs = otherMs;
    try {
      return await bundle();
    } finally {
      offsetMs = nowMs;
    }
  }

  it('counts on from its last sequence when the clock went back', async () => {
    const { claims } = await bundle();
    offsetMs = 0;
    await restart();
    const after = await eventually('another signature', async () => {
      const now = await bundle();
      return now.claims.iat < claims.iat && now;
    });
    expect(after.claims.sequence).to.equal(claims.sequence + 1);
  });

  it('is split when it is too large for one ConfigMap, and holds all agents', async () => {
    for (const name of agents(8).slice(1)) await swarm().createAgent(name);
    await restart(SMALL_BYTES);
    const { parts, policy } = await eventually('all agents', async () => {
      const now = await bundle();
      return now.policy.agents.size === 8 && now;
    });
    expect(parts.map(({ metadata }) => metadata.name).slice(0, 2)).to.deep.equal([
      BUNDLE_NAME,
      `${BUNDLE_NAME}-1`,
    ]);
    expect(Object.keys(parts[1]?.data ?? {})).to.deep.equal(['jwks-1.json', 'policy-1.json']);
    expect([...policy.agents.values()].map(({ name }) => name).sort()).to.deep.equal(
      agents(8).map((name) => `${AGENTS}/${name}`),
    );
  });

  it('is not written again by who finds all parts as they should be', async () => {
    const before = await bundle();
    await restart(SMALL_BYTES);
    await operator?.stop();
    expect(await bundle()).to.deep.equal(before);
  });

  it('has a further part mended that somebody altered', async () => {
    const [, second] = (await bundle()).parts;
    const patch = '{"data":{"policy-1.json":"{}"}}';
    await controlPlane().kubectl([
      'patch',
      'configmap',
      `${BUNDLE_NAME}-1`,
      '-n',
      AGENTS,
      '--type=merge',
      '-p',
      patch,
    ]);
    await start(SMALL_BYTES);
    await eventually('it to be mended', bundle);
    expect((await part(1))?.data).to.deep.equal(second?.data);
    await eventually('the event', () => (operator?.events.length ?? 0) > 0);
    expect(operator?.events.map(({ reason }) => reason)).to.deep.equal(['BundleTampered']);
  });

  it('loses its further parts when it fits again', async () => {
    await restart();
    await eventually('one part', async () => (await bundle()).parts.length === 1);
  });

  it('is not written when it does not fit into four, and an event says so', async () => {
    const before = await bundle();
    await restart(16 * 1024 + 1000);
    const { note } = await eventually('the event', () =>
      operator?.events.find(({ reason }) => reason === 'BundleTooLarge'),
    );
    expect(note).to.match(/^The bundle would have [0-9]+ bytes, more than 4 ConfigMaps hold/);
    expect(await bundle()).to.deep.equal(before);
  });

  it('loses a revocation when the last token is dead, and the object with it that asks for it', async () => {
    const spec = { tokenID: 'j', ttlAfterExpiry: '1m' };
    const metadata = { name: 'stolen', namespace: AGENTS };
    await swarm().client.create<KubeObject>(TOKEN_REVOCATION, { metadata, spec } as KubeObject);
    await restart();
    const revocations = async (): Promise<unknown> =>
      readRevocationsFile((await part(0))?.data?.['revocations.json'] ?? '')?.revocations.map(
        ({ tokenID }) => tokenID,
      );
    await eventually('it to be published', async () => isDeepStrictEqual(await revocations(), ['j']));
    offsetMs = 66 * MINUTE_MS;
    await restart();
    const found = (): Promise<TokenRevocation & KubeObject> => swarm().client.get(TOKEN_REVOCATION, metadata);
    await eventually('it to be over', async () =>
      (await found()).status?.conditions?.some(({ type, status }) => type === 'Expired' && status === 'True'),
    );
    await eventually('it to be dropped', async () => isDeepStrictEqual(await revocations(), []));
    offsetMs = 67 * MINUTE_MS;
    await restart();
    await eventually(
      'it to be gone',
      async () => (await swarm().client.find(TOKEN_REVOCATION, metadata)) === undefined,
    );
    offsetMs = 0;
  });

  it('names the certificate of an agent that is gone on ca.crl until some time after its end', async () => {
    const serialHex = '8a'.repeat(16);
    const [generation] = generations;
    const notAfterMs = Math.floor(Date.now() / 1000) * 1000 + 60 * MINUTE_MS;
    const named = { identityUid: 'nobody', namespace: AGENTS, serviceAccountName: 'gone' };
    leaves = [{ ...named, serialHex, notAfterMs, generation: generation?.id ?? '' }];
    const serials = async (): Promise<readonly string[]> => {
      const [list] = readRevocationLists(Buffer.from((await part(0))?.data?.['ca.crl'] ?? '')) ?? [];
      if (list === undefined) throw new Error('no list');
      return [...list.entries.keys()];
    };
    await restart();
    await eventually('it to be named', async () => isDeepStrictEqual(await serials(), [serialHex]));
    const { claims } = await bundle();
    offsetMs = 140 * MINUTE_MS;
    await restart();
    await eventually('another bundle', async () => (await bundle()).claims.sequence > claims.sequence);
    expect(await serials()).to.deep.equal([serialHex]);
    offsetMs = 160 * MINUTE_MS;
    await restart();
    await eventually('it to be gone', async () => isDeepStrictEqual(await serials(), []));
    [offsetMs, leaves] = [0, []];
  });

  it('goes with all its parts when the last agent goes', async () => {
    await restart(SMALL_BYTES);
    await eventually('two parts', async () => (await bundle()).parts.length > 1);
    await controlPlane().kubectl(['delete', 'aid', '--all', '-n', AGENTS]);
    await eventually('none', async () =>
      (await Promise.all([0, 1, 2, 3].map(part))).every((each) => each === undefined),
    );
  });
});
