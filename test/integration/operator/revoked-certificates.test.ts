/** The certificates of an agent that is cut off or gone are on the list of every namespace, and stay there. */

import { expect } from 'chai';
import { OPERATOR_NAMESPACE } from '../../../hack/operator/install-chart.ts';
import { AGENT_IDENTITY, AUTHORITY_SECRET_NAME, BUNDLE_NAME } from '../../../src/api/group.ts';
import { authorityRecord } from '../../../src/controllers/authority/authority-record.ts';
import type { ConfigMap } from '../../../src/controllers/bundle/bundle-record.ts';
import type { Secret } from '../../../src/controllers/identity/secret.ts';
import { readRevocationLists } from '../../../src/crypto/crl-reader.ts';
import { generateEcKeyPair } from '../../../src/crypto/key-pair.ts';
import { LeafSigner } from '../../../src/crypto/leaf.ts';
import { combinedPem } from '../../../src/crypto/pem.ts';
import { leafProfile } from '../../../src/domain/certificate/profile.ts';
import { CONFIG_MAP, SECRET } from '../../../src/kube/core-types.ts';
import { isKubeError } from '../../../src/kube/errors.ts';
import type { KubeObject } from '../../../src/kube/object.ts';
import { useControlPlane } from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { verifyWithCrl } from '../../support/openssl.ts';
import { type RunningOperator, startOperator } from '../../support/operator.ts';
import { AGENTS, useSwarm } from '../../support/swarm.ts';

const OTHER = 'ai-data';
const NAMESPACES = [AGENTS, OTHER] as const;
/** Deletions are gathered for twenty seconds then, in place of a minute. */
const ACCELERATION = 3;
const GATHER_MS = 60_000 / ACCELERATION;
/** So many that not even a slow machine gathers for each. */
const JOBS = Array.from({ length: 8 }, (_, at) => `job-${at}`);
/** Events as `events.k8s.io/v1`. */
const EVENT = {
  group: 'events.k8s.io',
  version: 'v1',
  plural: 'events',
  kind: 'Event',
  namespaced: true,
} as const;

const WATCH_SECONDS = 3_600;

interface WatchEvent {
  readonly type: string;
  readonly object: KubeObject;
}

interface Leaf {
  readonly certificate: string;
  readonly serialHex: string;
}

interface Lists {
  readonly roots: string;
  readonly crl: string;
  readonly number: number;
  /** By serial number. */
  readonly reasons: Readonly<Record<string, string>>;
}

