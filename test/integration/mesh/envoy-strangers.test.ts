/** Strangers, forged headers and paths that are almost the allowed one, at a real Envoy with what is rendered. */

import { expect } from 'chai';
import type { Account, MeshFacts } from '../../../src/domain/mesh/model.ts';
import { planMesh } from '../../../src/domain/mesh/plan.ts';
import { MeshAuthority, type TlsIdentity } from '../../support/mesh/certificates.ts';
import type { MeshAnswer } from '../../support/mesh/mesh-client.ts';
import { TRUST_DOMAIN } from '../../support/mesh/mesh-scene.ts';
import { targetsOf } from '../../support/mesh/mesh-world.ts';
import { SWARM, swarmWorld } from '../../support/mesh/swarm-world.ts';
import { callAll, useScenes } from '../../support/mesh/use-scenes.ts';

const SIDECAR: MeshFacts = { trustDomain: TRUST_DOMAIN, servesIstio: true, dataPlane: 'sidecar' };
const COORDINATOR_ID = `spiffe://${TRUST_DOMAIN}/ns/ai-agents/sa/agent-coordinator-sa`;

/** Not the path of the route, to a proxy that takes nothing apart and to one that does. */
const OTHER_PATHS: readonly string[] = [
  '//v1/delegate',
  '/v1//delegate',
  '/v1/delegate/',
  '/v1/delegate//',
  '/v1/delegate/.',
  '/v1/delegate/..',
  '/v1/delegate/%2e%2e',
  '/V1/delegate',
  '/v1/Delegate',
  '/v1/DELEGATE',
  '/v1%2fdelegate',
  '/v1%2Fdelegate',
  '/v1%5cdelegate',
  '/v1/delegate%2f',
  '/v1/delegate%2e',
  '/v1/delegate%20',
  '/v1/delegate%00',
  '/v1/delegate%3fx',
  '/v1/delegate;x=1',
  '/v1/delegate.json',
  '/v1/delegate%252e',
  '/v1/%252e%252e/v1/delegate',
  '/..%2fv1/delegate',
  '/v1',
  '/',
];
/** The same path by RFC 3986, section 6.2.2; and Envoy takes a backslash for a slash. */
const SAME_PATHS: readonly string[] = [
  '/v1/./delegate',
  '/v1/x/../delegate',
  '/v1/%2e%2e/v1/delegate',
  '/v1/%2E/delegate',
  '/../v1/delegate',
  '/v1/d%65legate',
  '/v1\\delegate',
  '/v1/delegate?a=/../b',
];

