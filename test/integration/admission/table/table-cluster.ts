/** Builds the world of the admission table in a cluster, and asks every row in it. */

import { isDeepStrictEqual as isEqual } from 'node:util';
import { expect } from 'chai';
import { before, describe, it } from 'mocha';
import { type AdmissionCluster, useAdmissionCluster } from '../../../support/admission/admission-cluster.ts';
import { type Answer, rbacSays } from '../../../support/admission/answer.ts';
import type { Caller } from '../../../support/admission/api-server.ts';
import { pathOf } from '../../../support/admission/ask.ts';
import { type Manifest, type Request, remove } from '../../../support/admission/request.ts';
import { eventually } from '../../../support/eventually.ts';
import type { Expected, Row } from './row.ts';
import { AGENTS, DATA, ELSEWHERE, GITOPS, USERS, type User, type UserName } from './users.ts';
import { GHOST, SETTLED, WORLD, wallOf } from './world.ts';

/** Whether our processes run while the rows are asked. */
export type Processes = 'running' | 'down';

const SETUP_TIMEOUT_MS = 300_000;
const AT_ONCE = 8;
/** kubectl's group for everybody; the API server adds it by itself to tokens only. */
const AUTHENTICATED = 'system:authenticated';

/** Builds the world before the tests of a suite, asks every row there, and gives a test for each. */
export function itAnswers(rows: readonly Row[], processes: Processes): void {
  const cluster = useAdmissionCluster({ governed: [AGENTS, DATA], others: [ELSEWHERE, GITOPS] });
  const answers = new Map<Row, readonly Answer[]>();
  let worldBefore: readonly string[] = [];

  before(async function () {
    this.timeout(SETUP_TIMEOUT_MS);
    const manifests = rows.flatMap(({ given = [] }) => given);
    await build(cluster(), manifests);
    if (processes === 'down') await cluster().stopProcesses();
    worldBefore = await specsOf(cluster());
    const callers = await callersOf(cluster());
    await concurrently(rows, async (row) => {
      answers.set(row, await asked(cluster(), row, callers));
    });
  });

  for (const { name } of USERS) {
    const own = rows.filter(({ user }) => user === name);
    if (own.length === 0) continue;
    describe(name, () => {
      for (const row of own) {
        const expected = processes === 'down' ? (row.whileDown ?? row.answer) : row.answer;
        it(row.does, () => {
          for (const answer of answers.get(row) ?? []) {
            if (row.or !== undefined && isEqual(answer, wholeOf(row.or, row.request))) continue;
            expect(answer).to.deep.equal(wholeOf(expected, row.request));
          }
          expect(answers.get(row)).to.have.length.greaterThan(0);
        });
      }
    });
  }

  it('and none of it has changed what the rows share', async () => {
    expect(await specsOf(cluster())).to.deep.equal(worldBefore);
  });
}

/** The words of RBAC follow from the request. */
function wholeOf(expected: Expected, request: Request): Answer {
  if ('warnings' in expected) return expected;
  return { says: rbacSays(request), ...expected };
}

/** As a dry run first: it has to say the same, and stores nothing. */
async function asked(
  cluster: AdmissionCluster,
  { user, request, dryRun }: Row,
  callers: ReadonlyMap<UserName, Caller>,
): Promise<readonly Answer[]> {
  const caller = callers.get(user);
  const isWrite = !['get', 'list', 'impersonate'].includes(request.verb);
  const dry = isWrite ? [await cluster.ask(request, caller, { dryRun: true })] : [];
  return dryRun === true ? dry : [...dry, await cluster.ask(request, caller)];
}

async function build(cluster: AdmissionCluster, manifests: readonly Manifest[]): Promise<void> {
  await bindAll(cluster);
  for (const manifest of [...WORLD, ...GHOST]) await cluster.make(manifest);
  await concurrently(manifests, (manifest) => cluster.make(manifest));
  for (const [agent, reason] of Object.entries({ ...SETTLED, ghost: 'Issued' }))
    await eventually(`${agent} to be ${reason}`, () => isReady(cluster, agent, reason));
  await cluster.ask(remove({ kind: 'AgentIdentity', namespace: AGENTS, name: 'ghost' }));
  await eventually('the tombstone of ghost', async () => {
    const { body } = await stored(cluster, wallOf('ghost'));
    return (body as Manifest).metadata.labels?.['agenttrust.dev/tombstone'] !== undefined;
  });
}

async function isReady(cluster: AdmissionCluster, name: string, reason: string): Promise<boolean> {
  const { body } = await stored(cluster, { kind: 'AgentIdentity', namespace: AGENTS, name });
  const { status } = body as { status?: { conditions?: readonly { type: string; reason: string }[] } };
  return status?.conditions?.some((each) => each.type === 'Ready' && each.reason === reason) === true;
}

async function stored(
  cluster: AdmissionCluster,
  target: Request['target'],
): Promise<{ readonly body: unknown }> {
  return cluster.server.ask({ method: 'GET', path: pathOf(target) });
}

/** Roles of the users; built-in roles are aggregated by a controller and not there at once. */
async function bindAll(cluster: AdmissionCluster): Promise<void> {
  for (const user of USERS) {
    for (const { role, namespaces } of user.grants) {
      const name = `${slug(user.name)}-${role}`;
      const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role };
      const subjects = [subjectOf(user)];
      if (namespaces === undefined)
        await cluster.make({ kind: 'ClusterRoleBinding', metadata: { name }, roleRef, subjects });
      for (const namespace of namespaces ?? [])
        await cluster.make({ kind: 'RoleBinding', metadata: { name, namespace }, roleRef, subjects });
    }
  }
  await eventually('the role edit to be whole', async () => {
    const { body } = await stored(cluster, { kind: 'ClusterRole', name: 'edit' });
    const { rules } = body as { rules: readonly { resources?: readonly string[] }[] | null };
    return rules?.some(({ resources = [] }) => resources.includes('agentidentities'));
  });
}

function slug(name: string): string {
  return name.replaceAll(' ', '-').toLowerCase();
}

function subjectOf({ name, account }: User): object {
  return account === undefined
    ? { kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: slug(name) }
    : { kind: 'ServiceAccount', ...account };
}

async function callersOf(cluster: AdmissionCluster): Promise<ReadonlyMap<UserName, Caller>> {
  const callers = USERS.map(async ({ name, account }): Promise<[UserName, Caller]> => {
    if (account === undefined) return [name, { user: slug(name), groups: [AUTHENTICATED] }];
    return [name, { token: await cluster.controlPlane.tokenFor(account) }];
  });
  return new Map(await Promise.all(callers));
}

/** The specs of everything that the rows share, as texts. */
async function specsOf(cluster: AdmissionCluster): Promise<readonly string[]> {
  return Promise.all(
    WORLD.map(async ({ kind, metadata: { name, namespace } }) => {
      const { body } = await stored(cluster, { kind, name, namespace });
      const { metadata, status: _, ...content } = body as Manifest & { status?: unknown };
      return JSON.stringify([kind, namespace, name, metadata.labels, content]);
    }),
  );
}

async function concurrently<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  const worker = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}