describe('the list of revoked certificates', () => {
  const controlPlane = useControlPlane();
  const swarm = useSwarm(controlPlane, NAMESPACES);
  let operator: RunningOperator;
  const start = (): Promise<RunningOperator> =>
    startOperator({
      controlPlane: controlPlane(),
      flags: [`--namespaces=${NAMESPACES.join()}`, `--authority-acceleration=${ACCELERATION}`],
    });

  before(async () => {
    operator = await start();
    for (const name of ['one', 'two', 'three', 'four', ...JOBS]) await swarm().createAgent(name);
    await swarm().createAgent('far', {}, OTHER);
    for (const name of ['one', 'two', 'three', 'four', ...JOBS]) await swarm().ready(name);
    await swarm().ready('far', 'Issued', { namespace: OTHER });
  });
  after(() => operator?.stop());

  const suspend = (name: string, suspended: boolean): Promise<unknown> =>
    controlPlane().kubectl([
      ...['patch', 'aid', name, '-n', AGENTS, '--type=merge', '-p'],
      JSON.stringify({ spec: { suspended } }),
    ]);
  const remove = (name: string): Promise<unknown> =>
    swarm().client.delete(AGENT_IDENTITY, { namespace: AGENTS, name });

  async function leafOf(name: string, namespace: string = AGENTS): Promise<Leaf> {
    const secret = await swarm().secret(`${name}-tls`, namespace);
    const { status } = await swarm().identity(name, namespace);
    return {
      certificate: Buffer.from(secret?.data?.['tls.crt'] ?? '', 'base64').toString(),
      serialHex: (status?.certificate?.serialNumber ?? '').replaceAll(':', '').toLowerCase(),
    };
  }

  async function listsOf(namespace: string): Promise<Lists> {
    const target = { namespace, name: BUNDLE_NAME };
    const { data = {} } = await swarm().client.get<ConfigMap>(CONFIG_MAP, target);
    const { 'ca.crt': roots = '', 'ca.crl': crl = '' } = data;
    const lists = readRevocationLists(Buffer.from(crl)) ?? [];
    const entries = lists.flatMap((list) => [...list.entries]);
    return {
      roots,
      crl,
      number: Math.max(...lists.map(({ number }) => number)),
      reasons: Object.fromEntries(entries.map(([serialHex, { reason }]) => [serialHex, reason])),
    };
  }

  /** Waits until the bundles of all namespaces list exactly these, and gives the lists of the last one. */
  function listed(reasons: Readonly<Record<string, string>>): Promise<Lists> {
    return eventually(
      `${Object.keys(reasons).length} entries in every namespace`,
      async () => {
        const all = await Promise.all(NAMESPACES.map(listsOf));
        for (const each of all) expect(each.reasons).to.deep.equal(reasons);
        return all.at(-1);
      },
      { timeoutMs: GATHER_MS + 100_000 },
    );
  }

  /** Counts the writes of a bundle from now on, until it is told to stop. */
  async function countWrites(namespace: string): Promise<{ stop(): Promise<number> }> {
    const target = { namespace, name: BUNDLE_NAME };
    const now = async (): Promise<string> =>
      (await swarm().client.get(CONFIG_MAP, target)).metadata.resourceVersion ?? '';
    const begun = await now();
    const written: (string | undefined)[] = [];
    const abort = new AbortController();
    const watching = swarm().client.watch(CONFIG_MAP, {
      namespace,
      fieldSelector: `metadata.name=${BUNDLE_NAME}`,
      resourceVersion: begun,
      timeoutSeconds: WATCH_SECONDS,
      signal: abort.signal,
      onLine: (line) => {
        const { type, object } = JSON.parse(line.toString()) as WatchEvent;
        if (type === 'MODIFIED') written.push(object.metadata.resourceVersion);
      },
    });
    const watched = watching.catch((error: unknown) => {
      if (!isKubeError(error, 'KUBE_ABORTED')) throw error;
    });
    return {
      async stop() {
        const last = await now();
        const isTold = (): boolean => last === begun || written.includes(last);
        await Promise.race([watched, eventually('the watch to tell of the last write', isTold)]);
        abort.abort();
        await watched;
        return written.length;
      },
    };
  }

  const putBack = (name: string, data: Secret['data']): Promise<unknown> =>
    controlPlane().kubectl([
      ...['patch', 'secret', name, '-n', AGENTS, '--type=merge', '-p', JSON.stringify({ data })],
    ]);

  async function issuedFor(reason: string): Promise<number | undefined> {
    const metric = await operator.registry.getSingleMetric('agent_trust_certificates_issued_total')?.get();
    return metric?.values.find(({ labels }) => labels['reason'] === reason)?.value;
  }

  let stolen: Secret['data'] = {};
  const leaves: Record<string, Leaf> = {};
  const killed: Record<string, string> = {};

  it('is there, and empty, before anybody is cut off', async () => {
    for (const name of ['one', 'two', 'three', 'four']) leaves[name] = await leafOf(name);
    leaves['far'] = await leafOf('far', OTHER);
    stolen = (await swarm().secret('one-tls'))?.data ?? {};
    const lists = await listed({});
    for (const { certificate } of Object.values(leaves))
      expect(await verifyWithCrl({ ...lists, certificate })).to.equal('OK');
  });

  it('names the certificate of a suspended agent in every namespace before it would be gathered', async () => {
    const begunMs = performance.now();
    await suspend('one', true);
    killed[leaves['one']?.serialHex ?? ''] = 'privilegeWithdrawn';
    const lists = await listed(killed);
    expect(performance.now() - begunMs).to.be.lessThan(GATHER_MS);
    const said = await verifyWithCrl({ ...lists, certificate: leaves['one']?.certificate ?? '' });
    expect(said).to.contain('certificate revoked');
    for (const name of ['two', 'three', 'far'])
      expect(await verifyWithCrl({ ...lists, certificate: leaves[name]?.certificate ?? '' })).to.equal('OK');
  });

  it('names it still after the suspension was lifted, and not the next one', async () => {
    await suspend('one', false);
    await swarm().ready('one');
    const next = await leafOf('one');
    const lists = await listed(killed);
    expect(next.serialHex).to.not.equal(leaves['one']?.serialHex);
    expect(await verifyWithCrl({ ...lists, certificate: next.certificate })).to.equal('OK');
  });

  it('names the certificate of a deleted agent', async () => {
    await remove('two');
    killed[leaves['two']?.serialHex ?? ''] = 'cessationOfOperation';
    await listed(killed);
  });

  it('is written into other namespaces once for all agents that end within a while', async () => {
    const begunMs = performance.now();
    const writes = await countWrites(OTHER);
    for (const name of JOBS) {
      const { serialHex } = await leafOf(name);
      killed[serialHex] = 'cessationOfOperation';
      await remove(name);
      await eventually(`${name} on the list of its own namespace`, async () => {
        const { reasons } = await listsOf(AGENTS);
        return reasons[serialHex] !== undefined;
      });
    }
    await listed(killed);
    const gatherings = 1 + Math.floor((performance.now() - begunMs) / GATHER_MS);
    expect(await writes.stop())
      .to.be.at.least(1)
      .and.at.most(gatherings);
    expect(gatherings).to.be.lessThan(JOBS.length);
  });

  it('names all of them under the next leader, with those of agents that went while there was none', async () => {
    const { number } = await listsOf(OTHER);
    await operator.stop();
    await remove('three');
    operator = await start();
    killed[leaves['three']?.serialHex ?? ''] = 'cessationOfOperation';
    expect((await listed(killed)).number).to.be.greaterThan(number);
  });

  it('lets no certificate that it names back into a Secret, also under the next leader', async () => {
    await putBack('one-tls', stolen);
    await eventually('another one', async () => {
      const { certificate } = await leafOf('one');
      return certificate !== '' && certificate !== leaves['one']?.certificate;
    });
    await swarm().ready('one');
    expect(await issuedFor('Revoked')).to.equal(1);
  });

  it('is told of a certificate that the authority has signed and the ledger does not know: UnknownLeaf', async () => {
    const before = await leafOf('four');
    const target = { namespace: OPERATOR_NAMESPACE, name: AUTHORITY_SECRET_NAME };
    const [authority] = authorityRecord(await swarm().client.get<Secret>(SECRET, target)).generations;
    if (authority === undefined) throw new Error('no authority');
    const request = { name: 'four', namespace: AGENTS, serviceAccountName: 'four', durationMs: 86_400_000 };
    const made = leafProfile(
      { ...request, keyAlgorithm: 'ECDSA', keySize: 256, extraDnsNames: [] },
      { trustDomain: 'cluster.local', clusterDomain: 'cluster.local' },
    );
    if (made.kind === 'refuse') throw new Error(made.message);
    const second = Math.floor(Date.now() / 1000) * 1000;
    const validity = { notBeforeMs: second - 120_000, notAfterMs: second + 86_400_000 };
    const planted = new LeafSigner(authority).issueLeaf(made.profile, validity, generateEcKeyPair(256));
    const data = {
      'tls.crt': planted.certificatePem,
      'tls.key': planted.privateKeyPem,
      'tls-combined.pem': combinedPem(planted.certificatePem, planted.privateKeyPem),
    };
    const base64 = Object.entries(data).map(([name, text]) => [name, Buffer.from(text).toString('base64')]);
    await putBack('four-tls', Object.fromEntries(base64));
    const note = await eventually('the event', async () => {
      const { items } = await swarm().client.list<
        KubeObject & { readonly reason?: string; readonly note?: string }
      >(EVENT, { namespace: AGENTS });
      return items.find(({ reason }) => reason === 'UnknownLeaf')?.note;
    });
    expect(note).to.contain(planted.serialHex);
    await eventually('another certificate, and the status to name it', async () => {
      const { certificate, serialHex } = await leafOf('four');
      return (
        ![before.certificate, planted.certificatePem].includes(certificate) &&
        ![before.serialHex, planted.serialHex].includes(serialHex)
      );
    });
    expect(await issuedFor('UnknownLeaf')).to.equal(1);
  });
});