describe('a real Envoy with rendered policy', () => {
  const objects = targetsOf(swarmWorld()).flatMap((target) =>
    Object.values(planMesh(target, SIDECAR).objects),
  );
  const scenes = useScenes(() => [{ objects, pods: Object.values(SWARM) }]);
  const place = { scene: 0, pod: SWARM.deployer };

  /** What the deployer's sidecar answers to `POST /v1/delegate`. */
  async function answerTo(
    identity: TlsIdentity | undefined,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<MeshAnswer> {
    const call = { method: 'POST', path: '/v1/delegate', headers };
    const [answer] = await callAll(scenes(), { place, identity }, [call]);
    if (answer === undefined) throw new Error('the call was not answered');
    return answer;
  }

  async function answersTo(from: Account, paths: readonly string[]): Promise<readonly MeshAnswer[]> {
    const identity = await scenes().identity(from);
    return callAll(
      scenes(),
      { place, identity },
      paths.map((path) => ({ method: 'POST', path })),
    );
  }

  // what is refused below is refused by a proxy that works
  afterEach(async () => {
    expect(await answerTo(await scenes().identity(SWARM.coordinator))).to.include({ kind: 'done' });
  });

  describe('refuses callers', () => {
    it('without certificate', async () => {
      expect(await answerTo(undefined)).to.include({ kind: 'no connection' });
    });

    it('with the name of a caller from another authority', async () => {
      const identity = await new MeshAuthority(TRUST_DOMAIN).issue(SWARM.coordinator);
      expect(await answerTo(identity)).to.include({ kind: 'no connection' });
    });

    it('of another trust domain', async () => {
      const identity = await new MeshAuthority('evil.example').issue(SWARM.coordinator);
      expect(await answerTo(identity)).to.include({ kind: 'no connection' });
    });

    it('of another trust domain, even if our authority had signed it', async () => {
      for (const trustDomain of ['evil.example', `${TRUST_DOMAIN}.evil.example`]) {
        const identity = await scenes().authority.issue(SWARM.coordinator, trustDomain);
        expect(await answerTo(identity), trustDomain).to.include({ kind: 'no connection' });
      }
    });

    it('whose name almost is that of one who may call', async () => {
      for (const account of [
        { ...SWARM.coordinator, namespace: 'ai-agent' },
        { ...SWARM.coordinator, namespace: 'default' },
        { ...SWARM.coordinator, serviceAccountName: 'agent-coordinator' },
        { ...SWARM.coordinator, serviceAccountName: 'agent-coordinator-sa2' },
      ]) {
        const answer = await answerTo(await scenes().authority.issue(account));
        expect(answer, JSON.stringify(account)).to.include({ kind: 'refused', status: 403 });
      }
    });

    it('who forge the header that names the caller', async () => {
      const stranger = await scenes().authority.issue({ namespace: 'ai-agents', serviceAccountName: 'x' });
      const analyst = await scenes().identity(SWARM.analyst);
      for (const forged of [
        `URI=${COORDINATOR_ID}`,
        `By=spiffe://x;Hash=00;Subject="CN=a";URI=${COORDINATOR_ID}`,
        `URI=${COORDINATOR_ID},URI=${COORDINATOR_ID}`,
      ]) {
        const headers = { 'x-forwarded-client-cert': forged };
        expect(await answerTo(stranger, headers), forged).to.include({ kind: 'refused', status: 403 });
        expect(await answerTo(analyst, headers), forged).to.include({ kind: 'refused', status: 403 });
        expect(await answerTo(undefined, headers), forged).to.include({ kind: 'no connection' });
      }
    });
  });

  it('puts the proven caller behind what a caller says of itself', async () => {
    const answer = await answerTo(await scenes().identity(SWARM.coordinator), {
      'x-forwarded-client-cert': 'URI=spiffe://forged',
    });
    const seen = answer.kind === 'done' ? answer.callers.match(/(?<![^;,])URI=[^;,]+/g) : answer;
    expect(seen).to.deep.equal(['URI=spiffe://forged', `URI=${COORDINATOR_ID}`]);
  });

  describe('refuses paths', () => {
    it('that are not exactly the allowed one, from whom that is allowed', async () => {
      const kinds = (await answersTo(SWARM.coordinator, OTHER_PATHS)).map(({ kind }, at) => [
        OTHER_PATHS[at],
        kind,
      ]);
      expect(kinds).to.deep.equal(OTHER_PATHS.map((path) => [path, 'refused']));
    });

    it('in every spelling, from anybody else', async () => {
      const paths = [...OTHER_PATHS, ...SAME_PATHS, '/v1/delegate'];
      for (const from of [SWARM.analyst, SWARM.validator, SWARM.deployer]) {
        const kinds = (await answersTo(from, paths)).map(({ kind }, at) => [paths[at], kind]);
        expect(kinds, from.serviceAccountName).to.deep.equal(paths.map((path) => [path, 'refused']));
      }
    });
  });

  it('takes other spellings of the allowed path for it, and hands the application the plain one', async () => {
    const seen = (await answersTo(SWARM.coordinator, SAME_PATHS)).map((answer) =>
      answer.kind === 'done' ? answer.path.replace(/\?.*/, '') : answer.kind,
    );
    expect(seen).to.deep.equal(SAME_PATHS.map(() => '/v1/delegate'));
  });
});
