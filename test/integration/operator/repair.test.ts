/** Whatever is done to a Secret of ours, it is as it should be again, and an event says what was wrong. */

import { X509Certificate } from 'node:crypto';
import { expect } from 'chai';
import type { Secret } from '../../../src/controllers/identity/secret.ts';
import { EVENT, SECRET } from '../../../src/kube/core-types.ts';
import type { KubeObject } from '../../../src/kube/object.ts';
import { useControlPlane } from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { json, startLoopbackServer } from '../../support/loopback-server.ts';
import { type RunningOperator, startOperator } from '../../support/operator.ts';
import { AGENTS, useSwarm } from '../../support/swarm.ts';

interface Event extends KubeObject {
  readonly note: string;
  readonly reason: string;
  readonly regarding: { readonly name: string };
}

/** How the Secret is spoilt, and what the event must say. `keeps`: the certificate stays the same. */
interface Case {
  readonly patch: object;
  readonly note: RegExp;
  readonly keeps: boolean;
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

const CASES: Readonly<Record<string, Case>> = {
  'tls.crt overwritten with garbage': {
    patch: { data: { 'tls.crt': base64('garbage') } },
    note: /tls\.crt was not PEM/,
    keeps: false,
  },
  'tls.crt emptied': { patch: { data: { 'tls.crt': '' } }, note: /tls\.crt was empty/, keeps: false },
  'tls.key overwritten': {
    patch: { data: { 'tls.key': base64('garbage') } },
    note: /tls\.key was not PEM/,
    keeps: false,
  },
  'ca.crt altered': {
    patch: { data: { 'ca.crt': base64('not a root') } },
    note: /ca\.crt was not the trust bundle/,
    keeps: true,
  },
  'ca.crt removed': { patch: { data: { 'ca.crt': null } }, note: /ca\.crt was missing/, keeps: true },
  'the combined PEM altered': {
    patch: { data: { 'tls-combined.pem': base64('x') } },
    note: /tls-combined\.pem was not tls\.key and tls\.crt/,
    keeps: true,
  },
  'a data key added': { patch: { data: { extra: base64('x') } }, note: /extra data key extra/, keeps: true },
  'the agent label changed': {
    patch: { metadata: { labels: { 'agenttrust.dev/agent': 'somebody' } } },
    note: /label agenttrust\.dev\/agent was missing or changed/,
    keeps: true,
  },
  'the managed label removed': {
    patch: { metadata: { labels: { 'agenttrust.dev/managed': null } } },
    note: /label agenttrust\.dev\/managed was missing or changed/,
    keeps: true,
  },
  'every label and annotation removed': {
    patch: { metadata: { labels: null, annotations: null } },
    note: /annotation agenttrust\.dev\/owner-uid was missing or changed/,
    keeps: true,
  },
  'the owner reference removed': {
    patch: { metadata: { ownerReferences: null } },
    note: /the owner reference to the AgentIdentity was missing/,
    keeps: true,
  },
  'immutable set': { patch: { immutable: true }, note: /the Secret was immutable/, keeps: true },
};

describe('repair of a Secret', () => {
  const controlPlane = useControlPlane();
  const swarm = useSwarm(controlPlane);
  let operator: RunningOperator;
  let count = 0;

  const start = (): Promise<RunningOperator> =>
    startOperator({ controlPlane: controlPlane(), flags: [`--namespaces=${AGENTS}`] });

  before(async () => {
    operator = await start();
  });
  after(() => operator?.stop());

  async function newAgent(): Promise<{
    readonly name: string;
    readonly secretName: string;
    readonly secret: Secret;
  }> {
    const name = `agent-${count++}`;
    await swarm().createAgent(name);
    await swarm().ready(name);
    const secret = await swarm().secret(`${name}-tls`);
    if (secret === undefined) throw new Error('Ready without a Secret');
    return { name, secretName: `${name}-tls`, secret };
  }

  function serial(secret: Secret | undefined): string {
    return new X509Certificate(Buffer.from(secret?.data?.['tls.crt'] ?? '', 'base64')).serialNumber;
  }

  /** Everything of a Secret that the operator answers for. */
  function essence({ metadata, type, immutable, data }: Secret): object {
    const { labels, annotations, ownerReferences } = metadata;
    return { labels, annotations, ownerReferences, type, immutable, data };
  }

  function eventOf(name: string, note: RegExp): Promise<Event> {
    return eventually(`an event of ${name} that says ${note}`, async () => {
      const { items } = await swarm().client.list<Event>(EVENT, { namespace: AGENTS });
      return items.find((event) => event.regarding.name === name && note.test(event.note));
    });
  }

  for (const [what, { patch, note, keeps }] of Object.entries(CASES)) {
    it(`mends ${what}`, async () => {
      const { name, secretName, secret } = await newAgent();
      await controlPlane().kubectl([
        'patch',
        'secret',
        secretName,
        '-n',
        AGENTS,
        '--type=merge',
        '-p',
        JSON.stringify(patch),
      ]);
      await eventually('the Secret to be whole again', async () => {
        const mended = await swarm().secret(secretName);
        if (mended === undefined) return false;
        if (keeps) expect(essence(mended)).to.deep.equal(essence(secret));
        return serial(mended) === serial(secret) ? keeps : !keeps;
      });
      expect((await eventOf(name, note)).reason).to.equal('Repaired');
      await swarm().ready(name);
    });
  }

  it('mends a key that belongs to another certificate', async () => {
    const [one, other] = [await newAgent(), await newAgent()];
    const patch = JSON.stringify({ data: { 'tls.key': other.secret.data?.['tls.key'] } });
    await controlPlane().kubectl([
      'patch',
      'secret',
      one.secretName,
      '-n',
      AGENTS,
      '--type=merge',
      '-p',
      patch,
    ]);
    await eventually(
      'another certificate',
      async () => serial(await swarm().secret(one.secretName)) !== serial(one.secret),
    );
    expect((await eventOf(one.name, /tls\.key did not belong to tls\.crt/)).reason).to.equal('Repaired');
  });

  it('mends a pair of another agent, signed by the same authority', async () => {
    const [one, other] = [await newAgent(), await newAgent()];
    const { 'tls.crt': certificate, 'tls.key': key } = other.secret.data ?? {};
    const patch = JSON.stringify({ data: { 'tls.crt': certificate, 'tls.key': key } });
    await controlPlane().kubectl([
      'patch',
      'secret',
      one.secretName,
      '-n',
      AGENTS,
      '--type=merge',
      '-p',
      patch,
    ]);
    await eventually('a certificate of its own', async () => {
      const now = serial(await swarm().secret(one.secretName));
      return now !== serial(other.secret) && now !== serial(one.secret);
    });
    expect((await eventOf(one.name, /differed from the spec: SPIFFE ID/)).reason).to.equal('Renewed');
  });

  it('brings a deleted Secret back', async () => {
    const { name, secretName, secret } = await newAgent();
    await controlPlane().kubectl(['delete', 'secret', secretName, '-n', AGENTS]);
    await eventually('another Secret', async () => {
      const back = await swarm().secret(secretName);
      return back !== undefined && back.metadata.uid !== secret.metadata.uid;
    });
    expect((await eventOf(name, /the Secret did not exist/)).reason).to.equal('Repaired');
  });

  it('replaces a Secret of ours that has the wrong type', async () => {
    const { name, secretName, secret } = await newAgent();
    // While the operator is away: it would be faster than two writes.
    await operator.stop();
    const { labels, annotations, ownerReferences } = secret.metadata;
    await controlPlane().kubectl(['delete', 'secret', secretName, '-n', AGENTS]);
    await swarm().client.create<Secret>(SECRET, {
      metadata: {
        name: secretName,
        namespace: AGENTS,
        labels,
        annotations,
        ownerReferences,
      } as Secret['metadata'],
      type: 'Opaque',
      data: secret.data ?? {},
    });
    operator = await start();
    const mended = await eventually('the right type', async () => {
      const found = await swarm().secret(secretName);
      return found?.type === 'kubernetes.io/tls' && found;
    });
    expect(serial(mended)).to.equal(serial(secret));
    expect((await eventOf(name, /the Secret was not of type kubernetes\.io\/tls/)).reason).to.equal(
      'Repaired',
    );
  });

  it('keeps what others wrote beside its own', async () => {
    const { secretName, secret } = await newAgent();
    const patch = JSON.stringify({
      metadata: { labels: { team: 'a' }, annotations: { note: 'b' } },
      data: { 'ca.crt': base64('x') },
    });
    await controlPlane().kubectl(['patch', 'secret', secretName, '-n', AGENTS, '--type=merge', '-p', patch]);
    await eventually('ca.crt to be mended', async () => {
      const mended = await swarm().secret(secretName);
      return mended?.data?.['ca.crt'] === secret.data?.['ca.crt'] && mended;
    });
    const mended = await swarm().secret(secretName);
    expect(mended?.metadata.labels).to.deep.equal({ ...secret.metadata.labels, team: 'a' });
    expect(mended?.metadata.annotations).to.deep.equal({ ...secret.metadata.annotations, note: 'b' });
  });

  it('says what is wrong while something alters it on its way', async () => {
    const patch = Buffer.from(JSON.stringify([{ op: 'add', path: '/data/extra', value: 'eA==' }]));
    const meddler = await startLoopbackServer((response, request) => {
      const { uid } = (request.body as { readonly request: { readonly uid: string } }).request;
      json(200, {
        apiVersion: 'admission.k8s.io/v1',
        kind: 'AdmissionReview',
        response: { uid, allowed: true, patchType: 'JSONPatch', patch: patch.toString('base64') },
      })(response, request);
    });
    try {
      const stdin = JSON.stringify({
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: 'MutatingWebhookConfiguration',
        metadata: { name: 'meddler' },
        webhooks: [
          {
            name: 'meddler.example.org',
            admissionReviewVersions: ['v1'],
            sideEffects: 'None',
            matchConditions: [{ name: 'one', expression: 'object.metadata.name == "altered-tls"' }],
            clientConfig: { url: meddler.url.href, caBundle: base64(meddler.ca ?? '') },
            rules: [
              {
                apiGroups: [''],
                apiVersions: ['v1'],
                operations: ['CREATE', 'UPDATE'],
                resources: ['secrets'],
              },
            ],
          },
        ],
      });
      await controlPlane().kubectl(['create', '--filename=-'], { stdin });
      await eventually('Secrets to be altered', async () => {
        const dryRun = ['create', 'secret', 'generic', 'altered-tls', '-n', AGENTS, '--dry-run=server'];
        return (await controlPlane().kubectl([...dryRun, '--from-literal=a=b', '-o=yaml'])).stdout.includes(
          'extra:',
        );
      });
      await swarm().createAgent('altered');
      const note = /Secret altered-tls was altered on its way to the server \(extra data key extra\)/;
      expect((await eventOf('altered', note)).reason).to.equal('IssueFailed');
      await controlPlane().kubectl(['delete', 'mutatingwebhookconfiguration', 'meddler']);
    } finally {
      await meddler.close();
    }
    // Whoever comes next does not know how often it was mended.
    await operator.stop();
    operator = await start();
    await swarm().ready('altered');
    expect((await swarm().secret('altered-tls'))?.data).to.not.have.property('extra');
  });

  it('mends the trust bundle, and tells of it', async () => {
    await newAgent();
    const patch = '{"data":{"ca.crt":"x","more":"y"}}';
    await eventually('the bundle to be there', async () => {
      const patched = await controlPlane().kubectl(
        ['patch', 'configmap', 'agent-trust-bundle', '-n', AGENTS, '--type=merge', '-p', patch],
        { mayFail: true },
      );
      return patched.exitStatus === 0;
    });
    await eventOf('agent-trust-bundle', /its data were not what agent-trust has signed/);
    const { stdout } = await controlPlane().kubectl([
      'get',
      'configmap',
      'agent-trust-bundle',
      '-n',
      AGENTS,
      '-o',
      'json',
    ]);
    expect(Object.keys((JSON.parse(stdout) as { data: object }).data)).to.deep.equal([
      'bundle.jws',
      'ca.crl',
      'ca.crt',
      'jwks.json',
      'policy.json',
      'revocations.json',
    ]);
  });

  it('brings a deleted trust bundle back', async () => {
    await newAgent();
    await controlPlane().kubectl(['delete', 'configmap', 'agent-trust-bundle', '-n', AGENTS]);
    await eventually('the bundle', async () => {
      const found = await controlPlane().kubectl(['get', 'configmap', 'agent-trust-bundle', '-n', AGENTS], {
        mayFail: true,
      });
      return found.exitStatus === 0;
    });
  });
});
