/** The signing keys of agents: made, rotated, repaired and taken away. */

import { createPrivateKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import type { AgentIdentity } from '../../../src/api/agent-identity.ts';
import { AGENT_IDENTITY, ANNOTATION_REFUSE_KEYS_BEFORE } from '../../../src/api/group.ts';
import type { Secret } from '../../../src/controllers/identity/secret.ts';
import { jwkThumbprint } from '../../../src/crypto/jose/jwk.ts';
import { generatePrivateJwk } from '../../../src/crypto/jose/private-jwk.ts';
import { createSigner } from '../../../src/crypto/jose/signer.ts';
import {
  readSigningKeyFiles,
  type StoredKey,
  signingKeyFiles,
} from '../../../src/crypto/jose/signing-key-files.ts';
import type { KeyLife } from '../../../src/domain/signing/keys.ts';
import { EVENT, SECRET } from '../../../src/kube/core-types.ts';
import type { KubeObject } from '../../../src/kube/object.ts';
import { auditedWrites, credentialIdOf } from '../../support/audit-log.ts';
import { useControlPlane } from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { OPERATOR_ACCOUNT, type RunningOperator, startOperator } from '../../support/operator.ts';
import { AGENTS, useSwarm } from '../../support/swarm.ts';

interface Event extends KubeObject {
  readonly reason: string;
  readonly type: string;
  readonly note: string;
  readonly regarding: { readonly name: string };
}

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const SIGNING_KEYS = ['published-keys.json', 'signing-keys.json', 'signing.key', 'signing.kid'];

describe('signing keys', () => {
  const controlPlane = useControlPlane({ auditLog: true });
  const swarm = useSwarm(controlPlane);
  let operator: RunningOperator;
  let count = 0;
  const start = (): Promise<RunningOperator> =>
    startOperator({ controlPlane: controlPlane(), flags: [`--namespaces=${AGENTS}`] });

  before(async () => {
    operator = await start();
  });
  after(() => operator?.stop());

  async function newAgent(spec: AgentIdentity['spec'] = {}): Promise<string> {
    const name = `agent-${count++}`;
    await swarm().createAgent(name, spec);
    await swarm().ready(name);
    return name;
  }

  async function secretOf(name: string): Promise<Secret> {
    const secret = await swarm().secret(`${name}-signing`);
    if (secret === undefined) throw new Error(`Secret ${name}-signing is not there`);
    return secret;
  }

  async function keysOf(name: string): Promise<readonly StoredKey[]> {
    const { data = {} } = await secretOf(name);
    return readSigningKeyFiles(
      Object.fromEntries(Object.entries(data).map(([key, text]) => [key, Buffer.from(text, 'base64')])),
    ).keys;
  }

  async function states(name: string): Promise<readonly string[]> {
    return (await keysOf(name)).map(({ state }) => state);
  }

  async function kidOf(name: string, wanted = 'Active'): Promise<string | undefined> {
    return (await keysOf(name)).find(({ state }) => state === wanted)?.kid;
  }

  function textOf({ data = {} }: Secret, key: string): string {
    return Buffer.from(data[key] ?? '', 'base64').toString();
  }

  function eventOf(name: string, reason: string, note = /./): Promise<Event> {
    return eventually(`an event ${reason} of ${name}`, async () => {
      const { items } = await swarm().client.list<Event>(EVENT, { namespace: AGENTS });
      return items.find(
        (event) => event.regarding.name === name && event.reason === reason && note.test(event.note),
      );
    });
  }

  function patch(kind: 'secret' | 'aid', name: string, change: object): Promise<unknown> {
    return swarm().client.mergePatch(kind === 'aid' ? AGENT_IDENTITY : SECRET, {
      namespace: AGENTS,
      name,
      patch: change as Record<string, unknown>,
    });
  }

  async function condition(name: string, type: string): Promise<string> {
    const { status } = await swarm().identity(name);
    const found = status?.conditions?.find((each) => each.type === type);
    return `${found?.status} ${found?.reason}`;
  }

  /** Puts keys of these lives into the Secret while no operator runs. */
  async function age(name: string, lives: readonly KeyLife[]): Promise<readonly StoredKey[]> {
    await operator.stop();
    const uid = (await swarm().identity(name)).metadata.uid;
    const keys = lives.map(aged);
    const data = Object.fromEntries(
      Object.entries(signingKeyFiles(uid, keys)).map(([key, text]) => [
        key,
        Buffer.from(text).toString('base64'),
      ]),
    );
    await patch('secret', `${name}-signing`, { data });
    operator = await start();
    return keys;
  }

  function aged(life: KeyLife): StoredKey {
    const privateJwk = generatePrivateJwk('ES256');
    const { d: _, ...jwk } = privateJwk;
    return {
      ...life,
      kid: jwkThumbprint(jwk),
      jwk,
      privateJwk: life.state === 'Retiring' ? undefined : privateJwk,
    };
  }

  it('are made with the certificate: four files in a Secret of their own, one key Active', async () => {
    const name = await newAgent();
    const secret = await secretOf(name);
    const { metadata, type } = secret;
    const identity = await swarm().identity(name);
    expect(type).to.equal('agenttrust.dev/signing-key');
    expect(Object.keys(secret.data ?? {}).sort()).to.deep.equal(SIGNING_KEYS);
    expect(metadata.labels).to.deep.equal({
      'agenttrust.dev/managed': 'true',
      'agenttrust.dev/agent': name,
    });
    expect(metadata.annotations).to.deep.equal({ 'agenttrust.dev/owner-uid': identity.metadata.uid });
    expect(metadata.ownerReferences?.map(({ kind, uid }) => [kind, uid])).to.deep.equal([
      ['AgentIdentity', identity.metadata.uid],
    ]);
    const signer = createSigner(createPrivateKey(textOf(secret, 'signing.key')));
    expect(signer?.kid).to.equal(textOf(secret, 'signing.kid'));
    expect(identity.status?.signingKeys?.map(({ kid, state }) => [kid, state])).to.deep.equal([
      [signer?.kid, 'Active'],
    ]);
    expect(await condition(name, 'SigningKeyReady')).to.equal('True Issued');
  });

  it('have the name and the algorithm that the spec asks for', async () => {
    const name = await newAgent({ signingKey: { secretName: 'keys-of-mine', algorithm: 'Ed25519' } });
    const secret = await swarm().secret('keys-of-mine');
    expect(createPrivateKey(textOf(secret as Secret, 'signing.key')).asymmetricKeyType).to.equal('ed25519');
    expect(await swarm().secret(`${name}-signing`)).to.equal(undefined);
  });

  it('are written once: with two Secrets and status an agent costs three writes', async () => {
    const name = await newAgent();
    // What was seen to be written may stand in the audit log a moment later.
    await eventually('the writes in the audit log', async () => {
      const writes = await writesAbout(name);
      expect(writes.filter((what) => !what.includes('networkpolicies'))).to.have.members([
        `create secrets ${AGENTS}/${name}-signing`,
        `create secrets ${AGENTS}/${name}-tls`,
        `patch agentidentities/status ${AGENTS}/${name}`,
      ]);
      return true;
    });
  });

  async function writesAbout(name: string): Promise<readonly string[]> {
    const directory = await controlPlane().serviceAccountDirectory(OPERATOR_ACCOUNT);
    const credentialId = credentialIdOf(await readFile(join(directory, 'token'), 'utf8'));
    const all = await auditedWrites(controlPlane(), [credentialId]);
    return all
      .map(({ what }) => what)
      .filter((what) => what.includes(`/${name}`) && !what.includes('events'));
  }

  it('are not written again by an operator that starts anew', async () => {
    const name = await newAgent();
    const before = await secretOf(name);
    await operator.stop();
    operator = await start();
    // Once this one is served, the others have been looked at.
    await newAgent();
    expect((await secretOf(name)).metadata.resourceVersion).to.equal(before.metadata.resourceVersion);
  });

  describe('in the course of time', () => {
    it('get a Next half an hour before the interval is over, which takes over when its time has come', async () => {
      const name = await newAgent();
      const now = Math.floor(Date.now() / 1000);
      const since = now - 24 * HOUR + 29 * MINUTE;
      const [first] = await age(name, [{ state: 'Active', createdMs: since * 1000, since }]);
      await eventually('a Next', async () => (await states(name)).join() === 'Active,Next');
      const next = (await keysOf(name)).find(({ state }) => state === 'Next');
      expect(next?.since).to.be.within(now + 28 * MINUTE, now + 30 * MINUTE);
      expect(await kidOf(name)).to.equal(first?.kid);
      await eventually('status to say so', async () => {
        const { status } = await swarm().identity(name);
        return status?.signingKeys?.map(({ state }) => state).join() === 'Active,Next';
      });
      const [, due] = await age(name, [
        { state: 'Active', createdMs: 0, since },
        { state: 'Next', createdMs: (now - 30 * MINUTE) * 1000, since: now - MINUTE },
      ]);
      await eventually('it to take over', async () => (await kidOf(name)) === due?.kid);
      expect(await states(name)).to.deep.equal(['Retiring', 'Active']);
      expect(textOf(await secretOf(name), 'signing.kid')).to.equal(due?.kid);
      expect(textOf(await secretOf(name), 'signing-keys.json')).to.not.include('Retiring');
      expect((await eventOf(name, 'KeyRotated')).type).to.equal('Normal');
    });

    it('drop a key that nothing is good of any more', async () => {
      const name = await newAgent();
      const now = Math.floor(Date.now() / 1000);
      await age(name, [
        { state: 'Retiring', createdMs: 0, since: 0, until: now - 71 * MINUTE },
        { state: 'Active', createdMs: (now - HOUR) * 1000, since: now - HOUR },
      ]);
      await eventually('it to be gone', async () => (await states(name)).join() === 'Active');
    });

    it('go to another algorithm through Next', async () => {
      const name = await newAgent();
      await patch('aid', name, { spec: { signingKey: { algorithm: 'Ed25519' } } });
      await eventually('a Next', async () => (await states(name)).join() === 'Active,Next');
      expect((await keysOf(name)).map(({ jwk }) => jwk.kty)).to.deep.equal(['EC', 'OKP']);
    });
  });

  it('are dropped at once when somebody has them', async () => {
    const name = await newAgent();
    const before = await kidOf(name);
    const annotations = { [ANNOTATION_REFUSE_KEYS_BEFORE]: new Date().toISOString() };
    await patch('aid', name, { metadata: { annotations } });
    await eventually('another key', async () => (await kidOf(name)) !== before);
    expect(await states(name)).to.deep.equal(['Active']);
    expect((await eventOf(name, 'KeyRotated')).type).to.equal('Warning');
    await swarm().ready(name);
  });

  describe('that somebody altered', () => {
    for (const key of SIGNING_KEYS) {
      it(`are as before after a flipped byte of ${key}`, async () => {
        const name = await newAgent();
        const before = await secretOf(name);
        const octets = Buffer.from(before.data?.[key] ?? '', 'base64');
        octets[octets.length >> 1] = (octets[octets.length >> 1] ?? 0) ^ 1;
        await patch('secret', `${name}-signing`, { data: { [key]: octets.toString('base64') } });
        await eventually('the Secret to be as it was', async () => {
          const { data } = await secretOf(name);
          return data?.[key] === before.data?.[key];
        });
        expect((await secretOf(name)).data).to.deep.equal(before.data);
        expect((await eventOf(name, 'Repaired', /-signing/)).note).to.include(key);
        await swarm().ready(name);
      });
    }

    it('get a new Active when the private half is gone, and the old one stays published for a while', async () => {
      const name = await newAgent();
      const before = await kidOf(name);
      await patch('secret', `${name}-signing`, { data: { 'signing.key': '', 'signing-keys.json': '' } });
      await eventually('a new key', async () => ![before, undefined].includes(await kidOf(name)));
      expect(await states(name)).to.deep.equal(['Retiring', 'Active']);
      expect(await kidOf(name, 'Retiring')).to.equal(before);
      await eventOf(name, 'Repaired', /a key was missing or broken/);
      await swarm().ready(name);
    });

    it('come back with the Secret when it is deleted, the old one published for a while', async () => {
      const name = await newAgent();
      const before = await kidOf(name);
      await controlPlane().kubectl(['delete', 'secret', `${name}-signing`, '-n', AGENTS]);
      await eventually('the Secret', async () => (await swarm().secret(`${name}-signing`)) !== undefined);
      expect(await kidOf(name, 'Retiring')).to.equal(before);
      await swarm().ready(name);
    });

    it('are not replaced by a pair that somebody else made', async () => {
      const name = await newAgent();
      const before = await secretOf(name);
      const now = Math.floor(Date.now() / 1000);
      const planted = aged({ state: 'Active', createdMs: now * 1000, since: now - MINUTE });
      const uid = (await swarm().identity(name)).metadata.uid;
      const data = Object.fromEntries(
        Object.entries(signingKeyFiles(uid, [planted])).map(([key, text]) => [
          key,
          Buffer.from(text).toString('base64'),
        ]),
      );
      await patch('secret', `${name}-signing`, { data });
      await eventually('the planted key to be gone', async () => {
        return !(await keysOf(name)).some(({ kid }) => kid === planted.kid);
      });
      expect(await kidOf(name, 'Retiring')).to.equal(textOf(before, 'signing.kid'));
    });

    it('have labels, annotation, owner, data keys and type mended', async () => {
      const name = await newAgent();
      const before = await secretOf(name);
      await patch('secret', `${name}-signing`, {
        metadata: { annotations: null, ownerReferences: null },
        data: { more: 'eA==' },
      });
      await eventually('the Secret to be whole', async () => {
        const { metadata, data } = await secretOf(name);
        const { annotations, ownerReferences } = metadata;
        expect({ annotations, ownerReferences, data }).to.deep.equal({
          annotations: before.metadata.annotations,
          ownerReferences: before.metadata.ownerReferences,
          data: before.data,
        });
        return true;
      });
      await patch('secret', `${name}-signing`, { immutable: true });
      await eventually('it not to be immutable', async () => (await secretOf(name)).immutable !== true);
      expect((await secretOf(name)).data).to.deep.equal(before.data);
    });
  });

  it('are not mended for ever when somebody undoes it, and the certificate is none the worse', async () => {
    const name = await newAgent();
    for (let round = 0; round < 7; round++) {
      const before = (await secretOf(name)).metadata.uid;
      await controlPlane().kubectl(['delete', 'secret', `${name}-signing`, '-n', AGENTS]);
      if (round === 6) break;
      await eventually('another Secret', async () => {
        const secret = await swarm().secret(`${name}-signing`);
        return secret !== undefined && secret.metadata.uid !== before;
      });
    }
    const { status } = await swarm().ready(name, 'RepairLoop');
    expect(status?.conditions?.find(({ type }) => type === 'Ready')?.message).to.match(
      /^The signing keys were mended more than six times within an hour/,
    );
    expect([
      await condition(name, 'CertificateReady'),
      await condition(name, 'SigningKeyReady'),
    ]).to.deep.equal(['True Issued', 'False RepairLoop']);
  });

  it('leave a Secret of somebody else alone, and do not keep the certificate away', async () => {
    await swarm().client.create<Secret>(SECRET, {
      metadata: { name: 'taken-signing', namespace: AGENTS },
      type: 'Opaque',
      data: { password: 'eA==' },
    });
    await swarm().createAgent('taken');
    const { status } = await swarm().ready('taken', 'SecretConflict');
    expect(status?.conditions?.find(({ type }) => type === 'Ready')?.message).to.match(
      /^Secret ai-agents\/taken-signing exists and is not of this identity\. Set spec\.signingKey\.secretName/,
    );
    expect([
      await condition('taken', 'CertificateReady'),
      await condition('taken', 'SigningKeyReady'),
      (await swarm().secret('taken-signing'))?.data,
    ]).to.deep.equal(['True Issued', 'False SecretConflict', { password: 'eA==' }]);
    await controlPlane().kubectl(['delete', 'secret', 'taken-signing', '-n', AGENTS]);
    await swarm().ready('taken');
  });

  it('are there although the certificate cannot be', async () => {
    await swarm().client.create<Secret>(SECRET, {
      metadata: { name: 'half-tls', namespace: AGENTS },
      type: 'Opaque',
      data: { password: 'eA==' },
    });
    await swarm().createAgent('half');
    await swarm().ready('half', 'SecretConflict');
    expect([
      await condition('half', 'CertificateReady'),
      await condition('half', 'SigningKeyReady'),
    ]).to.deep.equal(['False SecretConflict', 'True Issued']);
    expect(await states('half')).to.deep.equal(['Active']);
  });

  describe('of an agent that may not sign any more', () => {
    it('are wiped when it is suspended, and others come when that is lifted', async () => {
      const name = await newAgent();
      const before = await secretOf(name);
      await patch('aid', name, { spec: { suspended: true } });
      const { status } = await swarm().ready(name, 'Quarantined');
      expect([await swarm().secret(`${name}-signing`), status?.signingKeys]).to.deep.equal([
        undefined,
        undefined,
      ]);
      await patch('aid', name, { spec: { suspended: false } });
      await swarm().ready(name);
      expect(await states(name)).to.deep.equal(['Active']);
      const after = await kidOf(name);
      expect(after).to.not.equal(textOf(before, 'signing.kid'));
      // From a copy the old one does not come back either.
      await patch('secret', `${name}-signing`, { data: before.data ?? {} });
      await eventually('the old key to be gone', async () => {
        return !(await keysOf(name)).some(({ kid }) => kid === textOf(before, 'signing.kid'));
      });
    });

    it('are wiped with their AgentIdentity, also when their Secret has lost every mark', async () => {
      const name = await newAgent();
      await operator.stop();
      await patch('secret', `${name}-signing`, {
        metadata: { annotations: null, ownerReferences: null },
      });
      await swarm().client.delete(AGENT_IDENTITY, { namespace: AGENTS, name });
      operator = await start();
      await eventually('the Secret to be gone', async () => {
        return (await swarm().secret(`${name}-signing`)) === undefined;
      });
    });

    it('are wiped although every mark and label is gone, when it is suspended', async () => {
      const name = await newAgent();
      await operator.stop();
      await patch('secret', `${name}-signing`, {
        metadata: { labels: null, annotations: null, ownerReferences: null },
      });
      await patch('aid', name, { spec: { suspended: true } });
      operator = await start();
      await swarm().ready(name, 'Quarantined');
      expect(await swarm().secret(`${name}-signing`)).to.equal(undefined);
    });

    it('are wiped under a former name', async () => {
      const name = await newAgent();
      const before = await kidOf(name);
      await patch('aid', name, { spec: { signingKey: { secretName: `${name}-keys` } } });
      await eventually('the former Secret to be wiped', async () => {
        return (await swarm().secret(`${name}-signing`)) === undefined;
      });
      const secret = await swarm().secret(`${name}-keys`);
      expect(textOf(secret as Secret, 'published-keys.json')).to.include(before);
    });
  });
});
