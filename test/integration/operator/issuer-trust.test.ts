/** Whom agents trust of the issuers of cert-manager: only who is listed, fenced, and not made up by somebody else. */

import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { ensureCertificateRequestCrd } from '../../../hack/cert-manager-crds/cert-manager-crds.ts';
import { installChart, OPERATOR_NAMESPACE } from '../../../hack/operator/install-chart.ts';
import { BUNDLE_NAME, ISSUERS_NAME } from '../../../src/api/group.ts';
import type { ConfigMap } from '../../../src/controllers/bundle/bundle-record.ts';
import { CONFIG_MAP } from '../../../src/kube/core-types.ts';
import { useControlPlane } from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { answered, liveCA, TestSigner } from '../../support/issuance/signer.ts';
import { type RunningOperator, startOperator } from '../../support/operator.ts';
import { AGENTS, useSwarm } from '../../support/swarm.ts';

/** Ten minutes without a fence become twenty seconds. */
const ACCELERATED = ['--authority-life=8760h', '--authority-acceleration=30'];
const LEARNED_ID = 'ClusterIssuer_cert-manager.io_learned';

interface Issuer {
  readonly name: string;
  readonly ca?: string;
  readonly former?: boolean;
}

interface Role {
  readonly metadata: { readonly name: string; readonly namespace: string; readonly labels: object };
  readonly rules: readonly { readonly resources: readonly string[]; readonly [member: string]: unknown }[];
}

describe('trust in an issuer of cert-manager', () => {
  const controlPlane = useControlPlane();
  const swarm = useSwarm(controlPlane);
  const root = liveCA('root of the issuer');
  const middle = liveCA('intermediate', root);
  const unlisted = liveCA('CA that nobody has listed');
  const evil = liveCA('CA of somebody else');
  const listed: Issuer = { name: 'listed', ca: root.pem };
  const issuers: readonly Issuer[] = [listed, { name: 'learned' }];
  let signer: TestSigner;
  let operator: RunningOperator | undefined;

  const kubectl = async (...args: readonly string[]): Promise<string> =>
    (await controlPlane().kubectl(args)).stdout;
  const unbind = (name: string): Promise<string> =>
    kubectl('delete', 'validatingadmissionpolicybinding', name, '--ignore-not-found');
  const install = (of: readonly Issuer[] = issuers): Promise<void> =>
    installChart({
      kubeconfigPath: controlPlane().kubeconfigPath,
      namespaces: [AGENTS],
      admission: 'policies',
      set: of.flatMap(({ name, former = false }, at) => [
        `certManager.issuers[${at}].name=${name}`,
        `certManager.issuers[${at}].former=${former}`,
      ]),
    });
  async function start(of: readonly Issuer[] = issuers): Promise<void> {
    const flags = [`--namespaces=${AGENTS}`, `--issuers=${JSON.stringify(of)}`, ...ACCELERATED];
    operator = await startOperator({ controlPlane: controlPlane(), flags });
  }
  const stop = async (): Promise<unknown> => operator?.stop();

  const create = (name: string, issuer?: string): Promise<unknown> =>
    swarm().createAgent(name, issuer === undefined ? {} : { certificate: { issuerRef: { name: issuer } } });
  const bundle = async (): Promise<string> =>
    (await swarm().client.find<ConfigMap>(CONFIG_MAP, { namespace: AGENTS, name: BUNDLE_NAME }))?.data?.[
      'ca.crt'
    ] ?? '';
  const fileOf = async (name: string, file: 'ca.crt' | 'tls.crt'): Promise<string> =>
    Buffer.from((await swarm().secret(`${name}-tls`))?.data?.[file] ?? '', 'base64').toString();
  const caOf = (name: string): Promise<string> => fileOf(name, 'ca.crt');
  const remembered = (): Promise<ConfigMap | undefined> =>
    swarm().client.find<ConfigMap>(CONFIG_MAP, { namespace: OPERATOR_NAMESPACE, name: ISSUERS_NAME });
  const noted = (reason: string, count = 1): Promise<unknown> =>
    eventually(`event ${reason}`, async () => {
      const field = `involvedObject.name=${ISSUERS_NAME},reason=${reason}`;
      const items = await kubectl(
        'get',
        'events',
        '-n',
        OPERATOR_NAMESPACE,
        `--field-selector=${field}`,
        '-o=name',
      );
      return items.split('\n').filter((line) => line !== '').length >= count;
    });
  const trusted = (pem: string, names: readonly string[]): Promise<unknown> =>
    eventually('every ca.crt to have the CA', async () =>
      (await Promise.all([bundle(), ...names.map(caOf)])).every((text) => text.includes(pem)),
    );
  const untrusted = (pem: string, names: readonly string[]): Promise<unknown> =>
    eventually('no ca.crt to have the CA', async () =>
      (await Promise.all([bundle(), ...names.map(caOf)])).every((text) => text !== '' && !text.includes(pem)),
    );

  before(async () => {
    const stdin = await readFile(await ensureCertificateRequestCrd(), 'utf8');
    await controlPlane().kubectl(['create', '--filename=-'], { stdin });
    await install();
    signer = new TestSigner(swarm().client, OPERATOR_NAMESPACE, { listed: root, learned: unlisted });
    await eventually('CertificateRequests to be served', async () => {
      const { exitStatus } = await controlPlane().kubectl(['get', 'certificaterequests', '-A'], {
        mayFail: true,
      });
      return exitStatus === 0;
    });
    await signer.start();
    await unbind('agent-trust-issuers');
    await start();
  });
  after(async () => {
    await stop();
    await signer?.stop();
  });

  it('begins when its fence is seen, and not before', async () => {
    await create('built-in');
    await create('issued', 'listed');
    await create('learner', 'learned');
    await swarm().ready('built-in');
    await swarm().ready('issued', 'IssuerNotFenced');
    await swarm().ready('learner', 'IssuerNotFenced');
    for (const text of [await bundle(), await caOf('built-in')])
      expect(text.match(/BEGIN CERTIFICATE/g)).to.have.length(1);
    expect([signer.count('issued'), signer.count('learner'), await remembered()]).to.deep.equal([
      0,
      0,
      undefined,
    ]);
    await install();
    await swarm().ready('issued');
    await swarm().ready('learner');
    await noted('IssuerTrusted');
    for (const { pem } of [root, unlisted]) await trusted(pem, ['built-in', 'issued', 'learner']);
  });

  it('has its ConfigMap put back when that is deleted', async () => {
    await unbind('agent-trust-managed-configmaps');
    const before = (await remembered())?.data;
    await eventually('it to be deleted', async () => {
      const { exitStatus } = await controlPlane().kubectl(
        ['delete', 'configmap', ISSUERS_NAME, '-n', OPERATOR_NAMESPACE],
        { mayFail: true },
      );
      return exitStatus === 0;
    });
    await eventually('it to be back', async () => (await remembered())?.data !== undefined);
    expect((await remembered())?.data).to.deep.equal(before);
    await noted('Repaired');
  });

  it('has its ConfigMap put back when that is altered, and nobody trusts what it said', async () => {
    const before = await remembered();
    await forge();
    await eventually('it to be as it was', async () => {
      const { data, metadata } = (await remembered()) ?? { metadata: { name: '' } };
      return (
        metadata.resourceVersion !== before?.metadata.resourceVersion &&
        JSON.stringify(data) === JSON.stringify(before?.data)
      );
    });
    await create('later');
    await swarm().ready('later');
    expect([(await bundle()).includes(evil.pem), (await caOf('later')).includes(evil.pem)]).to.deep.equal([
      false,
      false,
    ]);
  });

  it('does not follow from a ConfigMap that was altered while no operator ran', async () => {
    await stop();
    await forge();
    await start();
    await create('after-forgery', 'learned');
    await swarm().ready('after-forgery');
    await trusted(unlisted.pem, ['built-in', 'after-forgery']);
    expect((await bundle()).includes(evil.pem)).to.equal(false);
    expect((await remembered())?.data?.[LEARNED_ID]).to.include(unlisted.pem);
    await noted('Repaired', 2);
  });

  async function forge(): Promise<void> {
    const text = `since 2026-01-01T00:00:00.000Z\n${evil.pem}`;
    await swarm().client.mergePatch(CONFIG_MAP, {
      namespace: OPERATOR_NAMESPACE,
      name: ISSUERS_NAME,
      patch: { data: { [LEARNED_ID]: text } },
    });
  }

  it('ends ten minutes after its fence was seen to be gone, and begins anew when it is back', async () => {
    signer.behave('chained', ({ request, times }) => answered(middle.sign(request, times) + middle.pem));
    await create('chained', 'listed');
    await swarm().ready('chained');
    const chain = await fileOf('chained', 'tls.crt');
    await unbind('agent-trust-issuers');
    await noted('IssuerNotFenced');
    expect(await bundle()).to.include(root.pem);
    const names = ['built-in', 'issued', 'learner', 'chained'];
    for (const { pem } of [root, unlisted]) await untrusted(pem, names);
    await noted('IssuerUntrusted');
    await swarm().ready('issued', 'IssuerNotFenced');
    expect(await fileOf('chained', 'tls.crt')).to.equal(chain);
    await install();
    await swarm().ready('chained');
    for (const { pem } of [root, unlisted]) await trusted(pem, names);
    expect(await fileOf('chained', 'tls.crt')).to.equal(chain);
  });

  it('is not lost without rights on that ConfigMap: the built-in authority goes on, and says so', async () => {
    await stop();
    const giveBack = await limitRights([
      'agent-trust-authority',
      'agent-trust-authority-state',
      'agent-trust-ledger-1',
    ]);
    await start();
    await create('meanwhile');
    await swarm().ready('meanwhile');
    await create('asking', 'learned');
    const refused = await swarm().ready('asking', 'IssuerUnavailable');
    const message = refused.status?.conditions?.find(({ type }) => type === 'Ready')?.message;
    expect(message).to.include(`ConfigMap ${ISSUERS_NAME} could not be read or written`);
    await noted('IssuersUnavailable');
    await giveBack();
    await swarm().ready('asking');
    await trusted(unlisted.pem, ['meanwhile', 'asking']);
  });

  /** Limits the rights of the operator on ConfigMaps of its namespace to some; gives what takes that back. */
  async function limitRights(resourceNames: readonly string[]): Promise<() => Promise<unknown>> {
    const { metadata, ...role } = JSON.parse(
      await kubectl('get', 'role', 'agent-trust-controller', '-n', OPERATOR_NAMESPACE, '-o=json'),
    ) as Role;
    const { name, namespace, labels } = metadata;
    const replace = (rules: Role['rules']): Promise<unknown> => {
      const stdin = JSON.stringify({ ...role, metadata: { name, namespace, labels }, rules });
      return controlPlane().kubectl(['replace', '--filename=-'], { stdin });
    };
    await replace([
      ...role.rules.filter(({ resources }) => !resources.includes('configmaps')),
      { apiGroups: [''], resources: ['configmaps'], verbs: ['list', 'create'] },
      { apiGroups: [''], resources: ['configmaps'], resourceNames, verbs: ['get', 'update', 'watch'] },
    ]);
    return () => replace(role.rules);
  }

  it('lasts as long as a certificate of a former issuer lives, and no longer', async () => {
    const former = [{ ...listed, former: true }, { name: 'learned' }];
    await stop();
    await install(former);
    await start(former);
    await swarm().ready('issued', 'IssuerNotListed');
    await create('newcomer');
    await swarm().ready('newcomer');
    await trusted(root.pem, ['built-in', 'newcomer', 'issued']);
    await stop();
    await unbind('agent-trust-managed-configmaps');
    await endLeaves();
    await start(former);
    await untrusted(root.pem, ['built-in', 'newcomer']);
    await trusted(unlisted.pem, ['built-in', 'newcomer']);
  });

  /** As if the certificates of the issuer had ended. */
  async function endLeaves(): Promise<void> {
    const name = 'agent-trust-ledger-1';
    const ledger = await swarm().client.get<ConfigMap>(CONFIG_MAP, { namespace: OPERATOR_NAMESPACE, name });
    const ended = (ledger.data?.['ledger'] ?? '')
      .split('\n')
      .filter((line) => ![`${AGENTS}/issued `, `${AGENTS}/chained `].some((agent) => line.includes(agent)))
      .join('\n');
    await eventually('the ledger to be altered', async () => {
      await swarm().client.mergePatch(CONFIG_MAP, {
        namespace: OPERATOR_NAMESPACE,
        name,
        patch: { data: { ledger: ended } },
      });
      return true;
    });
  }
});
